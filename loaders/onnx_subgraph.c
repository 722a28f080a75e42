/*
 * Graphs in attributes: from the bytes that unpacking left alone to a template
 * (subgraph.h). Nested graphs make this recursive, to a depth that is bounded.
 */
#include "loaders/onnx_convert.h"
#include "loaders/onnx_scan.h"
#include "ops/registry.h"
#include "runtime/limits.h"

#include <string.h>

/* ---- names of the graphs around ----------------------------------------- */

/* Room for another input of the template. */
static enum fovea_status make_room(struct fovea_subgraph *sub, struct fovea_error *err) {
    struct fovea_graph *graph = &sub->graph;
    size_t used = sub->n_formal + sub->n_captured, cap = used ? 2 * used : 8;
    if (sub->n_captured < sub->cap_captured) {
        return FOVEA_OK;
    }
    struct fovea_value **inputs = fovea_arena_alloc(&graph->arena, cap, sizeof(*inputs));
    int *captured = fovea_arena_alloc(&graph->arena, cap, sizeof(*captured));
    if (!inputs || !captured) {
        return fovea_fail_memory(err, cap * sizeof(*inputs), "a subgraph's inputs");
    }
    if (used > 0) {
        memcpy(inputs, graph->inputs, used * sizeof(*inputs));
    }
    if (sub->n_captured > 0) {
        memcpy(captured, sub->captured, sub->n_captured * sizeof(*captured));
    }
    graph->inputs = inputs;
    sub->captured = captured;
    sub->cap_captured = cap - sub->n_formal;
    return FOVEA_OK;
}

/* An input of scope->sub, and of its node, that brings `value` of the graph around in. */
static enum fovea_status capture(struct fovea_onnx_scope *scope, struct fovea_value *value,
                                 struct fovea_value **out, struct fovea_error *err) {
    struct fovea_subgraph *sub = scope->sub;
    if (scope->node->n_in >= FOVEA_LIMIT_NODE_VALUES) {
        return fovea_fail(err, FOVEA_ERR_LIMIT,
                          "subgraphs read over %d values of the graph around, the limit",
                          FOVEA_LIMIT_NODE_VALUES);
    }
    enum fovea_status st = make_room(sub, err);
    if (st) {
        return st;
    }
    struct fovea_value *input = fovea_graph_add_value(&sub->graph, value->name);
    if (!input) {
        return fovea_fail_memory(err, sizeof(*input), "a value");
    }
    st = fovea_node_add_input(scope->node, value, &sub->captured[sub->n_captured], err);
    if (st) {
        return st;
    }
    input->is_input = true;
    sub->graph.inputs[sub->n_formal + sub->n_captured++] = input;
    sub->graph.n_inputs = sub->n_formal + sub->n_captured;
    *out = input;
    return FOVEA_OK;
}

static enum fovea_status take_entry(const struct fovea_name *entry, struct fovea_value **out,
                                    struct fovea_error *err) {
    /* Nodes before this one are connected already. */
    if (entry->kind == FOVEA_DEFINED_OUTPUT && !entry->value->producer) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "'%s' is the output of node %zu, which does not come before; nodes must "
                          "be in topological order, without cycles",
                          fovea_quote(entry->name).text, entry->index);
    }
    *out = entry->value;
    return FOVEA_OK;
}

enum fovea_status fovea_onnx_find(struct fovea_onnx_scope *scope, const char *name,
                                  struct fovea_value **out, struct fovea_error *err) {
    struct fovea_onnx_scope *scopes[FOVEA_LIMIT_SUBGRAPH_NESTING + 1];
    const struct fovea_name *entry = fovea_names_find(&scope->names, name);
    int inner = 0;
    while (!entry && scope->outer) {
        scopes[inner++] = scope;
        scope = scope->outer;
        entry = fovea_names_find(&scope->names, name);
    }
    if (!entry) {
        *out = NULL;
        return FOVEA_OK;
    }
    enum fovea_status st = take_entry(entry, out, err);
    while (!st && inner > 0) {
        st = capture(scopes[--inner], *out, out, err);
    }
    return st;
}

/* ---- a graph ------------------------------------------------------------ */

static enum fovea_status check_graph(const FoveaOnnx__GraphProto *proto, struct fovea_error *err) {
    if (proto->n_sparse_initializer > 0) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "sparse initializers are not supported");
    }
    if (proto->n_input > FOVEA_LIMIT_NODE_VALUES || proto->n_output > FOVEA_LIMIT_NODE_VALUES) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "%zu inputs and %zu outputs; the limit is %d each",
                          proto->n_input, proto->n_output, FOVEA_LIMIT_NODE_VALUES);
    }
    return FOVEA_OK;
}

