/* The op graph's invariants: see graph.h. */
#include "runtime/graph.h"

#include "runtime/op.h"
#include "runtime/provenance.h"

#include <stdlib.h>
#include <string.h>

void fovea_graph_init(struct fovea_graph *graph, fovea_op_find_fn find_op, int opset) {
    memset(graph, 0, sizeof(*graph));
    graph->find_op = find_op;
    graph->opset = opset;
    graph->defer_bytes = FOVEA_DEFER_BYTES;
}

bool fovea_value_is_read(const struct fovea_value *value) {
    for (size_t i = 0; i < value->n_uses; i++) {
        if (!value->uses[i].node->deferred) {
            return true;
        }
    }
    return value->is_output;
}

bool fovea_value_is_packed(const struct fovea_value *value) {
    bool packed = false;
    for (size_t i = 0; i < value->n_uses; i++) {
        const struct fovea_node *node = value->uses[i].node;
        if (node->deferred) {
            continue;
        }
        if (node->packed_bytes == 0 || node->packed_input != value->uses[i].index) {
            return false;
        }
        packed = true;
    }
    return value->constant && !value->is_output && packed;
}

void fovea_value_drop(struct fovea_value *value) {
    free(value->owned);
    value->owned = NULL;
    if (value->constant) {
        value->constant = false;
        value->t.data = NULL;
    }
}

static void finish_nodes(struct fovea_node *first) {
    for (struct fovea_node *node = first; node; node = node->next) {
        if (node->prepared && node->op->release) {
            node->op->release(node);
        }
        free(node->in);
    }
}

void fovea_graph_finish(struct fovea_graph *graph) {
    finish_nodes(graph->first);
    finish_nodes(graph->first_deferred);
    for (struct fovea_value *value = graph->values; value; value = value->next) {
        free(value->owned);
        free(value->uses);
    }
    fovea_arena_finish(&graph->arena);
    memset(graph, 0, sizeof(*graph));
}

/* ---- values ------------------------------------------------------------- */

struct fovea_value *fovea_graph_add_value(struct fovea_graph *graph, const char *name) {
    struct fovea_value *value = fovea_arena_alloc(&graph->arena, 1, sizeof(*value));
    if (!value) {
        return NULL;
    }
    value->name = name ? fovea_arena_copy_text(&graph->arena, name, strlen(name)) : "";
    if (!value->name) {
        return NULL;
    }
    value->number = graph->n_values++;
    value->next = graph->values;
    graph->values = value;
    return value;
}

void fovea_value_set_constant(struct fovea_value *value, void *data, bool owned) {
    free(value->owned);
    value->owned = owned ? data : NULL;
    value->t.data = data;
    value->origin = 0;
    value->constant = true;
    value->typed = true;
}

enum fovea_status fovea_graph_add_constant(struct fovea_graph *graph, enum fovea_dtype dtype,
                                           int rank, const int64_t *dims, struct fovea_value **out,
                                           struct fovea_error *err) {
    struct fovea_value *value = fovea_graph_add_value(graph, NULL);
    if (!value) {
        return fovea_fail_memory(err, sizeof(*value), "a value");
    }
    fovea_tensor_set_shape(&value->t, dtype, rank, dims);
    enum fovea_status st = fovea_tensor_check_shape(&value->t, err);
    if (st) {
        return st;
    }
    void *data = fovea_aligned_alloc(fovea_tensor_bytes(&value->t));
    if (!data) {
        return fovea_fail_memory(err, fovea_tensor_bytes(&value->t), "a constant");
    }
    fovea_value_set_constant(value, data, true);
    *out = value;
    return FOVEA_OK;
}

static enum fovea_status add_use(struct fovea_value *value, struct fovea_node *node, int index,
                                 struct fovea_error *err) {
    if (value->n_uses == value->cap_uses) {
        size_t cap = value->cap_uses ? value->cap_uses * 2 : 2;
        struct fovea_use *uses = realloc(value->uses, cap * sizeof(*uses));
        if (!uses) {
            return fovea_fail_memory(err, cap * sizeof(*uses), "a value's uses");
        }
        value->uses = uses;
        value->cap_uses = cap;
    }
    value->uses[value->n_uses++] = (struct fovea_use){node, index};
    return FOVEA_OK;
}

