/*
 * Attention by its definition, in double precision, for tests of operators.
 */
#ifndef FOVEA_TESTS_ATTENTION_REFERENCE_H
#define FOVEA_TESTS_ATTENTION_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

/* An attention in full: all operands as strides, batch head token channel. */
struct attention_problem {
    int64_t batch, heads, kv_heads, q_len, kv_len, head_dim, value_dim;
    const float *q, *k, *v;
    int64_t q_strides[4], k_strides[4], v_strides[4], y_strides[3];
    const float *mask; /* added; dense [q_len, kv_len], or NULL */
    bool causal;
    int64_t past;
    double scale, softcap;
};

/* A sum of n products; the elements lie sa and sb apart. */
double attention_dot(const float *a, int64_t sa, const float *b, int64_t sb, int64_t n);

/*
 * Results to `y`, by y_strides, and the weights after softmax to `scores`, dense
 * [batch, heads, q_len, kv_len], unless it is NULL; kv_len is at most 4096. Gives the number of
 * results.
 */
int64_t attention_reference(const struct attention_problem *p, float *y, float *scores);

#endif
