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
#include "runtime/mapping.h"

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
    const char *path; /* as given to load; or what it is called in messages */
    bool placeless;   /* from memory or a descriptor: there are no files beside it */
    struct fovea_allocator allocator; /* of large blocks (blocks.h), its sessions' too */
    struct fovea_store *store;        /* weights that sessions have packed; has a lock of its own */
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

/* Have large blocks from there; before there are sessions. NULL: from pages. */
void fovea_model_set_allocator(struct fovea_model *model, const struct fovea_allocator *allocator);

/* Take `buffer` (from malloc) to be freed with the model. */
enum fovea_status fovea_model_take_buffer(struct fovea_model *model, void *buffer,
                                          struct fovea_error *err);

/* Take a mapping that constants lie in, to be unmapped with the model. */
enum fovea_status fovea_model_take_mapping(struct fovea_model *model,
                                           const struct fovea_mapping *mapping,
                                           struct fovea_error *err);

/* Let go of the pages of the model's mapped files; they come back when they are read. */
void fovea_model_forget_files(const struct fovea_model *model);

/* The open dimension `d` of input `index`, as a compiled file was made for; 0: not known. */
int64_t fovea_model_planned_dim(const struct fovea_model *model, size_t index, int d);

/* Note that the model was made from that file as well. */
enum fovea_status fovea_model_add_source(struct fovea_model *model, const char *location,
                                         const struct fovea_file_id *id, struct fovea_error *err);

#endif
