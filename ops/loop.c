/*
 * Loop: a body for each iteration, unrolled. The trip count and every
 * iteration's condition must be known before a run; what the body computes
 * need not be.
 *
 * Each time the walk of infer.c comes to the node, one more copy of the body
 * is put before it and its outputs become the node's inputs, so that the next
 * time the condition is known. Inputs of the node:
 *
 *     trip count, condition, carried values | what the body captures | outputs to be
 *     stacked, of all iterations so far
 */
#include "ops/ops.h"
#include "runtime/subgraph.h"

#include <stdlib.h>

struct loop {
    bool begun;
    int64_t iteration;
    int n_carried;
    int n_stacked;     /* outputs that become slices of one along a new first axis */
    int first_stacked; /* input of the node */
};

static enum fovea_status begin(struct fovea_node *node, const struct fovea_subgraph *body,
                               struct fovea_error *err) {
    struct loop *p = node->priv;
    size_t n_own = (size_t)body->n_own;
    if (n_own < 2 || body->n_formal != n_own) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "%zu inputs, but the body has %zu; each has two besides what is carried",
                          n_own, body->n_formal);
    }
    if (body->graph.n_outputs + 1 < n_own || body->graph.n_outputs < (size_t)node->n_out + 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "%d outputs and %zu carried values, but the body has %zu outputs",
                          node->n_out, n_own - 2, body->graph.n_outputs);
    }
    p->n_carried = (int)n_own - 2;
    p->n_stacked = (int)(body->graph.n_outputs + 1 - n_own);
    p->first_stacked = node->n_in;
    p->begun = true;
    return FOVEA_OK;
}

/* Whether there is another iteration. */
static enum fovea_status goes_on(const struct fovea_node *node, bool *out,
                                 struct fovea_error *err) {
    const struct loop *p = node->priv;
    int64_t trips = INT64_MAX;
    size_t count;
    enum fovea_status st = fovea_input_ints(node, 0, &trips, 1, &count, err);
    bool condition = true;
    if (!st && fovea_node_input(node, 1)) {
        st = fovea_node_read_condition(node, 1, &condition, err);
    }
    *out = condition && p->iteration < trips;
    return st;
}

/* ---- an iteration ------------------------------------------------------- */

static enum fovea_status copy_body(struct fovea_node *node, const struct fovea_subgraph *body,
                                   struct fovea_value **formal, struct fovea_value **outputs,
                                   struct fovea_error *err) {
    const struct loop *p = node->priv;
    enum fovea_status st = fovea_graph_add_int(node->graph, p->iteration, false, &formal[0], err);
    formal[1] = fovea_node_input(node, 1);
    if (!st && !formal[1]) {
        st = fovea_graph_add_constant(node->graph, FOVEA_BOOL, 0, NULL, &formal[1], err);
        if (!st) {
            *(bool *)formal[1]->t.data = true;
        }
    }
    for (int i = 0; i < p->n_carried; i++) {
        formal[2 + i] = node->in[2 + i];
        if (!formal[2 + i]) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "input %d is missing", 2 + i);
        }
    }
    return st ? st : fovea_subgraph_inline(node, body, formal, outputs, err);
}

/* The outputs of an iteration become inputs of the node. */
static enum fovea_status take_outputs(struct fovea_node *node, struct fovea_value *const *outputs,
                                      struct fovea_error *err) {
    const struct loop *p = node->priv;
    enum fovea_status st = FOVEA_OK;
    /* "input (trip_count, ""): cond = ...; // ignored" (the specification's table) */
    if (fovea_node_input(node, 1)) {
        st = fovea_node_advance_input(node, 1, outputs[0], err);
    }
    for (int i = 0; !st && i < p->n_carried; i++) {
        st = fovea_node_advance_input(node, 2 + i, outputs[1 + i], err);
    }
    for (int i = 0; !st && i < p->n_stacked; i++) {
        int index;
        st = fovea_node_add_input(node, outputs[1 + p->n_carried + i], &index, err);
    }
    return st;
}

