/*
 * Optional, OptionalHasElement, OptionalGetElement: values that may be absent.
 * Which are is known when a graph is inferred; one that is there is the value
 * itself.
 */
#include "ops/ops.h"
#include "runtime/subgraph.h"

static enum fovea_status expand_optional(struct fovea_node *node, enum fovea_expansion *out,
                                         struct fovea_error *err) {
    struct fovea_value *value = fovea_node_input(node, 0);
    if (value) {
        *out = FOVEA_EXPANDED;
        return fovea_node_yield(node, 0, value, err);
    }
    node->out[0]->kind = FOVEA_NOTHING;
    node->out[0]->typed = true;
    *out = FOVEA_EXPANDED_KEPT;
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs[] = {{"type", FOVEA_ATTR_NONE, false}, {0}};

const struct fovea_op fovea_op_optional = {
    .attrs = attrs,
    .min_in = 0,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .expand = expand_optional,
};

static enum fovea_status expand_has(struct fovea_node *node, enum fovea_expansion *out,
                                    struct fovea_error *err) {
    const struct fovea_value *value = fovea_node_input(node, 0);
    struct fovea_value *has;
    enum fovea_status st = fovea_graph_add_constant(node->graph, FOVEA_BOOL, 0, NULL, &has, err);
    if (st) {
        return st;
    }
    *(bool *)has->t.data = value && value->kind != FOVEA_NOTHING;
    *out = FOVEA_EXPANDED;
    return fovea_node_yield(node, 0, has, err);
}

const struct fovea_op fovea_op_optional_has_element = {
    .min_in = 0,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .expand = expand_has,
};

static enum fovea_status expand_get(struct fovea_node *node, enum fovea_expansion *out,
                                    struct fovea_error *err) {
    if (node->in[0]->kind == FOVEA_NOTHING) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "input 0 ('%s') has no value",
                          fovea_quote(node->in[0]->name).text);
    }
    *out = FOVEA_EXPANDED;
    return fovea_node_yield(node, 0, node->in[0], err);
}

const struct fovea_op fovea_op_optional_get_element = {
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .expand = expand_get,
};
