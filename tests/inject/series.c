/* See series.h. */
#include "tests/inject/series.h"

#include "runtime/compiled.h"
#include "runtime/graph.h"
#include "tests/compiled_draft.h"
#include "tests/onnx_parts.h"
#include "tests/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* CHUNK: what an arena asks for at a time; STEP: what it hands out is a multiple of that. */
enum { CHUNK = 64 * 1024, STEP = 16, LARGE = 70000 };

static char *letters(size_t count) {
    static char text[2 * CHUNK];
    memset(text, 'n', count);
    text[count] = 0;
    return text;
}

/* ---- parts of models ---------------------------------------------------- */

static void add_metadata(struct pb *pb, const char *key, const char *value) {
    size_t entry = pb_begin(pb, 14);
    pb_text(pb, 1, key);
    pb_text(pb, 2, value);
    pb_end(pb, entry);
}

static void add_weight(struct pb *pb, const char *name) {
    size_t tensor = onnx_tensor_begin(pb, name, ONNX_FLOAT, 0, NULL);
    pb_float(pb, 4, 1);
    pb_end(pb, tensor);
}

static void add_external(struct pb *pb, const char *name, const char *location,
                         const char *offset) {
    const char *const entries[][2] = {{"location", location}, {"offset", offset}};
    size_t tensor = onnx_tensor_begin(pb, name, ONNX_FLOAT, 1, (const int64_t[]){4});
    pb_int(pb, 14, 1);
    for (int i = 0; i < 2; i++) {
        size_t entry = pb_begin(pb, 13);
        pb_text(pb, 1, entries[i][0]);
        pb_text(pb, 2, entries[i][1]);
        pb_end(pb, entry);
    }
    pb_end(pb, tensor);
}

/* Attributes that are texts, and a tensor of four bools. */
static void add_texts(struct pb *pb) {
    size_t node = onnx_node_begin(pb, "Identity", "texts", "x", "t"), attr = pb_begin(pb, 5);
    pb_text(pb, 1, "one");
    pb_text(pb, 4, "text");
    pb_end(pb, attr);
    attr = pb_begin(pb, 5);
    pb_text(pb, 1, "more");
    pb_text(pb, 9, "a");
    pb_text(pb, 9, "b");
    pb_end(pb, attr);
    attr = pb_begin(pb, 5);
    pb_text(pb, 1, "tensor");
    pb_bytes(pb, 5, "\x08\x04\x10\x09\x4a\x04\1\0\1\1", 10);
    pb_end(pb, attr);
    pb_end(pb, node);
}

/* Weights whose values and names leave just `room` bytes of a graph's chunk. */
static void fill_chunk(struct pb *pb, size_t room) {
    enum { WEIGHTS = 16, VALUE = (sizeof(struct fovea_value) + STEP - 1) / STEP * STEP };
    size_t left = CHUNK - room;
    for (size_t i = 0; i < WEIGHTS; i++) {
        size_t bytes = left / (WEIGHTS - i) / STEP * STEP - VALUE;
        char *name = letters(bytes - 1);
        name[0] = (char)('a' + i);
        add_weight(pb, name);
        left -= bytes + VALUE;
    }
}

/*
 * A node with a graph that has an input and an output of its own, and brings `n` inputs of the
 * graph around in; with `room` > 0, there is just so much for all but weights.
 */
static void add_branch(struct pb *pb, int n, size_t room) {
    size_t node = onnx_node_begin(pb, "If", "branch", "x", "z"), attr = pb_begin(pb, 5);
    pb_text(pb, 1, "then_branch");
    size_t graph = pb_begin(pb, 6);
    if (room > 0) {
        fill_chunk(pb, room);
    }
    for (int i = 0; i < n; i++) {
        char in[8], out[8];
        snprintf(in, sizeof(in), "v%d", i);
        snprintf(out, sizeof(out), "u%d", i);
        onnx_node(pb, "Identity", "", in, out);
    }
    onnx_value(pb, 11, "own", ONNX_FLOAT, 0, NULL);
    onnx_value(pb, 12, "u0", ONNX_FLOAT, 0, NULL);
    pb_end(pb, graph);
    pb_end(pb, attr);
    pb_end(pb, node);
}

