/*
 * Writing a model as ONNX: see onnx_save.h. Sizes come first, for a message
 * begins with its length; then contents go to their file one at a time.
 */
#include "loaders/onnx_save.h"

#include "loaders/new_file.h"
#include "loaders/onnx_names.h"
#include "loaders/onnx_write.h"
#include "runtime/folded.h"
#include "runtime/tensor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MODEL_IR_VERSION = 1,
    MODEL_PRODUCER = 2,
    MODEL_PRODUCER_VERSION = 3,
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    MODEL_METADATA = 14,
    GRAPH_NODE = 1,
    GRAPH_NAME = 2,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    IR_VERSION = 8, /* what came with opset 15; readers of opset 18 know it */
    ALIGN_SMALL = 64,
    ALIGN_LARGE = 4096, /* so that readers can map it */
    LARGE = 1 << 16,
    EXTERNAL_LEAST = 1024, /* shapes and scalars stay in the model */
};

/* One initializer. */
struct item {
    const struct fovea_value *value;
    struct fovea_tensor t; /* as written; data only if it is as it lies there */
    uint64_t bytes, offset;
    bool external;
};

struct save {
    const struct fovea_model *model;
    const struct fovea_onnx_save_options *options;
    struct fovea_folded folded;
    struct fovea_arena arena;
    const char *const *names;      /* of values, by number */
    const char *const *node_names; /* in the graph's order */
    struct item *items;
    size_t n_items;
    uint64_t data_bytes;         /* of the file beside the model */
    char *location;              /* its name, or NULL: there is none */
    struct fovea_new_file *file; /* being written */
    const struct item *item;     /* being written */
};

/* ---- initializers ---------------------------------------------------------------- */

static bool is_initializer(const struct save *s, const struct fovea_value *value) {
    bool read = value->is_output;
    for (size_t i = 0; !read && i < value->n_uses; i++) {
        read = !fovea_folded_has_node(&s->folded, value->uses[i].node);
    }
    return read && (value->constant || s->folded.computed[value->number]);
}

static void describe_item(const struct save *s, const struct fovea_value *value,
                          struct item *item) {
    *item = (struct item){.value = value, .t = value->t};
    if (s->folded.computed[value->number]) {
        item->t = *fovea_folded_shape(&s->folded, value);
        item->t.data = NULL;
    }
    if (s->model->built && fovea_dtype_is_half(item->t.dtype)) {
        item->t.dtype = FOVEA_F32;
        item->t.data = NULL;
    }
    item->bytes = fovea_tensor_bytes(&item->t);
}

/* Oldest first. */
static enum fovea_status list_items(struct save *s, struct fovea_error *err) {
    const struct fovea_graph *graph = &s->model->graph;
    uint64_t total = 0;
    s->items = calloc(graph->n_values + 1, sizeof(*s->items));
    if (!s->items) {
        return fovea_fail_memory(err, graph->n_values * sizeof(*s->items), "initializers");
    }
    for (const struct fovea_value *value = graph->values; value; value = value->next) {
        if (is_initializer(s, value)) {
            describe_item(s, value, &s->items[s->n_items]);
            total += s->items[s->n_items++].bytes;
        }
    }
    for (size_t i = 0; i < s->n_items / 2; i++) {
        struct item swapped = s->items[i];
        s->items[i] = s->items[s->n_items - 1 - i];
        s->items[s->n_items - 1 - i] = swapped;
    }
    for (size_t i = 0; total > s->options->inline_most && i < s->n_items; i++) {
        struct item *item = &s->items[i];
        uint64_t align = item->bytes >= LARGE ? ALIGN_LARGE : ALIGN_SMALL;
        item->external = item->bytes >= EXTERNAL_LEAST;
        if (item->external) {
            item->offset = (s->data_bytes + align - 1) / align * align;
            s->data_bytes = item->offset + item->bytes;
        }
    }
    return FOVEA_OK;
}

/* ---- contents ---------------------------------------------------------------------- */

static enum fovea_status write_as_f32(struct save *s, const struct fovea_tensor *t,
                                      struct fovea_error *err) {
    enum { PIECE = 2048 };
    float piece[PIECE];
    int64_t count = fovea_tensor_count(t);
    size_t size = fovea_dtype_size(t->dtype);
    enum fovea_status st = FOVEA_OK;
    for (int64_t at = 0; !st && at < count; at += PIECE) {
        int64_t n = count - at < PIECE ? count - at : PIECE;
        fovea_convert(t->dtype, (const char *)t->data + (size_t)at * size, FOVEA_F32, piece, n);
        st = fovea_new_file_write(s->file, piece, (size_t)n * sizeof(*piece), err);
    }
    return st;
}

