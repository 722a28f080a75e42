/* Building and comparing small graphs: see graph_build.h. */
#include "tests/graph_build.h"

#include "ops/registry.h"
#include "tests/check.h"
#include "tests/run_op.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void build_init(struct graph_build *b, int opset) {
    memset(b, 0, sizeof(*b));
    b->seed = 1;
    b->status = fovea_model_create("test", &b->model, &b->err);
    if (!b->status) {
        b->graph = &b->model->graph;
        fovea_graph_init(b->graph, fovea_op_find, opset);
    }
}

void build_finish(struct graph_build *b) {
    fovea_model_destroy(b->model);
    memset(b, 0, sizeof(*b));
}

/* Keep the first failure. */
static bool is_fine(struct graph_build *b, enum fovea_status status) {
    if (!b->status && status) {
        b->status = status;
    }
    return !b->status;
}

static struct fovea_value *add_value(struct graph_build *b, const char *name) {
    struct fovea_value *value = b->status ? NULL : fovea_graph_add_value(b->graph, name);
    if (!value) {
        is_fine(b, b->status ? b->status : fovea_fail_memory(&b->err, sizeof(*value), "a value"));
    }
    return value;
}

/* ---- inputs, outputs, constants ------------------------------------------- */

struct fovea_value *build_input(struct graph_build *b, enum fovea_dtype dtype, int rank,
                                const int64_t *dims) {
    char name[8];
    snprintf(name, sizeof(name), "x%zu", b->n_inputs);
    struct fovea_value *value = add_value(b, name);
    if (value) {
        fovea_tensor_set_shape(&value->t, dtype, rank, dims);
        value->is_input = true;
        b->inputs[b->n_inputs++] = value;
    }
    return value;
}

struct fovea_value *build_begin(struct graph_build *b, int opset, int rank, const int64_t *dims) {
    build_init(b, opset);
    return build_input(b, FOVEA_F32, rank, dims);
}

void build_output(struct graph_build *b, struct fovea_value *value) {
    if (value && !b->status) {
        value->is_output = true;
        b->outputs[b->n_outputs++] = value;
    }
}

static struct fovea_value *add_constant(struct graph_build *b, enum fovea_dtype dtype, int rank,
                                        const int64_t *dims, const void *values) {
    struct fovea_value *value = NULL;
    if (b->status ||
        !is_fine(b, fovea_graph_add_constant(b->graph, dtype, rank, dims, &value, &b->err))) {
        return NULL;
    }
    size_t bytes = fovea_tensor_bytes(&value->t);
    if (values && bytes > 0) {
        memcpy(value->t.data, values, bytes);
    }
    return value;
}

struct fovea_value *build_floats(struct graph_build *b, int rank, const int64_t *dims,
                                 const float *values) {
    return add_constant(b, FOVEA_F32, rank, dims, values);
}

struct fovea_value *build_random(struct graph_build *b, int rank, const int64_t *dims) {
    struct fovea_value *value = add_constant(b, FOVEA_F32, rank, dims, NULL);
    if (value) {
        fill_random(value->t.data, fovea_tensor_count(&value->t), -1, 1, b->seed++);
    }
    return value;
}

struct fovea_value *build_scalar(struct graph_build *b, float number) {
    return add_constant(b, FOVEA_F32, 0, NULL, &number);
}

struct fovea_value *build_ints(struct graph_build *b, const int64_t *values, size_t count) {
    return add_constant(b, FOVEA_I64, 1, (int64_t[]){(int64_t)count}, values);
}

/* ---- nodes ------------------------------------------------------------------- */

struct fovea_node *build_node(struct graph_build *b, const char *type,
                              struct fovea_value *const *in, size_t n_in, size_t n_out) {
    struct fovea_node *node;
    if (b->status || !is_fine(b, fovea_graph_add_node(b->graph, NULL, "", type, type, (int)n_in,
                                                      (int)n_out, &node, &b->err))) {
        return NULL;
    }
    for (size_t i = 0; i < n_in; i++) {
        if (!is_fine(b, fovea_node_set_input(node, (int)i, in[i], &b->err))) {
            return NULL;
        }
    }
    for (size_t i = 0; i < n_out; i++) {
        struct fovea_value *value = add_value(b, "y");
        if (!value) {
            return NULL;
        }
        fovea_node_set_output(node, (int)i, value);
    }
    return node;
}

struct fovea_value *build_op(struct graph_build *b, const char *type, struct fovea_value *const *in,
                             size_t n_in) {
    struct fovea_node *node = build_node(b, type, in, n_in, 1);
    return node ? node->out[0] : NULL;
}

struct fovea_value *build_commuted(struct graph_build *b, const char *type, struct fovea_value *a,
                                   struct fovea_value *c, bool swap) {
    return swap ? OP(b, type, c, a) : OP(b, type, a, c);
}

struct fovea_value *build_attr(struct graph_build *b, struct fovea_value *value,
                               const struct fovea_attr *attr) {
    if (value && !b->status) {
        is_fine(b, fovea_node_set_attr(value->producer, attr, &b->err));
    }
    return value;
}

