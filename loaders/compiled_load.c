/*
 * Loading a compiled file: is it whole, is it ours, is its original as it was?
 * Only then is the rest of it looked at.
 */
#include "loaders/arch_options.h"
#include "loaders/compiled.h"
#include "loaders/mapped_file.h"
#include "ops/registry.h"
#include "runtime/build_id.h"
#include "runtime/checksum.h"
#include "runtime/dnn.h"
#include "runtime/limits.h"
#include "runtime/parallel.h"
#include "runtime/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool fovea_compiled_looks_like(const void *bytes, size_t size) {
    return size >= 8 && memcmp(bytes, FOVEA_COMPILED_MAGIC, 8) == 0;
}

/* ---- the header --------------------------------------------------------- */

static uint64_t round_up(uint64_t number, uint64_t multiple) {
    return (number + multiple - 1) / multiple * multiple;
}

/* Sizes are below 2^62, so that sums of a few cannot overflow. */
static enum fovea_status check_sizes(struct fovea_byte_reader *in, struct fovea_compiled_header *h,
                                     uint64_t file_size) {
    const uint64_t most = (uint64_t)1 << 62;
    if (h->description_size > most || h->data_size > most || h->data_size % FOVEA_ALIGNMENT != 0) {
        return fovea_reader_fail(in, 16,
                                 "the parts have %llu and %llu bytes; the most is 2^62, and the "
                                 "second is a multiple of %d",
                                 (unsigned long long)h->description_size,
                                 (unsigned long long)h->data_size, FOVEA_ALIGNMENT);
    }
    h->data_offset = round_up(FOVEA_COMPILED_HEADER + h->description_size, FOVEA_COMPILED_PAGE);
    h->sums_offset = h->data_offset + h->data_size;
    h->file_size =
        h->sums_offset + round_up(h->data_size, FOVEA_CHECKSUM_PIECE) / FOVEA_CHECKSUM_PIECE * 8;
    if (h->file_size != file_size) {
        return fovea_reader_fail(in, 16, "the file should have %llu bytes; it has %llu",
                                 (unsigned long long)h->file_size, (unsigned long long)file_size);
    }
    return FOVEA_OK;
}

static enum fovea_status read_header(const struct fovea_mapping *file,
                                     struct fovea_compiled_header *h, struct fovea_error *err) {
    struct fovea_byte_reader in = {.bytes = file->bytes, .size = file->length, .err = err};
    fovea_read_bytes(&in, "the magic", 8);
    h->format = fovea_read_u32(&in, "the format");
    uint64_t reserved = fovea_read_u32(&in, "a reserved number");
    h->description_size = fovea_read_u64(&in, "the description's size");
    h->data_size = fovea_read_u64(&in, "the data's size");
    h->description_sum = fovea_read_u64(&in, "the description's checksum");
    h->sums_sum = fovea_read_u64(&in, "the sums' checksum");
    reserved |= fovea_read_u64(&in, "a reserved number");
    uint64_t sum = fovea_read_u64(&in, "the header's checksum");
    if (in.status) {
        return in.status;
    }
    if (h->format != FOVEA_COMPILED_FORMAT) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "compiled in format %lu; this build reads %d: compile the model again",
                          (unsigned long)h->format, FOVEA_COMPILED_FORMAT);
    }
    if (sum != fovea_checksum(file->bytes, FOVEA_COMPILED_HEADER - 8) || reserved != 0) {
        return fovea_reader_fail(&in, 0, "the header is damaged: its checksum is wrong");
    }
    return check_sizes(&in, h, file->length);
}

/* As with ONNX: what reading takes is bounded by what there is to read. */
static enum fovea_status check_memory(const struct fovea_compiled_header *h, size_t max_memory,
                                      struct fovea_error *err) {
    size_t limit = max_memory ? max_memory : fovea_default_memory_limit();
    if (h->description_size > limit / FOVEA_LIMIT_AMPLIFICATION) {
        return fovea_fail(err, FOVEA_ERR_LIMIT,
                          "reading a description of %llu bytes may take %d times that, over the "
                          "limit of %zu",
                          (unsigned long long)h->description_size, FOVEA_LIMIT_AMPLIFICATION,
                          limit);
    }
    return FOVEA_OK;
}

/* ---- is it whole? ------------------------------------------------------- */

struct data_check {
    const unsigned char *data, *sums;
    uint64_t size;
    int64_t *wrong; /* by thread: the first piece that is damaged, or -1 */
};

static void check_pieces(void *context, int64_t begin, int64_t end, int thread) {
    const struct data_check *c = context;
    for (int64_t i = begin; i < end; i++) {
        uint64_t at = (uint64_t)i * FOVEA_CHECKSUM_PIECE, left = c->size - at;
        size_t size = left < FOVEA_CHECKSUM_PIECE ? (size_t)left : FOVEA_CHECKSUM_PIECE;
        struct fovea_byte_reader in = {.bytes = c->sums + 8 * i, .size = 8};
        if (fovea_checksum_piece(c->data + at, size) != fovea_read_u64(&in, "a sum")) {
            c->wrong[thread] = i;
            return;
        }
    }
}

