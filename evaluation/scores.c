/* See scores.h. */
#include "evaluation/scores.h"

#include <math.h>

bool logits_are_broken(const float *logits, int64_t n) {
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
size_t top_predictions(const float *logits, const bool *among, int64_t n, size_t k,
                       struct prediction *out) {
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
        out[at] = (struct prediction){.class_index = (int)i, .logit = logits[i]};
    }
    double sum = count > 0 ? sum_exp(logits, among, n, out[0].logit) : 1;
    for (size_t j = 0; j < count; j++) {
        out[j].probability = exp((double)out[j].logit - (double)out[0].logit) / sum;
    }
    return count;
}

double log_sum_exp(const float *logits, const bool *among, int64_t n, float largest) {
    return (double)largest + log(sum_exp(logits, among, n, largest));
}

void wilson_interval(size_t successes, size_t trials, double *low, double *high) {
    static const double z = 1.959963984540054; /* 97.5 % quantile of the normal distribution */
    *low = 0;
    *high = 1;
    if (trials == 0) {
        return;
    }
    double n = (double)trials, p = (double)successes / n;
    double scale = 1 + z * z / n;
    double centre = (p + z * z / (2 * n)) / scale;
    double half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / scale;
    *low = fmax(0, centre - half);
    *high = fmin(1, centre + half);
}
