/* Shape inference and constant folding: see infer.h. */
#include "runtime/infer.h"

#include "runtime/compute.h"
#include "runtime/deferred.h"
#include "runtime/node_check.h"
#include "runtime/parallel.h"
#include "runtime/subgraph.h"
#include "runtime/widen.h"

#include <stdlib.h>

enum fovea_status fovea_infer_node(struct fovea_node *node, struct fovea_error *err) {
    enum fovea_status st = fovea_node_check(node, err);
    if (!st) {
        st = node->op->infer(node, err);
    }
    if (st) {
        fovea_error_prefix_node(err, node);
    }
    return st;
}

/* ---- folding ------------------------------------------------------------ */

static bool can_fold(const struct fovea_node *node) {
    bool only_shapes = node->op->flags & FOVEA_OP_SHAPE_ONLY;
    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i] && !node->in[i]->constant && !only_shapes) {
            return false;
        }
    }
    return true;
}

static size_t output_bytes(const struct fovea_node *node) {
    size_t bytes = 0;
    for (int i = 0; i < node->n_out; i++) {
        if (node->out[i]) {
            bytes += fovea_tensor_bytes(&node->out[i]->t);
        }
    }
    return bytes;
}

static enum fovea_status alloc_outputs(struct fovea_node *node, struct fovea_error *err) {
    for (int i = 0; i < node->n_out; i++) {
        struct fovea_value *value = node->out[i];
        if (!value) {
            continue;
        }
        void *data = fovea_aligned_alloc(fovea_tensor_bytes(&value->t));
        if (!data) {
            return fovea_fail_memory(err, fovea_tensor_bytes(&value->t), "a folded constant");
        }
        fovea_value_set_constant(value, data, true);
    }
    return FOVEA_OK;
}

static enum fovea_status read_inputs(struct fovea_node *node, struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    for (int i = 0; !st && i < node->n_in; i++) {
        if (node->in[i] && !(node->op->flags & FOVEA_OP_SHAPE_ONLY)) {
            st = fovea_value_contents(node->in[i], err);
        }
    }
    return st;
}

static enum fovea_status fold(struct fovea_node *node, struct fovea_engine *engine,
                              const struct fovea_budget *budget, struct fovea_error *err) {
    enum fovea_status st = read_inputs(node, err);
    if (!st) {
        st = alloc_outputs(node, err);
    }
    if (st) {
        fovea_error_prefix_node(err, node);
        return st;
    }
    return fovea_node_compute(node, engine, budget, err);
}

enum fovea_status fovea_fold_node(struct fovea_node *node, struct fovea_engine *engine,
                                  struct fovea_error *err) {
    return fold(node, engine, NULL, err);
}

/* ---- the walk ----------------------------------------------------------- */

/* Whether a constant that this graph made is read by nobody but `node`. */
static bool dies_with(const struct fovea_value *value, const struct fovea_node *node) {
    for (size_t i = 0; i < value->n_uses; i++) {
        if (value->uses[i].node != node) {
            return false;
        }
    }
    return value->owned && !value->is_output && !value->is_input;
}

/* Take out a folded node and the constants that only it read; returns the bytes that frees. */
static size_t remove_folded(struct fovea_graph *graph, struct fovea_node *node) {
    size_t bytes = 0;
    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i] && dies_with(node->in[i], node)) {
            bytes += fovea_tensor_bytes(&node->in[i]->t);
            fovea_value_drop(node->in[i]);
        }
    }
    fovea_graph_remove_node(graph, node);
    return bytes;
}

/* What becomes of an inferred node. */
enum fate { RUN, DEFER, FOLD };

static enum fate fate_of(const struct fovea_node *node) {
    if (!can_fold(node)) {
        return RUN;
    }
    return fovea_node_is_deferrable(node) ? DEFER : FOLD;
}

/*
 * A result that does not fit is refused before anything is made for it; what
 * a run or packing computes is counted later, by the plan.
 */
static enum fovea_status check_result(const struct fovea_node *node, enum fate fate,
                                      struct fovea_budget *budget, struct fovea_error *err) {
    struct fovea_budget whole = {budget->limit, budget->limit};
    const char *what = fate == RUN ? "its result" : "its constant result";
    enum fovea_status st =
        fovea_budget_spend(fate == FOLD ? budget : &whole, output_bytes(node), what, err);
    if (st) {
        fovea_error_prefix_node(err, node);
    }
    return st;
}

/* Operators and passes go by output 0; one that the file leaves out is made up. */
static enum fovea_status complete_outputs(struct fovea_graph *graph, struct fovea_node *node,
                                          struct fovea_error *err) {
    if (node->n_out == 0 || node->out[0]) {
        return FOVEA_OK;
    }
    struct fovea_value *value = fovea_graph_add_value(graph, NULL);
    if (!value) {
        return fovea_fail_memory(err, sizeof(*value), "a value");
    }
    fovea_node_set_output(node, 0, value);
    return FOVEA_OK;
}

/* Contents of constants that infer reads. */
static enum fovea_status read_value_inputs(struct fovea_node *node, struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    for (int i = 0; !st && i < node->n_in && i < 32; i++) {
        if (node->in[i] && (node->op->value_inputs >> i & 1)) {
            st = fovea_value_contents(node->in[i], err);
        }
    }
    return st;
}

