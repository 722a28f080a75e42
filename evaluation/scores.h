/*
 * From logits to an answer: the best classes, their probabilities, and how
 * sure a share of correct answers is.
 */
#ifndef FOVEA_EVALUATION_SCORES_H
#define FOVEA_EVALUATION_SCORES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prediction {
    int class_index;
    float logit;
    double probability; /* softmax over the classes that are there */
};

/*
 * The `k` largest of `n` logits, best first; of equal ones the lower class is
 * first. Only classes whose among[class] is set are there, unless `among` is
 * NULL. `out` has room for k; returns how many there are, at most k.
 */
size_t top_predictions(const float *logits, const bool *among, int64_t n, size_t k,
                       struct prediction *out);

/* ln of the sum of e^logit over those classes, in f64; `largest` is the largest of the logits. */
double log_sum_exp(const float *logits, const bool *among, int64_t n, float largest);

/* Whether a logit is NaN or infinite: no answer should be made of it. */
bool logits_are_broken(const float *logits, int64_t n);

/*
 * Wilson's 95 % score interval for `successes` in `trials`; 0..1 for no trials.
 * (Wilson 1927; sound near 0 and 1, where the normal interval is not.)
 */
void wilson_interval(size_t successes, size_t trials, double *low, double *high);

#endif