/* All threads go through the data once; this also brings its pages in. */
static enum fovea_status check_data(const struct fovea_compiled_header *h,
                                    const unsigned char *bytes, struct fovea_error *err) {
    int threads = fovea_parallel_threads();
    int64_t pieces = (int64_t)((h->file_size - h->sums_offset) / 8), first = -1;
    struct data_check check = {bytes + h->data_offset, bytes + h->sums_offset, h->data_size, NULL};
    check.wrong = malloc((size_t)threads * sizeof(*check.wrong));
    if (!check.wrong) {
        return fovea_fail_memory(err, (size_t)threads * sizeof(*check.wrong), "checking");
    }
    for (int i = 0; i < threads; i++) {
        check.wrong[i] = -1;
    }
    fovea_parallel_for(pieces, 1, check_pieces, &check);
    for (int i = threads; i-- > 0;) {
        first = check.wrong[i] >= 0 ? check.wrong[i] : first;
    }
    free(check.wrong);
    if (first < 0) {
        return FOVEA_OK;
    }
    return fovea_fail(
        err, FOVEA_ERR_FORMAT,
        "byte %llu: the MiB of data that begins here is damaged: its checksum is "
        "wrong; compile the model again",
        (unsigned long long)(h->data_offset + (uint64_t)first * FOVEA_CHECKSUM_PIECE));
}

static enum fovea_status check_whole(const struct fovea_compiled_header *h,
                                     const unsigned char *bytes, struct fovea_error *err) {
    size_t sums_size = (size_t)(h->file_size - h->sums_offset);
    if (fovea_checksum(bytes + FOVEA_COMPILED_HEADER,
                       (size_t)h->data_offset - FOVEA_COMPILED_HEADER) != h->description_sum) {
        return fovea_fail(err, FOVEA_ERR_FORMAT,
                          "byte %d: the description that begins here is damaged: its checksum is "
                          "wrong; compile the model again",
                          FOVEA_COMPILED_HEADER);
    }
    if (fovea_checksum(bytes + h->sums_offset, sums_size) != h->sums_sum) {
        return fovea_fail(err, FOVEA_ERR_FORMAT,
                          "byte %llu: the sums that begin here are damaged: their checksum is "
                          "wrong; compile the model again",
                          (unsigned long long)h->sums_offset);
    }
    return FOVEA_OK;
}

/* ---- does it fit here? -------------------------------------------------- */

/*
 * The side of the one square image that it was planned for; 0 if it was not. No tensor may have
 * bytes for a side over 2^23.
 */
static int planned_side(const struct fovea_model *model) {
    const struct fovea_tensor *t = model->planned_inputs;
    bool square = model->graph.n_inputs == 1 && t->rank == 4 && t->dims[2] == t->dims[3];
    return square ? (int)t->dims[2] : 0;
}

/* Why a checkpoint was taken for something else than is asked for; "" if it was not. */
static enum fovea_status compare_options(const struct fovea_model *model,
                                         const struct fovea_load_options *asked, char *why,
                                         size_t size, struct fovea_error *err) {
    struct fovea_arch_options known;
    why[0] = 0;
    if (!model->compiled->origin.load_options[0]) {
        return FOVEA_OK;
    }
    enum fovea_status st =
        fovea_arch_options_parse(model->compiled->origin.load_options, &known, err);
    if (!st) {
        known.size = known.size > 0 ? known.size : planned_side(model);
        fovea_arch_options_compare(&known, asked, why, size);
    }
    return st;
}

/* Why the plan cannot be used by this build on this CPU; "" if it can. */
static void compare_origin(const struct fovea_origin *origin, char *why, size_t size) {
    const struct {
        const char *what, *theirs, *ours;
    } rows[] = {
        {"Fovea", origin->version, FOVEA_VERSION},
        {"build", origin->build, fovea_build_id()},
        {"oneDNN", origin->dnn, fovea_dnn_build()},
        {"CPU", origin->isa, fovea_dnn_isa()},
    };
    why[0] = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].theirs, rows[i].ours) != 0) {
            snprintf(why, size, "it was compiled for %s %s; this is %s", rows[i].what,
                     fovea_quote(rows[i].theirs).text, rows[i].ours);
            return;
        }
    }
}

static enum fovea_status open_original(const struct fovea_model *compiled, struct fovea_model **out,
                                       struct fovea_error *err) {
    const struct fovea_compiled *c = compiled->compiled;
    struct fovea_load_options options;
    fovea_load_options_default(&options);
    options.allow_external_links = c->allow_external_links;
    return fovea_origin_load(&c->origin, compiled->path, &options, out, err);
}

