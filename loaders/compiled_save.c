/*
 * Writing a compiled file (fovea.h): description first in memory, then header,
 * description, data and sums into a file of another name, which takes the
 * asked name only when all of it is on the disk.
 */
#include "loaders/arch.h"
#include "loaders/beside.h"
#include "loaders/compiled.h"
#include "loaders/file_digest.h"
#include "loaders/mapped_file.h"
#include "loaders/new_file.h"
#include "loaders/paths.h"
#include "loaders/recipe_file.h"
#include "runtime/build_id.h"
#include "runtime/checksum.h"
#include "runtime/dnn.h"
#include "runtime/session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct saving {
    const struct fovea_session *session;
    const struct fovea_model *model;
    struct fovea_compiled_writer writer;
    struct fovea_origin origin;
    char *beside, *path;
    struct fovea_metadata configs[2]; /* what a checkpoint has beside it; malloc */
    size_t n_configs;
    size_t description_size; /* writer.out has zeros up to a page behind it */
    struct fovea_byte_writer sums;
};

/* ---- where it is from --------------------------------------------------- */

/*
 * A file that was written within the clock's grain of being examined can be
 * written again without showing it. What changed so lately is not to be known
 * by its times.
 */
static void distrust_if_recent(struct fovea_file_id *id) {
    enum { GRAIN = 2 };
    int64_t now = (int64_t)time(NULL);
    if (id->changed_ns / 1000000000 + GRAIN > now || id->modified_ns / 1000000000 + GRAIN > now) {
        id->changed_ns = id->modified_ns = 0;
    }
}

static enum fovea_status digest_source(struct saving *s, const struct fovea_source *source,
                                       struct fovea_origin_file *out, struct fovea_error *err) {
    char *path = fovea_path_of_source(s->model->path, source->location);
    if (!path) {
        return fovea_fail_memory(err, strlen(source->location), "a path");
    }
    out->location = source->location;
    enum fovea_status st = fovea_file_digest(path, out->sha256, &out->id, err);
    if (!st && !fovea_file_id_same(&out->id, &source->id)) {
        st = fovea_fail(err, FOVEA_ERR_INVALID, "changed since the model was loaded");
    }
    if (st) {
        fovea_error_prefix(err, "%s", path);
    }
    distrust_if_recent(&out->id);
    free(path);
    return st;
}

static enum fovea_status find_origin(struct saving *s, const char *to, struct fovea_error *err) {
    struct fovea_origin *origin = &s->origin;
    size_t n = s->model->n_sources;
    if (n == 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "the session's model is no file that could be compiled");
    }
    struct fovea_origin_file *files = calloc(n, sizeof(*files));
    s->beside = fovea_path_relative(to, s->model->path);
    s->path = realpath(s->model->path, NULL);
    if (!files || !s->beside || !s->path) {
        free(files);
        return fovea_fail(err, FOVEA_ERR_IO, "there is no way from its folder to the model %s",
                          s->model->path);
    }
    *origin = (struct fovea_origin){
        .version = FOVEA_VERSION,
        .build = fovea_build_id(),
        .dnn = fovea_dnn_build(),
        .isa = fovea_dnn_isa(),
        .beside = s->beside,
        .path = s->path,
        .load_options = s->model->load_options ? s->model->load_options : "",
        .files = files,
        .n_files = n,
        .threads = fovea_session_get_threads(s->session),
    };
    enum fovea_status st = FOVEA_OK;
    for (size_t i = 0; !st && i < n; i++) {
        st = digest_source(s, &s->model->sources[i], &files[i], err);
    }
    return st;
}

/* ---- what is beside a checkpoint ---------------------------------------- */

/*
 * Recipe and labels lie beside a checkpoint, so that they would be lost where the compiled file is
 * without them. What is no recipe is passed over, as it is beside the checkpoint.
 */
static enum fovea_status keep_config(struct saving *s, const char *name, const char *key,
                                     struct fovea_error *err) {
    struct fovea_recipe recipe;
    struct fovea_error why;
    uint8_t *bytes;
    size_t size;
    enum fovea_status st = fovea_beside_read(s->model->path, name, &bytes, &size, &why, err);
    if (st || !bytes) {
        return st;
    }
    st = fovea_recipe_parse_config((char *)bytes, size, FOVEA_FROM_CONFIG, &recipe, &why);
    char *text = st ? NULL : strndup((char *)bytes, size);
    if (text) {
        s->configs[s->n_configs++] = (struct fovea_metadata){key, text};
    }
    free(bytes);
    return st == FOVEA_ERR_MEMORY || (!st && !text)
               ? fovea_fail_memory(err, size, "a configuration")
               : FOVEA_OK;
}

static enum fovea_status keep_configs(struct saving *s, struct fovea_error *err) {
    if (!s->model->load_options) {
        return FOVEA_OK;
    }
    enum fovea_status st = keep_config(s, FOVEA_ARCH_CONFIG, FOVEA_CONFIG_KEY, err);
    return st ? st : keep_config(s, "preprocessor_config.json", FOVEA_PREPROCESSOR_KEY, err);
}