static enum fovea_status write_tensor(void *context, const struct fovea_tensor *t,
                                      struct fovea_error *err) {
    struct save *s = context;
    if (t->dtype != s->item->t.dtype) {
        return write_as_f32(s, t, err);
    }
    return s->item->bytes ? fovea_new_file_write(s->file, t->data, s->item->bytes, err) : FOVEA_OK;
}

static enum fovea_status write_contents(struct save *s, const struct item *item,
                                        struct fovea_error *err) {
    s->item = item;
    if (s->folded.computed[item->value->number]) {
        return fovea_folded_evaluate(&s->folded, item->value, write_tensor, s, err);
    }
    return write_tensor(s, &item->value->t, err);
}

static enum fovea_status write_padding(struct save *s, uint64_t from, uint64_t to,
                                       struct fovea_error *err) {
    static const char zeros[ALIGN_LARGE];
    return fovea_new_file_write(s->file, zeros, (size_t)(to - from), err);
}

static enum fovea_status write_data(struct save *s, const char *path, struct fovea_error *err) {
    struct fovea_new_file file;
    uint64_t at = 0;
    enum fovea_status st = fovea_new_file_init(&file, path, s->model, err);
    if (st) {
        return st;
    }
    s->file = &file;
    for (size_t i = 0; !st && i < s->n_items; i++) {
        const struct item *item = &s->items[i];
        if (item->external) {
            st = write_padding(s, at, item->offset, err);
            st = st ? st : write_contents(s, item, err);
            at = item->offset + item->bytes;
        }
    }
    st = st ? st : fovea_new_file_keep(&file, err);
    fovea_new_file_finish(&file);
    s->file = NULL;
    return st;
}

/* ---- the model ------------------------------------------------------------------------ */

static void make_tensor(const struct save *s, const struct item *item,
                        struct fovea_byte_writer *out) {
    struct fovea_onnx_place place = {item->external ? s->location : NULL, item->offset};
    fovea_onnx_write_tensor(out, s->names[item->value->number], &item->t, item->bytes, &place);
}

static enum fovea_status make_nodes(const struct save *s, struct fovea_byte_writer *out,
                                    struct fovea_error *err) {
    const struct fovea_graph *graph = &s->model->graph;
    struct fovea_byte_writer message = {0};
    enum fovea_status st = FOVEA_OK;
    const char *const *name = s->node_names;
    for (const struct fovea_node *node = graph->first; !st && node; node = node->next, name++) {
        if (!fovea_folded_has_node(&s->folded, node)) {
            st = fovea_onnx_write_node(&message, node, *name, s->names, err);
            fovea_pb_message(out, GRAPH_NODE, &message);
        }
    }
    fovea_pb_text(out, GRAPH_NAME, "fovea");
    for (size_t i = 0; i < graph->n_inputs; i++) {
        fovea_onnx_write_io(&message, s->model->inputs[i].name, &s->model->inputs[i]);
        fovea_pb_message(out, GRAPH_INPUT, &message);
    }
    for (size_t i = 0; i < graph->n_outputs; i++) {
        fovea_onnx_write_io(&message, s->model->outputs[i].name, &s->model->outputs[i]);
        fovea_pb_message(out, GRAPH_OUTPUT, &message);
    }
    return st;
}

static bool is_replaced(const struct save *s, const char *key) {
    for (size_t i = 0; i < s->options->n_metadata; i++) {
        if (strcmp(s->options->metadata[i].key, key) == 0) {
            return true;
        }
    }
    return false;
}

static void make_entry(struct fovea_byte_writer *out, const struct fovea_metadata *entry) {
    struct fovea_byte_writer message = {0};
    fovea_onnx_write_entry(&message, entry->key, entry->value);
    fovea_pb_message(out, MODEL_METADATA, &message);
}

/* What follows the graph. */
static void make_tail(const struct save *s, struct fovea_byte_writer *out) {
    struct fovea_byte_writer message = {0};
    fovea_onnx_write_opset(&message, "", s->model->graph.opset);
    fovea_pb_message(out, MODEL_OPSET, &message);
    for (size_t i = 0; i < s->model->n_metadata; i++) {
        if (!is_replaced(s, s->model->metadata[i].key)) {
            make_entry(out, &s->model->metadata[i]);
        }
    }
    for (size_t i = 0; i < s->options->n_metadata; i++) {
        make_entry(out, &s->options->metadata[i]);
    }
}

/* All of the graph's length: `nodes` are made, contents only counted. */
static uint64_t graph_length(const struct save *s, const struct fovea_byte_writer *nodes) {
    uint64_t length = nodes->size;
    for (size_t i = 0; i < s->n_items; i++) {
        struct fovea_byte_writer tensor = {0}, head = {0};
        make_tensor(s, &s->items[i], &tensor);
        uint64_t size = tensor.size + (s->items[i].external ? 0 : s->items[i].bytes);
        fovea_pb_head(&head, GRAPH_INITIALIZER, size);
        length += head.size + size;
        fovea_byte_writer_finish(&tensor);
        fovea_byte_writer_finish(&head);
    }
    return length;
}

