/*
 * Seconds of CLOCK_MONOTONIC.
 */
#ifndef SERVICE_CLOCK_H
#define SERVICE_CLOCK_H

#include <time.h>

static inline double clock_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#endif
