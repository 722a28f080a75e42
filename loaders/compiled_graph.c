/*
 * Bytes to a graph: what compiled_write.c wrote, or anything at all. After
 * this, every number is one of a value that is there, made before it is used
 * and by one node; whether operators, types and shapes agree is for infer.
 */
#include "loaders/compiled.h"
#include "runtime/limits.h"
#include "runtime/op.h"

#include <stdlib.h>
#include <string.h>

/* ---- values ------------------------------------------------------------- */

static void read_value(struct fovea_compiled_reader *reader, struct fovea_value **out) {
    struct fovea_byte_reader *in = &reader->in;
    const char *name = fovea_read_text(in, "a value's name", FOVEA_LIMIT_NAME);
    unsigned layout = fovea_read_choice(in, "a layout", FOVEA_CHANNELS_LAST);
    size_t at = in->at;
    bool constant = fovea_read_flag(in, "whether a value is constant");
    bool contents = fovea_read_flag(in, "whether a value has contents");
    struct fovea_tensor t = {0};
    if (contents) {
        fovea_compiled_read_tensor(reader, "a constant", &t);
    } else {
        fovea_read_shape(in, "a value", &t);
    }
    if (contents && !constant) {
        fovea_reader_fail(in, at, "value '%s' has contents, but is not constant",
                          fovea_quote(name).text);
    }
    if (layout == FOVEA_CHANNELS_LAST && t.rank != 4) {
        fovea_reader_fail(in, at, "value '%s' has rank %d, but is channels-last",
                          fovea_quote(name).text, t.rank);
    }
    if (in->status) {
        return;
    }
    struct fovea_value *value = fovea_graph_add_value(&reader->model->graph, name);
    if (!value) {
        in->status = fovea_fail_memory(in->err, sizeof(*value), "a value");
        return;
    }
    value->t = t;
    value->layout = (enum fovea_layout)layout;
    value->constant = constant;
    value->typed = true; /* for operators that go by what their result is to be; infer checks */
    *out = value;
}

static void read_values(struct fovea_compiled_reader *reader) {
    struct fovea_byte_reader *in = &reader->in;
    enum { LEAST = 10 };
    size_t count = fovea_read_count(in, "the number of values", LEAST, FOVEA_LIMIT_TENSORS);
    reader->values = calloc(count + 1, sizeof(*reader->values));
    if (!reader->values) {
        in->status = fovea_fail_memory(in->err, count * sizeof(*reader->values), "values");
        return;
    }
    reader->n_values = count;
    for (size_t i = 0; !in->status && i < count; i++) {
        read_value(reader, &reader->values[i]);
    }
}

/* The value whose number is read; NULL if it is absent, or after a failure. */
static struct fovea_value *read_number(struct fovea_compiled_reader *reader, const char *what,
                                       bool optional) {
    struct fovea_byte_reader *in = &reader->in;
    size_t at = in->at;
    uint32_t number = fovea_read_u32(in, what);
    if (in->status || (optional && number == (uint32_t)FOVEA_COMPILED_NONE)) {
        return NULL;
    }
    if (number >= reader->n_values) {
        fovea_reader_fail(in, at, "%s is value %lu; there are %zu", what, (unsigned long)number,
                          reader->n_values);
        return NULL;
    }
    return reader->values[number];
}

/* ---- the rest of a node ------------------------------------------------- */

/* Operands of an epilogue come after the operator's own. */
static void check_operand(struct fovea_byte_reader *in, size_t at, const struct fovea_node *node,
                          uint32_t input) {
    if (input < (uint32_t)node->op->min_in || input >= (uint32_t)node->n_in || !node->in[input]) {
        fovea_reader_fail(in, at,
                          "the epilogue reads operand %lu, which is absent or the operator's own",
                          (unsigned long)input);
    }
}

