/*
 * Compiled models: graphs that a session has rewritten and whose weights it
 * has packed, stored in a file and mapped again (loaders/compiled.h).
 *
 * model->graph of such a model is the graph after the passes. A session of it
 * clones the graph, infers and prepares it anew, which costs little and
 * trusts the file in nothing, and then takes the packed weights from the
 * mapping, if every node asks for just the form that is there.
 *
 * Where the file does not fit (other shapes, other options, another form), the
 * session is made of the original model instead, if that is still what it was.
 */
#ifndef FOVEA_RUNTIME_COMPILED_H
#define FOVEA_RUNTIME_COMPILED_H

#include "runtime/model.h"
#include "runtime/pass.h"

/* What op->pack wrote for one node; bytes 0: nothing. */
struct fovea_packed_weights {
    const void *data;
    size_t bytes;
    uint64_t form;
    int input;
};

/* A file that the original model consists of, as it was when compiled. */
struct fovea_origin_file {
    const char *location; /* as struct fovea_source has it */
    struct fovea_file_id id;
    unsigned char sha256[32];
};

/* Where a compiled file is from. */
struct fovea_origin {
    const char *version, *build; /* of the library */
    const char *dnn, *isa;       /* fovea_dnn_build, fovea_dnn_isa */
    const char *beside;          /* the original's path from the compiled file's folder */
    const char *path;            /* its absolute path */
    const char *load_options;    /* model->load_options, "" for NULL */
    const struct fovea_origin_file *files;
    size_t n_files;
    int threads;
};

/* Load the original of a compiled model, and make sure that it is the one. */
typedef enum fovea_status (*fovea_open_original_fn)(const struct fovea_model *compiled,
                                                    struct fovea_model **out,
                                                    struct fovea_error *err);

struct fovea_original; /* the original model, once somebody needed it */

struct fovea_compiled {
    struct fovea_origin origin;
    const bool *decides_shapes;                /* by input: its contents are part of the plan */
    const struct fovea_packed_weights *packed; /* by node, in order */
    struct fovea_pass_log pass_log;
    int64_t macs;
    bool allow_external_links; /* of the original */
    struct fovea_original *original;
};

/* Make model->compiled, zeroed; freed by fovea_model_destroy. The rest lives in graph.arena. */
enum fovea_status fovea_compiled_create(struct fovea_model *model, fovea_open_original_fn open,
                                        struct fovea_error *err);
void fovea_compiled_destroy(struct fovea_compiled *compiled);

/* The original, loaded by the first who asks; lives as long as `model`. Any thread may ask. */
enum fovea_status fovea_compiled_get_original(const struct fovea_model *model,
                                              const struct fovea_model **out,
                                              struct fovea_error *err);

/*
 * Why a session of these inputs and options cannot use the plan, in words
 * (`why` has room for `size` bytes); "" if it can.
 */
void fovea_compiled_compare(const struct fovea_model *model, const struct fovea_tensor *inputs,
                            const struct fovea_session_options *options, char *why, size_t size);

/*
 * Infer a clone of the model's graph, whose inputs are typed, and check that
 * every type, shape and layout is what the file says. FOVEA_ERR_INVALID if not.
 */
enum fovea_status fovea_compiled_infer(struct fovea_graph *graph, struct fovea_error *err);

/*
 * Give the prepared nodes of a clone their packed weights. If a node wants
 * another form, `why` says so, else it is "".
 */
void fovea_compiled_attach(const struct fovea_compiled *compiled, struct fovea_graph *graph,
                           char *why, size_t size);

/* ---- options ------------------------------------------------------------ */

/* Room for fovea_options_text. */
#define FOVEA_OPTIONS_TEXT 1024

/*
 * Those options that decide what a session computes and how its weights are
 * packed, as text: "winograd=auto;passes=on". Two sessions of one model and one shape can
 * share a plan if the texts are equal. FOVEA_ERR_LIMIT if it does not fit.
 */
enum fovea_status fovea_options_text(const struct fovea_session_options *options,
                                     char text[FOVEA_OPTIONS_TEXT], struct fovea_error *err);

#endif
