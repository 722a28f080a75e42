/* Whether a run should end before it is done: fovea.h's cancellation and deadlines. */
#ifndef FOVEA_RUNTIME_STOP_H
#define FOVEA_RUNTIME_STOP_H

#include "runtime/error.h"

/* FOVEA_ERR_CANCELLED or FOVEA_ERR_DEADLINE if it should. `options` is whole (options.h). */
enum fovea_status fovea_stop_check(const struct fovea_run_options *options,
                                   struct fovea_error *err);

#endif