static void read_epilogue(struct fovea_compiled_reader *reader, struct fovea_node *node) {
    struct fovea_byte_reader *in = &reader->in;
    size_t at = in->at;
    int count = (int)fovea_read_choice(in, "the length of an epilogue", FOVEA_MAX_EPILOGUE);
    if (count > 0 && !(node->op->flags & FOVEA_OP_EPILOGUE)) {
        fovea_reader_fail(in, at, "operator %s has no epilogue", fovea_quote(node->type).text);
    }
    for (int i = 0; !in->status && i < count; i++) {
        struct fovea_epilogue_step *step = &node->epilogue[i];
        step->kind = (enum fovea_epilogue_kind)fovea_read_choice(in, "an epilogue's kind",
                                                                 FOVEA_EPILOGUE_MUL);
        step->act = (enum fovea_act)fovea_read_choice(in, "an activation", FOVEA_N_ACTS - 1);
        step->alpha = fovea_read_f32(in, "an epilogue");
        step->beta = fovea_read_f32(in, "an epilogue");
        step->scale = fovea_read_f32(in, "an epilogue");
        at = in->at;
        uint32_t input = fovea_read_u32(in, "an epilogue's operand");
        if (!in->status && step->kind != FOVEA_EPILOGUE_ACT) {
            check_operand(in, at, node, input);
            step->input = (int)input;
        }
        node->n_epilogue += !in->status;
    }
}

static void read_packed(struct fovea_compiled_reader *reader, const struct fovea_node *node,
                        struct fovea_packed_weights *packed) {
    struct fovea_byte_reader *in = &reader->in;
    uint64_t bytes = fovea_read_u64(in, "the size of packed weights");
    if (in->status || bytes == 0) {
        return;
    }
    size_t at = in->at;
    packed->form = fovea_read_u64(in, "a form");
    uint32_t input = fovea_read_u32(in, "a packed operand");
    packed->data = fovea_compiled_read_blob(reader, "packed weights", bytes);
    packed->bytes = (size_t)bytes;
    packed->input = (int)input;
    if (!in->status && (!node->op->pack || input >= (uint32_t)node->n_in || !node->in[input] ||
                        !node->in[input]->constant)) {
        fovea_reader_fail(in, at, "operand %lu cannot be packed weights", (unsigned long)input);
    }
}

/*
 * Who reads a constant without contents reads its packed form, and nothing
 * else does: no infer that looks at values, no epilogue.
 */
static void check_contents(struct fovea_byte_reader *in, size_t at, const struct fovea_node *node,
                           const struct fovea_packed_weights *packed) {
    for (int i = 0; !in->status && i < node->n_in; i++) {
        const struct fovea_value *value = node->in[i];
        if (!value || !value->constant || value->t.data) {
            continue;
        }
        bool looked_at = i < 32 && (node->op->value_inputs >> i & 1);
        if (packed->bytes == 0 || packed->input != i || looked_at ||
            fovea_own_input(node, i) != value) {
            fovea_reader_fail(in, at, "operand %d is a constant without contents", i);
        }
    }
}

/* ---- nodes -------------------------------------------------------------- */

static void connect_inputs(struct fovea_compiled_reader *reader, struct fovea_node *node) {
    struct fovea_byte_reader *in = &reader->in;
    for (int i = 0; !in->status && i < node->n_in; i++) {
        size_t at = in->at;
        struct fovea_value *value = read_number(reader, "an operand", true);
        if (value && !value->constant && !value->is_input && !value->producer) {
            fovea_reader_fail(in, at, "operand %d is not made by any node before", i);
        }
        if (!in->status) {
            in->status = fovea_node_set_input(node, i, value, in->err);
        }
    }
}

static void connect_outputs(struct fovea_compiled_reader *reader, struct fovea_node *node) {
    struct fovea_byte_reader *in = &reader->in;
    for (int i = 0; !in->status && i < node->n_out; i++) {
        size_t at = in->at;
        struct fovea_value *value = read_number(reader, "a result", i > 0);
        if (value && (value->constant || value->is_input || value->producer)) {
            fovea_reader_fail(in, at, "result %d is an input, a constant, or made already", i);
        }
        if (value && !in->status) {
            fovea_node_set_output(node, i, value);
        }
    }
}

static void read_parts(struct fovea_compiled_reader *reader, struct fovea_node *node,
                       struct fovea_packed_weights *packed) {
    struct fovea_byte_reader *in = &reader->in;
    size_t at = in->at;
    connect_inputs(reader, node);
    connect_outputs(reader, node);
    fovea_compiled_read_attrs(reader, node);
    read_epilogue(reader, node);
    read_packed(reader, node, packed);
    check_contents(in, at, node, packed);
}

