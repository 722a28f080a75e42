/* One sweep over the points of failure of a phase: see inject.c. */
#ifndef FOVEA_TESTS_INJECT_SWEEP_H
#define FOVEA_TESTS_INJECT_SWEEP_H

#include "tests/inject/phases.h"
#include "tests/inject/points.h"

/* Which calls fail, of one phase. */
struct sweep {
    const struct phase *phase;
    const char *what;
    struct point_plan plan;
    long stride;
    long last; /* only so many, at the end; 0: all */
    bool cold;
};

/*
 * Memory that this process and its children share is taken, `work` is what they work on; with
 * `verbose`, every point is told to stderr.
 */
bool sweep_begin(const struct phase_work *work, bool verbose);

/* Write what the phases need, with the model itself unless it is `given`. */
bool sweep_make_files(bool given);

/* Try the points, and print the counts; whether all went as it should. */
bool sweep_points(const struct sweep *sweep);

#endif
