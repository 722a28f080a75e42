/*
 * Moving elements between strided buffers: what Transpose, Slice, Concat,
 * Split, Expand, Tile, Pad and their like come down to. Elements are bytes of
 * size 1, 2, 4 or 8; their type does not matter.
 */
#ifndef FOVEA_OPS_COPY_H
#define FOVEA_OPS_COPY_H

#include "runtime/op.h"

/* Tile and the depth-to-space family split dimensions in two. */
#define FOVEA_BOX_RANK (2 * FOVEA_MAX_RANK)

/*
 * A box of elements with its place in two buffers. Strides are in elements and
 * may be 0 (source only: repeat) or negative. The dims may be in any order.
 */
struct fovea_box {
    int rank; /* 0: one element */
    int64_t dims[FOVEA_BOX_RANK];
    int64_t src[FOVEA_BOX_RANK], dst[FOVEA_BOX_RANK];
};

/* Row-major strides of `dims`, into `strides`. */
void fovea_dense_strides(int rank, const int64_t *dims, int64_t *strides);

/*
 * Copy the box; src and dst point at its first element. The places written are
 * distinct and overlap nothing read. In parallel where large enough.
 */
void fovea_copy_box(const struct fovea_box *box, size_t size, const void *src, void *dst);

/* `count` copies of the element at `value`. */
void fovea_fill(void *dst, int64_t count, size_t size, const void *value);

#endif
