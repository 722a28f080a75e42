/* The scan before unpacking: see onnx_scan.h. */
#include "loaders/onnx_scan.h"

#include "loaders/onnx.pb-c.h"
#include "loaders/onnx_schema.h"
#include "runtime/limits.h"

#include <string.h>

/* One message that is being scanned. */
struct frame {
    const ProtobufCMessageDescriptor *type;
    size_t end;
    uint64_t seen;  /* fields met, by their index in the descriptor */
    bool unpacked;  /* false inside bytes that protobuf-c does not look into */
    size_t members; /* fields met, repetitions counted */
    size_t unknown;
    size_t deepest; /* most temporary memory of any message within */
};

struct scan {
    const uint8_t *bytes;
    size_t at;
    struct frame frames[FOVEA_LIMIT_NESTING];
    int depth;
    size_t memory_limit;
    size_t memory;
    struct fovea_onnx_scan counts;
    struct fovea_error *err;
};

/*
 * Of a node: its limits are checked again, apart and with its name, when it is
 * converted, but by then all has been unpacked.
 */
enum { MOST_NODE_FIELDS = 2 * FOVEA_LIMIT_NODE_VALUES + FOVEA_LIMIT_NODE_ATTRS };

/* One field as it lies in the file. */
struct field {
    size_t start; /* of its tag */
    uint32_t number;
    unsigned wire;
    size_t length; /* of the contents of a length-delimited one, from scan->at on */
    const ProtobufCFieldDescriptor *known;
};

/* ---- memory that protobuf-c would take ---------------------------------- */

static enum fovea_status add_memory(struct scan *s, size_t bytes) {
    s->memory += bytes;
    if (s->memory <= s->memory_limit) {
        return FOVEA_OK;
    }
    return fovea_fail(s->err, FOVEA_ERR_LIMIT,
                      "byte %zu: unpacking the message up to here takes over %zu bytes of memory, "
                      "the limit",
                      s->at, s->memory_limit);
}

/* ---- reading ------------------------------------------------------------ */

static struct frame *top(struct scan *s) {
    return &s->frames[s->depth - 1];
}

static const char *message_name(const struct frame *frame) {
    return frame->type->short_name;
}

static enum fovea_status truncated(struct scan *s, size_t start, const char *what) {
    return fovea_fail(s->err, FOVEA_ERR_FORMAT, "byte %zu: %s goes past the end of its %s", start,
                      what, message_name(top(s)));
}

static enum fovea_status read_varint(struct scan *s, size_t end, size_t most, const char *what,
                                     uint64_t *out) {
    size_t start = s->at;
    uint64_t value = 0;
    for (size_t i = 0; i < most; i++) {
        if (s->at == end) {
            return truncated(s, start, what);
        }
        uint8_t byte = s->bytes[s->at++];
        if (i == 9 && byte > 1) {
            break;
        }
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) {
            *out = value;
            return FOVEA_OK;
        }
    }
    return fovea_fail(s->err, FOVEA_ERR_FORMAT, "byte %zu: %s is over %zu bytes long", start, what,
                      most);
}

static enum fovea_status read_tag(struct scan *s, struct field *field) {
    uint64_t tag = 0;
    field->start = s->at;
    enum fovea_status st = read_varint(s, top(s)->end, 5, "a field's tag", &tag);
    if (st) {
        return st;
    }
    field->wire = tag & 7;
    if (tag >> 3 == 0 || tag > UINT32_MAX) {
        return fovea_fail(s->err, FOVEA_ERR_FORMAT,
                          "byte %zu: field number %llu of %s is outside 1 to 536870911",
                          field->start, (unsigned long long)(tag >> 3), message_name(top(s)));
    }
    field->number = (uint32_t)(tag >> 3);
    field->known = protobuf_c_message_descriptor_get_field(top(s)->type, field->number);
    return FOVEA_OK;
}

static enum fovea_status skip_fixed(struct scan *s, const struct field *field, size_t bytes) {
    if (top(s)->end - s->at < bytes) {
        return truncated(s, field->start, "a fixed-size field");
    }
    s->at += bytes;
    return FOVEA_OK;
}

