/*
 * A loaded model: the graph as the file has it, what its inputs and outputs
 * are called, its metadata, and the files its constants lie in.
 *
 * Made by a loader; never changed afterwards. A session clones the graph, and
 * shares what it packs with other sessions through the store.
 */
#ifndef FOVEA_RUNTIME_MODEL_H
#define FOVEA_RUNTIME_MODEL_H

#include "runtime/graph.h"

/* A file mapped read-only, or (length 0) nothing. */
struct fovea_mapping {
    void *bytes;
    size_t length;
};

struct fovea_store;

struct fovea_metadata {
    const char *key, *value;
};

struct fovea_model {
    const char *path;          /* as given to load */
    struct fovea_store *store; /* weights that sessions have packed; has a lock of its own */
    struct fovea_graph graph;
    /* In the order of graph.inputs and graph.outputs. Strings live in graph.arena. */
    struct fovea_io *inputs, *outputs;
    struct fovea_metadata *metadata;
    size_t n_metadata;
    const char *producer; /* "pytorch 2.14", or "" */
    int64_t ir_version;
    struct fovea_mapping *mappings; /* of external data; unmapped by destroy */
    size_t n_mappings;
    void **buffers; /* contents of attributes' tensors; freed by destroy */
    size_t n_buffers;
    size_t n_nodes_loaded;  /* before anything was changed */
    int64_t n_parameters;   /* elements of initializers */
    size_t parameter_bytes; /* as stored */
};

/* A model with an empty graph; the loader fills it in. */
enum fovea_status fovea_model_create(const char *path, struct fovea_model **out,
                                     struct fovea_error *err);

/* Take `buffer` (from malloc) to be freed with the model. */
enum fovea_status fovea_model_take_buffer(struct fovea_model *model, void *buffer,
                                          struct fovea_error *err);

#endif
