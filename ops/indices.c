/* Indices from data: see indices.h. */
#include "ops/indices.h"

enum fovea_status fovea_expect_indices(const struct fovea_node *node, int index,
                                       struct fovea_error *err) {
    return fovea_expect_dtype(node, index, FOVEA_DTYPE_BIT(FOVEA_I32) | FOVEA_DTYPE_BIT(FOVEA_I64),
                              err);
}

static int64_t get(const struct fovea_tensor *indices, int64_t at) {
    return indices->dtype == FOVEA_I32 ? ((const int32_t *)indices->data)[at]
                                       : ((const int64_t *)indices->data)[at];
}

enum fovea_status fovea_check_indices(const struct fovea_tensor *indices, const int64_t *bounds,
                                      int n, struct fovea_error *err) {
    int64_t count = fovea_tensor_count(indices);
    for (int64_t i = 0; i < count; i++) {
        int64_t value = get(indices, i), bound = bounds[i % n];
        if (value < -bound || value >= bound) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "index %lld (element %lld of the indices) is outside [%lld, %lld)",
                              (long long)value, (long long)i, (long long)-bound, (long long)bound);
        }
    }
    return FOVEA_OK;
}

int64_t fovea_get_index(const struct fovea_tensor *indices, int64_t at, int64_t bound) {
    int64_t value = get(indices, at);
    return value < 0 ? value + bound : value;
}
