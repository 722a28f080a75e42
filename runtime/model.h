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

/* What the system says of a file's contents without reading them: changed, if any of it is. */
struct fovea_file_id {
    uint64_t device, inode, size;
    int64_t modified_ns, changed_ns;
};

/* A file mapped read-only, or (length 0) nothing. */
struct fovea_mapping {
    void *bytes;
    size_t length;
    struct fovea_file_id id;
};

/* A file that a model was made from: its own, first, then those of external data. */
struct fovea_source {
    const char *location; /* as the model has it, from the model's folder; "" for its own file */
    struct fovea_file_id id;
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
    /* Built from a checkpoint or a name: a file alone does not say what is in the graph. Of a
     * checkpoint the options do, too (loaders/arch_options.h): in graph.arena; NULL of others. */
    bool built;
    const char *load_options;
    const char *producer; /* "pytorch 2.14", or "" */
    int64_t ir_version;
    struct fovea_mapping *mappings; /* files that contents lie in; unmapped by destroy */
    size_t n_mappings;
    struct fovea_source *sources; /* freed by destroy, with the locations */
    size_t n_sources;
    struct fovea_subgraph *subgraphs; /* attributes of nodes; freed by destroy */
    void **buffers;                   /* contents of attributes' tensors; freed by destroy */
    size_t n_buffers;
    size_t n_nodes_loaded;           /* before anything was changed */
    int64_t n_parameters;            /* elements of initializers */
    size_t parameter_bytes;          /* as stored */
    struct fovea_compiled *compiled; /* what else a compiled file has (compiled.h), or NULL */
    /* What a compiled file was planned for: in graph.arena; NULL if `path` is no such file. */
    const struct fovea_tensor *planned_inputs;
    const char *planned_options; /* fovea_options_text */
    char *note; /* why the compiled file at `path` was not used; freed by destroy; NULL: it was */
};

/* A model with an empty graph; the loader fills it in. */
enum fovea_status fovea_model_create(const char *path, struct fovea_model **out,
                                     struct fovea_error *err);

/* Take `buffer` (from malloc) to be freed with the model. */
enum fovea_status fovea_model_take_buffer(struct fovea_model *model, void *buffer,
                                          struct fovea_error *err);

/* Take a mapping that constants lie in, to be unmapped with the model. */
enum fovea_status fovea_model_take_mapping(struct fovea_model *model,
                                           const struct fovea_mapping *mapping,
                                           struct fovea_error *err);

/* Let go of the pages of the model's mapped files; they come back when they are read. */
void fovea_model_forget_files(const struct fovea_model *model);

/* Note that the model was made from that file as well. */
enum fovea_status fovea_model_add_source(struct fovea_model *model, const char *location,
                                         const struct fovea_file_id *id, struct fovea_error *err);

#endif
