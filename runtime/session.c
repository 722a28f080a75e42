/* Making sessions: see session.h and fovea.h. */
#include "runtime/session_parts.h"

#include "runtime/bf16_ratio.h"
#include "runtime/bind.h"
#include "runtime/blocks.h"
#include "runtime/dnn.h"
#include "runtime/infer.h"
#include "runtime/limits.h"
#include "runtime/op.h"
#include "runtime/options.h"
#include "runtime/pages.h"
#include "runtime/parallel.h"
#include "runtime/prepare.h"
#include "runtime/provenance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the plan takes, of which some is known only to those that will take it. */
static enum fovea_status predict(struct fovea_session *s, struct fovea_error *err) {
    if (s->model->compiled) {
        s->plan.base_bytes = fovea_resident_bytes();
        s->plan.new_bytes = s->plan.packed_bytes; /* pages of the file */
        return FOVEA_OK;
    }
    /* Parsing has brought in more of a file than it read. */
    fovea_model_forget_files(s->model);
    s->plan.base_bytes = fovea_resident_bytes();
    struct fovea_pack_cost cost;
    enum fovea_status st = fovea_pack_estimate(&s->graph, s->model, s->engine.threads, &cost, err);
    if (!st) {
        s->plan.new_bytes = cost.new_bytes;
        s->plan.transient_bytes = cost.transient_bytes;
    }
    return st;
}

/* `limit` bounds the whole process; without one, `available` bounds what is still to come. */
static enum fovea_status check_peak(const struct fovea_plan *plan, size_t limit, size_t available,
                                    struct fovea_error *err) {
    size_t peak = fovea_plan_peak(plan), most = limit ? limit : plan->base_bytes + available;
    if (peak <= most) {
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_LIMIT,
                      "memory would reach %zu bytes (values %zu, scratch %zu, weights %zu, making "
                      "them %zu, before that %zu), over the limit of %zu",
                      peak, plan->arena_bytes, plan->scratch_bytes, plan->new_bytes,
                      plan->transient_bytes, plan->base_bytes, most);
}

/* Small blocks are malloc's, so that a sanitizer sees the first byte too far. */
static bool is_small(const struct fovea_model *model, size_t bytes) {
    return bytes < FOVEA_PAGES_HUGE && !model->allocator.allocate;
}

static void *alloc_block(const struct fovea_model *model, size_t bytes) {
    return is_small(model, bytes) ? fovea_aligned_alloc(bytes)
                                  : fovea_block_alloc(&model->allocator, bytes);
}

static void free_block(const struct fovea_model *model, void *block, size_t bytes) {
    if (is_small(model, bytes)) {
        free(block);
    } else {
        fovea_block_free(&model->allocator, block, bytes);
    }
}

static enum fovea_status allocate(struct fovea_session *s, struct fovea_error *err) {
    const struct fovea_plan *plan = &s->plan;
    s->arena = alloc_block(s->model, plan->arena_bytes);
    s->scratch = alloc_block(s->model, plan->scratch_bytes);
    if (!s->arena || !s->scratch) {
        return fovea_fail_memory(err, plan->arena_bytes + plan->scratch_bytes, "a session");
    }
    for (struct fovea_value *value = s->graph.values; value; value = value->next) {
        if (!value->constant && value->typed) {
            value->t.data = s->arena + fovea_value_offset(value);
        }
    }
    return FOVEA_OK;
}

static enum fovea_status start_profile(struct fovea_session *s, struct fovea_error *err) {
    s->times = calloc(s->plan.n_steps + 1, sizeof(*s->times));
    if (!s->times) {
        return fovea_fail_memory(err, s->plan.n_steps * sizeof(*s->times), "a profile");
    }
    size_t i = 0;
    for (const struct fovea_node *node = s->graph.first; node; node = node->next) {
        s->times[i++].node = node;
    }
    return FOVEA_OK;
}

