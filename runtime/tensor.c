/* Tensor types and shapes: see tensor.h. Conversions are in convert.c. */
#include "runtime/tensor.h"

#include "runtime/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} dtypes[FOVEA_N_DTYPES] = {
    [FOVEA_F32] = {"f32", 4},   [FOVEA_F16] = {"f16", 2}, [FOVEA_BF16] = {"bf16", 2},
    [FOVEA_F64] = {"f64", 8},   [FOVEA_I8] = {"i8", 1},   [FOVEA_U8] = {"u8", 1},
    [FOVEA_I16] = {"i16", 2},   [FOVEA_U16] = {"u16", 2}, [FOVEA_I32] = {"i32", 4},
    [FOVEA_U32] = {"u32", 4},   [FOVEA_I64] = {"i64", 8}, [FOVEA_U64] = {"u64", 8},
    [FOVEA_BOOL] = {"bool", 1},
};

size_t fovea_dtype_size(enum fovea_dtype dtype) {
    return (unsigned)dtype < FOVEA_N_DTYPES ? dtypes[dtype].size : 0;
}

const char *fovea_dtype_name(enum fovea_dtype dtype) {
    return (unsigned)dtype < FOVEA_N_DTYPES ? dtypes[dtype].name : "unknown";
}

bool fovea_dtype_is_half(enum fovea_dtype dtype) {
    return dtype == FOVEA_F16 || dtype == FOVEA_BF16;
}

bool fovea_dtype_is_float(enum fovea_dtype dtype) {
    return dtype == FOVEA_F32 || dtype == FOVEA_F64 || fovea_dtype_is_half(dtype);
}

bool fovea_dtype_is_int(enum fovea_dtype dtype) {
    return dtype >= FOVEA_I8 && dtype <= FOVEA_U64;
}

int64_t fovea_dims_product(const struct fovea_tensor *tensor, int from, int to) {
    int64_t product = 1;
    for (int i = from; i < to; i++) {
        product *= tensor->dims[i];
    }
    return product;
}

int64_t fovea_tensor_count(const struct fovea_tensor *tensor) {
    return fovea_dims_product(tensor, 0, tensor->rank);
}

size_t fovea_tensor_bytes(const struct fovea_tensor *tensor) {
    return (size_t)fovea_tensor_count(tensor) * fovea_dtype_size(tensor->dtype);
}

enum fovea_status fovea_tensor_check_shape(const struct fovea_tensor *tensor,
                                           struct fovea_error *err) {
    if (tensor->rank < 0 || tensor->rank > FOVEA_MAX_RANK) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "rank %d is over the limit of %d",
                          tensor->rank, FOVEA_MAX_RANK);
    }
    /* Zero-sized tensors are checked as if their zeros were ones, so that any
     * partial product of the dimensions is in range as well. */
    int64_t bytes = (int64_t)fovea_dtype_size(tensor->dtype);
    for (int i = 0; i < tensor->rank; i++) {
        int64_t dim = tensor->dims[i];
        if (dim < 0) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "dimension %d is %lld, below 0", i,
                              (long long)dim);
        }
        if (dim > 0 && bytes > FOVEA_LIMIT_TENSOR_BYTES / dim) {
            return fovea_fail(err, FOVEA_ERR_LIMIT,
                              "shape %s is over the limit of 2^46 bytes a tensor",
                              fovea_shape_text(tensor).text);
        }
        bytes *= dim > 0 ? dim : 1;
    }
    return FOVEA_OK;
}

void fovea_tensor_set_shape(struct fovea_tensor *tensor, enum fovea_dtype dtype, int rank,
                            const int64_t *dims) {
    tensor->dtype = dtype;
    tensor->rank = rank;
    if (rank > 0) {
        memmove(tensor->dims, dims, (size_t)rank * sizeof(*dims));
    }
}

bool fovea_tensor_same_shape(const struct fovea_tensor *a, const struct fovea_tensor *b) {
    if (a->rank != b->rank) {
        return false;
    }
    for (int i = 0; i < a->rank; i++) {
        if (a->dims[i] != b->dims[i]) {
            return false;
        }
    }
    return true;
}

struct fovea_shape_text fovea_shape_text(const struct fovea_tensor *tensor) {
    struct fovea_shape_text shape = {"["};
    size_t used = 1;
    for (int i = 0; i < tensor->rank && i < FOVEA_MAX_RANK; i++) {
        used += (size_t)snprintf(shape.text + used, sizeof(shape.text) - used, "%s%lld",
                                 i ? "," : "", (long long)tensor->dims[i]);
    }
    snprintf(shape.text + used, sizeof(shape.text) - used, "]");
    return shape;
}

void *fovea_aligned_alloc(size_t bytes) {
    if (bytes > SIZE_MAX - FOVEA_ALIGNMENT) {
        return NULL;
    }
    size_t lines = (bytes + FOVEA_ALIGNMENT - 1) / FOVEA_ALIGNMENT;
    return aligned_alloc(FOVEA_ALIGNMENT, (lines ? lines : 1) * FOVEA_ALIGNMENT);
}
