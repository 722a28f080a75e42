/*
 * Run image classifiers: exported ONNX graphs, on CPUs, through oneDNN.
 * The only header a client includes.
 *
 * True of every function here:
 *  - One that can fail returns enum fovea_status and takes `err` last. `err`
 *    may be NULL. Out parameters are written on success only.
 *  - create and load hand the caller an object to destroy. get lends a pointer
 *    that lives as long as the object it came from. destroy accepts NULL.
 *  - A model never changes once loaded and may be shared between threads.
 *    A session belongs to one thread at a time, and must be destroyed before
 *    its model.
 *  - Threads are OpenMP's, as many as the session was made with, whatever other
 *    threads of the program do. Between runs they wait: for some milliseconds
 *    busily (GOMP_SPINCOUNT and OMP_WAIT_POLICY change that), then asleep.
 *  - Nothing writes to stdout or stderr, and nothing a file contains reaches
 *    an assert, abort or exit.
 */
#ifndef FOVEA_H
#define FOVEA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FOVEA_VERSION "0.1.0"

/* One code per reaction a caller might have; the words are in fovea_error. */
enum fovea_status {
    FOVEA_OK = 0,
    FOVEA_ERR_IO,          /* a file could not be opened, read or written */
    FOVEA_ERR_FORMAT,      /* the bytes are not what they claim to be */
    FOVEA_ERR_UNSUPPORTED, /* well formed, beyond this build: operator, opset or type */
    FOVEA_ERR_INVALID,     /* well formed, but inconsistent; or a wrong argument */
    FOVEA_ERR_LIMIT,       /* over a limit: memory, counts, pixels */
    FOVEA_ERR_MEMORY,      /* an allocation failed */
    FOVEA_ERR_BACKEND,     /* oneDNN refused */
};

/* What went wrong, in words. Set on failure, left alone on success. */
struct fovea_error {
    enum fovea_status status;
    char message[512];
};

/* A short lower-case name of a status ("format"), for logs and JSON. */
const char *fovea_status_name(enum fovea_status status);

/* ---- tensors ---------------------------------------------------------- */

/* Element types, in the order of their ONNX names where that matters not. */
enum fovea_dtype {
    FOVEA_F32,
    FOVEA_F16,
    FOVEA_BF16,
    FOVEA_F64,
    FOVEA_I8,
    FOVEA_U8,
    FOVEA_I16,
    FOVEA_U16,
    FOVEA_I32,
    FOVEA_U32,
    FOVEA_I64,
    FOVEA_U64,
    FOVEA_BOOL, /* one byte, 0 or 1 */
    FOVEA_N_DTYPES,
};

#define FOVEA_MAX_RANK 8

/*
 * A dense, row-major tensor. `data` is owned by whoever made the struct; every
 * function here says when it keeps the pointer, and otherwise does not.
 */
struct fovea_tensor {
    enum fovea_dtype dtype;
    int rank; /* 0..FOVEA_MAX_RANK; 0 is a scalar of one element */
    int64_t dims[FOVEA_MAX_RANK];
    void *data;
};

/* Size of one element in bytes. */
size_t fovea_dtype_size(enum fovea_dtype dtype);

/* "f32", "i64", ... */
const char *fovea_dtype_name(enum fovea_dtype dtype);

/* ---- models ----------------------------------------------------------- */

struct fovea_model;
struct fovea_session;

/*
 * A model's input or output. A dimension of -1 is chosen per session; the rank
 * of an output is -1 where the file does not say.
 */
struct fovea_io {
    const char *name;
    enum fovea_dtype dtype;
    int rank;
    int64_t dims[FOVEA_MAX_RANK];
    const char *dim_names[FOVEA_MAX_RANK]; /* symbolic name of a -1 dimension, or NULL */
};

/* How to load. Fill with fovea_load_options_default, then change. */
struct fovea_load_options {
    size_t max_memory; /* most bytes that parsing may take beyond the file; 0: 80 % of available */
    bool allow_external_links; /* external data may be a symlink or a hard link; default false */
    /* Of checkpoints and names of architectures; for what 0 and NULL leave to the file. */
    int size;              /* of the square input; of ONNX models see their input's shape */
    int heads;             /* of a ViT's attention */
    const char *ws_eps;    /* of an NFNet's weight standardisation: "dm" or "timm" */
    const char *gelu;      /* "tanh" or "erf" */
    const char *head_type; /* of a ViT: "token", "gap" or "map" */
    const char *positions; /* how a ViT's position embeddings are resampled if `size` asks for
                            * another grid: as "big-vision", "timm", "timm-npz" or "hf" do */
    /* Told each tensor of a checkpoint that does not fit: how ("missing", "misshapen",
     * "unexpected"), and its name and shape. Not called for one that does. NULL: nobody is. */
    void (*explain)(void *context, const char *how, const char *what);
    void *explain_context;
};

void fovea_load_options_default(struct fovea_load_options *options);

/*
 * Load a model from an .onnx file; external data is sought beside it. Or from
 * a checkpoint (safetensors, .npz, .pth, pickle; a file, or its folder) of an
 * NFNet or a ViT, whose graph is built from the tensors it has. Or by a name,
 * "arch:nfnet-f0@480", with weights made up. Or from a compiled file (fovea_session_save): then, if
 * it was made by this build on a CPU of this kind, sessions of the shapes and options it was made
 * for start at once; if not, the original is loaded from where it was, and fovea_model_get_note
 * says so.
 *
 * `options` may be NULL for the defaults. The file, and those of external data,
 * stay mapped until the model is destroyed and must not change meanwhile;
 * replacing one by another of its name (rename) is no change.
 *
 * FOVEA_ERR_FORMAT if it is not ONNX, FOVEA_ERR_UNSUPPORTED if it uses an
 * operator, opset or type this build lacks (the message names the node),
 * FOVEA_ERR_INVALID if it contradicts itself, FOVEA_ERR_LIMIT if unpacking
 * would take more than max_memory.
 */
