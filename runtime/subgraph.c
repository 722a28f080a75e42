/* Templates of graphs within nodes, and what expanding them needs: see subgraph.h. */
#include "runtime/subgraph.h"

#include "runtime/limits.h"

#include <stdlib.h>
#include <string.h>

struct fovea_subgraph *fovea_subgraph_create(fovea_op_find_fn find_op, int opset) {
    struct fovea_subgraph *sub = calloc(1, sizeof(*sub));
    if (sub) {
        fovea_graph_init(&sub->graph, find_op, opset);
    }
    return sub;
}

void fovea_subgraphs_destroy(struct fovea_subgraph *first) {
    while (first) {
        struct fovea_subgraph *next = first->next;
        fovea_graph_finish(&first->graph);
        free(first);
        first = next;
    }
}

const struct fovea_subgraph *fovea_attr_graph(const struct fovea_node *node, const char *name) {
    return fovea_node_attr(node, name)->graph;
}

/* ---- limits ------------------------------------------------------------- */

/* A reader's or producer's place, with what notes the use; a value is made for some. */
enum { PLACE = sizeof(void *) + sizeof(struct fovea_use) };

static enum fovea_status spend(struct fovea_graph *graph, size_t bytes, struct fovea_error *err) {
    if (bytes > FOVEA_LIMIT_INLINED_BYTES - graph->inlined_bytes) {
        return fovea_fail(err, FOVEA_ERR_LIMIT,
                          "branches, loops and sequences come to over %zu bytes of nodes, the "
                          "limit",
                          FOVEA_LIMIT_INLINED_BYTES);
    }
    graph->inlined_bytes += bytes;
    return FOVEA_OK;
}

enum fovea_status fovea_graph_spend_node(struct fovea_graph *graph, size_t n_values,
                                         struct fovea_error *err) {
    size_t most = FOVEA_LIMIT_INLINED_BYTES / PLACE;
    size_t places = n_values < most ? n_values : most;
    return spend(graph, sizeof(struct fovea_node) + places * PLACE, err);
}

/* What a copy of a template takes; the contents and names are not copied. */
static size_t template_bytes(const struct fovea_graph *graph) {
    size_t bytes = sizeof(struct fovea_node) + graph->n_values * sizeof(struct fovea_value);
    for (const struct fovea_node *node = graph->first; node; node = node->next) {
        bytes += sizeof(*node) + node->op->priv_size + node->n_attrs * sizeof(*node->attrs) +
                 (size_t)(node->n_in + node->n_out) * PLACE;
    }
    return bytes;
}

enum fovea_status fovea_node_spend_work(const struct fovea_node *node, struct fovea_error *err) {
    struct fovea_graph *graph = node->graph;
    if (!node->inlined) {
        return FOVEA_OK;
    }
    int64_t work = fovea_node_macs(node);
    for (int i = 0; i < node->n_out; i++) {
        if (node->out[i] && work < FOVEA_LIMIT_INLINED_WORK) {
            work += fovea_tensor_count(&node->out[i]->t);
        }
    }
    if (work > FOVEA_LIMIT_INLINED_WORK - graph->inlined_work) {
        enum fovea_status st =
            fovea_fail(err, FOVEA_ERR_LIMIT,
                       "the constants of branches and loops take over %lld operations, the limit",
                       (long long)FOVEA_LIMIT_INLINED_WORK);
        fovea_error_prefix_node(err, node);
        return st;
    }
    graph->inlined_work += work;
    return FOVEA_OK;
}

/* ---- copies ------------------------------------------------------------- */

enum fovea_status fovea_subgraph_inline(struct fovea_node *node, const struct fovea_subgraph *sub,
                                        struct fovea_value *const *formal,
                                        struct fovea_value **outputs, struct fovea_error *err) {
    enum fovea_status st = spend(node->graph, template_bytes(&sub->graph), err);
    if (st) {
        return st;
    }
    size_t count = sub->n_formal + sub->n_captured;
    struct fovea_value **inputs = calloc(count + 1, sizeof(struct fovea_value *));
    if (!inputs) {
        return fovea_fail_memory(err, count * sizeof(struct fovea_value *), "a subgraph's inputs");
    }
    if (sub->n_formal > 0) {
        memcpy(inputs, formal, sub->n_formal * sizeof(struct fovea_value *));
    }
    for (size_t i = 0; i < sub->n_captured; i++) {
        inputs[sub->n_formal + i] = node->in[sub->captured[i]];
    }
    st = fovea_graph_inline(&sub->graph, node, inputs, outputs, err);
    free(inputs);
    return st;
}

