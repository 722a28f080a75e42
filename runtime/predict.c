/* What a session would take (fovea.h). */
#include "runtime/options.h"
#include "runtime/session.h"

enum fovea_status fovea_session_predict(const struct fovea_model *model,
                                        const struct fovea_tensor *inputs,
                                        const struct fovea_session_options *options,
                                        struct fovea_memory *out, struct fovea_error *err) {
    struct fovea_session_options whole;
    struct fovea_session *session;
    struct fovea_memory memory;
    enum fovea_status st =
        fovea_options_read(options, &whole, sizeof(whole), "session options", err);
    if (!st) {
        st = fovea_options_read(out, &memory, sizeof(memory), "a prediction", err);
    }
    if (!options) {
        fovea_model_get_session_options(model, &whole);
    }
    whole.plan_only = true;
    if (!st) {
        st = fovea_session_create(model, inputs, &whole, &session, err);
    }
    if (st) {
        return st;
    }
    const struct fovea_plan *plan = fovea_session_get_plan(session);
    memory.values = plan->arena_bytes;
    memory.scratch = plan->scratch_bytes;
    memory.weights = plan->new_bytes;
    memory.making = plan->transient_bytes;
    memory.before = plan->base_bytes;
    memory.peak = fovea_plan_peak(plan);
    fovea_options_write(&memory, out);
    fovea_session_destroy(session);
    return FOVEA_OK;
}
