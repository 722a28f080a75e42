/* The scan before unpacking: see onnx_scan.h. */
#include "loaders/onnx_scan.h"

#include "loaders/onnx_fields.h"
#include "loaders/onnx_schema.h"

/*
 * Of a node: its limits are checked again, apart and with its name, when it is
 * converted, but by then all has been unpacked.
 */
enum { MOST_NODE_FIELDS = 2 * FOVEA_LIMIT_NODE_VALUES + FOVEA_LIMIT_NODE_ATTRS };

/* ---- memory that protobuf-c would take ---------------------------------- */

static enum fovea_status add_memory(struct fovea_onnx_walk *s, size_t bytes) {
    s->memory += bytes;
    if (s->memory <= s->memory_limit) {
        return FOVEA_OK;
    }
    return fovea_fail(s->err, FOVEA_ERR_LIMIT,
                      "byte %zu: unpacking the message up to here takes over %zu bytes of memory, "
                      "the limit",
                      s->at, s->memory_limit);
}

/* ---- messages within ---------------------------------------------------- */

static enum fovea_status count_message(struct fovea_onnx_walk *s,
                                       const ProtobufCMessageDescriptor *type) {
    if (type == &fovea_onnx__node_proto__descriptor && ++s->counts.nodes > FOVEA_LIMIT_NODES) {
        return fovea_fail(s->err, FOVEA_ERR_LIMIT, "byte %zu: over %d nodes, the limit", s->at,
                          FOVEA_LIMIT_NODES);
    }
    if (type == &fovea_onnx__tensor_proto__descriptor &&
        ++s->counts.tensors > FOVEA_LIMIT_TENSORS) {
        return fovea_fail(s->err, FOVEA_ERR_LIMIT, "byte %zu: over %d tensors, the limit", s->at,
                          FOVEA_LIMIT_TENSORS);
    }
    return FOVEA_OK;
}

static enum fovea_status push(struct fovea_onnx_walk *s, const ProtobufCMessageDescriptor *type,
                              size_t length, bool unpacked) {
    if (s->depth == FOVEA_LIMIT_NESTING) {
        return fovea_fail(s->err, FOVEA_ERR_LIMIT,
                          "byte %zu: messages are nested over %d deep, the limit", s->at,
                          FOVEA_LIMIT_NESTING);
    }
    enum fovea_status st = count_message(s, type);
    if (!st && unpacked) {
        st = add_memory(s, fovea_onnx_heap_bytes(type->sizeof_message));
    }
    if (st) {
        return st;
    }
    s->frames[s->depth++] =
        (struct fovea_onnx_frame){.type = type, .end = s->at + length, .unpacked = unpacked};
    return FOVEA_OK;
}

static enum fovea_status pop(struct fovea_onnx_walk *s) {
    struct fovea_onnx_frame *frame = fovea_onnx_frame_top(s);
    size_t lists = frame->deepest + (frame->unpacked ? fovea_onnx_list_bytes(frame->members) : 0);
    s->depth--;
    if (s->depth > 0) {
        struct fovea_onnx_frame *parent = fovea_onnx_frame_top(s);
        parent->deepest = parent->deepest > lists ? parent->deepest : lists;
        return FOVEA_OK;
    }
    return add_memory(s, lists);
}

/* ---- fields ------------------------------------------------------------- */

static enum fovea_status take_unknown(struct fovea_onnx_walk *s,
                                      const struct fovea_onnx_field *field) {
    struct fovea_onnx_frame *frame = fovea_onnx_frame_top(s);
    s->at += field->length;
    if (!frame->unpacked) {
        return FOVEA_OK;
    }
    size_t array = sizeof(ProtobufCMessageUnknownField);
    if (frame->unknown++ == 0) {
        array = fovea_onnx_heap_bytes(array);
    }
    return add_memory(s, array + fovea_onnx_heap_bytes(s->at - field->start));
}

/* Whether `field` is much raw_data of a model's initializer; it is counted then. */
static bool stays_mapped(struct fovea_onnx_walk *s, const struct fovea_onnx_field *field) {
    bool initializer = s->depth == 3 && s->frames[0].type == &fovea_onnx__model_proto__descriptor &&
                       s->frames[1].type == &fovea_onnx__graph_proto__descriptor &&
                       s->frames[2].type == &fovea_onnx__tensor_proto__descriptor;
    if (!initializer || !fovea_onnx_stays_mapped(field->known->id, field->length)) {
        return false;
    }
    s->counts.mapped++;
    s->counts.mapped_bytes += field->length;
    return true;
}