/* ---- the description ---------------------------------------------------- */

static void write_plan(struct saving *s) {
    struct fovea_byte_writer *out = &s->writer.out;
    const struct fovea_graph *graph = fovea_session_get_graph(s->session);
    fovea_write_text(out, fovea_session_get_options_text(s->session));
    fovea_write_u32(out, graph->n_inputs);
    for (size_t i = 0; i < graph->n_inputs; i++) {
        const struct fovea_tensor *t = &graph->inputs[i]->t;
        fovea_write_shape(out, t->dtype, t->rank, t->dims);
        fovea_write_u8(out, graph->inputs[i]->constant);
    }
}

static void write_io(struct fovea_byte_writer *out, const struct fovea_io *io) {
    fovea_write_text(out, io->name);
    fovea_write_shape(out, io->dtype, io->rank, io->dims);
    for (int d = 0; d < io->rank; d++) {
        fovea_write_text(out, io->dim_names[d] ? io->dim_names[d] : "");
    }
}

static void write_model(struct saving *s) {
    const struct fovea_model *m = s->model;
    struct fovea_byte_writer *out = &s->writer.out;
    fovea_write_u32(out, (uint32_t)m->graph.opset);
    fovea_write_i64(out, m->ir_version);
    fovea_write_text(out, m->producer);
    fovea_write_u64(out, m->n_nodes_loaded);
    fovea_write_i64(out, m->n_parameters);
    fovea_write_u64(out, m->parameter_bytes);
    fovea_write_i64(out, fovea_session_get_macs(s->session));
    fovea_write_u32(out, m->n_metadata + s->n_configs);
    for (size_t i = 0; i < m->n_metadata; i++) {
        fovea_write_text(out, m->metadata[i].key);
        fovea_write_text(out, m->metadata[i].value);
    }
    for (size_t i = 0; i < s->n_configs; i++) {
        fovea_write_text(out, s->configs[i].key);
        fovea_write_text(out, s->configs[i].value);
    }
    for (size_t i = 0; i < m->graph.n_inputs; i++) {
        write_io(out, &m->inputs[i]);
    }
    fovea_write_u32(out, m->graph.n_outputs);
    for (size_t i = 0; i < m->graph.n_outputs; i++) {
        write_io(out, &m->outputs[i]);
    }
}

/* Notes name their pass by the result's own name. */
static unsigned pass_number(const struct fovea_pass_log *log, const char *name) {
    unsigned i = 0;
    while (i + 1 < log->n_results && log->results[i].name != name) {
        i++;
    }
    return i;
}

static void write_passes(struct saving *s) {
    const struct fovea_pass_log *log = fovea_session_get_pass_log(s->session);
    struct fovea_byte_writer *out = &s->writer.out;
    fovea_write_u32(out, log->n_results);
    for (size_t i = 0; i < log->n_results; i++) {
        fovea_write_text(out, log->results[i].name);
        fovea_write_u64(out, log->results[i].count);
        fovea_write_u64(out, log->results[i].misses);
    }
    fovea_write_u64(out, log->n_dropped);
    fovea_write_u32(out, log->n_notes);
    for (size_t i = 0; i < log->n_notes; i++) {
        fovea_write_u8(out, pass_number(log, log->notes[i].pass));
        fovea_write_u8(out, log->notes[i].fired);
        fovea_write_text(out, log->notes[i].text);
    }
}

static enum fovea_status describe(struct saving *s, struct fovea_error *err) {
    static const unsigned char zeros[FOVEA_COMPILED_PAGE];
    fovea_compiled_write_origin(&s->writer, &s->origin);
    write_plan(s);
    write_model(s);
    write_passes(s);
    enum fovea_status st =
        fovea_compiled_write_graph(&s->writer, fovea_session_get_graph(s->session), err);
    s->description_size = s->writer.out.size;
    size_t rest = (FOVEA_COMPILED_HEADER + s->description_size) % FOVEA_COMPILED_PAGE;
    fovea_write_bytes(&s->writer.out, zeros, rest > 0 ? FOVEA_COMPILED_PAGE - rest : 0);
    if (!st && (s->writer.out.failed || s->writer.failed)) {
        st = fovea_fail_memory(err, s->writer.out.size, "the description of a compiled model");
    }
    return st;
}

/* ---- the file ----------------------------------------------------------- */

/* The data part goes through a buffer of one piece, whose sum is taken before it is written. */
struct pieces {
    struct fovea_new_file *file;
    struct fovea_byte_writer *sums;
    unsigned char *buffer;
    size_t filled;
};

static enum fovea_status flush_piece(struct pieces *p, struct fovea_error *err) {
    if (p->filled == 0) {
        return FOVEA_OK;
    }
    fovea_write_u64(p->sums, fovea_checksum_piece(p->buffer, p->filled));
    size_t size = p->filled;
    p->filled = 0;
    return fovea_new_file_write(p->file, p->buffer, size, err);
}