/* Past the field, but for length-delimited ones: to the start of their contents. */
static enum fovea_status read_extent(struct scan *s, struct field *field) {
    uint64_t value = 0;
    enum fovea_status st;
    switch (field->wire) {
    case WIRE_VARINT:
        return read_varint(s, top(s)->end, 10, "a varint", &value);
    case WIRE_64:
        return skip_fixed(s, field, 8);
    case WIRE_32:
        return skip_fixed(s, field, 4);
    case WIRE_LENGTH:
        st = read_varint(s, top(s)->end, 5, "a length", &value);
        if (st) {
            return st;
        }
        if (value > top(s)->end - s->at) {
            return fovea_fail(s->err, FOVEA_ERR_FORMAT,
                              "byte %zu: field %u of %s has length %llu, but %zu bytes are left",
                              field->start, field->number, message_name(top(s)),
                              (unsigned long long)value, top(s)->end - s->at);
        }
        field->length = (size_t)value;
        return FOVEA_OK;
    default:
        return fovea_fail(s->err, FOVEA_ERR_FORMAT,
                          "byte %zu: field %u of %s has wire type %u, which does not occur in ONNX",
                          field->start, field->number, message_name(top(s)), field->wire);
    }
}

/* ---- checks of known fields --------------------------------------------- */

static bool is_packed(const struct field *field) {
    return field->wire == WIRE_LENGTH && field->known->label == PROTOBUF_C_LABEL_REPEATED &&
           fovea_onnx_wire(field->known->type) != WIRE_LENGTH;
}

static enum fovea_status check_wire(struct scan *s, const struct field *field) {
    unsigned wanted = fovea_onnx_wire(field->known->type);
    if (field->number == FOVEA_ONNX_MAPPED) {
        return fovea_fail(s->err, FOVEA_ERR_FORMAT, "byte %zu: ONNX has no field %u of %s",
                          field->start, field->number, message_name(top(s)));
    }
    if (field->wire == wanted || is_packed(field)) {
        return FOVEA_OK;
    }
    return fovea_fail(s->err, FOVEA_ERR_FORMAT,
                      "byte %zu: field '%s' of %s has wire type %u, not %u", field->start,
                      field->known->name, message_name(top(s)), field->wire, wanted);
}

/*
 * Protobuf lets a singular field occur again and override or merge; no writer
 * does so, and merging is a part of protobuf-c better not relied upon.
 */
static enum fovea_status check_repetition(struct scan *s, const struct field *field, bool *first) {
    struct frame *frame = top(s);
    uint64_t bit = (uint64_t)1 << (field->known - frame->type->fields);
    *first = !(frame->seen & bit);
    frame->seen |= bit;
    if (*first || field->known->label == PROTOBUF_C_LABEL_REPEATED) {
        return FOVEA_OK;
    }
    return fovea_fail(s->err, FOVEA_ERR_FORMAT, "byte %zu: field '%s' of %s occurs twice",
                      field->start, field->known->name, message_name(frame));
}

/* The elements of a packed field: well formed, and how many. */
static enum fovea_status count_packed(struct scan *s, const struct field *field, size_t *count) {
    unsigned wire = fovea_onnx_wire(field->known->type);
    size_t end = s->at + field->length;
    if (wire != WIRE_VARINT) {
        size_t size = wire == WIRE_32 ? 4 : 8;
        if (field->length % size != 0) {
            return fovea_fail(s->err, FOVEA_ERR_FORMAT,
                              "byte %zu: packed field '%s' has %zu bytes, not a multiple of %zu",
                              field->start, field->known->name, field->length, size);
        }
        *count = field->length / size;
        s->at = end;
        return FOVEA_OK;
    }
    *count = 0;
    while (s->at < end) {
        uint64_t value;
        enum fovea_status st = read_varint(s, end, 10, "a packed varint", &value);
        if (st) {
            return st;
        }
        ++*count;
    }
    return FOVEA_OK;
}

