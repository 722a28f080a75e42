/*
 * A graph as bytes: values, then nodes, which name values by their numbers.
 *
 * Written are the values that nodes, inputs and outputs use, in the order in
 * which they are met. compiled_graph.c reads the same fields in the same order.
 */
#include "loaders/compiled.h"

#include <stdlib.h>
#include <string.h>

struct graph_writer {
    struct fovea_compiled_writer *writer;
    const struct fovea_graph *graph;
    int64_t *numbers;                  /* by value->number; FOVEA_COMPILED_NONE: not met */
    const struct fovea_value **values; /* in the new order */
    size_t n_values;
};

/* ---- blobs -------------------------------------------------------------- */

static bool reserve_blob(struct fovea_compiled_writer *writer) {
    if (writer->n_blobs < writer->room_blobs) {
        return true;
    }
    size_t room = writer->room_blobs ? writer->room_blobs * 2 : 64;
    struct fovea_compiled_blob *blobs = realloc(writer->blobs, room * sizeof(*blobs));
    if (!blobs) {
        writer->failed = true;
        return false;
    }
    writer->blobs = blobs;
    writer->room_blobs = room;
    return true;
}

uint64_t fovea_compiled_add_blob(struct fovea_compiled_writer *writer, const void *bytes,
                                 size_t size) {
    /* Sessions share packed weights between nodes; so does the file. */
    for (size_t i = 0; i < writer->n_blobs && i < 4096; i++) {
        if (writer->blobs[i].bytes == bytes && writer->blobs[i].size == size) {
            return writer->blobs[i].offset;
        }
    }
    if (!reserve_blob(writer)) {
        return 0;
    }
    struct fovea_compiled_blob *blob = &writer->blobs[writer->n_blobs++];
    *blob = (struct fovea_compiled_blob){bytes, size, writer->data_size};
    writer->data_size += (size + FOVEA_ALIGNMENT - 1) / FOVEA_ALIGNMENT * FOVEA_ALIGNMENT;
    return blob->offset;
}

static void write_tensor(struct fovea_compiled_writer *writer, const struct fovea_tensor *t) {
    fovea_write_shape(&writer->out, t->dtype, t->rank, t->dims);
    fovea_write_u64(&writer->out, fovea_compiled_add_blob(writer, t->data, fovea_tensor_bytes(t)));
}

/* ---- values ------------------------------------------------------------- */

static void meet(struct graph_writer *w, const struct fovea_value *value) {
    if (value && w->numbers[value->number] == FOVEA_COMPILED_NONE) {
        w->numbers[value->number] = (int64_t)w->n_values;
        w->values[w->n_values++] = value;
    }
}

static void meet_all(struct graph_writer *w) {
    for (size_t i = 0; i < w->graph->n_values; i++) {
        w->numbers[i] = FOVEA_COMPILED_NONE;
    }
    for (size_t i = 0; i < w->graph->n_inputs; i++) {
        meet(w, w->graph->inputs[i]);
    }
    for (const struct fovea_node *node = w->graph->first; node; node = node->next) {
        for (int i = 0; i < node->n_in; i++) {
            meet(w, node->in[i]);
        }
        for (int i = 0; i < node->n_out; i++) {
            meet(w, node->out[i]);
        }
    }
    for (size_t i = 0; i < w->graph->n_outputs; i++) {
        meet(w, w->graph->outputs[i]);
    }
}

static enum fovea_status write_value(struct graph_writer *w, const struct fovea_value *value,
                                     struct fovea_error *err) {
    struct fovea_byte_writer *out = &w->writer->out;
    bool contents = value->constant && !fovea_value_is_packed(value);
    if (contents && !value->t.data && fovea_tensor_bytes(&value->t) > 0) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "constant '%s' has no contents to store",
                          fovea_quote(value->name).text);
    }
    fovea_write_text(out, value->name);
    fovea_write_u8(out, value->layout);
    fovea_write_u8(out, value->constant);
    fovea_write_u8(out, contents);
    if (contents) {
        write_tensor(w->writer, &value->t);
    } else {
        fovea_write_shape(out, value->t.dtype, value->t.rank, value->t.dims);
    }
    return FOVEA_OK;
}

static void write_number(struct graph_writer *w, const struct fovea_value *value) {
    int64_t number = value ? w->numbers[value->number] : FOVEA_COMPILED_NONE;
    fovea_write_u32(&w->writer->out, (uint32_t)number);
}

/* ---- nodes -------------------------------------------------------------- */

static void write_attr(struct fovea_compiled_writer *writer, const struct fovea_attr *attr) {
    struct fovea_byte_writer *out = &writer->out;
    fovea_write_text(out, attr->name);
    fovea_write_u8(out, attr->kind);
    switch (attr->kind) {
    case FOVEA_ATTR_FLOAT:
        fovea_write_f32(out, attr->f);
        break;
    case FOVEA_ATTR_INT:
        fovea_write_i64(out, attr->i);
        break;
    case FOVEA_ATTR_STRING:
        fovea_write_text(out, attr->s);
        break;
    case FOVEA_ATTR_TENSOR:
        write_tensor(writer, &attr->t);
        break;
    case FOVEA_ATTR_FLOATS:
        fovea_write_u32(out, attr->count);
        for (size_t i = 0; i < attr->count; i++) {
            fovea_write_f32(out, attr->floats[i]);
        }
        break;
    case FOVEA_ATTR_INTS:
        fovea_write_u32(out, attr->count);
        for (size_t i = 0; i < attr->count; i++) {
            fovea_write_i64(out, attr->ints[i]);
        }
        break;
    case FOVEA_ATTR_STRINGS:
        fovea_write_u32(out, attr->count);
        for (size_t i = 0; i < attr->count; i++) {
            fovea_write_text(out, attr->strings[i]);
        }
        break;
    default:
        break;
    }
}

