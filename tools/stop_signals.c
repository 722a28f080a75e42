/* See stop_signals.h. */
#include "tools/stop_signals.h"

#include "runtime/clock.h"

static volatile sig_atomic_t caught;

/* Signals that come within this of the first are the same one: timeout(1) sends each twice, to its
 * child and to the group that it is in. */
static const double same_signal_s = 0.3;

/* The first signal asks; the second has its usual effect, once this has returned. */
static void catch_signal(int number) {
    static volatile double first;
    if (!caught) {
        first = fovea_clock_seconds();
        caught = number;
    } else if (fovea_clock_seconds() > first + same_signal_s) {
        signal(number, SIG_DFL);
        raise(number);
    }
}

void stop_signals_watch(struct stop_signals *signals) {
    struct sigaction action = {.sa_handler = catch_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    caught = 0;
    sigaction(SIGINT, &action, &signals->old[0]);
    sigaction(SIGTERM, &action, &signals->old[1]);
}

void stop_signals_unwatch(const struct stop_signals *signals) {
    sigaction(SIGINT, &signals->old[0], NULL);
    sigaction(SIGTERM, &signals->old[1], NULL);
}

const volatile sig_atomic_t *stop_signals_caught(void) {
    return &caught;
}
