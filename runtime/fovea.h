/*
 * Run image classifiers: exported ONNX graphs and checkpoints, on CPUs, through oneDNN.
 * The only header a client includes; C11 and C++. In a few lines:
 *
 *     struct fovea_model *model;
 *     struct fovea_classifier *classifier;
 *     struct fovea_result best[5];
 *     size_t n;
 *     struct fovea_error err;
 *     if (fovea_model_load("model.onnx", NULL, &model, &err) ||
 *         fovea_classifier_create(model, NULL, &classifier, &err) ||
 *         fovea_classify_jpeg(classifier, bytes, size, 5, best, &n, NULL, &err)) {
 *         fprintf(stderr, "%s\n", err.message);
 *     }
 *
 * True of every function here:
 *  - One that can fail returns enum fovea_status and takes `err` last. `err`
 *    may be NULL. Out parameters are written on success only.
 *  - create and load hand the caller an object to destroy. get lends a pointer
 *    that lives as long as the object it came from. destroy accepts NULL.
 *  - A struct of options begins with its size and is filled by its _default
 *    function; then fields are changed. 0, NULL and false in any field mean the
 *    default. A struct of an older header, which is shorter, works as it did; one
 *    of a newer header works unless it sets what this library does not know,
 *    which is FOVEA_ERR_UNSUPPORTED. A function that takes options takes NULL
 *    for the defaults. Options are only read during the call, as is all that
 *    they point at, except where it says otherwise.
 *  - Bytes of files and memory are not trusted: whatever they contain gives an
 *    error, in words that are printable ASCII, never undefined behaviour.
 *  - No state is global but facts about the CPU and oneDNN, found out once, and
 *    a lock of oneDNN's. Nothing is written to stdout or stderr; nothing calls exit,
 *    abort or atexit, handles or blocks signals, or changes the environment or the locale.
 *  - Threads are OpenMP's, as many as the session was made with, whatever other
 *    threads of the program do. Between runs they wait: for some milliseconds
 *    busily (GOMP_SPINCOUNT and OMP_WAIT_POLICY change that), then asleep.
 *  - After fork the child may use everything here if the parent had run nothing
 *    here yet; of what the parent made, only fovea_model_load's models without
 *    sessions are of use to it. (OpenMP's threads do not survive a fork.)
 */
#ifndef FOVEA_H
#define FOVEA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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
    FOVEA_ERR_CANCELLED,   /* the caller asked to stop */
    FOVEA_ERR_DEADLINE,    /* the caller's deadline has passed */
};

/* What went wrong, in words. Set on failure, left alone on success. */
struct fovea_error {
    enum fovea_status status;
    char message[512];
};

/* A short lower-case name of a status ("format"), for logs and JSON. */
const char *fovea_status_name(enum fovea_status status);

/* ---- versions ---------------------------------------------------------- */

/* FOVEA_VERSION of the library in use, which may be newer than this header. */
const char *fovea_version(void);

/*
 * The library's build in one line, for logs and bug reports: its version and a
 * hash of its sources, the compiler, oneDNN's version and the instruction sets
 * it uses on this CPU. Up to `size` bytes go to `text`, the last a 0; returns the length
 * that the whole line has, without the 0.
 */
size_t fovea_build_info(char *text, size_t size);

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

/*
 * Memory of the caller's, for what is large: weights in the form that runs
 * them, and what making them takes for the while; activations and scratch
 * of sessions; the copy that fovea_model_load_memory makes. These are all but
 * some per cent of what a session takes. Everything else is malloc's (or
 * C++'s new): graphs, plans, names, small tensors and those that are not
 * stored the way they are used, a classifier's images, oneDNN's primitives, and what
 * libraries take while they decode.
 *
 * Both functions may be called from several threads at once. `allocate` gives
 * `size` bytes (1 or more) at a multiple of `alignment` (64), or NULL, which
 * is FOVEA_ERR_MEMORY; `release` takes such a block back, with its size.
 */
struct fovea_allocator {
    void *context;
    void *(*allocate)(void *context, size_t size, size_t alignment);
    void (*release)(void *context, void *block, size_t size);
};

