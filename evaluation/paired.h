/*
 * Two evaluations of the same images: what the images that only one of them
 * has right say about the difference.
 */
#ifndef FOVEA_EVALUATION_PAIRED_H
#define FOVEA_EVALUATION_PAIRED_H

#include <stddef.h>

/* Images by who is right about them. */
struct eval_paired {
    size_t both, only_a, only_b, neither;
};

/*
 * The probability of at least `successes` in `trials` independent ones, each of
 * probability `p` in 0..1. To 9 digits for up to 10^9 trials.
 */
double eval_binomial_tail(size_t trials, size_t successes, double p);

/*
 * McNemar's exact test, two-sided: the probability, if the two are equally good,
 * of a split of the images that only one has right at least as uneven as this
 * one (McNemar 1947; the conditional binomial test). 1 if there are none.
 */
double eval_mcnemar_exact(size_t only_a, size_t only_b);

/*
 * The share right of b less that of a, with a 95 % interval: Newcombe 1998,
 * Statistics in Medicine 17, 2635-2650, method 10 (Wilson's intervals of the two
 * shares, squared and added, with their correlation). -1..1 without images.
 */
void eval_paired_difference(const struct eval_paired *counts, double *difference, double *low,
                            double *high);

#endif