static enum fovea_status iterate(struct fovea_node *node, const struct fovea_subgraph *body,
                                 struct fovea_error *err) {
    struct loop *p = node->priv;
    size_t count = body->n_formal + body->graph.n_outputs;
    struct fovea_value **values = calloc(count, sizeof(*values));
    if (!values) {
        return fovea_fail_memory(err, count * sizeof(*values), "an iteration");
    }
    struct fovea_value **outputs = values + body->n_formal;
    enum fovea_status st = copy_body(node, body, values, outputs, err);
    if (!st) {
        st = take_outputs(node, outputs, err);
    }
    free(values);
    p->iteration++;
    return st;
}

/* ---- the end ------------------------------------------------------------ */

static enum fovea_status stack(struct fovea_node *node, int index, struct fovea_value **slices,
                               struct fovea_error *err) {
    const struct loop *p = node->priv;
    const struct fovea_attr axis = {.name = "axis", .kind = FOVEA_ATTR_INT, .i = 0};
    enum fovea_status st = FOVEA_OK;
    for (int64_t i = 0; !st && i < p->iteration; i++) {
        struct fovea_value *slice = node->in[p->first_stacked + i * p->n_stacked + index];
        if (slice->kind != FOVEA_TENSOR) {
            return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "output %d is a sequence to be stacked",
                              p->n_carried + index);
        }
        st = fovea_node_put_axis(node, "Unsqueeze", slice, 0, &slices[i], err);
    }
    struct fovea_value *joined = NULL;
    if (!st) {
        st = fovea_node_put(node, "Concat", slices, (int)p->iteration, &axis, &joined, err);
    }
    return st ? st : fovea_node_yield(node, p->n_carried + index, joined, err);
}

static bool is_wanted(const struct fovea_node *node, int index) {
    const struct fovea_value *value = index < node->n_out ? node->out[index] : NULL;
    return value && (value->n_uses > 0 || value->is_output);
}

static enum fovea_status end(struct fovea_node *node, struct fovea_error *err) {
    const struct loop *p = node->priv;
    enum fovea_status st = FOVEA_OK;
    struct fovea_value **slices = calloc((size_t)p->iteration + 1, sizeof(*slices));
    if (!slices) {
        return fovea_fail_memory(err, (size_t)p->iteration * sizeof(*slices), "slices");
    }
    for (int i = 0; !st && i < p->n_carried; i++) {
        st = fovea_node_yield(node, i, node->in[2 + i], err);
    }
    for (int i = 0; !st && i < p->n_stacked; i++) {
        if (!is_wanted(node, p->n_carried + i)) {
            continue;
        }
        st = p->iteration > 0
                 ? stack(node, i, slices, err)
                 : fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                              "output %d is stacked from no iterations: its shape is not known",
                              p->n_carried + i);
    }
    free(slices);
    return st;
}

static enum fovea_status expand(struct fovea_node *node, enum fovea_expansion *out,
                                struct fovea_error *err) {
    const struct fovea_subgraph *body = fovea_attr_graph(node, "body");
    struct loop *p = node->priv;
    bool more;
    enum fovea_status st = p->begun ? FOVEA_OK : begin(node, body, err);
    if (!st) {
        st = goes_on(node, &more, err);
    }
    if (st) {
        return st;
    }
    *out = more ? FOVEA_EXPANDED_PART : FOVEA_EXPANDED;
    return more ? iterate(node, body, err) : end(node, err);
}

static const struct fovea_attr_spec attrs[] = {{"body", FOVEA_ATTR_GRAPH, true}, {0}};

const struct fovea_op fovea_op_loop = {
    .priv_size = sizeof(struct loop),
    .attrs = attrs,
    .min_in = 0,
    .max_in = FOVEA_VARIADIC,
    .min_out = 0,
    .max_out = FOVEA_VARIADIC,
    .value_inputs = 1u << 0 | 1u << 1,
    .expand = expand,
};
