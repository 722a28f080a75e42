/* Shape inference and constant folding: see infer.h. */
#include "runtime/infer.h"

#include "runtime/budget.h"
#include "runtime/node_check.h"
#include "runtime/pack.h"
#include "runtime/parallel.h"
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

/* What making the result takes for the while, besides the result. `budget` NULL: no limit. */
static enum fovea_status check_work(const struct fovea_node *node,
                                    const struct fovea_budget *budget, struct fovea_error *err) {
    if (!budget) {
        return FOVEA_OK;
    }
    struct fovea_budget meanwhile = *budget;
    return fovea_budget_spend(&meanwhile, node->scratch_bytes + node->packed_bytes,
                              "computing its constant result", err);
}

static enum fovea_status evaluate(struct fovea_node *node, struct fovea_engine *engine,
                                  const struct fovea_budget *budget, void **scratch, void **packed,
                                  struct fovea_error *err) {
    const struct fovea_op *op = node->op;
    enum fovea_status st = FOVEA_OK;
    node->prepared = true;
    if (op->prepare) {
        st = op->prepare(node, engine, err);
    }
    if (!st) {
        st = check_work(node, budget, err);
    }
    if (!st) {
        st = fovea_pack_node(node, engine, packed, err);
    }
    if (st) {
        return st;
    }
    *scratch = fovea_aligned_alloc(node->scratch_bytes);
    if (!*scratch) {
        return fovea_fail_memory(err, node->scratch_bytes, "scratch");
    }
    st = alloc_outputs(node, err);
    if (st) {
        return st;
    }
    struct fovea_run run = {.engine = engine, .scratch = *scratch};
    return op->run(node, &run, err);
}

static enum fovea_status fold(struct fovea_node *node, struct fovea_engine *engine,
                              const struct fovea_budget *budget, struct fovea_error *err) {
    void *scratch = NULL, *packed = NULL;
    enum fovea_status st = evaluate(node, engine, budget, &scratch, &packed, err);
    free(scratch);
    free(packed);
    node->packed_data = NULL;
    if (node->op->release) {
        node->op->release(node);
    }
    node->prepared = false;
    if (st) {
        fovea_error_prefix_node(err, node);
    }
    return st;
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

/*
 * A result that does not fit is refused before anything is made for it; what
 * a run computes is counted later, by the plan.
 */
static enum fovea_status check_result(const struct fovea_node *node, struct fovea_budget *budget,
                                      struct fovea_error *err) {
    struct fovea_budget whole = {budget->limit, budget->limit};
    enum fovea_status st =
        can_fold(node) ? fovea_budget_spend(budget, output_bytes(node), "its constant result", err)
                       : fovea_budget_spend(&whole, output_bytes(node), "its result", err);
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

static enum fovea_status infer_and_fold(struct fovea_graph *graph, struct fovea_node *node,
                                        struct fovea_engine *engine, struct fovea_budget *budget,
                                        enum fovea_dtype *wanted, struct fovea_error *err) {
    enum fovea_status st = fovea_node_widen_inputs(node, budget, err);
    if (!st) {
        st = complete_outputs(graph, node, err);
    }
    if (!st) {
        st = fovea_infer_node(node, err);
    }
    if (st) {
        return st;
    }
    fovea_node_widen_outputs(node, wanted);
    st = check_result(node, budget, err);
    if (st || !can_fold(node)) {
        return st;
    }
    st = fold(node, engine, budget, err);
    if (!st) {
        budget->left += remove_folded(graph, node);
    }
    return st;
}

static enum fovea_status walk(struct fovea_graph *graph, struct fovea_engine *engine, size_t limit,
                              enum fovea_dtype *wanted, struct fovea_error *err) {
    struct fovea_budget budget = {limit, limit};
    struct fovea_node *node = graph->first;
    while (node) {
        struct fovea_node *next = node->next;
        enum fovea_status st = infer_and_fold(graph, node, engine, &budget, wanted, err);
        if (st) {
            return st;
        }
        node = next;
    }
    return FOVEA_OK;
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
    int former = fovea_parallel_set_threads(engine->threads);
    enum fovea_status st = fovea_graph_widen_inputs(graph, err);
    if (!st) {
        st = walk(graph, engine, max_constant_bytes, wanted, err);
    }
    if (!st) {
        st = fovea_graph_narrow_outputs(graph, wanted, err);
    }
    fovea_parallel_set_threads(former);
    free(wanted);
    return st;
}

/* ---- which inputs decide shapes ----------------------------------------- */

static bool reaches_value_input(const struct fovea_value *value, unsigned char *seen) {
    if (seen[value->number]) {
        return false;
    }
    seen[value->number] = 1;
    for (size_t i = 0; i < value->n_uses; i++) {
        const struct fovea_node *node = value->uses[i].node;
        int index = value->uses[i].index;
        if (index < 32 && (node->op->value_inputs >> index & 1)) {
            return true;
        }
    }
    return false;
}

/*
 * Forward over the list, which is in topological order: mark values that
 * depend on the input's contents, until one is read by an infer.
 */
bool fovea_input_decides_shapes(const struct fovea_graph *graph, size_t index) {
    unsigned char *tainted = calloc(graph->n_values + 1, 1);
    unsigned char *seen = calloc(graph->n_values + 1, 1);
    bool decides = !tainted || !seen;
    if (!decides) {
        tainted[graph->inputs[index]->number] = 1;
        decides = reaches_value_input(graph->inputs[index], seen);
    }
    for (const struct fovea_node *node = graph->first; !decides && node; node = node->next) {
        bool reads = false;
        for (int i = 0; i < node->n_in; i++) {
            reads |= node->in[i] && tainted[node->in[i]->number];
        }
        if (!reads || (node->op->flags & FOVEA_OP_SHAPE_ONLY)) {
            continue;
        }
        for (int i = 0; i < node->n_out && !decides; i++) {
            if (node->out[i]) {
                tainted[node->out[i]->number] = 1;
                decides = reaches_value_input(node->out[i], seen);
            }
        }
    }
    free(tainted);
    free(seen);
    return decides;
}
