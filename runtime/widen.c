/* f16 and bf16 become f32 within a graph: see widen.h. */
#include "runtime/widen.h"

#include "runtime/infer.h"

#include <stdlib.h>

/* Whether the contents lie where f32 cannot be read, as they may in a file (onnx_convert.h). */
static bool is_unaligned(const struct fovea_value *value) {
    return value->t.dtype == FOVEA_F32 && (uintptr_t)value->t.data % sizeof(float) != 0;
}

/* The contents move to a value of their own, and a deferred Convert gives them as f32. */
static enum fovea_status widen_later(struct fovea_graph *graph, struct fovea_value *value,
                                     struct fovea_error *err) {
    struct fovea_value *half = fovea_graph_add_value(graph, value->name);
    struct fovea_node *convert;
    if (!half) {
        return fovea_fail_memory(err, sizeof(*half), "a value");
    }
    enum fovea_status st =
        fovea_graph_add_node(graph, NULL, "fovea", "Convert", value->name, 1, 1, &convert, err);
    if (!st) {
        st = fovea_node_set_input(convert, 0, half, err);
    }
    if (st) {
        return st;
    }
    half->t = value->t;
    half->typed = half->constant = true;
    half->owned = value->owned;
    half->origin = value->origin;
    value->owned = NULL;
    value->t.data = NULL;
    value->t.dtype = FOVEA_F32;
    value->origin = 0;
    fovea_node_set_output(convert, 0, value);
    st = fovea_infer_node(convert, err);
    if (!st) {
        fovea_graph_defer_node(graph, convert);
    }
    return st;
}

/* Replace the contents of a constant by their f32 values. */
static enum fovea_status widen_constant(struct fovea_value *value, struct fovea_budget *budget,
                                        struct fovea_error *err) {
    int64_t count = fovea_tensor_count(&value->t);
    enum fovea_status st =
        fovea_budget_spend(budget, (size_t)count * sizeof(float), "a constant as f32", err);
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

enum fovea_status fovea_node_widen_inputs(struct fovea_node *node, struct fovea_budget *budget,
                                          struct fovea_error *err) {
    for (int i = 0; i < node->n_in; i++) {
        struct fovea_value *value = node->in[i];
        if (value && value->constant &&
            (fovea_dtype_is_half(value->t.dtype) || is_unaligned(value))) {
            bool large = fovea_tensor_bytes(&value->t) > node->graph->defer_bytes;
            enum fovea_status st =
                large ? widen_later(node->graph, value, err) : widen_constant(value, budget, err);
            if (st) {
                fovea_error_prefix_node(err, node);
                return st;
            }
        }
    }
    return FOVEA_OK;
}

/* Remember the type of a half output of the graph. */
static void note_output_type(const struct fovea_value *value, const struct fovea_graph *graph,
                             enum fovea_dtype *wanted) {
    for (size_t i = 0; i < graph->n_outputs; i++) {
        if (graph->outputs[i] == value) {
            wanted[i] = value->t.dtype;
        }
    }
}

void fovea_node_widen_outputs(struct fovea_node *node, enum fovea_dtype *wanted) {
    for (int i = 0; i < node->n_out; i++) {
        struct fovea_value *value = node->out[i];
        if (value && fovea_dtype_is_half(value->t.dtype)) {
            note_output_type(value, node->graph, wanted);
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

enum fovea_status fovea_graph_widen_inputs(struct fovea_graph *graph, struct fovea_error *err) {
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

enum fovea_status fovea_graph_narrow_outputs(struct fovea_graph *graph,
                                             const enum fovea_dtype *wanted,
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
