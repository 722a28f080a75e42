/* Lists that are attribute or operand, and views: see axes.h. */
#include "ops/axes.h"

#include <string.h>

bool fovea_has_list(const struct fovea_node *node, const char *attr, int index) {
    return fovea_node_attr(node, attr) || fovea_node_input(node, index);
}

enum fovea_status fovea_read_list(const struct fovea_node *node, const char *attr, int index,
                                  int64_t *values, size_t most, size_t *count,
                                  struct fovea_error *err) {
    if (!fovea_node_attr(node, attr)) {
        return fovea_input_ints(node, index, values, most, count, err);
    }
    size_t n;
    const int64_t *ints = fovea_attr_ints(node, attr, &n);
    if (n > most) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "attribute '%s' has %zu elements; at most %zu make sense", attr, n, most);
    }
    if (n > 0) {
        memcpy(values, ints, n * sizeof(*values));
    }
    *count = n;
    return FOVEA_OK;
}

enum fovea_status fovea_resolve_axes(const int64_t *values, size_t count, int rank, int *axes,
                                     struct fovea_error *err) {
    unsigned seen = 0;
    for (size_t i = 0; i < count; i++) {
        enum fovea_status st = fovea_resolve_axis(values[i], rank, &axes[i], err);
        if (st) {
            return st;
        }
        if (seen >> axes[i] & 1) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "axis %d is given twice", axes[i]);
        }
        seen |= 1u << axes[i];
    }
    return FOVEA_OK;
}

enum fovea_status fovea_run_view(const struct fovea_node *node, const struct fovea_run *run,
                                 struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct fovea_tensor *x = &node->in[0]->t, *y = &node->out[0]->t;
    size_t bytes = fovea_tensor_bytes(y);
    if (y->data != x->data && bytes > 0) {
        memcpy(y->data, x->data, bytes);
    }
    return FOVEA_OK;
}