static void read_node(struct fovea_compiled_reader *reader, struct fovea_packed_weights *packed) {
    struct fovea_byte_reader *in = &reader->in;
    struct fovea_node *node;
    const char *domain = fovea_read_text(in, "a node's domain", FOVEA_LIMIT_NAME);
    const char *type = fovea_read_text(in, "a node's type", FOVEA_LIMIT_NAME);
    const char *name = fovea_read_text(in, "a node's name", FOVEA_LIMIT_NAME);
    size_t n_in = fovea_read_count(in, "the number of operands", 4, FOVEA_LIMIT_NODE_VALUES);
    size_t n_out = fovea_read_count(in, "the number of results", 4, FOVEA_LIMIT_NODE_VALUES);
    if (in->status) {
        return;
    }
    in->status = fovea_graph_add_node(&reader->model->graph, NULL, domain, type, name, (int)n_in,
                                      (int)n_out, &node, in->err);
    if (in->status) {
        return;
    }
    read_parts(reader, node, packed);
    if (in->status) {
        fovea_error_prefix_node(in->err, node);
    }
}

static void read_nodes(struct fovea_compiled_reader *reader) {
    struct fovea_byte_reader *in = &reader->in;
    enum { LEAST = 40 };
    size_t count = fovea_read_count(in, "the number of nodes", LEAST, FOVEA_LIMIT_NODES);
    struct fovea_packed_weights *packed =
        fovea_arena_alloc(&reader->model->graph.arena, count + 1, sizeof(*packed));
    if (!packed) {
        in->status = fovea_fail_memory(in->err, count * sizeof(*packed), "packed weights");
        return;
    }
    for (size_t i = 0; !in->status && i < count; i++) {
        read_node(reader, &packed[i]);
    }
    reader->model->compiled->packed = packed;
}

/* ---- inputs and outputs ------------------------------------------------- */

static void read_inputs(struct fovea_compiled_reader *reader) {
    struct fovea_byte_reader *in = &reader->in;
    struct fovea_graph *graph = &reader->model->graph;
    for (size_t i = 0; !in->status && i < graph->n_inputs; i++) {
        size_t at = in->at;
        const struct fovea_tensor *planned = &reader->model->planned_inputs[i];
        bool decides = reader->model->compiled->decides_shapes[i];
        struct fovea_value *value = read_number(reader, "an input", false);
        if (!value) {
            return;
        }
        if (value->is_input || value->t.dtype != planned->dtype ||
            !fovea_tensor_same_shape(&value->t, planned) || value->constant != decides ||
            (decides && !value->t.data)) {
            fovea_reader_fail(in, at, "input %zu is there twice, or not as it was planned", i);
        }
        value->is_input = true;
        value->typed = true;
        graph->inputs[i] = value;
    }
}

static void read_outputs(struct fovea_compiled_reader *reader) {
    struct fovea_byte_reader *in = &reader->in;
    struct fovea_graph *graph = &reader->model->graph;
    for (size_t i = 0; !in->status && i < graph->n_outputs; i++) {
        size_t at = in->at;
        struct fovea_value *value = read_number(reader, "an output", false);
        if (!value) {
            return;
        }
        if (!value->producer && !value->is_input && !(value->constant && value->t.data)) {
            fovea_reader_fail(in, at, "output %zu is made by no node", i);
        }
        if (value->layout != FOVEA_PLAIN) {
            fovea_reader_fail(in, at, "output %zu is channels-last", i);
        }
        value->is_output = true;
        graph->outputs[i] = value;
    }
}

enum fovea_status fovea_compiled_read_graph(struct fovea_compiled_reader *reader) {
    struct fovea_byte_reader *in = &reader->in;
    read_values(reader);
    if (!in->status) {
        read_inputs(reader);
    }
    if (!in->status) {
        read_nodes(reader);
    }
    if (!in->status) {
        read_outputs(reader);
    }
    if (!in->status && in->at != in->size) {
        fovea_reader_fail(in, in->at, "%zu bytes follow the graph", in->size - in->at);
    }
    return in->status;
}
