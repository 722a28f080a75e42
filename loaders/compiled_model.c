/*
 * What a compiled file says of its origin, its plan and its model: see
 * compiled.h. Texts stay in the mapped file.
 */
#include "loaders/compiled.h"
#include "ops/registry.h"
#include "runtime/limits.h"
#include "runtime/tensor.h"

#include <stdio.h>
#include <string.h>

static void read_files(struct fovea_compiled_reader *reader, struct fovea_origin *origin) {
    struct fovea_byte_reader *in = &reader->in;
    enum { LEAST = 77 };
    origin->n_files = fovea_read_count(in, "the number of files of the original", LEAST,
                                       FOVEA_LIMIT_EXTERNAL_FILES + 2);
    struct fovea_origin_file *files =
        fovea_arena_alloc(&reader->model->graph.arena, origin->n_files + 1, sizeof(*files));
    if (!files) {
        in->status = fovea_fail_memory(in->err, origin->n_files * sizeof(*files), "files");
        return;
    }
    origin->files = files;
    for (size_t i = 0; i < origin->n_files; i++) {
        struct fovea_origin_file *file = &files[i];
        file->location = fovea_read_text(in, "a file's location", FOVEA_LIMIT_NAME);
        file->id.device = fovea_read_u64(in, "a device");
        file->id.inode = fovea_read_u64(in, "an inode");
        file->id.size = fovea_read_u64(in, "a size");
        file->id.modified_ns = fovea_read_i64(in, "a time");
        file->id.changed_ns = fovea_read_i64(in, "a time");
        const unsigned char *digest = fovea_read_bytes(in, "a digest", sizeof(file->sha256));
        if (digest) {
            memcpy(file->sha256, digest, sizeof(file->sha256));
        }
    }
}

static void read_origin(struct fovea_compiled_reader *reader) {
    struct fovea_byte_reader *in = &reader->in;
    struct fovea_origin *origin = &reader->model->compiled->origin;
    origin->version = fovea_read_text(in, "the library's version", FOVEA_LIMIT_NAME);
    origin->build = fovea_read_text(in, "the library's build", FOVEA_LIMIT_NAME);
    origin->dnn = fovea_read_text(in, "oneDNN's version", FOVEA_LIMIT_NAME);
    origin->isa = fovea_read_text(in, "the CPU's instruction set", FOVEA_LIMIT_NAME);
    origin->beside = fovea_read_text(in, "the original's path", FOVEA_LIMIT_NAME);
    origin->path = fovea_read_text(in, "the original's path", FOVEA_LIMIT_NAME);
    origin->load_options = fovea_read_text(in, "the original's options", FOVEA_LIMIT_NAME);
    origin->threads = (int)(fovea_read_u32(in, "threads") & INT32_MAX);
    read_files(reader, origin);
}

static void read_plan(struct fovea_compiled_reader *reader) {
    struct fovea_byte_reader *in = &reader->in;
    struct fovea_model *model = reader->model;
    struct fovea_arena *arena = &model->graph.arena;
    model->planned_options = fovea_read_text(in, "the options", FOVEA_OPTIONS_TEXT);
    size_t n = fovea_read_count(in, "the number of inputs", 3, FOVEA_LIMIT_TENSORS);
    struct fovea_tensor *planned = fovea_arena_alloc(arena, n + 1, sizeof(*planned));
    bool *decides = fovea_arena_alloc(arena, n + 1, sizeof(*decides));
    model->inputs = fovea_arena_alloc(arena, n + 1, sizeof(*model->inputs));
    model->graph.inputs = fovea_arena_alloc(arena, n + 1, sizeof(*model->graph.inputs));
    if (!planned || !decides || !model->inputs || !model->graph.inputs) {
        in->status = fovea_fail_memory(in->err, n * sizeof(*planned), "inputs");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        fovea_read_shape(in, "an input", &planned[i]);
        decides[i] = fovea_read_flag(in, "whether an input decides shapes");
    }
    model->planned_inputs = planned;
    model->compiled->decides_shapes = decides;
    model->graph.n_inputs = n;
}

/* ---- what the model says of itself -------------------------------------- */

static void read_io(struct fovea_compiled_reader *reader, struct fovea_io *io, bool any_rank) {
    struct fovea_byte_reader *in = &reader->in;
    io->name = fovea_read_text(in, "a name", FOVEA_LIMIT_NAME);
    fovea_read_open_shape(in, "a shape", any_rank, &io->dtype, &io->rank, io->dims);
    for (int d = 0; d < io->rank; d++) {
        const char *name = fovea_read_text(in, "a dimension's name", FOVEA_LIMIT_NAME);
        io->dim_names[d] = name[0] ? name : NULL;
    }
}

