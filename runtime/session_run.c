/* Running sessions: see session.h and fovea.h. */
#include "runtime/session_parts.h"

#include "runtime/clock.h"
#include "runtime/op.h"
#include "runtime/options.h"
#include "runtime/parallel.h"
#include "runtime/stop.h"

#include <string.h>

static enum fovea_status run_steps(struct fovea_session *s, const struct fovea_run_options *options,
                                   struct fovea_error *err) {
    const struct fovea_run run = {.engine = &s->engine, .scratch = s->scratch};
    struct fovea_step_time *time = s->times;
    double now = time ? fovea_clock_seconds() : 0;
    for (const struct fovea_node *node = s->graph.first; node; node = node->next) {
        enum fovea_status st = fovea_stop_check(options, err);
        if (st) {
            return st;
        }
        st = node->op->run(node, &run, err);
        if (st) {
            fovea_error_prefix_node(err, node);
            return st;
        }
        if (s->step && (st = s->step(s->step_context, node, err))) {
            return st;
        }
        if (time) {
            time->begin = now;
            now = fovea_clock_seconds();
            time->end = now;
            time++;
        }
    }
    return FOVEA_OK;
}

/* memcpy that takes NULL for nothing: a tensor of no elements may have no memory. */
static void copy_bytes(void *to, const void *from, size_t bytes) {
    if (bytes > 0) {
        memcpy(to, from, bytes);
    }
}

/* Memory to read or write there must be, except for tensors of no elements. */
static enum fovea_status check_data(const struct fovea_session *s,
                                    const struct fovea_tensor *inputs,
                                    const struct fovea_tensor *outputs, struct fovea_error *err) {
    for (size_t i = 0; i < s->graph.n_inputs; i++) {
        const struct fovea_value *value = s->graph.inputs[i];
        if (!value->constant && !inputs[i].data && fovea_tensor_bytes(&value->t) > 0) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "input '%s' has no data",
                              fovea_quote(s->model->inputs[i].name).text);
        }
    }
    for (size_t i = 0; i < s->graph.n_outputs; i++) {
        if (!outputs[i].data && fovea_tensor_bytes(&s->graph.outputs[i]->t) > 0) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "there is no memory for output '%s'",
                              fovea_quote(s->model->outputs[i].name).text);
        }
    }
    return FOVEA_OK;
}

enum fovea_status fovea_session_run(struct fovea_session *session,
                                    const struct fovea_tensor *inputs,
                                    const struct fovea_tensor *outputs,
                                    const struct fovea_run_options *options,
                                    struct fovea_error *err) {
    struct fovea_graph *graph = &session->graph;
    struct fovea_run_options when;
    if (!fovea_session_can_run(session)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "the session was made to be looked at only");
    }
    enum fovea_status st = fovea_options_read(options, &when, sizeof(when), "run options", err);
    if (!st) {
        st = check_data(session, inputs, outputs, err);
    }
    if (!st) {
        st = fovea_parallel_reserve(session->engine.threads, err);
    }
    if (st) {
        return st;
    }
    for (size_t i = 0; i < graph->n_inputs; i++) {
        struct fovea_value *value = graph->inputs[i];
        if (!value->constant) {
            copy_bytes(value->t.data, inputs[i].data, fovea_tensor_bytes(&value->t));
        }
    }
    int former = fovea_parallel_set_threads(session->engine.threads);
    st = run_steps(session, &when, err);
    fovea_parallel_set_threads(former);
    if (st) {
        return st;
    }
    for (size_t i = 0; i < graph->n_outputs; i++) {
        const struct fovea_tensor *t = &graph->outputs[i]->t;
        copy_bytes(outputs[i].data, t->data, fovea_tensor_bytes(t));
    }
    return FOVEA_OK;
}

void fovea_session_watch(struct fovea_session *session, fovea_step_fn step, void *context) {
    session->step = step;
    session->step_context = context;
}