/* What the model asks for, before passes find ways to do with less. */
static void count_work(struct fovea_session *s) {
    s->macs = s->graph.folded_macs;
    for (const struct fovea_node *node = s->graph.first; node; node = node->next) {
        int64_t macs = fovea_node_macs(node);
        s->macs += macs < INT64_MAX - s->macs ? macs : INT64_MAX - s->macs;
    }
}

/* The graph that is run, from the model's: inferred, and rewritten unless that is done already. */
static enum fovea_status make_graph(struct fovea_session *s, const struct fovea_tensor *inputs,
                                    const struct fovea_session_options *options, size_t limit,
                                    struct fovea_error *err) {
    const struct fovea_compiled *compiled = s->model->compiled;
    enum fovea_status st = fovea_progress_tell(&s->engine.progress, FOVEA_PHASE_PLAN, 0, err);
    if (!st) {
        st = fovea_graph_clone(&s->model->graph, &s->graph, err);
    }
    if (!st) {
        st = fovea_bind_inputs(s->model, &s->graph, inputs, err);
    }
    if (!st) {
        st = compiled ? fovea_compiled_infer(&s->graph, err)
                      : fovea_infer_graph(&s->graph, &s->engine, limit, err);
    }
    if (!st) {
        st = fovea_check_outputs(s->model, &s->graph, err);
    }
    if (st) {
        return st;
    }
    fovea_provenance_begin(&s->graph);
    if (compiled) {
        s->macs = compiled->macs;
        st = fovea_pass_log_copy(&compiled->pass_log, &s->pass_log, err);
    } else {
        count_work(s);
        st = fovea_passes_run(&s->graph, &s->engine, options->passes, &s->pass_log, err);
    }
    return st;
}

static enum fovea_status build(struct fovea_session *s, const struct fovea_tensor *inputs,
                               const struct fovea_session_options *options,
                               struct fovea_error *err) {
    const struct fovea_compiled *compiled = s->model->compiled;
    size_t limit = options->max_memory ? options->max_memory : fovea_default_memory_limit();
    enum fovea_status st = fovea_options_text(options, s->options, err);
    if (!st) {
        st = fovea_dnn_create(&s->engine.dnn, err);
    }
    if (!st) {
        st = make_graph(s, inputs, options, limit, err);
    }
    if (!st) {
        st = fovea_prepare_graph(&s->graph, &s->engine, err);
    }
    if (!st && compiled) {
        fovea_compiled_attach(compiled, &s->graph, s->note, sizeof(s->note));
        if (s->note[0]) {
            return FOVEA_OK; /* good for nothing: the original takes its place */
        }
    }
    if (!st) {
        st = fovea_plan_graph(&s->graph, &s->plan, err);
    }
    if (!st) {
        st = predict(s, err);
    }
    if (!st) {
        st = check_peak(&s->plan, options->max_memory, limit, err);
    }
    if (st || options->plan_only) {
        return st;
    }
    st = allocate(s, err);
    if (!st && !compiled) {
        st = fovea_progress_tell(&s->engine.progress, FOVEA_PHASE_PACK, 0, err);
    }
    if (!st && !compiled) {
        st = fovea_pack_graph(&s->graph, s->model, &s->packed, err);
    }
    if (!st && options->profile) {
        st = start_profile(s, err);
    }
    return st;
}

bool fovea_cpu_has_bf16(void) {
    return fovea_dnn_has_bf16();
}

enum fovea_precision fovea_precision_settle(enum fovea_precision asked) {
    if (asked != FOVEA_PRECISION_AUTO) {
        return asked;
    }
    double ratio = fovea_bf16_ratio();
    return ratio > 0 && ratio < FOVEA_BF16_PAYS ? FOVEA_PRECISION_BF16 : FOVEA_PRECISION_F32;
}

