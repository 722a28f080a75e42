/* What is done to a row of scores before softmax: see attention_scores.h. */
#include "ops/attention_scores.h"

#include "ops/attention_rows.h"
#include "runtime/portability.h"

#include <math.h>
#include <string.h>

static void cap_row(float *x, int64_t n, float cap) {
    for (int64_t i = 0; i < n; i++) {
        x[i] = cap * tanhf(x[i] / cap);
    }
}

FOVEA_KERNEL static void add_row(float *x, int64_t n, const float *mask, int64_t stride) {
    if (stride == 1) {
        for (int64_t i = 0; i < n; i++) {
            x[i] += mask[i];
        }
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        x[i] += mask[i * stride];
    }
}

static void mask_row(const struct fovea_attention *a, const void *mask, int64_t at, float *x) {
    if (!a->mask_is_bool) {
        add_row(x, a->kv_len, (const float *)mask + at, a->mask.channel);
        return;
    }
    const unsigned char *keep = (const unsigned char *)mask + at;
    for (int64_t i = 0; i < a->kv_len; i++) {
        x[i] = keep[i * a->mask.channel] ? x[i] : -INFINITY;
    }
}

void fovea_attention_finish_scores(const struct fovea_attention *a,
                                   const struct fovea_attention_operands *operands, int64_t batch,
                                   int64_t head, int64_t row, float *x) {
    int64_t n = a->kv_len;
    int64_t at = fovea_attention_offset(&a->mask, batch, head, row);
    float *copy = operands->scores;
    if (copy) {
        copy += ((batch * a->heads + head) * a->q_len + row) * n;
    }
    fovea_attention_scale_row(x, n, a->scale);
    if (copy && a->stage <= FOVEA_ATTENTION_MASKED) {
        memcpy(copy, x, (size_t)n * sizeof(*x));
    }
    if (copy && a->masked && a->stage == FOVEA_ATTENTION_MASKED) {
        mask_row(a, operands->mask, at, copy);
    }
    if (a->softcap > 0) {
        cap_row(x, n, a->softcap);
    }
    if (a->masked) {
        mask_row(a, operands->mask, at, x);
    }
    int64_t seen = a->causal ? a->past + row + 1 : n;
    for (int64_t i = seen; i < n; i++) {
        x[i] = -INFINITY;
        if (copy && a->stage == FOVEA_ATTENTION_MASKED) {
            copy[i] = -INFINITY;
        }
    }
    if (copy && a->stage == FOVEA_ATTENTION_CAPPED) {
        memcpy(copy, x, (size_t)n * sizeof(*x));
    }
}

void fovea_attention_keep_weights(const struct fovea_attention *a,
                                  const struct fovea_attention_operands *operands, int64_t batch,
                                  int64_t head, int64_t row, const float *x, float factor) {
    if (!operands->scores || a->stage != FOVEA_ATTENTION_WEIGHTS) {
        return;
    }
    float *copy = operands->scores + ((batch * a->heads + head) * a->q_len + row) * a->kv_len;
    for (int64_t i = 0; i < a->kv_len; i++) {
        copy[i] = x[i] * factor;
    }
}

bool fovea_attention_is_plain(const struct fovea_attention *a,
                              const struct fovea_attention_operands *operands) {
    return !a->masked && !a->causal && !(a->softcap > 0) && a->scale > 0 &&
           (!operands->scores || a->stage == FOVEA_ATTENTION_WEIGHTS);
}
