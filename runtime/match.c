/* Small questions about a graph: see match.h. */
#include "runtime/match.h"

#include <math.h>
#include <string.h>

bool fovea_node_is(const struct fovea_node *node, const char *type) {
    return node && node->domain[0] == 0 && strcmp(node->type, type) == 0;
}

bool fovea_node_has_more_outputs(const struct fovea_node *node) {
    for (int i = 1; i < node->n_out; i++) {
        if (node->out[i]) {
            return true;
        }
    }
    return false;
}

bool fovea_batch_norm_trains(const struct fovea_node *node) {
    return node->opset < 14 ? fovea_node_has_more_outputs(node)
                            : fovea_attr_int(node, "training_mode", 0) != 0;
}

bool fovea_node_is_own(const struct fovea_node *node, const char *type) {
    return node && strcmp(node->domain, "fovea") == 0 && strcmp(node->type, type) == 0;
}

struct fovea_node *fovea_value_from(const struct fovea_value *value, const char *type) {
    return value && fovea_node_is(value->producer, type) ? value->producer : NULL;
}

struct fovea_node *fovea_value_only_user(const struct fovea_value *value) {
    return value->n_uses == 1 && !value->is_output ? value->uses[0].node : NULL;
}

bool fovea_value_scalar(const struct fovea_value *value, double *out) {
    if (!value || !value->constant || !fovea_dtype_is_float(value->t.dtype) ||
        fovea_tensor_count(&value->t) != 1) {
        return false;
    }
    *out = fovea_tensor_get_float(&value->t, 0);
    return true;
}

bool fovea_node_scalar_operand(const struct fovea_node *node, double *scalar, int *other) {
    for (int i = 0; i < 2 && node->n_in == 2; i++) {
        /* A scalar of higher rank than the other operand would change the result's rank. */
        if (node->in[0] && node->in[1] && fovea_value_scalar(node->in[i], scalar) &&
            node->in[i]->t.rank <= node->in[1 - i]->t.rank) {
            *other = 1 - i;
            return true;
        }
    }
    return false;
}

bool fovea_nearly(double a, double b) {
    return fabs(a - b) <= 4e-3 * fabs(b);
}
