/* Progress: see progress.h. */
#include "runtime/progress.h"

enum fovea_status fovea_progress_tell(const struct fovea_progress *progress, enum fovea_phase phase,
                                      double done, struct fovea_error *err) {
    static const char *const names[] = {"read", "graph", "plan", "prepare", "pack"};
    if (!progress->tell || progress->tell(progress->context, phase, done)) {
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_CANCELLED, "cancelled while loading (%s, %.0f %%)",
                      names[phase], 100 * done);
}