static enum fovea_status flush(struct save *s, struct fovea_byte_writer *w,
                               struct fovea_error *err) {
    enum fovea_status st = w->failed ? fovea_fail_memory(err, w->size, "a message")
                                     : fovea_new_file_write(s->file, w->bytes, w->size, err);
    fovea_byte_writer_finish(w);
    *w = (struct fovea_byte_writer){0};
    return st;
}

static enum fovea_status write_items(struct save *s, struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    for (size_t i = 0; !st && i < s->n_items; i++) {
        const struct item *item = &s->items[i];
        struct fovea_byte_writer tensor = {0}, head = {0};
        make_tensor(s, item, &tensor);
        fovea_pb_head(&head, GRAPH_INITIALIZER, tensor.size + (item->external ? 0 : item->bytes));
        head.failed |= tensor.failed;
        st = flush(s, &head, err);
        st = st ? st : flush(s, &tensor, err);
        st = st || item->external ? st : write_contents(s, item, err);
        fovea_byte_writer_finish(&tensor);
    }
    return st;
}

static enum fovea_status write_parts(struct save *s, struct fovea_byte_writer *nodes,
                                     uint64_t *bytes, struct fovea_error *err) {
    struct fovea_byte_writer head = {0}, tail = {0};
    uint64_t length = graph_length(s, nodes);
    fovea_pb_number(&head, MODEL_IR_VERSION, IR_VERSION);
    fovea_pb_text(&head, MODEL_PRODUCER, "Fovea");
    fovea_pb_text(&head, MODEL_PRODUCER_VERSION, FOVEA_VERSION);
    fovea_pb_head(&head, MODEL_GRAPH, length);
    make_tail(s, &tail);
    *bytes = head.size + length + tail.size + s->data_bytes;
    enum fovea_status st = flush(s, &head, err);
    st = st ? st : flush(s, nodes, err);
    st = st ? st : write_items(s, err);
    st = st ? st : flush(s, &tail, err);
    fovea_byte_writer_finish(&tail);
    return st;
}

static enum fovea_status write_model(struct save *s, const char *path, uint64_t *bytes,
                                     struct fovea_error *err) {
    struct fovea_new_file file;
    struct fovea_byte_writer nodes = {0};
    enum fovea_status st = make_nodes(s, &nodes, err);
    if (st) {
        fovea_byte_writer_finish(&nodes);
        return st;
    }
    st = fovea_new_file_init(&file, path, s->model, err);
    if (!st) {
        s->file = &file;
        st = write_parts(s, &nodes, bytes, err);
        st = st ? st : fovea_new_file_keep(&file, err);
        fovea_new_file_finish(&file);
        s->file = NULL;
    }
    fovea_byte_writer_finish(&nodes);
    return st;
}

/* Writes the file of external data beside path, and notes its name for the nodes. */
static enum fovea_status save_data(struct save *s, const char *path, struct fovea_error *err) {
    char *data_path;
    if (asprintf(&data_path, "%s.data", path) < 0) {
        return fovea_fail_memory(err, strlen(path), "a path");
    }
    const char *slash = strrchr(data_path, '/');
    const char *name = slash ? slash + 1 : data_path;
    s->location = fovea_arena_copy_text(&s->arena, name, strlen(name));
    enum fovea_status st = s->location ? write_data(s, data_path, err)
                                       : fovea_fail_memory(err, strlen(name), "a path");
    free(data_path);
    return st;
}

static enum fovea_status save(struct save *s, const char *path, uint64_t *bytes,
                              struct fovea_error *err) {
    enum fovea_status st = fovea_onnx_names(&s->model->graph, &s->arena, &s->names, err);
    if (!st) {
        st = fovea_onnx_node_names(&s->model->graph, &s->arena, &s->node_names, err);
    }
    if (!st) {
        st = list_items(s, err);
    }
    if (!st && s->data_bytes > 0) {
        st = save_data(s, path, err);
    }
    return st ? st : write_model(s, path, bytes, err);
}

enum fovea_status fovea_onnx_save(const struct fovea_model *model, const char *path,
                                  const struct fovea_onnx_save_options *options, uint64_t *bytes,
                                  struct fovea_error *err) {
    struct save s = {.model = model, .options = options};
    if (model->compiled) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "a compiled model cannot be converted; its original can");
    }
    enum fovea_status st =
        fovea_folded_init(&s.folded, &model->graph, options->fold, options->max_memory, err);
    if (st) {
        return st;
    }
    st = save(&s, path, bytes, err);
    free(s.items);
    fovea_arena_finish(&s.arena);
    fovea_folded_finish(&s.folded);
    return st;
}
