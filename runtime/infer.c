/* Shape inference and constant folding: see infer.h. */
#include "runtime/infer.h"

#include "runtime/parallel.h"

#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
    [FOVEA_ATTR_FLOAT] = "float",     [FOVEA_ATTR_INT] = "int",
    [FOVEA_ATTR_STRING] = "string",   [FOVEA_ATTR_TENSOR] = "tensor",
    [FOVEA_ATTR_FLOATS] = "floats",   [FOVEA_ATTR_INTS] = "ints",
    [FOVEA_ATTR_STRINGS] = "strings", [FOVEA_ATTR_GRAPH] = "graph",
    [FOVEA_ATTR_NONE] = "undefined",
};

/* ---- checks against the op's tables ------------------------------------- */

static enum fovea_status check_attr(const struct fovea_node *node, const struct fovea_attr *attr,
                                    struct fovea_error *err) {
    const struct fovea_attr_spec *spec = node->op->attrs;
    for (; spec && spec->name; spec++) {
        if (strcmp(spec->name, attr->name) != 0) {
            continue;
        }
        /* An empty list may have been written with either kind of list. */
        if (spec->kind != attr->kind) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "attribute '%s' is of kind %s, not %s",
                              spec->name, kind_names[attr->kind], kind_names[spec->kind]);
        }
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "attribute '%s' is not known at opset %d",
                      fovea_quote(attr->name).text, node->opset);
}

static enum fovea_status check_attrs(const struct fovea_node *node, struct fovea_error *err) {
    for (size_t i = 0; i < node->n_attrs; i++) {
        enum fovea_status st = check_attr(node, &node->attrs[i], err);
        if (st) {
            return st;
        }
    }
    const struct fovea_attr_spec *spec = node->op->attrs;
    for (; spec && spec->name; spec++) {
        if (spec->required && !fovea_node_attr(node, spec->name)) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "attribute '%s' is missing", spec->name);
        }
    }
    return FOVEA_OK;
}

static enum fovea_status check_counts(const struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_op *op = node->op;
    int n_in = node->n_in;
    /* Inputs that an epilogue reads come after the operator's own. */
    for (int i = 0; i < node->n_epilogue; i++) {
        if (node->epilogue[i].kind != FOVEA_EPILOGUE_ACT && node->epilogue[i].input < n_in) {
            n_in = node->epilogue[i].input;
        }
    }
    while (n_in > op->max_in && !node->in[n_in - 1]) {
        n_in--;
    }
    if (n_in > op->max_in) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "%d inputs; the operator takes at most %d", n_in,
                          op->max_in);
    }
    for (int i = 0; i < op->min_in; i++) {
        if (!fovea_node_input(node, i)) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "input %d is missing; %d are required", i,
                              op->min_in);
        }
    }
    if (node->n_out < op->min_out || node->n_out > op->max_out) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "%d outputs; the operator has %d to %d",
                          node->n_out, op->min_out, op->max_out);
    }
    return FOVEA_OK;
}

static enum fovea_status check_inputs(const struct fovea_node *node, struct fovea_error *err) {
    for (int i = 0; i < node->n_in; i++) {
        const struct fovea_value *value = node->in[i];
        if (!value) {
            continue;
        }
        if (!value->typed) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "input %d ('%s') has no type or shape", i,
                              fovea_quote(value->name).text);
        }
        if (i < 32 && (node->op->value_inputs >> i & 1) && !value->constant) {
            return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                              "input %d ('%s') decides the output's shape, so it must not depend "
                              "on what a run brings",
                              i, fovea_quote(value->name).text);
        }
    }
    return FOVEA_OK;
}

