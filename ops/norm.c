/* Checks that the normalisations share: see norm.h. */
#include "ops/norm.h"

#include <math.h>

enum fovea_status fovea_norm_check_epsilon(const struct fovea_node *node, float otherwise,
                                           float *epsilon, struct fovea_error *err) {
    float value = fovea_attr_float(node, "epsilon", otherwise);
    if (!isfinite(value) || value < 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "epsilon is %g; it must be a finite number, not negative", (double)value);
    }
    *epsilon = value;
    return FOVEA_OK;
}

enum fovea_status fovea_norm_check_list(const struct fovea_node *node, int index, const char *what,
                                        int64_t count, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t, *list = &node->in[index]->t;
    if (list->rank != 1 || list->dims[0] != count) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "%s has shape %s; it must be [%lld]", what,
                          fovea_shape_text(list).text, (long long)count);
    }
    if (list->dtype != x->dtype &&
        !(fovea_dtype_is_half(list->dtype) || fovea_dtype_is_half(x->dtype))) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "%s is %s where the input is %s", what,
                          fovea_dtype_name(list->dtype), fovea_dtype_name(x->dtype));
    }
    return FOVEA_OK;
}