static void drop_use(struct fovea_value *value, struct fovea_node *node, int index) {
    for (size_t i = 0; i < value->n_uses; i++) {
        if (value->uses[i].node == node && value->uses[i].index == index) {
            /* Order is kept, so that rewrites walk readers the same way every time. */
            memmove(&value->uses[i], &value->uses[i + 1],
                    (value->n_uses - i - 1) * sizeof(*value->uses));
            value->n_uses--;
            fovea_provenance_unused(value, node);
            return;
        }
    }
}

/* ---- nodes -------------------------------------------------------------- */

static void link_before(struct fovea_graph *graph, struct fovea_node *node,
                        struct fovea_node *before) {
    node->next = before;
    node->prev = before ? before->prev : graph->last;
    if (node->prev) {
        node->prev->next = node;
    } else {
        graph->first = node;
    }
    if (before) {
        before->prev = node;
    } else {
        graph->last = node;
    }
    graph->n_nodes++;
}

static void unlink_node(struct fovea_graph *graph, struct fovea_node *node) {
    struct fovea_node **first = node->deferred ? &graph->first_deferred : &graph->first;
    struct fovea_node **last = node->deferred ? &graph->last_deferred : &graph->last;
    *(node->prev ? &node->prev->next : first) = node->next;
    *(node->next ? &node->next->prev : last) = node->prev;
    if (node->deferred) {
        graph->n_deferred--;
    } else {
        graph->n_nodes--;
    }
}

static bool name_node(struct fovea_arena *arena, struct fovea_node *node, const char *domain,
                      const char *type, const char *name) {
    node->domain = fovea_arena_copy_text(arena, domain, strlen(domain));
    node->type = fovea_arena_copy_text(arena, type, strlen(type));
    node->name = fovea_arena_copy_text(arena, name ? name : "", name ? strlen(name) : 0);
    return node->domain && node->type && node->name;
}

enum fovea_status fovea_graph_add_node(struct fovea_graph *graph, struct fovea_node *before,
                                       const char *domain, const char *type, const char *name,
                                       int n_in, int n_out, struct fovea_node **out,
                                       struct fovea_error *err) {
    const struct fovea_op *op = graph->find_op(domain, type, graph->opset);
    if (!op) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "node '%s': operator %s%s%s at opset %d is not supported",
                          fovea_quote(name ? name : "").text, fovea_quote(domain).text,
                          domain[0] ? "." : "", fovea_quote(type).text, graph->opset);
    }
    struct fovea_node *node = fovea_arena_alloc(&graph->arena, 1, sizeof(*node));
    if (!node || !name_node(&graph->arena, node, domain, type, name)) {
        return fovea_fail_memory(err, sizeof(*node), "a node");
    }
    node->out = fovea_arena_alloc(&graph->arena, (size_t)n_out, sizeof(*node->out));
    node->priv = fovea_arena_alloc(&graph->arena, 1, op->priv_size);
    node->in = calloc((size_t)n_in + 1, sizeof(*node->in));
    if (!node->out || !node->priv || !node->in) {
        free(node->in);
        return fovea_fail_memory(err, (size_t)(n_in + n_out) * sizeof(*node->in), "a node");
    }
    node->op = op;
    node->graph = graph;
    node->opset = graph->opset;
    node->n_in = n_in;
    node->n_out = n_out;
    link_before(graph, node, before);
    *out = node;
    return FOVEA_OK;
}

enum fovea_status fovea_node_set_input(struct fovea_node *node, int index,
                                       struct fovea_value *value, struct fovea_error *err) {
    if (value) {
        enum fovea_status st = add_use(value, node, index, err);
        if (st) {
            return st;
        }
    }
    if (node->in[index]) {
        drop_use(node->in[index], node, index);
    }
    node->in[index] = value;
    return FOVEA_OK;
}