static enum fovea_status create(const struct fovea_model *model, const struct fovea_tensor *inputs,
                                const struct fovea_session_options *options,
                                struct fovea_session **out, struct fovea_error *err) {
    struct fovea_session *s = calloc(1, sizeof(*s));
    if (!s) {
        return fovea_fail_memory(err, sizeof(*s), "a session");
    }
    s->model = model;
    s->engine.threads = options->threads > 0 ? options->threads : fovea_cpu_budget();
    s->engine.precision = fovea_precision_settle(options->precision);
    s->engine.winograd = !options->no_winograd;
    s->engine.progress = (struct fovea_progress){options->progress, options->progress_context};

    enum fovea_status st = fovea_parallel_reserve(s->engine.threads, err);
    if (!st) {
        int former = fovea_parallel_set_threads(s->engine.threads);
        st = build(s, inputs, options, err);
        fovea_parallel_set_threads(former);
    }
    s->engine.progress = (struct fovea_progress){NULL, NULL};
    if (st) {
        fovea_error_prefix(err, "%s", model->path);
        fovea_session_destroy(s);
        return st;
    }
    *out = s;
    return FOVEA_OK;
}

/* A compiled model does not fit, which `why` says: its original does. */
static enum fovea_status create_from_original(const struct fovea_model *compiled,
                                              const struct fovea_tensor *inputs,
                                              const struct fovea_session_options *options,
                                              const char *why, struct fovea_session **out,
                                              struct fovea_error *err) {
    const struct fovea_model *original;
    struct fovea_session *session;
    enum fovea_status st = fovea_compiled_get_original(compiled, &original, err);
    if (!st) {
        st = create(original, inputs, options, &session, err);
    }
    if (st) {
        fovea_error_prefix(err, "%s: %s", compiled->path, why);
        return st;
    }
    snprintf(session->note, sizeof(session->note), "%s: %s; %s is planned anew", compiled->path,
             why, original->path);
    *out = session;
    return FOVEA_OK;
}

static enum fovea_status create_from_compiled(const struct fovea_model *model,
                                              const struct fovea_tensor *inputs,
                                              const struct fovea_session_options *options,
                                              struct fovea_session **out, struct fovea_error *err) {
    struct fovea_session *session;
    char why[512];
    fovea_compiled_compare(model, inputs, options, why, sizeof(why));
    if (why[0]) {
        return create_from_original(model, inputs, options, why, out, err);
    }
    enum fovea_status st = create(model, inputs, options, &session, err);
    if (!st && session->note[0]) {
        snprintf(why, sizeof(why), "%s", session->note);
        fovea_session_destroy(session);
        return create_from_original(model, inputs, options, why, out, err);
    }
    if (!st) {
        *out = session;
    }
    return st;
}

static enum fovea_status check_options(const struct fovea_session_options *options,
                                       struct fovea_error *err) {
    if (options->threads < 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "%d threads; 0 leaves it to the library",
                          options->threads);
    }
    if (options->threads > FOVEA_LIMIT_THREADS) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "%d threads; the limit is %d", options->threads,
                          FOVEA_LIMIT_THREADS);
    }
    if ((int)options->precision < 0 || options->precision > FOVEA_PRECISION_AUTO) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "precision %d is none", (int)options->precision);
    }
    return FOVEA_OK;
}

enum fovea_status fovea_session_create(const struct fovea_model *model,
                                       const struct fovea_tensor *inputs,
                                       const struct fovea_session_options *options,
                                       struct fovea_session **out, struct fovea_error *err) {
    struct fovea_session_options whole;
    enum fovea_status st =
        fovea_options_read(options, &whole, sizeof(whole), "session options", err);
    if (!options) {
        fovea_model_get_session_options(model, &whole);
    }
    if (!st) {
        st = check_options(&whole, err);
    }
    if (st) {
        return st;
    }
    return model->compiled ? create_from_compiled(model, inputs, &whole, out, err)
                           : create(model, inputs, &whole, out, err);
}

void fovea_session_destroy(struct fovea_session *session) {
    if (!session) {
        return;
    }
    fovea_graph_finish(&session->graph);
    fovea_pass_log_finish(&session->pass_log);
    fovea_packed_finish(&session->packed);
    fovea_dnn_destroy(session->engine.dnn);
    free_block(session->model, session->arena, session->plan.arena_bytes);
    free_block(session->model, session->scratch, session->plan.scratch_bytes);
    free(session->times);
    fovea_model_destroy(session->owned);
    free(session);
}
