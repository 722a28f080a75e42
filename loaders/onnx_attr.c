/* Attributes of nodes. Which of them an operator knows is the runtime's matter (op.h). */
#include "loaders/onnx_convert.h"
#include "runtime/limits.h"

#include <stdlib.h>
#include <string.h>

/* AttributeProto.AttributeType, in its own numbering. */
enum {
    TYPE_UNDEFINED,
    TYPE_FLOAT,
    TYPE_INT,
    TYPE_STRING,
    TYPE_TENSOR,
    TYPE_GRAPH,
    TYPE_FLOATS,
    TYPE_INTS,
    TYPE_STRINGS,
    TYPE_TENSORS,
    TYPE_GRAPHS,
    TYPE_SPARSE_TENSOR,
    TYPE_SPARSE_TENSORS,
    TYPE_TYPE_PROTO,
    TYPE_TYPE_PROTOS,
    N_TYPES,
};

static const char *const type_names[N_TYPES] = {
    "UNDEFINED",      "FLOAT",      "INT",         "STRING",  "TENSOR", "GRAPH",
    "FLOATS",         "INTS",       "STRINGS",     "TENSORS", "GRAPHS", "SPARSE_TENSOR",
    "SPARSE_TENSORS", "TYPE_PROTO", "TYPE_PROTOS",
};

/* The type by which field holds a value, TYPE_UNDEFINED if none; not more than one. */
static enum fovea_status stored_type(const FoveaOnnx__AttributeProto *proto, int *out,
                                     struct fovea_error *err) {
    const bool set[N_TYPES] = {
        [TYPE_FLOAT] = proto->has_f,
        [TYPE_INT] = proto->has_i,
        [TYPE_STRING] = proto->has_s,
        [TYPE_TENSOR] = proto->t != NULL,
        [TYPE_GRAPH] = proto->has_g,
        [TYPE_FLOATS] = proto->n_floats > 0,
        [TYPE_INTS] = proto->n_ints > 0,
        [TYPE_STRINGS] = proto->n_strings > 0,
        [TYPE_TENSORS] = proto->n_tensors > 0,
        [TYPE_GRAPHS] = proto->n_graphs > 0,
        [TYPE_SPARSE_TENSOR] = proto->has_sparse_tensor,
        [TYPE_SPARSE_TENSORS] = proto->n_sparse_tensors > 0,
        [TYPE_TYPE_PROTO] = proto->has_tp,
        [TYPE_TYPE_PROTOS] = proto->n_type_protos > 0,
    };
    int found = TYPE_UNDEFINED;
    for (int i = 1; i < N_TYPES; i++) {
        if (!set[i]) {
            continue;
        }
        if (found != TYPE_UNDEFINED) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "holds both %s and %s", type_names[found],
                              type_names[i]);
        }
        found = i;
    }
    *out = found;
    return FOVEA_OK;
}

/*
 * The type an attribute has: the one declared, which the field set must not
 * contradict. Writers of proto3 leave out fields of value 0 and empty lists;
 * those before IR version 2 the type.
 */
static enum fovea_status find_type(const FoveaOnnx__AttributeProto *proto, int *out,
                                   struct fovea_error *err) {
    int stored = TYPE_UNDEFINED, declared = proto->type;
    enum fovea_status st = stored_type(proto, &stored, err);
    if (st) {
        return st;
    }
    if (declared < 0 || declared >= N_TYPES) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "attribute type %d does not exist", declared);
    }
    if (declared == TYPE_UNDEFINED) {
        declared = stored;
    }
    if (declared == TYPE_UNDEFINED || (declared == TYPE_TENSOR && !proto->t)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "holds no value");
    }
    if (stored != TYPE_UNDEFINED && stored != declared) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "is declared as %s but holds %s",
                          type_names[declared], type_names[stored]);
    }
    *out = declared;
    return FOVEA_OK;
}

/* ---- values ------------------------------------------------------------- */

static enum fovea_status copy_text(struct fovea_arena *arena, const ProtobufCBinaryData *from,
                                   const char **out, struct fovea_error *err) {
    if (from->len > 0 && memchr(from->data, 0, from->len)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "a string contains a NUL byte");
    }
    const char *text = fovea_arena_copy_text(arena, (const char *)from->data, from->len);
    if (!text) {
        return fovea_fail_memory(err, from->len + 1, "a string");
    }
    *out = text;
    return FOVEA_OK;
}