struct fovea_value *build_set_int(struct graph_build *b, struct fovea_value *value,
                                  const char *name, int64_t number) {
    return build_attr(b, value,
                      &(struct fovea_attr){.name = name, .kind = FOVEA_ATTR_INT, .i = number});
}

struct fovea_value *build_set_float(struct graph_build *b, struct fovea_value *value,
                                    const char *name, float number) {
    return build_attr(b, value,
                      &(struct fovea_attr){.name = name, .kind = FOVEA_ATTR_FLOAT, .f = number});
}

struct fovea_value *build_set_ints(struct graph_build *b, struct fovea_value *value,
                                   const char *name, const int64_t *numbers, size_t count) {
    return build_attr(b, value,
                      &(struct fovea_attr){
                          .name = name, .kind = FOVEA_ATTR_INTS, .count = count, .ints = numbers});
}

struct fovea_value *build_set_string(struct graph_build *b, struct fovea_value *value,
                                     const char *name, const char *text) {
    return build_attr(b, value,
                      &(struct fovea_attr){.name = name, .kind = FOVEA_ATTR_STRING, .s = text});
}

struct fovea_value *build_reshape(struct graph_build *b, struct fovea_value *x, size_t rank,
                                  const int64_t *dims) {
    return OP(b, "Reshape", x, build_ints(b, dims, rank));
}

struct fovea_value *build_transpose(struct graph_build *b, struct fovea_value *x, size_t rank,
                                    const int64_t *perm) {
    return build_set_ints(b, OP(b, "Transpose", x), "perm", perm, rank);
}

/* ---- models ------------------------------------------------------------------ */

static struct fovea_io io_of(const struct fovea_value *value, int rank) {
    struct fovea_io io = {.name = value->name, .dtype = value->t.dtype, .rank = rank};
    memcpy(io.dims, value->t.dims, sizeof(io.dims));
    return io;
}

const struct fovea_model *build_model(struct graph_build *b) {
    struct fovea_model *model = b->model;
    if (b->status || model->inputs) {
        return b->status ? NULL : model;
    }
    struct fovea_arena *arena = &b->graph->arena;
    model->inputs = fovea_arena_alloc(arena, b->n_inputs + 1, sizeof(*model->inputs));
    model->outputs = fovea_arena_alloc(arena, b->n_outputs + 1, sizeof(*model->outputs));
    if (!model->inputs || !model->outputs) {
        is_fine(b, fovea_fail_memory(&b->err, sizeof(*model), "a model"));
        return NULL;
    }
    for (size_t i = 0; i < b->n_inputs; i++) {
        model->inputs[i] = io_of(b->inputs[i], b->inputs[i]->t.rank);
    }
    for (size_t i = 0; i < b->n_outputs; i++) {
        model->outputs[i] = io_of(b->outputs[i], -1); /* not declared */
    }
    b->graph->inputs = b->inputs;
    b->graph->outputs = b->outputs;
    b->graph->n_inputs = b->n_inputs;
    b->graph->n_outputs = b->n_outputs;
    return model;
}

/* Floats are random in [-2, 2); integers count 0, 1, 2, 0, ...; bools alternate likewise. */
static void fill_tensor(const struct fovea_tensor *tensor, float *work, uint32_t seed) {
    int64_t count = fovea_tensor_count(tensor);
    fill_random(work, count, -2, 2, seed);
    for (int64_t i = 0; !fovea_dtype_is_float(tensor->dtype) && i < count; i++) {
        work[i] = (float)(i % 3);
    }
    fovea_convert(FOVEA_F32, work, tensor->dtype, tensor->data, count);
}

enum fovea_status build_fill_inputs(struct graph_build *b, struct fovea_tensor *inputs) {
    for (size_t i = 0; i < b->n_inputs; i++) {
        inputs[i] = b->inputs[i]->t;
        size_t bytes = fovea_tensor_bytes(&inputs[i]);
        inputs[i].data = fovea_aligned_alloc(bytes);
        float *work = malloc((size_t)fovea_tensor_count(&inputs[i]) * sizeof(*work) + 1);
        if (!inputs[i].data || !work) {
            free(work);
            return fovea_fail_memory(&b->err, bytes, "an input");
        }
        fill_tensor(&inputs[i], work, 1000 + (uint32_t)i);
        free(work);
    }
    return FOVEA_OK;
}

/* ---- running ----------------------------------------------------------------- */

static void list_ops(const struct fovea_graph *graph, char *text, size_t size) {
    size_t used = 0;
    text[0] = 0;
    for (const struct fovea_node *node = graph->first; node && used < size; node = node->next) {
        used += (size_t)snprintf(text + used, size - used, "%s%s%s%s", used ? " " : "",
                                 node->domain, node->domain[0] ? "." : "", node->type);
    }
}