enum fovea_status fovea_node_add_input(struct fovea_node *node, struct fovea_value *value,
                                       int *index, struct fovea_error *err) {
    size_t bytes = ((size_t)node->n_in + 1) * sizeof(*node->in);
    struct fovea_value **in = realloc(node->in, bytes);
    if (!in) {
        return fovea_fail_memory(err, bytes, "a node's inputs");
    }
    node->in = in;
    in[node->n_in] = NULL;
    enum fovea_status st = fovea_node_set_input(node, node->n_in, value, err);
    if (st) {
        return st;
    }
    *index = node->n_in++;
    return FOVEA_OK;
}

void fovea_node_set_output(struct fovea_node *node, int index, struct fovea_value *value) {
    if (value->producer) {
        value->producer->heir = node;
        value->producer->out[value->producer_index] = NULL;
    }
    value->producer = node;
    value->producer_index = index;
    node->out[index] = value;
}

struct fovea_value *fovea_node_input(const struct fovea_node *node, int index) {
    return index < node->n_in ? node->in[index] : NULL;
}

void fovea_error_prefix_node(struct fovea_error *err, const struct fovea_node *node) {
    fovea_error_prefix(err, "node '%s' (%s)", fovea_quote(node->name).text,
                       fovea_quote(node->type).text);
}

/* ---- rewriting ---------------------------------------------------------- */

enum fovea_status fovea_value_replace(struct fovea_graph *graph, struct fovea_value *from,
                                      struct fovea_value *to, struct fovea_error *err) {
    while (from->n_uses > 0) {
        struct fovea_use use = from->uses[0];
        enum fovea_status st = fovea_node_set_input(use.node, use.index, to, err);
        if (st) {
            return st;
        }
    }
    for (size_t i = 0; from->is_output && i < graph->n_outputs; i++) {
        if (graph->outputs[i] == from) {
            graph->outputs[i] = to;
            to->is_output = true;
        }
    }
    from->is_output = false;
    fovea_provenance_replaced(from, to);
    return FOVEA_OK;
}

void fovea_graph_move_node(struct fovea_graph *graph, struct fovea_node *node,
                           struct fovea_node *before) {
    unlink_node(graph, node);
    link_before(graph, node, before);
}

void fovea_graph_defer_node(struct fovea_graph *graph, struct fovea_node *node) {
    unlink_node(graph, node);
    node->deferred = true;
    node->next = NULL;
    node->prev = graph->last_deferred;
    *(node->prev ? &node->prev->next : &graph->first_deferred) = node;
    graph->last_deferred = node;
    graph->n_deferred++;
    for (int i = 0; i < node->n_out; i++) {
        if (node->out[i]) {
            node->out[i]->producer = NULL;
            node->out[i]->deferred = node;
            node->out[i]->constant = true;
        }
    }
}

void fovea_graph_remove_node(struct fovea_graph *graph, struct fovea_node *node) {
    if (node->prepared && node->op->release) {
        node->op->release(node);
        node->prepared = false;
    }
    fovea_provenance_removed(graph, node);
    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i]) {
            drop_use(node->in[i], node, i);
        }
    }
    for (int i = 0; i < node->n_out; i++) {
        if (node->out[i]) {
            node->out[i]->producer = NULL;
            node->out[i]->deferred = NULL;
        }
    }
    unlink_node(graph, node);
    free(node->in);
    node->in = NULL;
    node->n_in = 0;
}

static bool is_needed(const struct fovea_node *node) {
    for (int i = 0; i < node->n_out; i++) {
        const struct fovea_value *value = node->out[i];
        if (value && (value->n_uses > 0 || value->is_output)) {
            return true;
        }
    }
    return false;
}

/* Remove nodes from `last` back whose outputs nobody needs. */
static size_t sweep_nodes(struct fovea_graph *graph, struct fovea_node *last) {
    size_t removed = 0;
    while (last) {
        struct fovea_node *prev = last->prev;
        if (!is_needed(last)) {
            fovea_graph_remove_node(graph, last);
            removed++;
        }
        last = prev;
    }
    return removed;
}

size_t fovea_graph_sweep(struct fovea_graph *graph) {
    size_t removed = sweep_nodes(graph, graph->last);
    sweep_nodes(graph, graph->last_deferred);
    for (struct fovea_value *value = graph->values; value; value = value->next) {
        if (value->n_uses == 0 && !value->is_output) {
            fovea_value_drop(value);
        }
    }
    return removed;
}