/* What the compiled file was planned for is what to plan its original for, if nobody says else. */
static enum fovea_status copy_plan(const struct fovea_model *from, struct fovea_model *to,
                                   struct fovea_error *err) {
    size_t n = from->graph.n_inputs, length = strlen(from->planned_options);
    struct fovea_tensor *inputs = fovea_arena_alloc(&to->graph.arena, n + 1, sizeof(*inputs));
    char *options = fovea_arena_copy_text(&to->graph.arena, from->planned_options, length);
    if (!inputs || !options) {
        return fovea_fail_memory(err, n * sizeof(*inputs), "a plan");
    }
    for (size_t i = 0; i < n; i++) {
        inputs[i] = from->planned_inputs[i];
    }
    to->planned_inputs = n == to->graph.n_inputs ? inputs : NULL;
    to->planned_options = options;
    return FOVEA_OK;
}

static enum fovea_status replace(const struct fovea_model *model, const char *why,
                                 const struct fovea_load_options *options, struct fovea_model **out,
                                 struct fovea_error *err) {
    struct fovea_model *original;
    enum fovea_status st =
        fovea_origin_load(&model->compiled->origin, model->path, options, &original, err);
    if (st) {
        fovea_error_prefix(err, "%s", why);
        return st;
    }
    st = copy_plan(model, original, err);
    if (!st && asprintf(&original->note, "%s: %s; %s is planned anew", model->path, why,
                        original->path) < 0) {
        original->note = NULL;
        st = fovea_fail_memory(err, strlen(why), "a note");
    }
    if (st) {
        fovea_model_destroy(original);
        return st;
    }
    *out = original;
    return FOVEA_OK;
}

/* ---- loading ------------------------------------------------------------ */

/* Origin and plan, then (if they fit) the rest. `out` stays NULL if the model itself serves. */
static enum fovea_status read_all(struct fovea_compiled_reader *reader,
                                  const struct fovea_compiled_header *header,
                                  const unsigned char *bytes,
                                  const struct fovea_load_options *options,
                                  struct fovea_model **out, struct fovea_error *err) {
    char why[256];
    struct fovea_model *model = reader->model;
    enum fovea_status st = fovea_compiled_read_plan(reader);
    if (!st) {
        st = fovea_origin_check(&model->compiled->origin, model->path, err);
    }
    if (!st) {
        st = compare_options(model, options, why, sizeof(why), err);
    }
    if (st) {
        return st;
    }
    if (!why[0]) {
        compare_origin(&model->compiled->origin, why, sizeof(why));
    }
    if (why[0]) {
        return replace(model, why, options, out, err);
    }
    int former = fovea_parallel_set_threads(fovea_cpu_budget());
    st = check_data(header, bytes, err);
    fovea_parallel_set_threads(former);
    return st ? st : fovea_compiled_read_model(reader);
}

static enum fovea_status load(struct fovea_model *model, struct fovea_mapping *file,
                              const struct fovea_load_options *options, struct fovea_model **out,
                              struct fovea_error *err) {
    struct fovea_compiled_header header = {0};
    const unsigned char *bytes = file->bytes;
    model->mappings = calloc(1, sizeof(*model->mappings));
    if (!model->mappings) {
        fovea_mapping_finish(file);
        return fovea_fail_memory(err, sizeof(*model->mappings), "a mapping");
    }
    model->mappings[model->n_mappings++] = *file;
    fovea_graph_init(&model->graph, fovea_op_find, 0);
    enum fovea_status st = read_header(file, &header, err);
    if (!st) {
        st = check_memory(&header, options->max_memory, err);
    }
    if (!st) {
        st = check_whole(&header, bytes, err);
    }
    if (!st) {
        st = fovea_compiled_create(model, open_original, err);
    }
    if (st) {
        return st;
    }
    model->compiled->allow_external_links = options->allow_external_links;
    struct fovea_compiled_reader reader = {
        .in = {.bytes = bytes + FOVEA_COMPILED_HEADER,
               .size = (size_t)header.description_size,
               .start = FOVEA_COMPILED_HEADER,
               .err = err},
        .data = bytes + header.data_offset,
        .data_size = header.data_size,
        .model = model,
    };
    st = read_all(&reader, &header, bytes, options, out, err);
    free(reader.values);
    return st;
}

enum fovea_status fovea_compiled_load(struct fovea_model *model, struct fovea_mapping *file,
                                      const struct fovea_load_options *options,
                                      struct fovea_model **out, struct fovea_error *err) {
    struct fovea_model *other = NULL;
    enum fovea_status st = load(model, file, options, &other, err);
    if (st || other) {
        fovea_model_destroy(model);
    }
    if (!st) {
        *out = other ? other : model;
    }
    return st;
}
