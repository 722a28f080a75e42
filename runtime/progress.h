/* Telling the caller how far loading is, and hearing whether to go on (fovea.h). */
#ifndef FOVEA_RUNTIME_PROGRESS_H
#define FOVEA_RUNTIME_PROGRESS_H

#include "runtime/error.h"

/* Zeroed: nobody is told. */
struct fovea_progress {
    bool (*tell)(void *context, enum fovea_phase phase, double done);
    void *context;
};

/* FOVEA_ERR_CANCELLED if whoever is told does not want to go on. */
enum fovea_status fovea_progress_tell(const struct fovea_progress *progress, enum fovea_phase phase,
                                      double done, struct fovea_error *err);

#endif