static enum fovea_status alloc_outputs(const struct fovea_session *session, size_t count,
                                       struct build_run *run, struct fovea_error *err) {
    for (size_t i = 0; i < count; i++) {
        fovea_session_output_shape(session, i, &run->outputs[i]);
        size_t bytes = fovea_tensor_bytes(&run->outputs[i]);
        run->outputs[i].data = fovea_aligned_alloc(bytes);
        run->n_outputs = i + 1;
        if (!run->outputs[i].data) {
            return fovea_fail_memory(err, bytes, "an output");
        }
    }
    return FOVEA_OK;
}

void build_run_finish(struct build_run *run) {
    for (size_t i = 0; i < run->n_outputs; i++) {
        free(run->outputs[i].data);
    }
    memset(run, 0, sizeof(*run));
}

enum fovea_status build_run(struct graph_build *b, const struct fovea_tensor *inputs,
                            const struct fovea_session_options *options, struct build_run *out) {
    struct fovea_session *session = NULL;
    memset(out, 0, sizeof(*out));
    if (!build_model(b)) {
        return b->status;
    }
    enum fovea_status st = fovea_session_create(b->model, inputs, options, &session, &b->err);
    if (!st) {
        list_ops(fovea_session_get_graph(session), out->ops, sizeof(out->ops));
        out->log = *fovea_session_get_pass_log(session);
        out->plan = *fovea_session_get_plan(session);
        st = alloc_outputs(session, b->n_outputs, out, &b->err);
    }
    if (!st) {
        st = fovea_session_run(session, inputs, out->outputs, NULL, &b->err);
    }
    fovea_session_destroy(session);
    if (st) {
        build_run_finish(out);
    }
    return st;
}

static double difference(const struct fovea_tensor *got, const struct fovea_tensor *want) {
    if (got->dtype != want->dtype || !fovea_tensor_same_shape(got, want)) {
        return INFINITY;
    }
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < fovea_tensor_count(want); i++) {
        double w = fovea_tensor_get_float(want, i), g = fovea_tensor_get_float(got, i);
        double error = (isnan(w) && isnan(g)) || w == g ? 0 : fabs(w - g);
        largest = fmax(largest, isfinite(w) ? fabs(w) : 0);
        if (!(error <= worst)) {
            worst = isnan(error) ? INFINITY : error;
        }
    }
    return worst == 0 ? 0 : worst / (largest > 0 ? largest : 1);
}

/* Whether the two runs, one with every constant deferred, did and gave exactly the same. */
static bool same_run(const struct build_run *a, const struct build_run *b) {
    bool same = strcmp(a->ops, b->ops) == 0;
    for (size_t i = 0; i < a->n_outputs; i++) {
        same &=
            memcmp(a->outputs[i].data, b->outputs[i].data, fovea_tensor_bytes(&a->outputs[i])) == 0;
    }
    return same;
}

enum fovea_status build_compare(struct graph_build *b, const char *passes,
                                struct build_result *out) {
    struct fovea_tensor inputs[BUILD_MAX_IO] = {{0}};
    struct build_run plain = {0}, rewritten = {0}, deferred = {0};
    struct fovea_session_options options;
    fovea_session_options_default(&options);
    options.threads = 2;
    memset(out, 0, sizeof(*out));

    enum fovea_status st = b->status ? b->status : build_fill_inputs(b, inputs);
    if (!st) {
        options.passes = "off";
        st = build_run(b, inputs, &options, &plain);
    }
    if (!st) {
        options.passes = passes;
        st = build_run(b, inputs, &options, &rewritten);
    }
    if (!st) {
        b->graph->defer_bytes = 0;
        st = build_run(b, inputs, &options, &deferred);
        b->graph->defer_bytes = FOVEA_DEFER_BYTES;
    }
    if (!st) {
        memcpy(out->ops, rewritten.ops, sizeof(out->ops));
        out->log = rewritten.log;
        out->plan = rewritten.plan;
        for (size_t i = 0; i < b->n_outputs; i++) {
            out->error = fmax(out->error, difference(&rewritten.outputs[i], &plain.outputs[i]));
        }
    }
    if (!st && !same_run(&rewritten, &deferred)) {
        out->error = INFINITY;
    }
    build_run_finish(&plain);
    build_run_finish(&rewritten);
    build_run_finish(&deferred);
    for (size_t i = 0; i < b->n_inputs; i++) {
        free(inputs[i].data);
    }
    return st;
}

int build_count(const struct build_result *result, const char *name) {
    for (size_t i = 0; i < result->log.n_results; i++) {
        if (strcmp(result->log.results[i].name, name) == 0) {
            return (int)result->log.results[i].count;
        }
    }
    return -1;
}

void build_expect(const char *file, int line, struct graph_build *b, const char *passes,
                  double tolerance, const char *ops) {
    struct build_result result;
    char text[64];
    if (build_compare(b, passes, &result)) {
        check_failed(file, line, "build_compare", b->err.message);
    } else {
        snprintf(text, sizeof(text), "relative difference %g", result.error);
        if (!(result.error <= tolerance)) {
            check_failed(file, line, "results with and without passes", text);
        }
        if (ops) {
            check_str(file, line, "operators left", result.ops, ops);
        }
    }
    build_finish(b);
}