static void begin_model(struct onnx_parts *parts, int n_inputs) {
    onnx_parts_init(parts);
    for (int i = 0; i < n_inputs; i++) {
        char name[8];
        snprintf(name, sizeof(name), "v%d", i);
        onnx_value(&parts->inputs, 11, name, ONNX_FLOAT, 2, (const int64_t[]){-1, 3});
    }
}

static const char *write_model(struct onnx_parts *parts, const char *name) {
    struct pb pb = {0};
    onnx_parts_encode(parts, &pb);
    const char *path = temp_write(name, pb.bytes, pb.size);
    pb_finish(&pb);
    onnx_parts_finish(parts);
    return path;
}

/* ---- models ------------------------------------------------------------- */

/* Where the whole of a model just fits, and what is added to it does not. */
enum { ARENA_FILES = 290, ARENA_FULL = 276 };

/* All that the arena of a model has, after a text that leaves less and less room for it. */
static void make_arena(struct onnx_parts *parts, size_t index) {
    begin_model(parts, 2);
    add_metadata(&parts->tail, "filler", letters(CHUNK - 64 - STEP * index));
    add_metadata(&parts->tail, "key", "value");
    add_texts(&parts->nodes);
    add_branch(&parts->nodes, 2, 0);
    add_weight(&parts->initializers, "weight");
}

static const char *write_arena(size_t index) {
    struct onnx_parts parts;
    make_arena(&parts, index);
    return write_model(&parts, "arena.onnx");
}

/* The same of a graph within. */
static const char *write_branch(size_t index) {
    struct onnx_parts parts;
    begin_model(&parts, 3);
    add_branch(&parts.nodes, 3, STEP * (index + 1));
    return write_model(&parts, "branch.onnx");
}

/* Names are listed in memory that doubles: before weights, results, inputs. */
static const char *write_names(size_t index) {
    struct onnx_parts parts;
    begin_model(&parts, 2);
    for (size_t i = 0; i < 59 + index; i++) {
        char name[8];
        snprintf(name, sizeof(name), "w%zu", i);
        add_weight(&parts.initializers, name);
    }
    return write_model(&parts, "names.onnx");
}

/* So many entries that the list of them is a chunk by itself. */
static const char *write_metadata(size_t index) {
    struct onnx_parts parts;
    (void)index;
    begin_model(&parts, 0);
    for (size_t i = 0; i <= CHUNK / STEP; i++) {
        add_metadata(&parts.tail, "", "");
    }
    return write_model(&parts, "metadata.onnx");
}

/* Contents that stay in the file, or in others, and that are copied from there. */
static const char *write_contents(size_t index) {
    struct onnx_parts parts;
    (void)index;
    temp_write("one.bin", letters(64), 64);
    temp_write("two.bin", letters(64), 64);
    begin_model(&parts, 0);
    size_t tensor =
        onnx_tensor_begin(&parts.initializers, "large", ONNX_UINT8, 1, (const int64_t[]){LARGE});
    pb_bytes(&parts.initializers, 9, letters(LARGE), LARGE);
    pb_end(&parts.initializers, tensor);
    add_external(&parts.initializers, "a", "one.bin", "4");
    add_external(&parts.initializers, "b", "two.bin", "3");
    add_external(&parts.initializers, "c", "one.bin", "8");
    return write_model(&parts, "contents.onnx");
}

static const char *write_tensor(size_t index) {
    (void)index;
    return temp_write("tensor.pb",
                      "\x08\x02\x10\x01\x42\x04name\x4a\x08"
                      "12345678",
                      20);
}

