/*
 * What attention does to its matrices besides multiplying them: softmax over
 * rows of scores, and packing keys and values of a head.
 */
#ifndef FOVEA_OPS_ATTENTION_ROWS_H
#define FOVEA_OPS_ATTENTION_ROWS_H

#include <stdint.h>

/* f32 in the widest vector: rows of scores are padded to a multiple of it. */
#define FOVEA_ATTENTION_LANES 16

/*
 * x = e^(scale (x - max x)), and the sum of that. scale > 0. The row is filled
 * up with -inf to a multiple of FOVEA_ATTENTION_LANES; there it becomes 0.
 * Each exponential is within 3 ulp, and what is below 2^-126 within that.
 */
float fovea_attention_exp_row(float *x, int64_t n, float scale);

/* x *= factor */
void fovea_attention_scale_row(float *x, int64_t n, float factor);

/* to[channel][token], rows `stride` apart, from from[token * ld + channel]. */
void fovea_attention_transpose(const float *from, int64_t ld, int64_t tokens, int64_t channels,
                               float *to, int64_t stride);

/* to[token][channel], dense, from from[token * ld + channel]. */
void fovea_attention_gather(const float *from, int64_t ld, int64_t tokens, int64_t channels,
                            float *to);

#endif
