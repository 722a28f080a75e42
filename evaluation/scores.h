/* How sure a share of correct answers is. */
#ifndef FOVEA_EVALUATION_SCORES_H
#define FOVEA_EVALUATION_SCORES_H

#include <stddef.h>

/*
 * Wilson's 95 % score interval for `successes` in `trials`; 0..1 for no trials.
 * (Wilson 1927; sound near 0 and 1, where the normal interval is not.)
 */
void wilson_interval(size_t successes, size_t trials, double *low, double *high);

#endif
