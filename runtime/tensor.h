/*
 * Types, shapes and element access for struct fovea_tensor (fovea.h).
 *
 * Shapes of values in a graph are checked once, when inferred: every
 * dimension is >= 0 and the size in bytes is at most FOVEA_LIMIT_TENSOR_BYTES.
 * Code that runs later multiplies dimensions without further checks.
 */
#ifndef FOVEA_RUNTIME_TENSOR_H
#define FOVEA_RUNTIME_TENSOR_H

#include "runtime/error.h"

/* Alignment of every tensor the runtime allocates: a cache line, a zmm register. */
#define FOVEA_ALIGNMENT 64

/* Number of elements; the shape has been checked. */
int64_t fovea_tensor_count(const struct fovea_tensor *tensor);

/* Size in bytes; the shape has been checked. */
size_t fovea_tensor_bytes(const struct fovea_tensor *tensor);

/* dims[from] * ... * dims[to - 1]; 1 when empty. */
int64_t fovea_dims_product(const struct fovea_tensor *tensor, int from, int to);

/*
 * Check rank and dims of untrusted origin: rank at most FOVEA_MAX_RANK, no
 * negative dimension, at most FOVEA_LIMIT_TENSOR_BYTES. The message gives the
 * offending dimension.
 */
enum fovea_status fovea_tensor_check_shape(const struct fovea_tensor *tensor,
                                           struct fovea_error *err);

/* Set type and shape, leaving data alone. */
void fovea_tensor_set_shape(struct fovea_tensor *tensor, enum fovea_dtype dtype, int rank,
                            const int64_t *dims);

bool fovea_tensor_same_shape(const struct fovea_tensor *a, const struct fovea_tensor *b);

/* "[1,3,480,480]", for messages. By value, as fovea_quote. */
struct fovea_shape_text {
    char text[FOVEA_MAX_RANK * 21 + 3];
};
struct fovea_shape_text fovea_shape_text(const struct fovea_tensor *tensor);

/* `bytes` of memory aligned to FOVEA_ALIGNMENT (at least one line), or NULL; free() it. */
void *fovea_aligned_alloc(size_t bytes);

/* Element `index` as int64 or double, whatever the integer, float or bool type. */
int64_t fovea_tensor_get_int(const struct fovea_tensor *tensor, int64_t index);
double fovea_tensor_get_float(const struct fovea_tensor *tensor, int64_t index);

bool fovea_dtype_is_float(enum fovea_dtype dtype);
/* f16 or bf16: a type for storage; arithmetic on it is done in f32. */
bool fovea_dtype_is_half(enum fovea_dtype dtype);
bool fovea_dtype_is_int(enum fovea_dtype dtype); /* signed or unsigned, not bool */

/* To IEEE binary16, to nearest, ties to even. Other conversions of halves: half.h. */
uint16_t fovea_f32_to_f16(float value);

/*
 * Convert `count` elements as ONNX Cast does: float to integer truncates (NaN
 * to 0, saturating at the 64-bit range, then keeping the low bits), integer to
 * integer keeps the low bits, anything to bool is "not zero". The two ranges
 * do not overlap, and `src` may have any alignment.
 */
void fovea_convert(enum fovea_dtype from, const void *src, enum fovea_dtype to, void *dst,
                   int64_t count);

#endif