/* What takes time: the first two when a model is loaded, the others when a session is made. */
enum fovea_phase {
    FOVEA_PHASE_READ,    /* checking and unpacking a file */
    FOVEA_PHASE_GRAPH,   /* making the graph */
    FOVEA_PHASE_PLAN,    /* inferring shapes and rewriting the graph */
    FOVEA_PHASE_PREPARE, /* making oneDNN's primitives */
    FOVEA_PHASE_PACK,    /* computing weights and packing them: the most of it */
};

/* How to load. Fill with fovea_load_options_default, then change. */
struct fovea_load_options {
    size_t struct_size;
    size_t max_memory; /* most bytes that parsing may take beyond the file; 0: 80 % of available */
    bool allow_external_links; /* external data may be a symlink or a hard link */
    bool lend_memory; /* fovea_model_load_memory: the bytes are not copied; the caller keeps them,
                       * unchanged, until the model is destroyed */
    /* Of checkpoints and names of architectures; for what 0 and NULL leave to the file. */
    int size;              /* of the square input; of ONNX models see their input's shape */
    int heads;             /* of a ViT's attention */
    const char *ws_eps;    /* of an NFNet's weight standardisation: "dm" or "timm" */
    const char *gelu;      /* "tanh" or "erf" */
    const char *head_type; /* of a ViT: "token", "gap", "map" or "token+gap" */
    const char *positions; /* how a ViT's position embeddings are resampled if `size` asks for
                            * another grid: as "big-vision", "timm", "timm-npz" or "hf" do */
    /* Told each tensor of a checkpoint that does not fit: how ("missing", "misshapen",
     * "unexpected"), and its name and shape. Not called for one that does. NULL: nobody is. */
    void (*explain)(void *context, const char *how, const char *what);
    void *explain_context;
    /* Told when a phase begins, with done = 0, and in some of them again, up to 1; by the thread
     * that called. To return false ends the call with FOVEA_ERR_CANCELLED. NULL: nobody is. */
    bool (*progress)(void *context, enum fovea_phase phase, double done);
    void *progress_context;
    /* Also of the model's sessions; `context` outlives the model. The struct is copied. NULL: pages
     * of the library's own. */
    const struct fovea_allocator *allocator;
};

static inline void fovea_load_options_default(struct fovea_load_options *options) {
    memset(options, 0, sizeof(*options));
    options->struct_size = sizeof(*options);
}

/*
 * Load a model from an .onnx file; external data is sought beside it. Or from
 * a checkpoint (safetensors, .npz, .pth, pickle; a file, or its folder) of an
 * NFNet or a ViT, whose graph is built from the tensors it has. Or by a name,
 * "arch:nfnet-f0@480", with weights made up. Or from a compiled file (fovea_session_save): then, if
 * it was made by this build on a CPU of this kind, sessions of the shapes and options it was made
 * for start at once; if not, the original is loaded from where it was, and fovea_model_get_note
 * says so.
 *
 * The file, and those of external data, stay mapped until the model is
 * destroyed and must not change meanwhile; replacing one by another of its
 * name (rename) is no change.
 *
 * FOVEA_ERR_FORMAT if it is not ONNX, FOVEA_ERR_UNSUPPORTED if it uses an
 * operator, opset or type this build lacks (the message names the node),
 * FOVEA_ERR_INVALID if it contradicts itself, FOVEA_ERR_LIMIT if unpacking
 * would take more than max_memory.
 */
enum fovea_status fovea_model_load(const char *path, const struct fovea_load_options *options,
                                   struct fovea_model **out, struct fovea_error *err);

/*
 * The same from `size` bytes in memory: of an .onnx file, or a checkpoint that
 * is one file. They are copied, unless options->lend_memory. Nothing beside
 * them is looked for, as there is no folder: external data and an index of
 * other files are FOVEA_ERR_INVALID, a compiled file FOVEA_ERR_UNSUPPORTED.
 */
enum fovea_status fovea_model_load_memory(const void *bytes, size_t size,
                                          const struct fovea_load_options *options,
                                          struct fovea_model **out, struct fovea_error *err);