static enum fovea_status read_strings(struct fovea_arena *arena,
                                      const FoveaOnnx__AttributeProto *proto,
                                      struct fovea_attr *attr, struct fovea_error *err) {
    const char **strings = fovea_arena_alloc(arena, proto->n_strings, sizeof(*strings));
    if (!strings) {
        return fovea_fail_memory(err, proto->n_strings * sizeof(*strings), "strings");
    }
    for (size_t i = 0; i < proto->n_strings; i++) {
        enum fovea_status st = copy_text(arena, &proto->strings[i], &strings[i], err);
        if (st) {
            return st;
        }
    }
    attr->kind = FOVEA_ATTR_STRINGS;
    attr->strings = strings;
    attr->count = proto->n_strings;
    return FOVEA_OK;
}

/* The contents must live as long as the graph: the model keeps them. */
static enum fovea_status read_tensor(struct fovea_onnx_loader *loader,
                                     const FoveaOnnx__AttributeProto *proto,
                                     struct fovea_attr *attr, struct fovea_error *err) {
    bool owned;
    enum fovea_status st = fovea_onnx_tensor(loader, proto->t, &attr->t, &owned, err);
    if (st) {
        return st;
    }
    attr->kind = FOVEA_ATTR_TENSOR;
    if (!owned) {
        return FOVEA_OK;
    }
    st = fovea_model_take_buffer(loader->model, attr->t.data, err);
    if (st) {
        free(attr->t.data);
    }
    return st;
}

static enum fovea_status read_value(struct fovea_onnx_loader *loader, struct fovea_node *node,
                                    const FoveaOnnx__AttributeProto *proto, int type,
                                    struct fovea_attr *attr, struct fovea_error *err) {
    struct fovea_arena *arena = &loader->scope->graph->arena;
    switch (type) {
    case TYPE_FLOAT:
        attr->kind = FOVEA_ATTR_FLOAT;
        attr->f = proto->f;
        return FOVEA_OK;
    case TYPE_INT:
        attr->kind = FOVEA_ATTR_INT;
        attr->i = proto->i;
        return FOVEA_OK;
    case TYPE_STRING:
        attr->kind = FOVEA_ATTR_STRING;
        return copy_text(arena, &proto->s, &attr->s, err);
    case TYPE_TENSOR:
        return read_tensor(loader, proto, attr, err);
    case TYPE_FLOATS:
        attr->kind = FOVEA_ATTR_FLOATS;
        attr->floats = proto->floats;
        attr->count = proto->n_floats;
        return FOVEA_OK;
    case TYPE_INTS:
        attr->kind = FOVEA_ATTR_INTS;
        attr->ints = proto->ints;
        attr->count = proto->n_ints;
        return FOVEA_OK;
    case TYPE_STRINGS:
        return read_strings(arena, proto, attr, err);
    case TYPE_GRAPH:
        attr->kind = FOVEA_ATTR_GRAPH;
        return fovea_onnx_subgraph(loader, node, &proto->g, &attr->graph, err);
    case TYPE_TYPE_PROTO:
        attr->kind = FOVEA_ATTR_NONE;
        return FOVEA_OK;
    default:
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "attributes of type %s are not supported",
                          type_names[type]);
    }
}

static enum fovea_status convert(struct fovea_onnx_loader *loader,
                                 const FoveaOnnx__AttributeProto *proto, struct fovea_node *node,
                                 struct fovea_error *err) {
    struct fovea_attr attr = {.name = proto->name};
    int type = TYPE_UNDEFINED;
    if (proto->ref_attr_name && proto->ref_attr_name[0]) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "refers to attribute '%s' of a function, outside any function",
                          fovea_quote(proto->ref_attr_name).text);
    }
    if (fovea_node_attr(node, proto->name)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "occurs twice");
    }
    enum fovea_status st = find_type(proto, &type, err);
    if (!st) {
        st = read_value(loader, node, proto, type, &attr, err);
    }
    return st ? st : fovea_node_set_attr(node, &attr, err);
}

enum fovea_status fovea_onnx_attrs(struct fovea_onnx_loader *loader,
                                   const FoveaOnnx__NodeProto *proto, struct fovea_node *node,
                                   struct fovea_error *err) {
    if (proto->n_attribute > FOVEA_LIMIT_NODE_ATTRS) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "%zu attributes; the limit is %d",
                          proto->n_attribute, FOVEA_LIMIT_NODE_ATTRS);
    }
    for (size_t i = 0; i < proto->n_attribute; i++) {
        const FoveaOnnx__AttributeProto *attr = proto->attribute[i];
        if (!attr->name || !attr->name[0]) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "attribute %zu has no name", i);
        }
        enum fovea_status st = convert(loader, attr, node, err);
        if (st) {
            fovea_error_prefix(err, "attribute '%s'", fovea_quote(attr->name).text);
            return st;
        }
    }
    return FOVEA_OK;
}
