/* See paired.h. */
#include "evaluation/paired.h"

#include "evaluation/scores.h"

#include <math.h>

/* lgamma writes a global, signgam; the arguments here are positive. */
static double log_factorial(double n) {
    int sign;
    return lgamma_r(n + 1, &sign);
}

static double term(double n, double k, double p) {
    double ways = log_factorial(n) - log_factorial(k) - log_factorial(n - k);
    return exp(ways + k * log(p) + (n - k) * log1p(-p));
}

/* The terms from k on, upwards; k is not below the mean, so that they fall. */
static double sum_upwards(double n, double k, double p) {
    double t = term(n, k, p), sum = 0;
    while (k <= n && t > sum * 1e-18) {
        sum += t;
        t *= (n - k) / (k + 1) * (p / (1 - p));
        k++;
    }
    return sum;
}

double eval_binomial_tail(size_t trials, size_t successes, double p) {
    double n = (double)trials, k = (double)successes;
    if (k <= 0 || p >= 1) {
        return k <= n;
    }
    if (k > n || p <= 0) {
        return 0;
    }
    if (k >= n * p) {
        return fmin(1, sum_upwards(n, k, p));
    }
    /* the same of the failures: at least n - k + 1 of them is the opposite */
    return fmax(0, 1 - sum_upwards(n, n - k + 1, 1 - p));
}

double eval_mcnemar_exact(size_t only_a, size_t only_b) {
    size_t larger = only_a > only_b ? only_a : only_b;
    return fmin(1, 2 * eval_binomial_tail(only_a + only_b, larger, 0.5));
}

/*
 * The correlation of the two answers. What speaks for a positive one is
 * weakened by half an image, as method 10 has it.
 */
static double correlation(const struct eval_paired *c, double n) {
    double a = (double)(c->both + c->only_a), b = (double)(c->both + c->only_b);
    double scale = sqrt(a * (n - a)) * sqrt(b * (n - b));
    double excess = (double)c->both * (double)c->neither - (double)c->only_a * (double)c->only_b;
    if (scale == 0) {
        return 0;
    }
    return (excess > 0 ? fmax(0, excess - n / 2) : excess) / scale;
}

void eval_paired_difference(const struct eval_paired *counts, double *difference, double *low,
                            double *high) {
    size_t n = counts->both + counts->only_a + counts->only_b + counts->neither;
    size_t a = counts->both + counts->only_a, b = counts->both + counts->only_b;
    *difference = 0;
    *low = -1;
    *high = 1;
    if (n == 0) {
        return;
    }
    double low_a, high_a, low_b, high_b;
    wilson_interval(a, n, &low_a, &high_a);
    wilson_interval(b, n, &low_b, &high_b);
    double share_a = (double)a / (double)n, share_b = (double)b / (double)n;
    double phi = correlation(counts, (double)n);
    double down_a = share_a - low_a, up_a = high_a - share_a;
    double down_b = share_b - low_b, up_b = high_b - share_b;
    *difference = ((double)counts->only_b - (double)counts->only_a) / (double)n;
    *low = *difference - sqrt(down_b * down_b - 2 * phi * down_b * up_a + up_a * up_a);
    *high = *difference + sqrt(up_b * up_b - 2 * phi * up_b * down_a + down_a * down_a);
}
