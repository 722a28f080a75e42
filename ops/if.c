/*
 * If: one of two graphs, by a condition. A session knows the condition before
 * it runs (shapes, attributes and constants decide it in every exporter's
 * graphs), so the branch taken is put in the node's place.
 */
#include "ops/ops.h"
#include "runtime/subgraph.h"

#include <stdlib.h>

static enum fovea_status check_branch(const struct fovea_node *node,
                                      const struct fovea_subgraph *branch,
                                      struct fovea_error *err) {
    if (branch->n_own != 1 || branch->n_formal != 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "%d inputs and a branch of %zu; the condition is the only one",
                          branch->n_own, branch->n_formal);
    }
    if (branch->graph.n_outputs < (size_t)node->n_out) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "%d outputs, but a branch has %zu", node->n_out,
                          branch->graph.n_outputs);
    }
    return FOVEA_OK;
}

static enum fovea_status take_branch(struct fovea_node *node, const struct fovea_subgraph *branch,
                                     struct fovea_error *err) {
    struct fovea_value **outputs = calloc(branch->graph.n_outputs + 1, sizeof(*outputs));
    if (!outputs) {
        return fovea_fail_memory(err, branch->graph.n_outputs * sizeof(*outputs), "a branch");
    }
    enum fovea_status st = fovea_subgraph_inline(node, branch, NULL, outputs, err);
    for (int i = 0; !st && i < node->n_out; i++) {
        st = fovea_node_yield(node, i, outputs[i], err);
    }
    free(outputs);
    return st;
}

static enum fovea_status expand(struct fovea_node *node, enum fovea_expansion *out,
                                struct fovea_error *err) {
    const struct fovea_subgraph *then_branch = fovea_attr_graph(node, "then_branch");
    const struct fovea_subgraph *else_branch = fovea_attr_graph(node, "else_branch");
    bool condition;
    enum fovea_status st = fovea_node_read_condition(node, 0, &condition, err);
    if (!st) {
        st = check_branch(node, then_branch, err);
    }
    if (!st) {
        st = check_branch(node, else_branch, err);
    }
    if (!st) {
        st = take_branch(node, condition ? then_branch : else_branch, err);
    }
    *out = FOVEA_EXPANDED;
    return st;
}

static const struct fovea_attr_spec attrs[] = {
    {"else_branch", FOVEA_ATTR_GRAPH, true}, {"then_branch", FOVEA_ATTR_GRAPH, true}, {0}};

const struct fovea_op fovea_op_if = {
    .attrs = attrs,
    .min_in = 1,
    .max_in = FOVEA_VARIADIC,
    .min_out = 1,
    .max_out = FOVEA_VARIADIC,
    .value_inputs = 1u << 0,
    .expand = expand,
};
