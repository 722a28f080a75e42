/* The best classes: see logits.h. */
#include "loaders/logits.h"

#include <math.h>

bool fovea_logits_are_broken(const float *logits, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(logits[i])) {
            return true;
        }
    }
    return false;
}

static double sum_exp(const float *logits, const bool *among, int64_t n, float largest) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += among && !among[i] ? 0 : exp((double)logits[i] - (double)largest);
    }
    return sum;
}

/* Insertion into a short sorted list; strictly greater, so that ties keep the lower class. */
size_t fovea_logits_top(const float *logits, const bool *among, int64_t n, size_t k,
                        struct fovea_result *out) {
    size_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        if (among && !among[i]) {
            continue;
        }
        size_t at = count;
        while (at > 0 && logits[i] > out[at - 1].logit) {
            at--;
        }
        if (at >= k) {
            continue;
        }
        count += count < k;
        for (size_t j = count - 1; j > at; j--) {
            out[j] = out[j - 1];
        }
        out[at] = (struct fovea_result){.class_index = (int)i, .logit = logits[i]};
    }
    double sum = count > 0 ? sum_exp(logits, among, n, out[0].logit) : 1;
    for (size_t j = 0; j < count; j++) {
        out[j].probability = exp((double)out[j].logit - (double)out[0].logit) / sum;
    }
    return count;
}

double fovea_logits_log_sum_exp(const float *logits, const bool *among, int64_t n, float largest) {
    return (double)largest + log(sum_exp(logits, among, n, largest));
}
