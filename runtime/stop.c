/* Cancellation and deadlines: see stop.h. */
#include "runtime/stop.h"

#include "runtime/clock.h"
#include "runtime/portability.h"

void fovea_cancel_request(struct fovea_cancel *cancel) {
    fovea_atomic_set(&cancel->requested, 1);
}

void fovea_cancel_reset(struct fovea_cancel *cancel) {
    fovea_atomic_set(&cancel->requested, 0);
}

double fovea_deadline_after(double seconds) {
    return fovea_clock_seconds() + seconds;
}

enum fovea_status fovea_stop_check(const struct fovea_run_options *options,
                                   struct fovea_error *err) {
    if (options->cancel && fovea_atomic_get(&options->cancel->requested)) {
        return fovea_fail(err, FOVEA_ERR_CANCELLED, "the run was cancelled");
    }
    double late = options->deadline != 0 ? fovea_clock_seconds() - options->deadline : -1;
    if (late >= 0) {
        return fovea_fail(err, FOVEA_ERR_DEADLINE, "the deadline passed %.3g s ago", late);
    }
    return FOVEA_OK;
}
