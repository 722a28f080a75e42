/* Constants that a graph computes: see folded.h. */
#include "runtime/folded.h"

#include "runtime/cpu_budget.h"
#include "runtime/deferred.h"
#include "runtime/dnn.h"
#include "runtime/infer.h"
#include "runtime/parallel.h"

#include <stdlib.h>
#include <string.h>

/* ---- which nodes ---------------------------------------------------------- */

static bool is_constant(const struct fovea_folded *f, const struct fovea_value *value) {
    return value->constant || f->computed[value->number];
}

static bool computes(const struct fovea_folded *f, const struct fovea_node *node, bool all) {
    if (!all && strcmp(node->domain, "fovea") != 0) {
        return false;
    }
    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i] && !is_constant(f, node->in[i])) {
            return false;
        }
    }
    return true;
}

static void mark(struct fovea_folded *f, bool all) {
    for (const struct fovea_node *node = f->source->first; node; node = node->next) {
        bool does = computes(f, node, all);
        for (int i = 0; does && i < node->n_out; i++) {
            if (node->out[i]) {
                f->computed[node->out[i]->number] = true;
            }
        }
    }
}

bool fovea_folded_has_node(const struct fovea_folded *f, const struct fovea_node *node) {
    return node->n_out > 0 && node->out[0] && f->computed[node->out[0]->number];
}

/* Whether a computed value is read by a node that stays, or is an output. */
static bool is_wanted(const struct fovea_folded *f, const struct fovea_value *value) {
    bool wanted = value->is_output;
    for (size_t i = 0; !wanted && i < value->n_uses; i++) {
        wanted = !fovea_folded_has_node(f, value->uses[i].node);
    }
    return wanted && f->computed[value->number];
}

/* ---- the copy ------------------------------------------------------------- */

/* A copy's values are numbered in the order of the source's list. */
static enum fovea_status copy_graph(struct fovea_folded *f, struct fovea_error *err) {
    enum fovea_status st = fovea_graph_clone(f->source, &f->graph, err);
    if (st) {
        return st;
    }
    struct fovea_value **by_number = calloc(f->graph.n_values + 1, sizeof(struct fovea_value *));
    if (!by_number) {
        return fovea_fail_memory(err, f->graph.n_values * sizeof(*by_number), "a copy of a graph");
    }
    for (struct fovea_value *value = f->graph.values; value; value = value->next) {
        by_number[value->number] = value;
    }
    size_t number = 0;
    for (const struct fovea_value *value = f->source->values; value; value = value->next) {
        f->value[value->number] = by_number[number++];
    }
    free(by_number);
    return FOVEA_OK;
}

/* Leave the nodes that compute, and make outputs of what is wanted of them. */
static enum fovea_status cut(struct fovea_folded *f, struct fovea_error *err) {
    size_t n_wanted = 0;
    const struct fovea_node *original = f->source->last;
    for (size_t i = 0; i < f->graph.n_outputs; i++) {
        f->graph.outputs[i]->is_output = false;
    }
    for (struct fovea_node *node = f->graph.last, *prev; node; node = prev) {
        prev = node->prev;
        if (!fovea_folded_has_node(f, original)) {
            fovea_graph_remove_node(&f->graph, node);
        }
        original = original->prev;
    }
    struct fovea_value **outputs =
        fovea_arena_alloc(&f->graph.arena, f->graph.n_values + 1, sizeof(struct fovea_value *));
    if (!outputs) {
        return fovea_fail_memory(err, f->graph.n_values * sizeof(*outputs), "a copy of a graph");
    }
    for (const struct fovea_value *value = f->source->values; value; value = value->next) {
        if (is_wanted(f, value)) {
            f->value[value->number]->is_output = true;
            outputs[n_wanted++] = f->value[value->number];
        }
    }
    f->graph.inputs = NULL;
    f->graph.n_inputs = 0;
    f->graph.outputs = outputs;
    f->graph.n_outputs = n_wanted;
    return FOVEA_OK;
}

static enum fovea_status prepare(struct fovea_folded *f, bool all, size_t max_bytes,
                                 struct fovea_error *err) {
    f->computed = calloc(f->source->n_values + 1, sizeof(*f->computed));
    f->value = calloc(f->source->n_values + 1, sizeof(struct fovea_value *));
    if (!f->computed || !f->value) {
        return fovea_fail_memory(err, f->source->n_values * sizeof(struct fovea_value *),
                                 "a copy of a graph");
    }
    mark(f, all);
    enum fovea_status st = fovea_dnn_create(&f->engine.dnn, err);
    if (!st) {
        st = copy_graph(f, err);
    }
    if (!st) {
        st = cut(f, err);
    }
    return st ? st : fovea_infer_graph(&f->graph, &f->engine, max_bytes, err);
}

enum fovea_status fovea_folded_init(struct fovea_folded *folded, const struct fovea_graph *source,
                                    bool all, size_t max_bytes, struct fovea_error *err) {
    struct fovea_folded f = {
        .source = source,
        .engine = {.threads = fovea_cpu_budget(), .precision = FOVEA_PRECISION_F32},
    };
    *folded = f;
    int former = fovea_parallel_set_threads(folded->engine.threads);
    enum fovea_status st = prepare(folded, all, max_bytes, err);
    fovea_parallel_set_threads(former);
    if (st) {
        fovea_folded_finish(folded);
    }
    return st;
}

void fovea_folded_finish(struct fovea_folded *f) {
    fovea_workspace_finish(&f->workspace);
    fovea_graph_finish(&f->graph);
    fovea_dnn_destroy(f->engine.dnn);
    free(f->computed);
    free(f->value);
    *f = (struct fovea_folded){0};
}

/* ---- contents -------------------------------------------------------------- */

const struct fovea_tensor *fovea_folded_shape(const struct fovea_folded *f,
                                              const struct fovea_value *value) {
    return &f->value[value->number]->t;
}

struct use {
    fovea_folded_fn use;
    void *context;
    const struct fovea_value *value;
};

static enum fovea_status hand_over(void *context, size_t i, struct fovea_error *err) {
    const struct use *use = context;
    (void)i;
    return use->use(use->context, &use->value->t, err);
}

enum fovea_status fovea_folded_evaluate(struct fovea_folded *f, const struct fovea_value *value,
                                        fovea_folded_fn use, void *context,
                                        struct fovea_error *err) {
    struct fovea_value *mine = f->value[value->number];
    if (!mine->deferred || mine->t.data) {
        return use(context, &mine->t, err);
    }
    const struct fovea_wanted wanted = {mine, NULL};
    struct use call = {use, context, mine};
    int former = fovea_parallel_set_threads(f->engine.threads);
    enum fovea_status st =
        fovea_deferred_evaluate(&wanted, 1, &f->workspace, hand_over, &call, err);
    fovea_parallel_set_threads(former);
    return st;
}
