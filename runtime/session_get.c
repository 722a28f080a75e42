/* What is known of a session: see session.h and fovea.h. */
#include "runtime/session_parts.h"

void fovea_session_output_shape(const struct fovea_session *session, size_t index,
                                struct fovea_tensor *out) {
    *out = session->graph.outputs[index]->t;
    out->data = NULL;
}

bool fovea_session_can_run(const struct fovea_session *session) {
    return session->arena != NULL;
}

enum fovea_precision fovea_session_precision(const struct fovea_session *session) {
    return session->engine.precision;
}

const char *fovea_session_get_note(const struct fovea_session *session) {
    return session->note[0] ? session->note : NULL;
}

void fovea_session_take_model(struct fovea_session *session, struct fovea_model *model) {
    session->owned = model;
}

const struct fovea_model *fovea_session_get_model(const struct fovea_session *session) {
    return session->model;
}

const char *fovea_session_get_options_text(const struct fovea_session *session) {
    return session->options;
}

int fovea_session_get_threads(const struct fovea_session *session) {
    return session->engine.threads;
}

const struct fovea_graph *fovea_session_get_graph(const struct fovea_session *session) {
    return &session->graph;
}

const struct fovea_plan *fovea_session_get_plan(const struct fovea_session *session) {
    return &session->plan;
}

int64_t fovea_session_get_macs(const struct fovea_session *session) {
    return session->macs;
}

const struct fovea_pass_log *fovea_session_get_pass_log(const struct fovea_session *session) {
    return &session->pass_log;
}

const struct fovea_step_time *fovea_session_get_step_times(const struct fovea_session *session,
                                                           size_t *count) {
    *count = session->times ? session->plan.n_steps : 0;
    return session->times;
}