/* The network asks for these multiplications, though no run does them: a MAP head's query. */
static void count_folded(struct fovea_graph *graph, const struct fovea_node *node) {
    int64_t macs = fovea_node_macs(node), room = INT64_MAX - graph->folded_macs;
    graph->folded_macs += macs < room ? macs : room;
}

/* Before a node's infer or expand. */
static enum fovea_status complete(struct fovea_graph *graph, struct fovea_node *node,
                                  struct fovea_error *err) {
    enum fovea_status st = fovea_node_widen_inputs(node, &graph->budget, err);
    if (!st) {
        st = complete_outputs(graph, node, err);
    }
    return st ? st : read_value_inputs(node, err);
}

static enum fovea_status infer_and_fold(struct fovea_graph *graph, struct fovea_node *node,
                                        enum fovea_dtype *wanted, struct fovea_error *err) {
    struct fovea_budget *budget = &graph->budget;
    enum fovea_status st = fovea_infer_node(node, err);
    if (st) {
        return st;
    }
    fovea_node_widen_outputs(node, wanted);
    enum fate fate = fate_of(node);
    st = check_result(node, fate, budget, err);
    if (!st && fate != RUN) {
        st = fovea_node_spend_work(node, err);
    }
    if (st || fate == RUN) {
        return st;
    }
    if (fate == DEFER) {
        count_folded(graph, node);
        fovea_graph_defer_node(graph, node);
        return FOVEA_OK;
    }
    st = fold(node, graph->engine, budget, err);
    if (!st) {
        count_folded(graph, node);
        budget->left += remove_folded(graph, node);
    }
    return st;
}

enum fovea_status fovea_settle_node(struct fovea_node *node, struct fovea_error *err) {
    struct fovea_graph *graph = node->graph;
    enum fate fate = fate_of(node);
    enum fovea_status st = check_result(node, fate, &graph->budget, err);
    if (!st && fate == FOLD) {
        st = fold(node, graph->engine, &graph->budget, err);
    }
    if (st) {
        return st;
    }
    if (fate == DEFER) {
        fovea_graph_defer_node(graph, node);
    } else {
        fovea_graph_remove_node(graph, node);
    }
    return FOVEA_OK;
}

/* Expand a node if its operator is of that kind; *next is where the walk goes on. */
static enum fovea_status expand(struct fovea_graph *graph, struct fovea_node *node,
                                enum fovea_expansion *out, struct fovea_node **next,
                                struct fovea_error *err) {
    struct fovea_node *prev = node->prev;
    *out = FOVEA_EXPANDED_NOT;
    if (!node->op->expand) {
        return FOVEA_OK;
    }
    enum fovea_status st = fovea_node_check(node, err);
    if (!st) {
        st = node->op->expand(node, out, err);
    }
    if (!st && *out == FOVEA_EXPANDED_KEPT && node->out[0]->is_output) {
        st = fovea_fail(err, FOVEA_ERR_INVALID, "output '%s' of the graph is not a tensor",
                        fovea_quote(node->out[0]->name).text);
    }
    if (st) {
        fovea_error_prefix_node(err, node);
        return st;
    }
    if (*out == FOVEA_EXPANDED_PART || (*out == FOVEA_EXPANDED && node->prev != prev)) {
        *next = prev ? prev->next : graph->first;
    }
    if (*out == FOVEA_EXPANDED) {
        graph->budget.left += remove_folded(graph, node);
    }
    return FOVEA_OK;
}

static enum fovea_status walk(struct fovea_graph *graph, enum fovea_dtype *wanted,
                              struct fovea_error *err) {
    struct fovea_node *node = graph->first;
    while (node) {
        struct fovea_node *next = node->next;
        enum fovea_expansion expansion;
        enum fovea_status st = complete(graph, node, err);
        if (!st) {
            st = expand(graph, node, &expansion, &next, err);
        }
        if (!st && expansion == FOVEA_EXPANDED_NOT) {
            st = infer_and_fold(graph, node, wanted, err);
        }
        if (st) {
            return st;
        }
        node = next;
    }
    return FOVEA_OK;
}

/* What held the elements of sequences; the walk has turned their readers into other nodes. */
static void remove_sequences(struct fovea_graph *graph) {
    struct fovea_node *node = graph->last;
    while (node) {
        struct fovea_node *prev = node->prev;
        if (node->n_out > 0 && node->out[0] && node->out[0]->kind != FOVEA_TENSOR) {
            fovea_graph_remove_node(graph, node);
        }
        node = prev;
    }
}

enum fovea_status fovea_infer_graph(struct fovea_graph *graph, struct fovea_engine *engine,
                                    size_t max_constant_bytes, struct fovea_error *err) {
    enum fovea_dtype *wanted = calloc(graph->n_outputs + 1, sizeof(*wanted));
    if (!wanted) {
        return fovea_fail_memory(err, (graph->n_outputs + 1) * sizeof(*wanted), "output types");
    }
    for (size_t i = 0; i < graph->n_outputs; i++) {
        wanted[i] = graph->outputs[i]->t.dtype;
    }
    graph->engine = engine;
    graph->budget = (struct fovea_budget){max_constant_bytes, max_constant_bytes};
    int former = fovea_parallel_set_threads(engine->threads);
    enum fovea_status st = fovea_graph_widen_inputs(graph, err);
    if (!st) {
        st = walk(graph, wanted, err);
    }
    if (!st) {
        remove_sequences(graph);
        st = fovea_graph_narrow_outputs(graph, wanted, err);
    }
    fovea_parallel_set_threads(former);
    free(wanted);
    return st;
}