static enum fovea_status check_text(struct scan *s, const struct field *field) {
    const uint8_t *text = s->bytes + s->at;
    bool value =
        top(s)->type == &fovea_onnx__string_string_entry_proto__descriptor && field->number == 2;
    if (field->length > FOVEA_LIMIT_NAME && !value) {
        return fovea_fail(s->err, FOVEA_ERR_LIMIT,
                          "byte %zu: '%s' of %s is %zu bytes long; the limit is %d", field->start,
                          field->known->name, message_name(top(s)), field->length,
                          FOVEA_LIMIT_NAME);
    }
    if (memchr(text, 0, field->length)) {
        return fovea_fail(s->err, FOVEA_ERR_FORMAT, "byte %zu: '%s' of %s contains a NUL byte",
                          field->start, field->known->name, message_name(top(s)));
    }
    return FOVEA_OK;
}

/* ---- messages within ---------------------------------------------------- */

static enum fovea_status count_message(struct scan *s, const ProtobufCMessageDescriptor *type) {
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

static enum fovea_status push(struct scan *s, const ProtobufCMessageDescriptor *type, size_t length,
                              bool unpacked) {
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
        (struct frame){.type = type, .end = s->at + length, .unpacked = unpacked};
    return FOVEA_OK;
}

static enum fovea_status pop(struct scan *s) {
    struct frame *frame = top(s);
    size_t lists = frame->deepest + (frame->unpacked ? fovea_onnx_list_bytes(frame->members) : 0);
    s->depth--;
    if (s->depth > 0) {
        struct frame *parent = top(s);
        parent->deepest = parent->deepest > lists ? parent->deepest : lists;
        return FOVEA_OK;
    }
    return add_memory(s, lists);
}

/* ---- fields ------------------------------------------------------------- */

static enum fovea_status take_unknown(struct scan *s, const struct field *field) {
    struct frame *frame = top(s);
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
static bool stays_mapped(struct scan *s, const struct field *field) {
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

static enum fovea_status take_contents(struct scan *s, const struct field *field, size_t *count) {
    const ProtobufCMessageDescriptor *held = fovea_onnx_held_message(top(s)->type, field->known);
    bool unpacked = top(s)->unpacked;
    enum fovea_status st = FOVEA_OK;
    if (is_packed(field)) {
        return count_packed(s, field, count);
    }
    if (field->known->type == PROTOBUF_C_TYPE_STRING) {
        st = check_text(s, field);
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

static enum fovea_status take_known(struct scan *s, const struct field *field) {
    struct frame *frame = top(s);
    bool first;
    size_t count = 1;
    enum fovea_status st = check_wire(s, field);
    if (!st) {
        st = check_repetition(s, field, &first);
    }
    if (!st && field->wire == WIRE_LENGTH) {
        st = take_contents(s, field, &count);
    }
    if (st || !frame->unpacked || field->known->label != PROTOBUF_C_LABEL_REPEATED) {
        return st;
    }
    size_t bytes = count * fovea_onnx_element_bytes(field->known->type);
    return add_memory(s, first ? fovea_onnx_heap_bytes(bytes) : bytes);
}

static enum fovea_status take_field(struct scan *s) {
    struct field field = {0};
    enum fovea_status st = read_tag(s, &field);
    if (!st) {
        st = read_extent(s, &field);
    }
    if (st) {
        return st;
    }
    if (++top(s)->members > MOST_NODE_FIELDS &&
        top(s)->type == &fovea_onnx__node_proto__descriptor) {
        return fovea_fail(s->err, FOVEA_ERR_LIMIT,
                          "byte %zu: a node has over %d inputs, outputs and attributes, the limit",
                          field.start, MOST_NODE_FIELDS);
    }
    return field.known ? take_known(s, &field) : take_unknown(s, &field);
}

/* The message without what stays mapped, if anything does. */
static enum fovea_status add_splice(struct scan *s, size_t size) {
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
    struct scan s = {.bytes = bytes, .err = err, .memory_limit = max_memory};
    if (size > FOVEA_LIMIT_PROTOBUF_BYTES) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "%zu bytes; a protobuf message has at most %llu",
                          size, (unsigned long long)FOVEA_LIMIT_PROTOBUF_BYTES);
    }
    if (relative_limit(size) < s.memory_limit) {
        s.memory_limit = relative_limit(size);
    }
    enum fovea_status st = push(&s, type, size, true);
    while (!st && s.depth > 0) {
        st = s.at == top(&s)->end ? pop(&s) : take_field(&s);
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