/*
 * The same from an open descriptor of a regular file (or a memfd), whatever
 * its offset; it is mapped, not closed, and need not stay open. No folder, as
 * above.
 */
enum fovea_status fovea_model_load_fd(int fd, const struct fovea_load_options *options,
                                      struct fovea_model **out, struct fovea_error *err);

/* After all of its sessions and classifiers. */
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

/*
 * CPUs this process may use: by its affinity, and the quotas and sets of its
 * cgroups; at least 1. What several sessions that work at once have to share.
 */
int fovea_cpu_budget(void);

/* How to plan and run. Fill with fovea_session_options_default, then change. */
struct fovea_session_options {
    size_t struct_size;
    int threads;        /* at most 1024; 0: fovea_cpu_budget() */
    const char *passes; /* "on" (default), "off", or names separated by commas */
    size_t max_memory;  /* most resident bytes of the process, as predicted; 0: 80 % of available
                         * on top of what it has */
    bool plan_only;     /* stop before memory is taken: to be looked at; run and save refuse it */
    bool no_winograd;   /* no Winograd's algorithm for f32 3x3 convolutions, which is taken where
                         * it pays: less time, an error of about 1e-6 each */
    enum fovea_precision precision; /* default FOVEA_PRECISION_F32 */
    bool profile; /* time every step, for tools that look inside (runtime/session.h) */
    bool (*progress)(void *context, enum fovea_phase phase, double done); /* as for loading */
    void *progress_context;
};

static inline void fovea_session_options_default(struct fovea_session_options *options) {
    memset(options, 0, sizeof(*options));
    options->struct_size = sizeof(*options);
}

/*
 * Put into `options`, which fovea_session_options_default has filled, what a
 * compiled file was made for; of other models nothing. Its text lives as long as the model.
 */
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
 * Without `options`, those of fovea_model_get_session_options. A compiled model
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

/* Memory that a session would take, in bytes. */
struct fovea_memory {
    size_t struct_size;
    size_t values;  /* activations */
    size_t scratch; /* what the neediest step works in */
    size_t weights; /* that no other session of the model has made yet */
    size_t making;  /* what making them takes for the while, before there are activations */
    size_t before;  /* resident memory of the process now */
    size_t peak;    /* of the process, until after the first run */
};

static inline void fovea_memory_default(struct fovea_memory *memory) {
    memset(memory, 0, sizeof(*memory));
    memory->struct_size = sizeof(*memory);
}

/*
 * Plan a session, without taking the memory that it needs: that goes into *out,
 * which fovea_memory_default has filled. Options and errors are those of
 * fovea_session_create; it is FOVEA_ERR_LIMIT if the limit would be passed.
 */
enum fovea_status fovea_session_predict(const struct fovea_model *model,
                                        const struct fovea_tensor *inputs,
                                        const struct fovea_session_options *options,
                                        struct fovea_memory *out, struct fovea_error *err);

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
 * they changed since they were loaded, if `path` is one of them, or if the model
 * is a compiled one.
 */
enum fovea_status fovea_session_save(const struct fovea_session *session, const char *path,
                                     struct fovea_error *err);

/*
 * Whether the contents of input `index` must be given to fovea_session_create. True, too, where
 * memory ran out in finding out; making a session, which finds out anew, says so if it does again.
 */
bool fovea_model_input_decides_shapes(const struct fovea_model *model, size_t index);

/* Type and shape of output `index`; `data` is NULL. */
void fovea_session_output_shape(const struct fovea_session *session, size_t index,
                                struct fovea_tensor *out);

/*
 * A wish to stop that others may voice while a run is under way: from any
 * thread, and from a signal handler. Zeroed before use: = {0}.
 */
struct fovea_cancel {
    int requested; /* by the functions below only */
};

/* From now on, runs that were given `cancel` end, and new ones do not start. */
void fovea_cancel_request(struct fovea_cancel *cancel);

/* Take the wish back, when no run that has it is under way. */
void fovea_cancel_reset(struct fovea_cancel *cancel);

/* When to stop a run. Fill with fovea_run_options_default, then change. */
struct fovea_run_options {
    size_t struct_size;
    const struct fovea_cancel *cancel; /* or NULL; read until the run ends */
    double deadline; /* on the clock of fovea_deadline_after (CLOCK_MONOTONIC), in seconds;
                      * 0: none */
};

