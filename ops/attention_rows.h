/*
 * What attention does to its matrices besides multiplying them: softmax over
 * rows of scores, and packing keys and values of a head.
 */
#ifndef FOVEA_OPS_ATTENTION_ROWS_H
#define FOVEA_OPS_ATTENTION_ROWS_H

#include <stddef.h>
#include <stdint.h>

/* f32 in the widest vector: rows of scores are padded to a multiple of it. */
#define FOVEA_ATTENTION_LANES 16

/*
 * x = e^(scale (x - max x)), and the sum of that. scale > 0. The row is filled
 * up with -inf to a multiple of FOVEA_ATTENTION_LANES; there it becomes 0.
 * Each exponential is within 3 ulp, and what is below 2^-126 within that.
 */
float fovea_attention_exp_row(float *x, int64_t n, float scale);

/*
 * The same, rounded to bf16, to another row; the sum is of what is not yet
 * rounded. Each exponential is within 1e-4 of itself before rounding, a
 * twentieth of what that may add.
 */
float fovea_attention_exp_row_bf16(const float *x, int64_t n, float scale, uint16_t *to);

/* to = factor x, rounded to bf16. */
void fovea_attention_store_row(const float *x, int64_t n, float factor, uint16_t *to);

/* x *= factor */
void fovea_attention_scale_row(float *x, int64_t n, float factor);

/* to[channel][token], rows `stride` apart, from from[token * ld + channel]. */
void fovea_attention_transpose(const float *from, int64_t ld, int64_t tokens, int64_t channels,
                               float *to, int64_t stride);

void fovea_attention_transpose_bf16(const uint16_t *from, int64_t ld, int64_t tokens,
                                    int64_t channels, uint16_t *to, int64_t stride);

/* to[token][channel], dense, elements of `size` bytes, from from[token * ld + channel]. */
void fovea_attention_gather(const void *from, int64_t ld, int64_t tokens, int64_t channels,
                            size_t size, void *to);

#endif
