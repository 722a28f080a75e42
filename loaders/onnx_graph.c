/* The graph: values and their names, inputs, outputs; nodes are in onnx_node.c. */
#include "loaders/onnx_convert.h"

#include <stdlib.h>
#include <string.h>

/* ---- definitions of values ---------------------------------------------- */

static enum fovea_status define(struct fovea_onnx_loader *loader, const char *name,
                                enum fovea_definition kind, size_t index, struct fovea_value **out,
                                struct fovea_error *err) {
    struct fovea_value *value = NULL;
    /* An input's value is made when it is known not to be an initializer. */
    if (kind != FOVEA_DEFINED_INPUT) {
        value = fovea_graph_add_value(loader->scope->graph, name);
        if (!value) {
            return fovea_fail_memory(err, sizeof(*value), "a value");
        }
    }
    struct fovea_name entry = {name, kind, index, value};
    if (!fovea_names_add(&loader->scope->names, &entry)) {
        return fovea_fail_memory(err, sizeof(entry), "a name");
    }
    if (out) {
        *out = value;
    }
    return FOVEA_OK;
}

static enum fovea_status add_initializer(struct fovea_onnx_loader *loader,
                                         FoveaOnnx__TensorProto *proto, size_t index,
                                         struct fovea_error *err) {
    struct fovea_value *value = NULL;
    struct fovea_tensor tensor;
    bool owned = false;
    const char *name = fovea_onnx_text(proto->name);
    if (!name[0]) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "has no name");
    }
    enum fovea_status st = define(loader, name, FOVEA_DEFINED_INITIALIZER, index, &value, err);
    if (!st) {
        st = fovea_onnx_tensor(loader, proto, &tensor, &owned, err);
    }
    if (st) {
        return st;
    }
    fovea_tensor_set_shape(&value->t, tensor.dtype, tensor.rank, tensor.dims);
    fovea_value_set_constant(value, tensor.data, owned);
    loader->model->n_parameters += fovea_tensor_count(&tensor);
    loader->model->parameter_bytes += fovea_tensor_bytes(&tensor);
    return FOVEA_OK;
}

static enum fovea_status add_initializers(struct fovea_onnx_loader *loader,
                                          const FoveaOnnx__GraphProto *graph,
                                          struct fovea_error *err) {
    for (size_t i = 0; i < graph->n_initializer; i++) {
        FoveaOnnx__TensorProto *proto = graph->initializer[i];
        enum fovea_status st = add_initializer(loader, proto, i, err);
        if (st) {
            fovea_error_prefix(err, "initializer %zu ('%s')", i,
                               fovea_quote(fovea_onnx_text(proto->name)).text);
            return st;
        }
    }
    return FOVEA_OK;
}

static enum fovea_status add_node_outputs(struct fovea_onnx_loader *loader,
                                          const FoveaOnnx__GraphProto *graph,
                                          struct fovea_error *err) {
    for (size_t i = 0; i < graph->n_node; i++) {
        const FoveaOnnx__NodeProto *node = graph->node[i];
        for (size_t j = 0; j < node->n_output; j++) {
            enum fovea_status st = FOVEA_OK;
            if (node->output[j][0]) {
                st = define(loader, node->output[j], FOVEA_DEFINED_OUTPUT, i, NULL, err);
            }
            if (st) {
                return st;
            }
        }
    }
    return FOVEA_OK;
}

static enum fovea_status name_inputs(struct fovea_onnx_loader *loader,
                                     const FoveaOnnx__GraphProto *graph, struct fovea_error *err) {
    for (size_t i = 0; i < graph->n_input; i++) {
        const char *name = fovea_onnx_text(graph->input[i]->name);
        if (!name[0]) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "graph input %zu has no name", i);
        }
        enum fovea_status st = define(loader, name, FOVEA_DEFINED_INPUT, i, NULL, err);
        if (st) {
            return st;
        }
    }
    return FOVEA_OK;
}

static enum fovea_status fail_duplicate(const struct fovea_name *a, const struct fovea_name *b,
                                        struct fovea_error *err) {
    static const char *const kinds[] = {"initializer", "graph input", "output of node"};
    return fovea_fail(err, FOVEA_ERR_INVALID, "'%s' is defined twice: %s %zu and %s %zu",
                      fovea_quote(a->name).text, kinds[a->kind], a->index, kinds[b->kind],
                      b->index);
}

/*
 * Static single assignment: one definition a name. Only an initializer may
 * share the name of a graph input, whose value it is (and had to before IR
 * version 4).
 */
static enum fovea_status check_names(const struct fovea_names *names, struct fovea_error *err) {
    for (size_t i = 1; i < names->count; i++) {
        const struct fovea_name *a = &names->entries[i - 1], *b = &names->entries[i];
        bool shared = a->kind == FOVEA_DEFINED_INITIALIZER && b->kind == FOVEA_DEFINED_INPUT;
        if (strcmp(a->name, b->name) == 0 && !shared) {
            return fail_duplicate(a, b, err);
        }
    }
    return FOVEA_OK;
}