static void write_epilogue(struct fovea_byte_writer *out, const struct fovea_node *node) {
    fovea_write_u8(out, (unsigned)node->n_epilogue);
    for (int i = 0; i < node->n_epilogue; i++) {
        const struct fovea_epilogue_step *step = &node->epilogue[i];
        fovea_write_u8(out, step->kind);
        fovea_write_u8(out, step->act);
        fovea_write_f32(out, step->alpha);
        fovea_write_f32(out, step->beta);
        fovea_write_f32(out, step->scale);
        fovea_write_u32(out, step->kind == FOVEA_EPILOGUE_ACT ? 0 : (uint32_t)step->input);
    }
}

static void write_packed(struct fovea_compiled_writer *writer, const struct fovea_node *node) {
    fovea_write_u64(&writer->out, node->packed_bytes);
    if (node->packed_bytes > 0) {
        fovea_write_u64(&writer->out, node->packed_form);
        fovea_write_u32(&writer->out, (uint32_t)node->packed_input);
        fovea_write_u64(&writer->out,
                        fovea_compiled_add_blob(writer, node->packed_data, node->packed_bytes));
    }
}

static void write_node(struct graph_writer *w, const struct fovea_node *node) {
    struct fovea_byte_writer *out = &w->writer->out;
    fovea_write_text(out, node->domain);
    fovea_write_text(out, node->type);
    fovea_write_text(out, node->name);
    fovea_write_u32(out, (uint32_t)node->n_in);
    fovea_write_u32(out, (uint32_t)node->n_out);
    for (int i = 0; i < node->n_in; i++) {
        write_number(w, node->in[i]);
    }
    for (int i = 0; i < node->n_out; i++) {
        write_number(w, node->out[i]);
    }
    fovea_write_u32(out, node->n_attrs);
    for (size_t i = 0; i < node->n_attrs; i++) {
        write_attr(w->writer, &node->attrs[i]);
    }
    write_epilogue(out, node);
    write_packed(w->writer, node);
}

/* ---- the graph ---------------------------------------------------------- */

static enum fovea_status write_all(struct graph_writer *w, struct fovea_error *err) {
    struct fovea_byte_writer *out = &w->writer->out;
    fovea_write_u32(out, w->n_values);
    for (size_t i = 0; i < w->n_values; i++) {
        enum fovea_status st = write_value(w, w->values[i], err);
        if (st) {
            return st;
        }
    }
    for (size_t i = 0; i < w->graph->n_inputs; i++) {
        write_number(w, w->graph->inputs[i]);
    }
    fovea_write_u32(out, w->graph->n_nodes);
    for (const struct fovea_node *node = w->graph->first; node; node = node->next) {
        write_node(w, node);
    }
    for (size_t i = 0; i < w->graph->n_outputs; i++) {
        write_number(w, w->graph->outputs[i]);
    }
    return FOVEA_OK;
}

enum fovea_status fovea_compiled_write_graph(struct fovea_compiled_writer *writer,
                                             const struct fovea_graph *graph,
                                             struct fovea_error *err) {
    struct graph_writer w = {.writer = writer, .graph = graph};
    size_t n = graph->n_values + 1;
    w.numbers = calloc(n, sizeof(*w.numbers));
    w.values = calloc(n, sizeof(*w.values));
    enum fovea_status st = FOVEA_OK;
    if (!w.numbers || !w.values) {
        st = fovea_fail_memory(err, n * sizeof(*w.numbers), "a graph's values");
    } else {
        meet_all(&w);
        st = write_all(&w, err);
    }
    free(w.numbers);
    free(w.values);
    return st;
}

/* ---- the origin --------------------------------------------------------- */

void fovea_compiled_write_origin(struct fovea_compiled_writer *writer,
                                 const struct fovea_origin *origin) {
    struct fovea_byte_writer *out = &writer->out;
    const char *const texts[] = {origin->version, origin->build, origin->dnn,         origin->isa,
                                 origin->beside,  origin->path,  origin->load_options};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fovea_write_text(out, texts[i]);
    }
    fovea_write_u32(out, (uint32_t)origin->threads);
    fovea_write_u32(out, origin->n_files);
    for (size_t i = 0; i < origin->n_files; i++) {
        const struct fovea_origin_file *file = &origin->files[i];
        fovea_write_text(out, file->location);
        fovea_write_u64(out, file->id.device);
        fovea_write_u64(out, file->id.inode);
        fovea_write_u64(out, file->id.size);
        fovea_write_i64(out, file->id.modified_ns);
        fovea_write_i64(out, file->id.changed_ns);
        fovea_write_bytes(out, file->sha256, sizeof(file->sha256));
    }
}