enum fovea_status fovea_model_load(const char *path, const struct fovea_load_options *options,
                                   struct fovea_model **out, struct fovea_error *err);
void fovea_model_destroy(struct fovea_model *model);

size_t fovea_model_n_inputs(const struct fovea_model *model);
size_t fovea_model_n_outputs(const struct fovea_model *model);
const struct fovea_io *fovea_model_get_input(const struct fovea_model *model, size_t index);
const struct fovea_io *fovea_model_get_output(const struct fovea_model *model, size_t index);

/* The value of a metadata_props key, or NULL. */
const char *fovea_model_get_metadata(const struct fovea_model *model, const char *key);

/* Why the compiled file that was loaded is not used, in words; NULL if it is, or was none. */
const char *fovea_model_get_note(const struct fovea_model *model);

/* The type and shape of input `index` a compiled file was made for; NULL of other models. */
const struct fovea_tensor *fovea_model_get_planned_input(const struct fovea_model *model,
                                                         size_t index);

/* ---- sessions --------------------------------------------------------- */

/*
 * The arithmetic of f32, f16 and bf16 models. BF16 multiplies in bf16 and sums
 * in f32; normalisation, softmax and elementwise functions are computed in f32.
 * On a CPU without bf16 instructions it runs, slower than F32, on operands
 * rounded to bf16. AUTO is BF16 on a CPU with such instructions, if a product
 * in bf16 takes less time than in f32, which is measured; else F32.
 */
enum fovea_precision {
    FOVEA_PRECISION_F32,
    FOVEA_PRECISION_BF16,
    FOVEA_PRECISION_AUTO,
};

/* Whether this CPU has bf16 multiply-add instructions (AVX512_BF16 or AMX) that may be used. */
bool fovea_cpu_has_bf16(void);

/* How to plan and run. Fill with fovea_session_options_default, then change. */
struct fovea_session_options {
    int threads;        /* 0: what affinity and the cgroup allow */
    const char *passes; /* "on" (default), "off", or names separated by commas */
    size_t max_memory;  /* most resident bytes of the process, as predicted; 0: 80 % of available
                         * on top of what it has */
    bool plan_only;     /* stop before memory is taken: to be looked at; run and save refuse it */
    bool winograd;      /* f32 3x3 convolutions by Winograd's algorithm where it pays: less time,
                           an error of about 1e-6 each; default true */
    enum fovea_precision precision; /* default FOVEA_PRECISION_F32 */
    bool profile; /* time every step, for tools that look inside (runtime/session.h) */
};

void fovea_session_options_default(struct fovea_session_options *options);

/* The defaults, or of a compiled file what it was made for. */
void fovea_model_get_session_options(const struct fovea_model *model,
                                     struct fovea_session_options *options);

/*
 * Plan a model for given input shapes and prepare it to run.
 *
 * `inputs` has one tensor for every model input, in the model's order, with
 * dtype, rank and all dims set. `data` may be NULL, except for an input whose
 * values decide shapes (the shape operand of a Reshape, say): its contents are
 * then fixed for the session. fovea_model_input_decides_shapes tells which.
 *
 * `options` may be NULL for fovea_model_get_session_options. A compiled model
 * that was made for other inputs or options is passed over in favour of its
 * original (fovea_session_get_note), or an error if that is gone or changed.
 *
 * The model must outlive the session. Once this succeeds, fovea_session_run
 * fails only for reasons outside the model.
 */
enum fovea_status fovea_session_create(const struct fovea_model *model,
                                       const struct fovea_tensor *inputs,
                                       const struct fovea_session_options *options,
                                       struct fovea_session **out, struct fovea_error *err);
void fovea_session_destroy(struct fovea_session *session);

/* The precision in use: F32 or BF16, whichever AUTO came to. */
enum fovea_precision fovea_session_precision(const struct fovea_session *session);

/* Why a compiled model could not be used for this session, but its original was; else NULL. */
const char *fovea_session_get_note(const struct fovea_session *session);

/*
 * Store the session's rewritten graph and packed weights as a compiled file at
 * `path`, which fovea_model_load takes in place of the model. It appears there
 * only when all of it is on the disk, in place of any file that was there.
 *
 * The file names the model's files, with their SHA-256. FOVEA_ERR_INVALID if
 * they changed since they were loaded, or if the model is a compiled one.
 */
enum fovea_status fovea_session_save(const struct fovea_session *session, const char *path,
                                     struct fovea_error *err);

/* Whether the contents of input `index` must be given to fovea_session_create. */
bool fovea_model_input_decides_shapes(const struct fovea_model *model, size_t index);

/* Type and shape of output `index`; `data` is NULL. */
void fovea_session_output_shape(const struct fovea_session *session, size_t index,
                                struct fovea_tensor *out);

/*
 * Run once. `inputs` as given to create, now with data; `outputs[i].data` has
 * room for the tensor that fovea_session_output_shape describes. Both are only
 * read or written during the call. FOVEA_ERR_INVALID where data is NULL.
 */
enum fovea_status fovea_session_run(struct fovea_session *session,
                                    const struct fovea_tensor *inputs,
                                    const struct fovea_tensor *outputs, struct fovea_error *err);

#ifdef __cplusplus
}
#endif

#endif
