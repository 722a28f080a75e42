/*
 * Plain C versions of the operators that oneDNN computes, as slow and as close
 * to their definition as can be; sums in double. Tensors are dense NCHW.
 */
#ifndef FOVEA_TESTS_REFERENCE_H
#define FOVEA_TESTS_REFERENCE_H

#include "runtime/graph.h"

struct reference_window {
    int spatial; /* 1 to 3 */
    int64_t kernel[3], strides[3], dilations[3], before[3], after[3];
};

/* Output size along spatial dimension d of an input of that size. */
int64_t reference_window_out(const struct reference_window *window, int d, int64_t in);

/*
 * y [N,O,out...] = w [O,C/groups,kernel...] over x [N,C,in...], plus bias [O]
 * (may be NULL). y has room for the result; its shape is set here.
 */
void reference_conv(const struct fovea_tensor *x, const struct fovea_tensor *w, const float *bias,
                    int64_t groups, const struct reference_window *window, struct fovea_tensor *y);

/* c [batch,m,n] = scale * a [batch,m,k] b [batch,k,n] + bias [n] (may be NULL). */
void reference_matmul(const float *a, const float *b, const float *bias, int64_t batch, int64_t m,
                      int64_t k, int64_t n, float scale, float *c);

/*
 * Pooling of x [N,C,in...] to y, whose shape is set by the caller. Average:
 * of the elements inside the image, or (count_pads) over the taps inside image
 * and pads. Max: with the flat index of each maximum if `indices` is not NULL.
 */
void reference_pool(const struct fovea_tensor *x, const struct reference_window *window,
                    bool average, bool count_pads, struct fovea_tensor *y, int64_t *indices);

/* One epilogue step on y; operand (of a rank up to y's) broadcasts, NULL for ACT. */
void reference_step(const struct fovea_epilogue_step *step, const struct fovea_tensor *operand,
                    struct fovea_tensor *y);

#endif
