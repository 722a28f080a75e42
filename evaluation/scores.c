/* See scores.h. */
#include "evaluation/scores.h"

#include <math.h>

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