enum fovea_status fovea_infer_node(struct fovea_node *node, struct fovea_error *err) {
    enum fovea_status st = check_counts(node, err);
    if (!st) {
        st = check_attrs(node, err);
    }
    if (!st) {
        st = check_inputs(node, err);
    }
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

static enum fovea_status evaluate(struct fovea_node *node, struct fovea_engine *engine,
                                  void **scratch, struct fovea_error *err) {
    const struct fovea_op *op = node->op;
    enum fovea_status st = FOVEA_OK;
    node->prepared = true;
    if (op->prepare) {
        st = op->prepare(node, engine, err);
    }
    if (!st && op->pack) {
        st = op->pack(node, engine, err);
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

enum fovea_status fovea_fold_node(struct fovea_node *node, struct fovea_engine *engine,
                                  struct fovea_error *err) {
    void *scratch = NULL;
    enum fovea_status st = evaluate(node, engine, &scratch, err);
    free(scratch);
    if (node->op->release) {
        node->op->release(node);
    }
    node->prepared = false;
    if (st) {
        fovea_error_prefix_node(err, node);
    }
    return st;
}

/* ---- memory ------------------------------------------------------------- */

/* What constants made here may take, and what is left of it. */
struct budget {
    size_t limit, left;
};

static enum fovea_status spend(struct budget *budget, size_t bytes, const char *what,
                               struct fovea_error *err) {
    if (bytes > budget->left) {
        return fovea_fail(err, FOVEA_ERR_LIMIT,
                          "%s takes %zu bytes; %zu are left of the memory limit of %zu", what,
                          bytes, budget->left, budget->limit);
    }
    budget->left -= bytes;
    return FOVEA_OK;
}

/* ---- half types --------------------------------------------------------- */

/* Replace the contents of a constant by their f32 values. */
static enum fovea_status widen_constant(struct fovea_value *value, struct budget *budget,
                                        struct fovea_error *err) {
    int64_t count = fovea_tensor_count(&value->t);
    enum fovea_status st = spend(budget, (size_t)count * sizeof(float), "a constant as f32", err);
    if (st) {
        return st;
    }
    void *data = fovea_aligned_alloc((size_t)count * sizeof(float));
    if (!data) {
        return fovea_fail_memory(err, (size_t)count * sizeof(float), "a constant as f32");
    }
    fovea_convert(value->t.dtype, value->t.data, FOVEA_F32, data, count);
    value->t.dtype = FOVEA_F32;
    fovea_value_set_constant(value, data, true);
    return FOVEA_OK;
}

static enum fovea_status widen_inputs(struct fovea_node *node, struct budget *budget,
                                      struct fovea_error *err) {
    for (int i = 0; i < node->n_in; i++) {
        struct fovea_value *value = node->in[i];
        if (value && value->constant && fovea_dtype_is_half(value->t.dtype)) {
            enum fovea_status st = widen_constant(value, budget, err);
            if (st) {
                fovea_error_prefix_node(err, node);
                return st;
            }
        }
    }
    return FOVEA_OK;
}

/* The cast at the graph's edge may store halves; everything within computes in f32. */
static void widen_outputs(struct fovea_node *node) {
    for (int i = 0; i < node->n_out; i++) {
        struct fovea_value *value = node->out[i];
        if (value && fovea_dtype_is_half(value->t.dtype)) {
            value->t.dtype = FOVEA_F32;
        }
    }
}

static enum fovea_status add_cast(struct fovea_graph *graph, struct fovea_node *before,
                                  struct fovea_value *from, enum fovea_dtype dtype,
                                  struct fovea_value **out, struct fovea_error *err) {
    struct fovea_node *cast;
    enum fovea_status st =
        fovea_graph_add_node(graph, before, "fovea", "Convert", from->name, 1, 1, &cast, err);
    if (st) {
        return st;
    }
    struct fovea_value *to = fovea_graph_add_value(graph, from->name);
    if (!to) {
        return fovea_fail_memory(err, sizeof(*to), "a value");
    }
    st = fovea_node_set_input(cast, 0, from, err);
    if (st) {
        return st;
    }
    fovea_node_set_output(cast, 0, to);
    fovea_tensor_set_shape(&to->t, dtype, from->t.rank, from->t.dims);
    to->typed = true;
    *out = to;
    return FOVEA_OK;
}

/* A half input of the graph: what read it reads its f32 form. */
static enum fovea_status widen_graph_input(struct fovea_graph *graph, struct fovea_value *input,
                                           struct fovea_error *err) {
    struct fovea_value *wide = NULL;
    struct fovea_use *uses = input->uses;
    size_t n_uses = input->n_uses;
    bool is_output = input->is_output;

    /* Detach the readers first: the cast must be the only one left. */
    input->uses = NULL;
    input->n_uses = input->cap_uses = 0;
    enum fovea_status st = add_cast(graph, graph->first, input, FOVEA_F32, &wide, err);
    for (size_t i = 0; i < n_uses; i++) {
        uses[i].node->in[uses[i].index] = NULL;
        if (!st) {
            st = fovea_node_set_input(uses[i].node, uses[i].index, wide, err);
        }
    }
    free(uses);
    input->is_output = is_output;
    return st;
}

static enum fovea_status widen_graph_inputs(struct fovea_graph *graph, struct fovea_error *err) {
    for (size_t i = 0; i < graph->n_inputs; i++) {
        struct fovea_value *input = graph->inputs[i];
        if (!input->constant && fovea_dtype_is_half(input->t.dtype)) {
            enum fovea_status st = widen_graph_input(graph, input, err);
            if (st) {
                return st;
            }
        }
    }
    return FOVEA_OK;
}

/* ---- the walk ----------------------------------------------------------- */

/* What each graph output was declared or inferred as before widening. */
static enum fovea_status narrow_outputs(struct fovea_graph *graph, const enum fovea_dtype *wanted,
                                        struct fovea_error *err) {
    for (size_t i = 0; i < graph->n_outputs; i++) {
        struct fovea_value *value = graph->outputs[i];
        if (!fovea_dtype_is_half(wanted[i]) || value->t.dtype == wanted[i]) {
            continue;
        }
        struct fovea_value *narrow;
        enum fovea_status st = add_cast(graph, NULL, value, wanted[i], &narrow, err);
        if (st) {
            return st;
        }
        graph->outputs[i] = narrow;
        narrow->is_output = true;
        value->is_output = false;
        for (size_t j = 0; j < graph->n_outputs; j++) {
            value->is_output |= graph->outputs[j] == value;
        }
    }
    return FOVEA_OK;
}

/* Remember the types that infer gives to graph outputs, then widen them. */
static void note_output_types(const struct fovea_graph *graph, const struct fovea_node *node,
                              enum fovea_dtype *wanted) {
    for (int i = 0; i < node->n_out; i++) {
        if (!node->out[i] || !node->out[i]->is_output ||
            !fovea_dtype_is_half(node->out[i]->t.dtype)) {
            continue;
        }
        for (size_t j = 0; j < graph->n_outputs; j++) {
            if (graph->outputs[j] == node->out[i]) {
                wanted[j] = node->out[i]->t.dtype;
            }
        }
    }
}

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
static enum fovea_status check_result(const struct fovea_node *node, struct budget *budget,
                                      struct fovea_error *err) {
    struct budget whole = {budget->limit, budget->limit};
    enum fovea_status st = can_fold(node)
                               ? spend(budget, output_bytes(node), "its constant result", err)
                               : spend(&whole, output_bytes(node), "its result", err);
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
                                        struct fovea_engine *engine, struct budget *budget,
                                        enum fovea_dtype *wanted, struct fovea_error *err) {
    enum fovea_status st = widen_inputs(node, budget, err);
    if (!st) {
        st = complete_outputs(graph, node, err);
    }
    if (!st) {
        st = fovea_infer_node(node, err);
    }
    if (st) {
        return st;
    }
    note_output_types(graph, node, wanted);
    widen_outputs(node);
    st = check_result(node, budget, err);
    if (st || !can_fold(node)) {
        return st;
    }
    st = fovea_fold_node(node, engine, err);
    if (!st) {
        budget->left += remove_folded(graph, node);
    }
    return st;
}

static enum fovea_status walk(struct fovea_graph *graph, struct fovea_engine *engine, size_t limit,
                              enum fovea_dtype *wanted, struct fovea_error *err) {
    struct budget budget = {limit, limit};
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
    enum fovea_status st = widen_graph_inputs(graph, err);
    if (!st) {
        st = walk(graph, engine, max_constant_bytes, wanted, err);
    }
    if (!st) {
        st = narrow_outputs(graph, wanted, err);
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