/* ---- compiled files ----------------------------------------------------- */

static const char *write_draft(struct compiled_draft *draft) {
    const char *path = temp_path("series.fovea");
    compiled_draft_write(draft, path);
    compiled_draft_finish(draft);
    return path;
}

static void add_attrs(struct compiled_draft *draft) {
    struct fovea_byte_writer *out = &draft->attrs;
    fovea_write_text(out, "strings");
    fovea_write_u8(out, 6);
    fovea_write_u32(out, 1);
    fovea_write_text(out, "one");
    fovea_write_text(out, "ints");
    fovea_write_u8(out, 5);
    fovea_write_u32(out, 1);
    fovea_write_i64(out, 1);
    draft->n_attrs = 2;
}

/* Entries of metadata take the room; what is read before them is the same every time. */
static const char *write_compiled(size_t index) {
    struct compiled_draft draft;
    compiled_draft_init(&draft);
    draft.n_metadata = CHUNK / STEP - 20 - index;
    add_attrs(&draft);
    return write_draft(&draft);
}

/*
 * Files of the original take it, so that of four lists for the inputs one, another for each file,
 * is the first that does not fit.
 */
static const char *write_compiled_inputs(size_t index) {
    enum { N = DRAFT_MOST_INPUTS, FILE_BYTES = sizeof(struct fovea_origin_file) };
    const size_t sizes[] = {sizeof(struct fovea_tensor), sizeof(bool), sizeof(struct fovea_io)};
    size_t room = 0;
    for (size_t i = 0; i < index; i++) {
        room += ((N + 1) * sizes[i] + STEP - 1) / STEP * STEP;
    }
    struct compiled_draft draft;
    compiled_draft_init(&draft);
    draft.n_files = (CHUNK - room) / FILE_BYTES - 1;
    draft.n_inputs = N;
    for (size_t i = 1; i < draft.n_inputs; i++) {
        draft.planned[i] = draft.planned[0];
        draft.inputs[i] = (int)draft.n_values;
        draft.values[draft.n_values++] = draft.values[0];
    }
    return write_draft(&draft);
}

/* Another version's, so that the original, of the first series, is planned anew. */
static const char *write_replaced(size_t index) {
    struct compiled_draft draft;
    write_arena(ARENA_FULL + index);
    compiled_draft_init(&draft);
    draft.version = "0.0.0";
    draft.beside = "arena.onnx";
    draft.files[0] = "";
    draft.digests[0] = temp_path("arena.onnx");
    draft.n_files = 1;
    return write_draft(&draft);
}

/* A checkpoint's, which has got a configuration, or had one. */
static const char *write_checkpoint(size_t index) {
    struct compiled_draft draft;
    temp_write("weights.npz", "", 0);
    temp_write("config.json", "{}", 2);
    compiled_draft_init(&draft);
    draft.load_options = "size=0;heads=0;head-type=;positions=;gelu=;ws-eps=";
    draft.beside = "weights.npz";
    draft.files[0] = "config.json";
    draft.digests[0] = temp_path("config.json");
    draft.n_files = index;
    return write_draft(&draft);
}

const struct series series[] = {
    {"arena", "model", ARENA_FILES, 70, false, write_arena},
    {"branch", "model", 190, 40, false, write_branch},
    {"names", "model", 8, 40, false, write_names},
    {"metadata", "model", 1, 60, false, write_metadata},
    {"contents", "model", 1, 0, true, write_contents},
    {"tensor", "tensor", 1, 0, true, write_tensor},
    {"compiled", "model", 160, 25, false, write_compiled},
    {"compiled-inputs", "model", 4, 0, false, write_compiled_inputs},
    {"original", "model", 1, 0, true, write_replaced},
    {"replaced", "model", 40, 12, false, write_replaced},
    {"checkpoint", "model", 2, 0, true, write_checkpoint},
    {NULL, NULL, 0, 0, false, NULL},
};