/* ---- declared types ----------------------------------------------------- */

static enum fovea_status read_dim(struct fovea_arena *arena,
                                  const FoveaOnnx__TensorShapeProto__Dimension *dim, int index,
                                  struct fovea_io *io, struct fovea_error *err) {
    io->dims[index] = -1;
    if (dim->has_dim_value && dim->dim_param) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "dimension %d has both a value and a name",
                          index);
    }
    if (dim->has_dim_value) {
        io->dims[index] = dim->dim_value;
        return dim->dim_value >= 0
                   ? FOVEA_OK
                   : fovea_fail(err, FOVEA_ERR_INVALID, "dimension %d is %lld, below 0", index,
                                (long long)dim->dim_value);
    }
    if (dim->dim_param && dim->dim_param[0]) {
        io->dim_names[index] = fovea_arena_copy_text(arena, dim->dim_param, strlen(dim->dim_param));
        if (!io->dim_names[index]) {
            return fovea_fail_memory(err, strlen(dim->dim_param), "a dimension's name");
        }
    }
    return FOVEA_OK;
}

/* What is known of the shape must be possible. */
static enum fovea_status check_dims(const struct fovea_io *io, struct fovea_error *err) {
    struct fovea_tensor tensor = {0};
    fovea_tensor_set_shape(&tensor, io->dtype, io->rank, io->dims);
    for (int i = 0; i < io->rank; i++) {
        tensor.dims[i] = io->dims[i] < 0 ? 1 : io->dims[i];
    }
    return fovea_tensor_check_shape(&tensor, err);
}

static enum fovea_status read_shape(struct fovea_arena *arena,
                                    const FoveaOnnx__TensorShapeProto *shape, struct fovea_io *io,
                                    struct fovea_error *err) {
    if (shape->n_dim > FOVEA_MAX_RANK) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "rank %zu is over the limit of %d",
                          shape->n_dim, FOVEA_MAX_RANK);
    }
    io->rank = (int)shape->n_dim;
    for (int i = 0; i < io->rank; i++) {
        enum fovea_status st = read_dim(arena, shape->dim[i], i, io, err);
        if (st) {
            return st;
        }
    }
    return check_dims(io, err);
}

static enum fovea_status read_type(struct fovea_arena *arena, const FoveaOnnx__TypeProto *type,
                                   struct fovea_io *io, struct fovea_error *err) {
    if (!type) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "has no type");
    }
    if (!type->tensor_type) {
        const char *what = type->has_sequence_type        ? "a sequence"
                           : type->has_map_type           ? "a map"
                           : type->has_sparse_tensor_type ? "a sparse tensor"
                           : type->has_optional_type      ? "an optional"
                                                          : "of a kind unknown";
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "is %s; only tensors are supported", what);
    }
    enum fovea_status st = fovea_onnx_dtype(type->tensor_type->elem_type, &io->dtype, err);
    if (st) {
        return st;
    }
    io->rank = -1;
    return type->tensor_type->shape ? read_shape(arena, type->tensor_type->shape, io, err)
                                    : FOVEA_OK;
}

/* ---- inputs and outputs ------------------------------------------------- */

static enum fovea_status add_input(struct fovea_onnx_loader *loader,
                                   const FoveaOnnx__ValueInfoProto *proto,
                                   struct fovea_error *err) {
    struct fovea_graph *graph = &loader->model->graph;
    struct fovea_name *entry = fovea_names_find(&loader->scope->names, proto->name);
    if (entry->kind == FOVEA_DEFINED_INITIALIZER) {
        return FOVEA_OK;
    }
    struct fovea_io *io = &loader->model->inputs[graph->n_inputs];
    enum fovea_status st = read_type(&graph->arena, proto->type, io, err);
    if (!st && io->rank < 0) {
        st = fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "has no shape; its rank must be known");
    }
    if (st) {
        return st;
    }
    entry->value = fovea_graph_add_value(graph, proto->name);
    if (!entry->value) {
        return fovea_fail_memory(err, sizeof(*entry->value), "a value");
    }
    io->name = entry->value->name;
    entry->value->is_input = true;
    fovea_tensor_set_shape(&entry->value->t, io->dtype, io->rank, io->dims);
    graph->inputs[graph->n_inputs++] = entry->value;
    return FOVEA_OK;
}