static void read_metadata(struct fovea_compiled_reader *reader) {
    struct fovea_byte_reader *in = &reader->in;
    struct fovea_model *model = reader->model;
    size_t n = fovea_read_count(in, "the number of metadata", 10, FOVEA_LIMIT_TENSORS);
    model->metadata = fovea_arena_alloc(&model->graph.arena, n + 1, sizeof(*model->metadata));
    if (!model->metadata) {
        in->status = fovea_fail_memory(in->err, n * sizeof(*model->metadata), "metadata");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        model->metadata[i].key = fovea_read_text(in, "a key", in->size);
        model->metadata[i].value = fovea_read_text(in, "a value", in->size);
    }
    model->n_metadata = n;
}

static void read_model(struct fovea_compiled_reader *reader) {
    struct fovea_byte_reader *in = &reader->in;
    struct fovea_model *model = reader->model;
    size_t at = in->at;
    uint32_t opset = fovea_read_u32(in, "the opset");
    if (!in->status && (opset < FOVEA_OPSET_MIN || opset > FOVEA_OPSET_MAX)) {
        fovea_reader_fail(in, at, "opset %lu is outside %d to %d", (unsigned long)opset,
                          FOVEA_OPSET_MIN, FOVEA_OPSET_MAX);
    }
    model->graph.opset = (int)(opset & INT16_MAX);
    model->ir_version = fovea_read_i64(in, "the IR version");
    model->producer = fovea_read_text(in, "the producer", in->size);
    model->n_nodes_loaded = (size_t)fovea_read_u64(in, "the number of nodes");
    model->n_parameters = fovea_read_i64(in, "the number of parameters");
    model->parameter_bytes = (size_t)fovea_read_u64(in, "the size of parameters");
    model->compiled->macs = fovea_read_i64(in, "the work");
    read_metadata(reader);
    for (size_t i = 0; !in->status && i < model->graph.n_inputs; i++) {
        read_io(reader, &model->inputs[i], false);
    }
    size_t n = fovea_read_count(in, "the number of outputs", 6, FOVEA_LIMIT_TENSORS);
    model->outputs = fovea_arena_alloc(&model->graph.arena, n + 1, sizeof(*model->outputs));
    model->graph.outputs =
        fovea_arena_alloc(&model->graph.arena, n + 1, sizeof(*model->graph.outputs));
    if (!in->status && (!model->outputs || !model->graph.outputs)) {
        in->status = fovea_fail_memory(in->err, n * sizeof(*model->outputs), "outputs");
    }
    for (size_t i = 0; !in->status && i < n; i++) {
        read_io(reader, &model->outputs[i], true);
    }
    model->graph.n_outputs = n;
}

static void read_notes(struct fovea_compiled_reader *reader, struct fovea_pass_log *log) {
    struct fovea_byte_reader *in = &reader->in;
    log->n_dropped = (size_t)fovea_read_u64(in, "a count");
    size_t n = fovea_read_count(in, "the number of notes", 7,
                                log->n_results > 0 ? FOVEA_MAX_PASS_NOTES : 0);
    log->notes = fovea_arena_alloc(&reader->model->graph.arena, n + 1, sizeof(*log->notes));
    if (!log->notes) {
        in->status = fovea_fail_memory(in->err, n * sizeof(*log->notes), "notes");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct fovea_pass_note *note = &log->notes[i];
        unsigned pass = fovea_read_choice(in, "a note's pass", (unsigned)log->n_results - 1);
        note->pass = log->results[pass].name;
        note->fired = fovea_read_flag(in, "whether a pass fired");
        const char *text = fovea_read_text(in, "a note", sizeof(note->text) - 1);
        snprintf(note->text, sizeof(note->text), "%s", text);
    }
    log->n_notes = n;
}

static void read_passes(struct fovea_compiled_reader *reader) {
    struct fovea_byte_reader *in = &reader->in;
    struct fovea_pass_log *log = &reader->model->compiled->pass_log;
    size_t n = fovea_read_count(in, "the number of passes", 21, FOVEA_MAX_PASSES);
    for (size_t i = 0; i < n; i++) {
        struct fovea_pass_result *result = &log->results[i];
        result->name = fovea_read_text(in, "a pass's name", FOVEA_LIMIT_NAME);
        result->count = (size_t)fovea_read_u64(in, "a count");
        result->misses = (size_t)fovea_read_u64(in, "a count");
    }
    log->n_results = n;
    read_notes(reader, log);
}

enum fovea_status fovea_compiled_read_plan(struct fovea_compiled_reader *reader) {
    read_origin(reader);
    read_plan(reader);
    return reader->in.status;
}

enum fovea_status fovea_compiled_read_model(struct fovea_compiled_reader *reader) {
    read_model(reader);
    read_passes(reader);
    return reader->in.status ? reader->in.status : fovea_compiled_read_graph(reader);
}
