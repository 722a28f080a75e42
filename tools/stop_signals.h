/*
 * SIGINT and SIGTERM that ask a long piece of work to come to an end.
 */
#ifndef FOVEA_TOOLS_STOP_SIGNALS_H
#define FOVEA_TOOLS_STOP_SIGNALS_H

#include <signal.h>

/* The actions there were before. */
struct stop_signals {
    struct sigaction old[2];
};

/*
 * Catch them until stop_signals_unwatch. The first is noted in what stop_signals_caught returns,
 * the second has its usual effect. One watch at a time, by the main thread.
 */
void stop_signals_watch(struct stop_signals *signals);
void stop_signals_unwatch(const struct stop_signals *signals);

/* The number of the signal that was caught since the watch began, 0 for none; for ever there. */
const volatile sig_atomic_t *stop_signals_caught(void);

#endif
