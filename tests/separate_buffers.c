/* See separate_buffers.h. */
#include "tests/separate_buffers.h"

#include "tests/check.h"

#include "runtime/dnn.h"
#include "runtime/infer.h"
#include "runtime/parallel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct naive {
    struct fovea_graph graph;
    struct fovea_engine engine;
    size_t bytes; /* of all values, each rounded up to a cache line */
};

static enum fovea_status naive_nodes(struct naive *n, struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    for (struct fovea_node *node = n->graph.first; !st && node; node = node->next) {
        for (int i = 0; i < node->n_in; i++) { /* inputs are not made by a node */
            struct fovea_value *in = node->in[i];
            if (in && !in->producer && !in->t.data) {
                return fovea_fail(err, FOVEA_ERR_INVALID, "an input without contents");
            }
        }
        st = fovea_fold_node(node, &n->engine, err); /* allocates each output */
    }
    return st;
}

static size_t lines(const struct fovea_value *value) {
    size_t bytes = fovea_tensor_bytes(&value->t);
    return (bytes + 63) / 64 * 64 + (bytes == 0 ? 64 : 0);
}

static enum fovea_status naive_run(struct graph_build *b, const struct fovea_tensor *inputs,
                                   struct naive *n) {
    memset(n, 0, sizeof(*n));
    n->engine.threads = 2;
    fovea_parallel_set_threads(2);
    enum fovea_status st = fovea_dnn_create(&n->engine.dnn, &b->err);
    if (!st) {
        st = fovea_graph_clone(b->graph, &n->graph, &b->err);
    }
    for (size_t i = 0; !st && i < n->graph.n_inputs; i++) {
        n->graph.inputs[i]->typed = true;
    }
    if (!st) {
        st = fovea_infer_graph(&n->graph, &n->engine, SIZE_MAX, &b->err);
    }
    for (size_t i = 0; !st && i < n->graph.n_inputs; i++) {
        n->graph.inputs[i]->t.data = inputs[i].data;
    }
    for (const struct fovea_value *v = n->graph.values; !st && v; v = v->next) {
        n->bytes += v->constant || !v->typed ? 0 : lines(v);
    }
    return st ? st : naive_nodes(n, &b->err);
}

static void naive_finish(struct naive *n) {
    fovea_graph_finish(&n->graph);
    fovea_dnn_destroy(n->engine.dnn);
}

static bool same_bits(const struct fovea_tensor *a, const struct fovea_tensor *b) {
    size_t bytes = fovea_tensor_bytes(a);
    return a->dtype == b->dtype && fovea_tensor_same_shape(a, b) &&
           (bytes == 0 || memcmp(a->data, b->data, bytes) == 0);
}

void expect_same_bits(const char *file, int line, struct graph_build *b, const char *passes,
                      size_t *arena, size_t *sum) {
    struct fovea_tensor inputs[BUILD_MAX_IO] = {{0}};
    struct fovea_session_options options;
    struct build_run run = {0};
    struct naive naive = {0};
    fovea_session_options_default(&options);
    options.threads = 2;
    options.passes = passes;
    enum fovea_status st = build_model(b) ? build_fill_inputs(b, inputs) : b->status;
    if (!st) {
        st = build_run(b, inputs, &options, &run);
    }
    if (!st) {
        st = naive_run(b, inputs, &naive);
    }
    if (st) {
        check_failed(file, line, "running", b->err.message);
    }
    for (size_t i = 0; !st && i < b->n_outputs; i++) {
        if (!same_bits(&run.outputs[i], &naive.graph.outputs[i]->t)) {
            char text[32];
            snprintf(text, sizeof(text), "output %zu", i);
            check_failed(file, line, "bits differ from separate buffers", text);
        }
    }
    if (!st && run.plan.arena_bytes > naive.bytes) {
        check_failed(file, line, "the arena is larger than all values", "");
    }
    if (arena) {
        *arena = run.plan.arena_bytes;
        *sum = naive.bytes;
    }
    naive_finish(&naive);
    build_run_finish(&run);
    for (size_t i = 0; i < b->n_inputs; i++) {
        free(inputs[i].data);
    }
    build_finish(b);
}