static enum fovea_status take_contents(struct fovea_onnx_walk *s,
                                       const struct fovea_onnx_field *field, size_t *count) {
    const ProtobufCMessageDescriptor *held =
        fovea_onnx_held_message(fovea_onnx_frame_top(s)->type, field->known);
    bool unpacked = fovea_onnx_frame_top(s)->unpacked;
    enum fovea_status st = FOVEA_OK;
    if (fovea_onnx_field_is_packed(field)) {
        return fovea_onnx_field_count(s, field, count);
    }
    if (field->known->type == PROTOBUF_C_TYPE_STRING) {
        st = fovea_onnx_field_check_text(s, field);
    }
    if (!st && unpacked && field->known->type != PROTOBUF_C_TYPE_MESSAGE &&
        !stays_mapped(s, field)) {
        st = add_memory(s, fovea_onnx_heap_bytes(field->length + 1));
    }
    if (st) {
        return st;
    }
    if (held) {
        return push(s, held, field->length,
                    unpacked && field->known->type == PROTOBUF_C_TYPE_MESSAGE);
    }
    s->at += field->length;
    return FOVEA_OK;
}

static enum fovea_status take_known(struct fovea_onnx_walk *s,
                                    const struct fovea_onnx_field *field) {
    struct fovea_onnx_frame *frame = fovea_onnx_frame_top(s);
    bool first;
    size_t count = 1;
    enum fovea_status st = fovea_onnx_field_check(s, field, &first);
    if (!st && field->wire == WIRE_LENGTH) {
        st = take_contents(s, field, &count);
    }
    if (st || !frame->unpacked || field->known->label != PROTOBUF_C_LABEL_REPEATED) {
        return st;
    }
    size_t bytes = count * fovea_onnx_element_bytes(field->known->type);
    return add_memory(s, first ? fovea_onnx_heap_bytes(bytes) : bytes);
}

static enum fovea_status take_field(struct fovea_onnx_walk *s) {
    struct fovea_onnx_field field = {0};
    enum fovea_status st = fovea_onnx_field_read(s, &field);
    if (st) {
        return st;
    }
    if (++fovea_onnx_frame_top(s)->members > MOST_NODE_FIELDS &&
        fovea_onnx_frame_top(s)->type == &fovea_onnx__node_proto__descriptor) {
        return fovea_fail(s->err, FOVEA_ERR_LIMIT,
                          "byte %zu: a node has over %d inputs, outputs and attributes, the limit",
                          field.start, MOST_NODE_FIELDS);
    }
    return field.known ? take_known(s, &field) : take_unknown(s, &field);
}

/* The message without what stays mapped, if anything does. */
static enum fovea_status add_splice(struct fovea_onnx_walk *s, size_t size) {
    enum { ADDED = 48 }; /* more than a splice adds for one of its contents, or for the graph */
    struct fovea_onnx_scan *counts = &s->counts;
    if (counts->mapped == 0) {
        return FOVEA_OK;
    }
    counts->splice_bytes = size - counts->mapped_bytes + (counts->mapped + 1) * ADDED;
    return add_memory(s, fovea_onnx_heap_bytes(counts->splice_bytes) +
                             fovea_onnx_heap_bytes(counts->mapped * 2 * sizeof(size_t)));
}

static size_t relative_limit(size_t size) {
    return (size_t)FOVEA_LIMIT_AMPLIFICATION_ALLOWANCE + size * FOVEA_LIMIT_AMPLIFICATION;
}

enum fovea_status fovea_onnx_scan(const void *bytes, size_t size,
                                  const ProtobufCMessageDescriptor *type, size_t max_memory,
                                  struct fovea_onnx_scan *out, struct fovea_error *err) {
    struct fovea_onnx_walk s = {.bytes = bytes, .err = err, .memory_limit = max_memory};
    if (size > FOVEA_LIMIT_PROTOBUF_BYTES) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "%zu bytes; a protobuf message has at most %llu",
                          size, (unsigned long long)FOVEA_LIMIT_PROTOBUF_BYTES);
    }
    if (relative_limit(size) < s.memory_limit) {
        s.memory_limit = relative_limit(size);
    }
    enum fovea_status st = push(&s, type, size, true);
    while (!st && s.depth > 0) {
        st = s.at == fovea_onnx_frame_top(&s)->end ? pop(&s) : take_field(&s);
    }
    if (!st) {
        st = add_splice(&s, size);
    }
    if (st) {
        return st;
    }
    s.counts.unpack_bytes = s.memory;
    *out = s.counts;
    return FOVEA_OK;
}
