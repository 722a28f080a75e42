/*
 * The steps of loading a model, between the files of onnx*.c only: from
 * unpacked protobuf messages to a struct fovea_model.
 *
 * Messages of failures say what, which value, which bound; callers prefix
 * where (attribute, node, file).
 */
#ifndef FOVEA_LOADERS_ONNX_CONVERT_H
#define FOVEA_LOADERS_ONNX_CONVERT_H

#include "loaders/names.h"
#include "loaders/onnx.pb-c.h"
#include "loaders/onnx_splice.h"
#include "runtime/model.h"
#include "runtime/progress.h"
#include "runtime/subgraph.h"

/* A file of external data that has been mapped. */
struct fovea_onnx_file {
    const char *location; /* borrowed from the message */
    struct fovea_mapping mapping;
};

/* A graph whose nodes are being converted, and what its names stand for. */
struct fovea_onnx_scope {
    struct fovea_graph *graph;
    struct fovea_names names;
    struct fovea_onnx_scope *outer; /* NULL: this is the model's graph */
    /* Of a subgraph: the template that is made, and the node of `outer` that it belongs to. */
    struct fovea_subgraph *sub;
    struct fovea_node *node;
    int depth;
};

struct fovea_onnx_loader {
    struct fovea_model *model;
    bool allow_external_links;
    size_t max_memory;
    int opset;
    struct fovea_onnx_scope *scope;
    struct fovea_mapping file;                /* the model's own */
    const struct fovea_onnx_splice *contents; /* what of it was not unpacked, or NULL */
    int folder;                    /* descriptor of the model's folder, or -1: not opened yet */
    struct fovea_onnx_file *files; /* the mappings are model->mappings too */
    size_t n_files;
    struct fovea_progress progress;
};

/* "" where an optional string is absent. */
static inline const char *fovea_onnx_text(const char *text) {
    return text ? text : "";
}

/* ---- onnx_tensor.c ------------------------------------------------------ */

/* The allocator for unpacking: big buffers aligned as tensors are, all freed with free. */
extern ProtobufCAllocator fovea_onnx_allocator;

/* TensorProto.DataType as ours, or FOVEA_ERR_UNSUPPORTED naming it. */
enum fovea_status fovea_onnx_dtype(int32_t data_type, enum fovea_dtype *out,
                                   struct fovea_error *err);

/* The same the other way. */
int32_t fovea_onnx_data_type(enum fovea_dtype dtype);

/*
 * Type, shape and contents of a tensor message. The contents are either taken
 * out of the message, or made (*owned: free them), or lie in a mapping of the
 * model. `loader` NULL: external data is refused.
 */
enum fovea_status fovea_onnx_tensor(struct fovea_onnx_loader *loader, FoveaOnnx__TensorProto *proto,
                                    struct fovea_tensor *out, bool *owned, struct fovea_error *err);

/*
 * Contents of a tensor whose type and shape are set in `out`, from `offset` of
 * a mapping of the model, which has that much: where they lie, or a copy
 * (*owned) of those whose alignment is not right. Much of a floating-point
 * type stays where it lies all the same: infer sees to it (widen.h).
 */
enum fovea_status fovea_onnx_borrow(const struct fovea_mapping *mapping, size_t offset,
                                    struct fovea_tensor *out, bool *owned, struct fovea_error *err);

/* ---- onnx_external.c ---------------------------------------------------- */

/* Contents of a tensor whose type and shape are set in `out`, from a file beside the model. */
enum fovea_status fovea_onnx_external(struct fovea_onnx_loader *loader,
                                      const FoveaOnnx__TensorProto *proto, struct fovea_tensor *out,
                                      bool *owned, struct fovea_error *err);

/* ---- onnx_attr.c, onnx_subgraph.c, onnx_node.c, onnx_graph.c ------------ */

/* Convert the attributes of a node. Subgraphs may give it further inputs (subgraph.h). */
enum fovea_status fovea_onnx_attrs(struct fovea_onnx_loader *loader,
                                   const FoveaOnnx__NodeProto *proto, struct fovea_node *node,
                                   struct fovea_error *err);

/* An attribute of `node` that is a graph, of which the file has `bytes`. The model owns *out. */
enum fovea_status fovea_onnx_subgraph(struct fovea_onnx_loader *loader, struct fovea_node *node,
                                      const ProtobufCBinaryData *bytes,
                                      const struct fovea_subgraph **out, struct fovea_error *err);

/*
 * What `name` stands for at the node being converted: a value of `scope`, into
 * which one of a graph around it is brought as an input of the subgraph. NULL
 * if there is none. FOVEA_ERR_INVALID if it is made further down.
 */
enum fovea_status fovea_onnx_find(struct fovea_onnx_scope *scope, const char *name,
                                  struct fovea_value **out, struct fovea_error *err);

/* Every operator is one we have; if not, the message names each, with its first node. */
enum fovea_status fovea_onnx_operators(const struct fovea_onnx_loader *loader,
                                       const FoveaOnnx__GraphProto *graph, struct fovea_error *err);

/* Add node `index`, connected by loader->names. */
enum fovea_status fovea_onnx_node(struct fovea_onnx_loader *loader,
                                  const FoveaOnnx__GraphProto *graph, size_t index,
                                  struct fovea_error *err);

/* The names that a graph defines, in loader->scope, with values for all but inputs. */
enum fovea_status fovea_onnx_define(struct fovea_onnx_loader *loader,
                                    const FoveaOnnx__GraphProto *graph, struct fovea_error *err);

/* The whole graph; loader->opset is known. */
enum fovea_status fovea_onnx_graph(struct fovea_onnx_loader *loader, FoveaOnnx__GraphProto *graph,
                                   struct fovea_error *err);

#endif
