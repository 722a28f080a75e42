/* Time for measuring, one clock for all. */
#ifndef FOVEA_RUNTIME_CLOCK_H
#define FOVEA_RUNTIME_CLOCK_H

/* Seconds on a clock that only goes forward, from an arbitrary start. Any thread. */
double fovea_clock_seconds(void);

#endif
