/*
 * Compiled files: the graph a session runs and its packed weights, stored, to
 * be mapped by the next start. docs/compiled-files.md tells what for; here is
 * how the bytes lie, all numbers little-endian:
 *
 *     0      header      64 bytes, struct fovea_compiled_header
 *     64     description origin, model, values, nodes (compiled_write.c)
 *                        zeros up to a page
 *     page   data        contents of constants and packed weights, each at a
 *                        multiple of 64 bytes, in no order that matters
 *     after  sums        8 bytes for each MiB of data: fovea_checksum_piece
 *
 * Where a part begins follows from the sizes of those before it; the file ends
 * with the last sum. Nothing in it is code, and nothing is trusted: what a
 * session needs to know of shapes it infers again.
 */
#ifndef FOVEA_LOADERS_COMPILED_H
#define FOVEA_LOADERS_COMPILED_H

#include "loaders/byte_reader.h"
#include "loaders/byte_writer.h"
#include "runtime/compiled.h"

/* Metadata keys of what was beside a checkpoint: config.json and preprocessor_config.json. */
#define FOVEA_CONFIG_KEY "fovea.config"
#define FOVEA_PREPROCESSOR_KEY "fovea.preprocessor_config"

#define FOVEA_COMPILED_MAGIC "\211FOVEA\r\n"

enum {
    FOVEA_COMPILED_FORMAT = 2,
    FOVEA_COMPILED_HEADER = 64,
    FOVEA_COMPILED_PAGE = 4096, /* where data begins: a multiple of this */
    FOVEA_COMPILED_NONE = -1,   /* in place of a value's number: an absent operand */
};

struct fovea_compiled_header {
    uint32_t format;
    uint64_t description_size, data_size;         /* data_size: a multiple of FOVEA_ALIGNMENT */
    uint64_t description_sum, sums_sum;           /* fovea_checksum of these parts */
    uint64_t data_offset, sums_offset, file_size; /* follow from the sizes; not stored */
};

/* Whether the file begins as a compiled file does. */
bool fovea_compiled_looks_like(const void *bytes, size_t size);

/* ---- writing: compiled_write.c ------------------------------------------ */

/* Bytes that go into the data part. */
struct fovea_compiled_blob {
    const void *bytes;
    size_t size;
    uint64_t offset; /* in the data part */
};

struct fovea_compiled_writer {
    struct fovea_byte_writer out; /* the description */
    struct fovea_compiled_blob *blobs;
    size_t n_blobs, room_blobs;
    uint64_t data_size;
    bool failed; /* out of memory for blobs */
};

/* Note bytes for the data part; where they will lie. */
uint64_t fovea_compiled_add_blob(struct fovea_compiled_writer *writer, const void *bytes,
                                 size_t size);

/* The parts of the description, in order. */
void fovea_compiled_write_origin(struct fovea_compiled_writer *writer,
                                 const struct fovea_origin *origin);
enum fovea_status fovea_compiled_write_graph(struct fovea_compiled_writer *writer,
                                             const struct fovea_graph *graph,
                                             struct fovea_error *err);

/* ---- reading ------------------------------------------------------------ */

/* A compiled file that is being read; everything in it is bounded by `data`. */
struct fovea_compiled_reader {
    struct fovea_byte_reader in; /* the description */
    const unsigned char *data;
    uint64_t data_size;
    struct fovea_model *model;
    struct fovea_value **values; /* by number; malloc */
    size_t n_values;
};

/* ---- compiled_attr.c ---- */

/* Contents of `size` bytes in the data part, at an offset that is read; NULL after a failure. */
void *fovea_compiled_read_blob(struct fovea_compiled_reader *reader, const char *what,
                               uint64_t size);

/* A tensor with contents. */
void fovea_compiled_read_tensor(struct fovea_compiled_reader *reader, const char *what,
                                struct fovea_tensor *out);

/* All attributes of a node. */
void fovea_compiled_read_attrs(struct fovea_compiled_reader *reader, struct fovea_node *node);

/* Values and nodes into model->graph, and model->compiled->packed: compiled_graph.c. */
enum fovea_status fovea_compiled_read_graph(struct fovea_compiled_reader *reader);

/* Origin and plan, which say whether the rest is of use; then all that follows: compiled_model.c.
 */
enum fovea_status fovea_compiled_read_plan(struct fovea_compiled_reader *reader);
enum fovea_status fovea_compiled_read_model(struct fovea_compiled_reader *reader);

/* ---- loading: compiled_load.c ------------------------------------------- */

/*
 * Fill a model (with nothing but a path) from the mapped file, which it takes.
 * If the file is sound but of another build or for another CPU, *out is the
 * original model, with a note that says so; otherwise it is `model`. `model`
 * is destroyed where it is not *out, on failure as well.
 */
enum fovea_status fovea_compiled_load(struct fovea_model *model, struct fovea_mapping *file,
                                      const struct fovea_load_options *options,
                                      struct fovea_model **out, struct fovea_error *err);

/*
 * Load the original of a compiled file at `path`: compiled_origin.c. What
 * `options` do not ask for of a checkpoint is as the compiled file has it.
 */
enum fovea_status fovea_origin_load(const struct fovea_origin *origin, const char *path,
                                    const struct fovea_load_options *options,
                                    struct fovea_model **out, struct fovea_error *err);

/*
 * FOVEA_ERR_INVALID if the original is where it was, but is not what it was.
 * An original that is not there any more is no failure; one that cannot be looked at now is.
 */
enum fovea_status fovea_origin_check(const struct fovea_origin *origin, const char *path,
                                     struct fovea_error *err);

#endif