enum fovea_status fovea_node_read_condition(const struct fovea_node *node, int index, bool *out,
                                            struct fovea_error *err) {
    const struct fovea_tensor *t = &node->in[index]->t;
    if (t->dtype != FOVEA_BOOL || fovea_tensor_count(t) != 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "the condition '%s' is %s%s; it must be one boolean",
                          fovea_quote(node->in[index]->name).text, fovea_dtype_name(t->dtype),
                          fovea_shape_text(t).text);
    }
    *out = *(const unsigned char *)t->data != 0;
    return FOVEA_OK;
}

/* ---- in place of a node ------------------------------------------------- */

static void let_go(struct fovea_graph *graph, struct fovea_value *value) {
    struct fovea_budget *budget = &graph->budget;
    size_t bytes = fovea_tensor_bytes(&value->t), spent = budget->limit - budget->left;
    if (value->n_uses == 0 && value->owned && !value->is_output && !value->is_input) {
        budget->left += bytes < spent ? bytes : spent;
        fovea_value_drop(value);
    }
}

enum fovea_status fovea_node_advance_input(struct fovea_node *node, int index,
                                           struct fovea_value *value, struct fovea_error *err) {
    struct fovea_value *old = node->in[index];
    enum fovea_status st = fovea_node_set_input(node, index, value, err);
    if (!st && old) {
        let_go(node->graph, old);
    }
    return st;
}

enum fovea_status fovea_node_put(struct fovea_node *before, const char *type,
                                 struct fovea_value *const *inputs, int count,
                                 const struct fovea_attr *attr, struct fovea_value **out,
                                 struct fovea_error *err) {
    struct fovea_graph *graph = before->graph;
    struct fovea_value *value = fovea_graph_add_value(graph, NULL);
    struct fovea_node *node;
    if (!value) {
        return fovea_fail_memory(err, sizeof(*value), "a value");
    }
    enum fovea_status st =
        fovea_graph_add_node(graph, before, "", type, before->name, count, 1, &node, err);
    for (int i = 0; !st && i < count; i++) {
        st = fovea_node_set_input(node, i, inputs[i], err);
    }
    if (!st && attr) {
        st = fovea_node_set_attr(node, attr, err);
    }
    if (!st) {
        node->inlined = true;
        fovea_node_set_output(node, 0, value);
        *out = value;
    }
    return st;
}

enum fovea_status fovea_graph_add_int(struct fovea_graph *graph, int64_t number, bool list,
                                      struct fovea_value **out, struct fovea_error *err) {
    struct fovea_value *value;
    enum fovea_status st =
        fovea_graph_add_constant(graph, FOVEA_I64, list ? 1 : 0, (int64_t[]){1}, &value, err);
    if (!st) {
        *(int64_t *)value->t.data = number;
        *out = value;
    }
    return st;
}

enum fovea_status fovea_node_put_axis(struct fovea_node *before, const char *type,
                                      struct fovea_value *value, int64_t axis,
                                      struct fovea_value **out, struct fovea_error *err) {
    const struct fovea_attr attr = {
        .name = "axes", .kind = FOVEA_ATTR_INTS, .count = 1, .ints = &axis};
    struct fovea_value *in[2] = {value, NULL};
    if (before->graph->opset < 13) {
        return fovea_node_put(before, type, in, 1, &attr, out, err);
    }
    enum fovea_status st = fovea_graph_add_int(before->graph, axis, true, &in[1], err);
    return st ? st : fovea_node_put(before, type, in, 2, NULL, out, err);
}

enum fovea_status fovea_node_yield(struct fovea_node *node, int index, struct fovea_value *value,
                                   struct fovea_error *err) {
    struct fovea_value *old = index < node->n_out ? node->out[index] : NULL;
    if (!old) {
        return FOVEA_OK;
    }
    if (!old->is_output) {
        return fovea_value_replace(node->graph, old, value, err);
    }
    struct fovea_node *copy;
    if (value->kind != FOVEA_TENSOR) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "output '%s' of the graph is not a tensor",
                          fovea_quote(old->name).text);
    }
    enum fovea_status st =
        fovea_graph_add_node(node->graph, node, "", "Identity", node->name, 1, 1, &copy, err);
    if (!st) {
        st = fovea_node_set_input(copy, 0, value, err);
    }
    if (!st) {
        fovea_node_set_output(copy, 0, old);
    }
    return st;
}
