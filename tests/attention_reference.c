/* See attention_reference.h. */
#include "tests/attention_reference.h"

#include <math.h>

double attention_dot(const float *a, int64_t sa, const float *b, int64_t sb, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)a[i * sa] * (double)b[i * sb];
    }
    return sum;
}

static void softmax_in_place(double *s, int64_t n) {
    double most = -INFINITY, sum = 0;
    for (int64_t j = 0; j < n; j++) {
        most = fmax(most, s[j]);
    }
    for (int64_t j = 0; j < n; j++) {
        s[j] = exp(s[j] - most);
        sum += s[j];
    }
    for (int64_t j = 0; j < n; j++) {
        s[j] /= sum;
    }
}

/* Query i of head h of image b. */
static void reference_row(const struct attention_problem *p, int64_t b, int64_t h, int64_t i,
                          float *y, float *scores) {
    static double s[4096];
    int64_t kv = h / (p->heads / p->kv_heads);
    const float *q = p->q + b * p->q_strides[0] + h * p->q_strides[1] + i * p->q_strides[2];
    const float *k = p->k + b * p->k_strides[0] + kv * p->k_strides[1];
    const float *v = p->v + b * p->v_strides[0] + kv * p->v_strides[1];
    for (int64_t j = 0; j < p->kv_len; j++) {
        s[j] = p->scale * attention_dot(q, p->q_strides[3], k + j * p->k_strides[2],
                                        p->k_strides[3], p->head_dim);
        s[j] = p->softcap > 0 ? p->softcap * tanh(s[j] / p->softcap) : s[j];
        s[j] += p->mask ? (double)p->mask[i * p->kv_len + j] : 0;
        s[j] = p->causal && j > i + p->past ? -INFINITY : s[j];
    }
    softmax_in_place(s, p->kv_len);
    y += b * p->y_strides[0] + h * p->y_strides[1] + i * p->y_strides[2];
    for (int64_t c = 0; c < p->value_dim; c++) {
        double sum = 0;
        for (int64_t j = 0; j < p->kv_len; j++) {
            sum += s[j] * (double)v[j * p->v_strides[2] + c * p->v_strides[3]];
        }
        y[c] = (float)sum;
    }
    for (int64_t j = 0; scores && j < p->kv_len; j++) {
        scores[((b * p->heads + h) * p->q_len + i) * p->kv_len + j] = (float)s[j];
    }
}

int64_t attention_reference(const struct attention_problem *p, float *y, float *scores) {
    for (int64_t b = 0; b < p->batch; b++) {
        for (int64_t h = 0; h < p->heads; h++) {
            for (int64_t i = 0; i < p->q_len; i++) {
                reference_row(p, b, h, i, y, scores);
            }
        }
    }
    return p->batch * p->heads * p->q_len * p->value_dim;
}