static inline void fovea_run_options_default(struct fovea_run_options *options) {
    memset(options, 0, sizeof(*options));
    options->struct_size = sizeof(*options);
}

/* The deadline `seconds` from now. */
double fovea_deadline_after(double seconds);

/*
 * Run once. `inputs` as given to create, now with data; `outputs[i].data` has
 * room for the tensor that fovea_session_output_shape describes. Both are only
 * read or written during the call. FOVEA_ERR_INVALID where data is NULL.
 *
 * Whether to stop is looked at before each step, some hundred in a network:
 * FOVEA_ERR_CANCELLED or FOVEA_ERR_DEADLINE come after the step that is under
 * way. Nothing is written to the outputs then, and the session is as before.
 */
enum fovea_status fovea_session_run(struct fovea_session *session,
                                    const struct fovea_tensor *inputs,
                                    const struct fovea_tensor *outputs,
                                    const struct fovea_run_options *options,
                                    struct fovea_error *err);

/* ---- classifying images ------------------------------------------------ */

/*
 * A model that takes RGB images and gives logits, with what is known of how it
 * wants images prepared (its recipe) and of its classes' names: all it takes
 * from JPEG bytes to labels. It has sessions of its own.
 *
 * A classifier belongs to one thread at a time, except for the functions that
 * take a const one: any number of threads may be in those, also while it runs.
 * So a service decodes in many threads and runs in one. To run in several
 * threads, make several of one model; they share its weights.
 */
struct fovea_classifier;

/* How to classify. Fill with fovea_classifier_options_default, then change. */
struct fovea_classifier_options {
    size_t struct_size;
    const struct fovea_session_options *session; /* threads, precision, ...; NULL: the defaults */
    int batch; /* most images that are run at once, where the model leaves it open; default 1 */
    int size;  /* side of the square input, where the model leaves it open; 0: as the recipe says */

    /* A recipe over what the model says: JSON as in docs/recipes.md, or the name of a preset
     * ("timm", "dm", ...). NULL: as the model's metadata and the files beside it say. */
    const char *recipe;
    /* Names of the classes: one a line, or JSON, a list or an object from index to name.
     * NULL: from the model's metadata, or the config.json beside it. */
    const char *labels;

    /* Of JPEGs; 0 for the default. */
    uint64_t max_pixels;    /* width * height, checked before decoding; default 89478485 */
    size_t max_jpeg_memory; /* most bytes that libjpeg may take; default 1 GiB */
    int max_scans;          /* of a progressive file; default 100 */
    bool allow_truncated;   /* what is missing of a file that ends early is grey; else refused */
    bool strict;            /* refuse files that decode with warnings */
    bool exif_orientation;  /* turn images as EXIF says; default as they are stored, as in timm */
};

static inline void fovea_classifier_options_default(struct fovea_classifier_options *options) {
    memset(options, 0, sizeof(*options));
    options->struct_size = sizeof(*options);
}

/* A class that an image may be of. */
struct fovea_result {
    int class_index;    /* 0.. */
    float logit;        /* as the model gave it */
    double probability; /* softmax of it over all classes, in f64 */
    const char *label;  /* lent by the classifier; UTF-8 as the model has it; NULL: it has none */
};

/*
 * Make a classifier of a model, which must outlive it. This plans and packs
 * weights, as fovea_session_create does: for batches of 1, 2, 4, ... up to
 * options->batch, which share weights, or of the model's own size.
 *
 * FOVEA_ERR_INVALID or FOVEA_ERR_UNSUPPORTED if the model is not one input
 * [N,3,H,W] of floats to logits [N,classes], or options contradict it;
 * FOVEA_ERR_FORMAT or FOVEA_ERR_INVALID for a bad recipe or labels; and what
 * fovea_session_create says.
 */
enum fovea_status fovea_classifier_create(const struct fovea_model *model,
                                          const struct fovea_classifier_options *options,
                                          struct fovea_classifier **out, struct fovea_error *err);
