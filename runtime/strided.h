/*
 * Values as strided views of other values: what a chain of Transpose, Slice,
 * Split, Reshape and the like amounts to, and the numbers it multiplies by.
 */
#ifndef FOVEA_RUNTIME_STRIDED_H
#define FOVEA_RUNTIME_STRIDED_H

#include "runtime/graph.h"

/*
 * Element [i0, i1, ...] is scale * base.data[offset + i0 * strides[0] + ...];
 * strides in elements, 0 where broadcast. `base` is dense and row-major.
 */
struct fovea_strided {
    struct fovea_value *base;
    double scale;
    int64_t offset;
    int rank;
    int64_t dims[FOVEA_MAX_RANK];
    int64_t strides[FOVEA_MAX_RANK];
};

/* `value` as a view of itself. */
void fovea_strided_of(struct fovea_value *value, struct fovea_strided *out);

/*
 * `value` as a view of the earliest value that its chain of producers permits.
 * Values must be inferred. Never fails: at worst it is a view of itself.
 */
void fovea_strided_trace(struct fovea_value *value, struct fovea_strided *out);

/*
 * View under another shape of as many elements, if no copy is needed: every
 * new dimension must lie within old ones that are contiguous to each other.
 */
bool fovea_strided_reshape(struct fovea_strided *view, int rank, const int64_t *dims);

#endif
