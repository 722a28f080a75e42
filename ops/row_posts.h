/*
 * Posts (runtime/dnn.h) on a few values at a time, while they are in cache:
 * for kernels of our own that end like a primitive of oneDNN.
 */
#ifndef FOVEA_OPS_ROW_POSTS_H
#define FOVEA_OPS_ROW_POSTS_H

#include "runtime/dnn.h"

/* `count` values along the channels of a result [N,C,H,W], from `index` on. */
struct fovea_row {
    int64_t index[4];
    float *values;
    int64_t count;
};

/* Whether all operands are of f32, which is what can be done here. */
bool fovea_row_posts_fit(const struct fovea_dnn_post *posts, int n_posts);

/*
 * Do the posts in order. Operands are views of rank 4 in f32, whose dims are
 * the result's or 1; operands[i] is that of post i, NULL for ACT.
 */
void fovea_row_posts(const struct fovea_dnn_post *posts, int n_posts, const void *const *operands,
                     const struct fovea_row *row);

#endif