/* The inputs that the operator gives; what type they have is known when it does. */
static enum fovea_status add_inputs(struct fovea_onnx_loader *loader,
                                    const FoveaOnnx__GraphProto *proto, struct fovea_error *err) {
    struct fovea_subgraph *sub = loader->scope->sub;
    struct fovea_graph *graph = &sub->graph;
    graph->inputs = fovea_arena_alloc(&graph->arena, proto->n_input, sizeof(*graph->inputs));
    if (!graph->inputs) {
        return fovea_fail_memory(err, proto->n_input * sizeof(*graph->inputs), "inputs");
    }
    for (size_t i = 0; i < proto->n_input; i++) {
        struct fovea_name *entry = fovea_names_find(&loader->scope->names, proto->input[i]->name);
        if (entry->kind == FOVEA_DEFINED_INITIALIZER) {
            return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                              "input %zu ('%s') of a subgraph has an initializer", i,
                              fovea_quote(entry->name).text);
        }
        entry->value = fovea_graph_add_value(graph, entry->name);
        if (!entry->value) {
            return fovea_fail_memory(err, sizeof(*entry->value), "a value");
        }
        entry->value->is_input = true;
        graph->inputs[i] = entry->value;
    }
    sub->n_formal = graph->n_inputs = proto->n_input;
    return FOVEA_OK;
}

static enum fovea_status add_outputs(struct fovea_onnx_loader *loader,
                                     const FoveaOnnx__GraphProto *proto, struct fovea_error *err) {
    struct fovea_graph *graph = loader->scope->graph;
    graph->outputs = fovea_arena_alloc(&graph->arena, proto->n_output, sizeof(*graph->outputs));
    if (!graph->outputs) {
        return fovea_fail_memory(err, proto->n_output * sizeof(*graph->outputs), "outputs");
    }
    for (size_t i = 0; i < proto->n_output; i++) {
        const char *name = fovea_onnx_text(proto->output[i]->name);
        struct fovea_value *value;
        enum fovea_status st = fovea_onnx_find(loader->scope, name, &value, err);
        if (!st && !value) {
            st = fovea_fail(err, FOVEA_ERR_INVALID,
                            "output %zu ('%s') of a subgraph: nothing produces it", i,
                            fovea_quote(name).text);
        }
        if (st) {
            return st;
        }
        value->is_output = true;
        graph->outputs[graph->n_outputs++] = value;
    }
    return FOVEA_OK;
}

static enum fovea_status convert(struct fovea_onnx_loader *loader,
                                 const FoveaOnnx__GraphProto *proto, struct fovea_error *err) {
    enum fovea_status st = check_graph(proto, err);
    if (!st) {
        st = fovea_onnx_operators(loader, proto, err);
    }
    if (!st) {
        st = fovea_onnx_define(loader, proto, err);
    }
    if (!st) {
        st = add_inputs(loader, proto, err);
    }
    for (size_t i = 0; !st && i < proto->n_node; i++) {
        st = fovea_onnx_node(loader, proto, i, err);
    }
    return st ? st : add_outputs(loader, proto, err);
}

/* The scan of the whole file has found the bytes well formed; this one reckons their memory. */
static enum fovea_status unpack(const struct fovea_onnx_loader *loader,
                                const ProtobufCBinaryData *bytes, FoveaOnnx__GraphProto **out,
                                struct fovea_error *err) {
    struct fovea_onnx_scan scan;
    enum fovea_status st =
        fovea_onnx_scan(bytes->data, bytes->len, &fovea_onnx__graph_proto__descriptor,
                        loader->max_memory, &scan, err);
    if (st) {
        return st;
    }
    *out = fovea_onnx__graph_proto__unpack(&fovea_onnx_allocator, bytes->len, bytes->data);
    return *out ? FOVEA_OK : fovea_fail_memory(err, scan.unpack_bytes, "unpacking a subgraph");
}

/* Inputs of the node but for what its subgraphs so far have captured. */
static int own_inputs(const struct fovea_node *node) {
    for (size_t i = 0; i < node->n_attrs; i++) {
        if (node->attrs[i].kind == FOVEA_ATTR_GRAPH) {
            return node->attrs[i].graph->n_own;
        }
    }
    return node->n_in;
}

enum fovea_status fovea_onnx_subgraph(struct fovea_onnx_loader *loader, struct fovea_node *node,
                                      const ProtobufCBinaryData *bytes,
                                      const struct fovea_subgraph **out, struct fovea_error *err) {
    struct fovea_onnx_scope *outer = loader->scope;
    FoveaOnnx__GraphProto *proto = NULL;
    if (outer->depth == FOVEA_LIMIT_SUBGRAPH_NESTING) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "subgraphs are nested over %d deep, the limit",
                          FOVEA_LIMIT_SUBGRAPH_NESTING);
    }
    struct fovea_subgraph *sub = fovea_subgraph_create(fovea_op_find, loader->opset);
    if (!sub) {
        return fovea_fail_memory(err, sizeof(*sub), "a subgraph");
    }
    sub->next = loader->model->subgraphs;
    loader->model->subgraphs = sub;
    sub->n_own = own_inputs(node);

    struct fovea_onnx_scope scope = {
        .graph = &sub->graph, .outer = outer, .sub = sub, .node = node, .depth = outer->depth + 1};
    enum fovea_status st = unpack(loader, bytes, &proto, err);
    loader->scope = &scope;
    if (!st) {
        st = convert(loader, proto, err);
    }
    loader->scope = outer;
    fovea_names_finish(&scope.names);
    fovea_onnx__graph_proto__free_unpacked(proto, &fovea_onnx_allocator);
    *out = sub;
    return st;
}
