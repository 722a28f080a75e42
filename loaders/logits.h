/*
 * From logits to an answer: the best classes and their probabilities.
 */
#ifndef FOVEA_LOADERS_LOGITS_H
#define FOVEA_LOADERS_LOGITS_H

#include "runtime/fovea.h"

/*
 * The `k` largest of `n` logits, best first; of equal ones the lower class is
 * first. Only classes whose among[class] is set are there, and count for the
 * softmax, unless `among` is NULL. `out` has room for k, and gets no labels;
 * returns how many there are, at most k.
 */
size_t fovea_logits_top(const float *logits, const bool *among, int64_t n, size_t k,
                        struct fovea_result *out);

/* ln of the sum of e^logit over those classes, in f64; `largest` is the largest of the logits. */
double fovea_logits_log_sum_exp(const float *logits, const bool *among, int64_t n, float largest);

/* Whether a logit is NaN or infinite: no answer should be made of it. */
bool fovea_logits_are_broken(const float *logits, int64_t n);

#endif