/* Add bytes, or zeros for NULL. */
static enum fovea_status add_data(struct pieces *p, const unsigned char *bytes, size_t size,
                                  struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    while (!st && size > 0) {
        size_t room = FOVEA_CHECKSUM_PIECE - p->filled, n = size < room ? size : room;
        if (bytes) {
            memcpy(p->buffer + p->filled, bytes, n);
            bytes += n;
        } else {
            memset(p->buffer + p->filled, 0, n);
        }
        p->filled += n;
        size -= n;
        if (p->filled == FOVEA_CHECKSUM_PIECE) {
            st = flush_piece(p, err);
        }
    }
    return st;
}

static enum fovea_status write_data(struct saving *s, struct fovea_new_file *file,
                                    struct fovea_error *err) {
    struct pieces p = {.file = file, .sums = &s->sums, .buffer = malloc(FOVEA_CHECKSUM_PIECE)};
    enum fovea_status st = FOVEA_OK;
    if (!p.buffer) {
        return fovea_fail_memory(err, FOVEA_CHECKSUM_PIECE, "writing");
    }
    for (size_t i = 0; !st && i < s->writer.n_blobs; i++) {
        const struct fovea_compiled_blob *blob = &s->writer.blobs[i];
        size_t rest = blob->size % FOVEA_ALIGNMENT;
        st = add_data(&p, blob->bytes, blob->size, err);
        if (!st && rest > 0) {
            st = add_data(&p, NULL, FOVEA_ALIGNMENT - rest, err);
        }
    }
    if (!st) {
        st = flush_piece(&p, err);
    }
    free(p.buffer);
    return st;
}

static void write_header(const struct saving *s, struct fovea_byte_writer *out) {
    fovea_write_bytes(out, FOVEA_COMPILED_MAGIC, 8);
    fovea_write_u32(out, FOVEA_COMPILED_FORMAT);
    fovea_write_u32(out, 0);
    fovea_write_u64(out, s->description_size);
    fovea_write_u64(out, s->writer.data_size);
    fovea_write_u64(out, fovea_checksum(s->writer.out.bytes, s->writer.out.size));
    fovea_write_u64(out, fovea_checksum(s->sums.bytes, s->sums.size));
    fovea_write_u64(out, 0);
    fovea_write_u64(out, fovea_checksum(out->bytes, out->size));
}

static enum fovea_status write_file(struct saving *s, struct fovea_new_file *file,
                                    struct fovea_error *err) {
    static const unsigned char zeros[FOVEA_COMPILED_HEADER];
    const struct fovea_byte_writer *description = &s->writer.out;
    struct fovea_byte_writer header = {0};
    enum fovea_status st = fovea_new_file_write(file, zeros, FOVEA_COMPILED_HEADER, err);
    if (!st) {
        st = fovea_new_file_write(file, description->bytes, description->size, err);
    }
    if (!st) {
        st = write_data(s, file, err);
    }
    if (!st) {
        st = fovea_new_file_write(file, s->sums.bytes, s->sums.size, err);
    }
    write_header(s, &header);
    if (!st && (header.failed || s->sums.failed)) {
        st = fovea_fail_memory(err, s->sums.size, "checksums");
    }
    if (!st) {
        st = fovea_new_file_write_start(file, header.bytes, header.size, err);
    }
    fovea_byte_writer_finish(&header);
    return st;
}

static enum fovea_status save(struct saving *s, const char *path, struct fovea_error *err) {
    struct fovea_new_file file;
    enum fovea_status st = fovea_new_file_init(&file, path, s->model, err);
    if (st) {
        return st;
    }
    st = find_origin(s, path, err);
    if (!st) {
        st = keep_configs(s, err);
    }
    if (!st) {
        st = describe(s, err);
    }
    if (!st) {
        st = write_file(s, &file, err);
    }
    if (!st) {
        st = fovea_new_file_keep(&file, err);
    }
    fovea_new_file_finish(&file);
    return st;
}

enum fovea_status fovea_session_save(const struct fovea_session *session, const char *path,
                                     struct fovea_error *err) {
    struct saving s = {.session = session, .model = fovea_session_get_model(session)};
    if (s.model->compiled) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "%s: is compiled already", s.model->path);
    }
    if (s.model->built && !s.model->load_options) {
        return fovea_fail(
            err, FOVEA_ERR_UNSUPPORTED,
            "cannot compile %s: its weights are made up, so there is no file that the "
            "compiled one could be of",
            s.model->path);
    }
    if (s.model->placeless) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "cannot compile %s: a compiled file names the files of its original, "
                          "which is loaded by its path",
                          s.model->path);
    }
    if (!fovea_session_can_run(session)) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "cannot compile to %s: the session was only planned", path);
    }
    enum fovea_status st = save(&s, path, err);
    if (st) {
        fovea_error_prefix(err, "cannot compile to %s", path);
    }
    fovea_byte_writer_finish(&s.writer.out);
    fovea_byte_writer_finish(&s.sums);
    free(s.writer.blobs);
    free((void *)s.origin.files);
    for (size_t i = 0; i < s.n_configs; i++) {
        free((char *)s.configs[i].value);
    }
    free(s.beside);
    free(s.path);
    return st;
}