static enum fovea_status add_output(struct fovea_onnx_loader *loader,
                                    const FoveaOnnx__ValueInfoProto *proto,
                                    struct fovea_error *err) {
    struct fovea_graph *graph = &loader->model->graph;
    struct fovea_io *io = &loader->model->outputs[graph->n_outputs];
    const struct fovea_name *entry =
        fovea_names_find(&loader->scope->names, fovea_onnx_text(proto->name));
    if (!entry) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "nothing in the graph produces it");
    }
    struct fovea_value *value = entry->value;
    enum fovea_status st = read_type(&graph->arena, proto->type, io, err);
    if (st) {
        return st;
    }
    if (value->is_output) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "is listed as an output twice");
    }
    if (!value->producer && value->t.dtype != io->dtype) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "is declared as %s, but it is %s",
                          fovea_dtype_name(io->dtype), fovea_dtype_name(value->t.dtype));
    }
    value->t.dtype = io->dtype;
    value->is_output = true;
    io->name = value->name;
    graph->outputs[graph->n_outputs++] = value;
    return FOVEA_OK;
}

typedef enum fovea_status (*add_fn)(struct fovea_onnx_loader *loader,
                                    const FoveaOnnx__ValueInfoProto *proto,
                                    struct fovea_error *err);

static enum fovea_status add_ios(struct fovea_onnx_loader *loader, const char *what,
                                 FoveaOnnx__ValueInfoProto *const *protos, size_t count, add_fn add,
                                 struct fovea_error *err) {
    for (size_t i = 0; i < count; i++) {
        enum fovea_status st = add(loader, protos[i], err);
        if (st) {
            fovea_error_prefix(err, "graph %s %zu ('%s')", what, i,
                               fovea_quote(fovea_onnx_text(protos[i]->name)).text);
            return st;
        }
    }
    return FOVEA_OK;
}

static enum fovea_status alloc_ios(struct fovea_model *model, const FoveaOnnx__GraphProto *graph,
                                   struct fovea_error *err) {
    struct fovea_arena *arena = &model->graph.arena;
    model->inputs = fovea_arena_alloc(arena, graph->n_input, sizeof(*model->inputs));
    model->outputs = fovea_arena_alloc(arena, graph->n_output, sizeof(*model->outputs));
    model->graph.inputs = fovea_arena_alloc(arena, graph->n_input, sizeof(*model->graph.inputs));
    model->graph.outputs = fovea_arena_alloc(arena, graph->n_output, sizeof(*model->graph.outputs));
    bool ok = model->inputs && model->outputs && model->graph.inputs && model->graph.outputs;
    return ok ? FOVEA_OK
              : fovea_fail_memory(err, (graph->n_input + graph->n_output) * sizeof(*model->inputs),
                                  "inputs and outputs");
}

/* ---- the whole ---------------------------------------------------------- */

static enum fovea_status check_graph(const FoveaOnnx__GraphProto *graph, struct fovea_error *err) {
    if (graph->n_sparse_initializer > 0) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "sparse initializers are not supported");
    }
    if (graph->n_output == 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "the graph has no outputs");
    }
    return FOVEA_OK;
}

enum fovea_status fovea_onnx_define(struct fovea_onnx_loader *loader,
                                    const FoveaOnnx__GraphProto *graph, struct fovea_error *err) {
    enum fovea_status st = add_initializers(loader, graph, err);
    if (!st) {
        st = add_node_outputs(loader, graph, err);
    }
    if (!st) {
        st = name_inputs(loader, graph, err);
    }
    if (st) {
        return st;
    }
    fovea_names_sort(&loader->scope->names);
    return check_names(&loader->scope->names, err);
}

static enum fovea_status convert(struct fovea_onnx_loader *loader,
                                 const FoveaOnnx__GraphProto *graph, struct fovea_error *err) {
    struct fovea_model *model = loader->model;
    enum fovea_status st = check_graph(graph, err);
    if (!st) {
        st = fovea_onnx_operators(loader, graph, err);
    }
    if (!st) {
        st = alloc_ios(model, graph, err);
    }
    if (!st) {
        st = fovea_onnx_define(loader, graph, err);
    }
    if (!st) {
        st = add_ios(loader, "input", graph->input, graph->n_input, add_input, err);
    }
    for (size_t i = 0; !st && i < graph->n_node; i++) {
        st = fovea_progress_tell(&loader->progress, FOVEA_PHASE_GRAPH,
                                 (double)i / (double)graph->n_node, err);
        if (st) {
            break;
        }
        st = fovea_onnx_node(loader, graph, i, err);
    }
    if (!st) {
        st = add_ios(loader, "output", graph->output, graph->n_output, add_output, err);
    }
    model->n_nodes_loaded = graph->n_node;
    return st;
}

enum fovea_status fovea_onnx_graph(struct fovea_onnx_loader *loader, FoveaOnnx__GraphProto *graph,
                                   struct fovea_error *err) {
    struct fovea_onnx_scope scope = {.graph = &loader->model->graph};
    loader->scope = &scope;
    enum fovea_status st = convert(loader, graph, err);
    fovea_names_finish(&scope.names);
    loader->scope = NULL;
    return st;
}