void fovea_classifier_destroy(struct fovea_classifier *classifier);

/* Classes, which is logits of an image. */
size_t fovea_classifier_n_classes(const struct fovea_classifier *classifier);

/* Most images that are run at once. */
size_t fovea_classifier_batch(const struct fovea_classifier *classifier);

/* Sides of the model's input in pixels. An image is 3 * width * height floats of it. */
void fovea_classifier_input_size(const struct fovea_classifier *classifier, int *width,
                                 int *height);

/* The precision in use, as fovea_session_precision. */
enum fovea_precision fovea_classifier_precision(const struct fovea_classifier *classifier);

/* The name of class `index`, or NULL. */
const char *fovea_classifier_get_label(const struct fovea_classifier *classifier, size_t index);

/* The recipe in use, as JSON (docs/recipes.md). */
const char *fovea_classifier_get_recipe(const struct fovea_classifier *classifier);

/*
 * What a person should know about how it came about, one sentence a line: parts
 * of the recipe that nobody said and that are guesses, configuration that was
 * passed over, a compiled file that was not used. NULL: nothing.
 */
const char *fovea_classifier_get_note(const struct fovea_classifier *classifier);

/*
 * One image: decode, prepare, run. The at most `k` likeliest classes go to
 * `results`, which has room for k, the likeliest first, of equal ones the lower
 * class; *n of them. JPEG as any decoder takes it: grey, colour or CMYK, of at
 * most 64 MiB.
 *
 * FOVEA_ERR_FORMAT for what is no JPEG, or broken or truncated (the message
 * names the byte); FOVEA_ERR_UNSUPPORTED for 12-bit, lossless, hierarchical
 * and JPEG-LS files; FOVEA_ERR_LIMIT over a limit of the options, before the
 * memory is taken; FOVEA_ERR_INVALID if a logit is NaN or infinite; and what
 * fovea_session_run says. The classifier is as before.
 */
enum fovea_status fovea_classify_jpeg(struct fovea_classifier *classifier, const void *bytes,
                                      size_t size, size_t k, struct fovea_result *results,
                                      size_t *n, const struct fovea_run_options *options,
                                      struct fovea_error *err);

/*
 * The same for pixels: rows top to bottom, R, G and B bytes of sRGB; row y
 * begins at y * row_bytes, which is at least 3 * width. Sides are 1..65535,
 * within max_pixels.
 */
enum fovea_status fovea_classify_rgb(struct fovea_classifier *classifier, const uint8_t *pixels,
                                     int width, int height, size_t row_bytes, size_t k,
                                     struct fovea_result *results, size_t *n,
                                     const struct fovea_run_options *options,
                                     struct fovea_error *err);

/*
 * The same in parts. Prepare one image: `out` has room for 3 * width * height
 * floats of fovea_classifier_input_size: planes of R, G and B, each row by
 * row, normalised; undefined after a failure.
 */
enum fovea_status fovea_classifier_preprocess_jpeg(const struct fovea_classifier *classifier,
                                                   const void *bytes, size_t size, float *out,
                                                   struct fovea_error *err);
enum fovea_status fovea_classifier_preprocess_rgb(const struct fovea_classifier *classifier,
                                                  const uint8_t *pixels, int width, int height,
                                                  size_t row_bytes, float *out,
                                                  struct fovea_error *err);

/*
 * Run `n` prepared images, one after the other in `images` as above; their
 * logits go to `logits`, [n, classes]. Any n: they are run in the batches that
 * the classifier is made for, the largest first (7 of a batch of 4: 4, 2, 1).
 * Which batch an image was in may change the last bits of its logits.
 */
enum fovea_status fovea_classifier_run(struct fovea_classifier *classifier, const float *images,
                                       size_t n, float *logits,
                                       const struct fovea_run_options *options,
                                       struct fovea_error *err);

/* From an image's logits to its at most `k` likeliest classes, as for fovea_classify_jpeg. */
enum fovea_status fovea_classifier_top(const struct fovea_classifier *classifier,
                                       const float *logits, size_t k, struct fovea_result *results,
                                       size_t *n, struct fovea_error *err);

#ifdef __cplusplus
}
#endif

#endif
