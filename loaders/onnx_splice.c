/* A message without its large contents: see onnx_splice.h. */
#include "loaders/onnx_splice.h"

#include "loaders/onnx_schema.h"

#include <stdlib.h>
#include <string.h>

/* Lengths written before their message is known: five bytes, whatever they need. */
enum { LENGTH_BYTES = 5 };

enum { MODEL_GRAPH = 7, GRAPH_INITIALIZER = 5 };

struct splicer {
    const uint8_t *bytes; /* those scanned; checked again all the same: a file may be changed */
    struct fovea_onnx_splice out;
    size_t room, most_contents;
};

/* A field: tag, maybe length, contents; [start, end) with all of it. */
struct field {
    uint32_t number;
    unsigned wire;
    size_t start, contents, end;
};

/* ---- reading ------------------------------------------------------------ */

static bool read_varint(const uint8_t *bytes, size_t *at, size_t end, uint64_t *out) {
    uint64_t value = 0;
    for (int shift = 0; *at < end && shift < 70; shift += 7) {
        uint8_t byte = bytes[(*at)++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *out = value;
            return true;
        }
    }
    return false;
}

/* The field at `at` of a message that ends at `end`. */
static bool read_field(const uint8_t *bytes, size_t at, size_t end, struct field *out) {
    uint64_t tag, size = 0, ignored;
    out->start = at;
    if (!read_varint(bytes, &at, end, &tag)) {
        return false;
    }
    out->number = (uint32_t)(tag >> 3);
    out->wire = tag & 7;
    size_t value = at;
    if (out->wire == WIRE_VARINT
            ? !read_varint(bytes, &value, end, &ignored)
            : out->wire == WIRE_LENGTH && !read_varint(bytes, &at, end, &size)) {
        return false;
    }
    size = out->wire == WIRE_64 ? 8 : out->wire == WIRE_32 ? 4 : size;
    size = out->wire == WIRE_VARINT ? value - at : size;
    out->contents = at;
    out->end = at + (size_t)size;
    return size <= end - at;
}

static bool is_message(const struct field *field, uint32_t number) {
    return field->number == number && field->wire == WIRE_LENGTH;
}

/* ---- writing ------------------------------------------------------------ */

static bool put(struct splicer *s, const void *bytes, size_t size) {
    if (size > s->room - s->out.size) {
        return false;
    }
    memcpy(s->out.bytes + s->out.size, bytes, size);
    s->out.size += size;
    return true;
}

static bool copy_field(struct splicer *s, const struct field *field) {
    return put(s, s->bytes + field->start, field->end - field->start);
}

/* Tag and room for the length of a message; its contents begin at *begin. */
static bool begin_message(struct splicer *s, uint32_t number, size_t *begin) {
    const uint8_t head[1 + LENGTH_BYTES] = {(uint8_t)(number << 3 | WIRE_LENGTH)};
    bool ok = put(s, head, sizeof(head));
    *begin = s->out.size;
    return ok;
}

static void end_message(struct splicer *s, size_t begin) {
    uint8_t *to = s->out.bytes + begin - LENGTH_BYTES;
    size_t length = s->out.size - begin;
    for (int i = 0; i < LENGTH_BYTES; i++) {
        to[i] = (uint8_t)((length >> (7 * i) & 0x7f) | (i < LENGTH_BYTES - 1 ? 0x80 : 0));
    }
}

/* In place of the raw_data `field`. */
static bool put_mapped(struct splicer *s, const struct field *field) {
    uint32_t tag = FOVEA_ONNX_MAPPED << 3 | WIRE_32, index = (uint32_t)s->out.n_contents;
    uint8_t bytes[LENGTH_BYTES + 4];
    for (int i = 0; i < LENGTH_BYTES; i++) {
        bytes[i] = (uint8_t)((tag >> (7 * i) & 0x7f) | (i < LENGTH_BYTES - 1 ? 0x80 : 0));
    }
    memcpy(bytes + LENGTH_BYTES, &index, sizeof(index));
    if (s->out.n_contents == s->most_contents || !put(s, bytes, sizeof(bytes))) {
        return false;
    }
    s->out.contents[s->out.n_contents++] =
        (struct fovea_onnx_extent){field->contents, field->end - field->contents};
    return true;
}

/* ---- messages ----------------------------------------------------------- */

static bool is_large(const struct splicer *s, const struct field *tensor) {
    struct field field;
    for (size_t at = tensor->contents; at < tensor->end; at = field.end) {
        if (!read_field(s->bytes, at, tensor->end, &field)) {
            return false;
        }
        if (is_message(&field, FOVEA_ONNX_RAW_DATA)) {
            return fovea_onnx_stays_mapped(field.number, field.end - field.contents);
        }
    }
    return false;
}

static bool splice_tensor(struct splicer *s, const struct field *tensor) {
    struct field field = {0};
    size_t begin;
    if (!is_large(s, tensor)) {
        return copy_field(s, tensor);
    }
    bool ok = begin_message(s, GRAPH_INITIALIZER, &begin);
    for (size_t at = tensor->contents; ok && at < tensor->end; at = field.end) {
        ok = read_field(s->bytes, at, tensor->end, &field) &&
             (is_message(&field, FOVEA_ONNX_RAW_DATA) ? put_mapped(s, &field)
                                                      : copy_field(s, &field));
    }
    if (ok) {
        end_message(s, begin);
    }
    return ok;
}

static bool splice_graph(struct splicer *s, const struct field *graph) {
    struct field field = {0};
    size_t begin;
    bool ok = begin_message(s, MODEL_GRAPH, &begin);
    for (size_t at = graph->contents; ok && at < graph->end; at = field.end) {
        ok = read_field(s->bytes, at, graph->end, &field) &&
             (is_message(&field, GRAPH_INITIALIZER) ? splice_tensor(s, &field)
                                                    : copy_field(s, &field));
    }
    if (ok) {
        end_message(s, begin);
    }
    return ok;
}

static bool splice_model(struct splicer *s, size_t size) {
    struct field field = {0};
    bool ok = true;
    for (size_t at = 0; ok && at < size; at = field.end) {
        ok = read_field(s->bytes, at, size, &field) &&
             (is_message(&field, MODEL_GRAPH) ? splice_graph(s, &field) : copy_field(s, &field));
    }
    return ok;
}

/* ---- the whole ---------------------------------------------------------- */

enum fovea_status fovea_onnx_splice(const void *bytes, size_t size,
                                    const struct fovea_onnx_scan *scan,
                                    struct fovea_onnx_splice *out, struct fovea_error *err) {
    struct splicer s = {.bytes = bytes, .most_contents = scan->mapped};
    s.room = scan->splice_bytes;
    s.out.bytes = malloc(s.room);
    s.out.contents = calloc(scan->mapped + 1, sizeof(*s.out.contents));
    enum fovea_status st = FOVEA_OK;
    if (!s.out.bytes || !s.out.contents) {
        st = fovea_fail_memory(err, s.room, "unpacking the model");
    } else if (!splice_model(&s, size)) {
        st = fovea_fail(err, FOVEA_ERR_FORMAT, "the file changes while it is read");
    }
    if (st) {
        fovea_onnx_splice_finish(&s.out);
        return st;
    }
    *out = s.out;
    return FOVEA_OK;
}

void fovea_onnx_splice_finish(struct fovea_onnx_splice *splice) {
    free(splice->bytes);
    free(splice->contents);
    *splice = (struct fovea_onnx_splice){0};
}
