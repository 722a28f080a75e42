/* Fields of a protobuf message, before it is unpacked: see onnx_fields.h. */
#include "loaders/onnx_fields.h"

#include "loaders/onnx_schema.h"

#include <string.h>

struct fovea_onnx_frame *fovea_onnx_frame_top(struct fovea_onnx_walk *s) {
    return &s->frames[s->depth - 1];
}

static const char *message_name(const struct fovea_onnx_walk *s) {
    return s->frames[s->depth - 1].type->short_name;
}

/* ---- reading ------------------------------------------------------------ */

static enum fovea_status truncated(struct fovea_onnx_walk *s, size_t start, const char *what) {
    return fovea_fail(s->err, FOVEA_ERR_FORMAT, "byte %zu: %s goes past the end of its %s", start,
                      what, message_name(s));
}

static enum fovea_status read_varint(struct fovea_onnx_walk *s, size_t end, size_t most,
                                     const char *what, uint64_t *out) {
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

static enum fovea_status read_tag(struct fovea_onnx_walk *s, struct fovea_onnx_field *field) {
    uint64_t tag = 0;
    field->start = s->at;
    enum fovea_status st = read_varint(s, fovea_onnx_frame_top(s)->end, 5, "a field's tag", &tag);
    if (st) {
        return st;
    }
    field->wire = tag & 7;
    if (tag >> 3 == 0 || tag > UINT32_MAX) {
        return fovea_fail(s->err, FOVEA_ERR_FORMAT,
                          "byte %zu: field number %llu of %s is outside 1 to 536870911",
                          field->start, (unsigned long long)(tag >> 3), message_name(s));
    }
    field->number = (uint32_t)(tag >> 3);
    field->known =
        protobuf_c_message_descriptor_get_field(fovea_onnx_frame_top(s)->type, field->number);
    return FOVEA_OK;
}

static enum fovea_status skip_fixed(struct fovea_onnx_walk *s, const struct fovea_onnx_field *field,
                                    size_t bytes) {
    if (fovea_onnx_frame_top(s)->end - s->at < bytes) {
        return truncated(s, field->start, "a fixed-size field");
    }
    s->at += bytes;
    return FOVEA_OK;
}

/* Past the field, but for length-delimited ones: to the start of their contents. */
static enum fovea_status read_extent(struct fovea_onnx_walk *s, struct fovea_onnx_field *field) {
    uint64_t value = 0;
    enum fovea_status st;
    switch (field->wire) {
    case WIRE_VARINT:
        return read_varint(s, fovea_onnx_frame_top(s)->end, 10, "a varint", &value);
    case WIRE_64:
        return skip_fixed(s, field, 8);
    case WIRE_32:
        return skip_fixed(s, field, 4);
    case WIRE_LENGTH:
        st = read_varint(s, fovea_onnx_frame_top(s)->end, 5, "a length", &value);
        if (st) {
            return st;
        }
        if (value > fovea_onnx_frame_top(s)->end - s->at) {
            return fovea_fail(s->err, FOVEA_ERR_FORMAT,
                              "byte %zu: field %u of %s has length %llu, but %zu bytes are left",
                              field->start, field->number, message_name(s),
                              (unsigned long long)value, fovea_onnx_frame_top(s)->end - s->at);
        }
        field->length = (size_t)value;
        return FOVEA_OK;
    default:
        return fovea_fail(s->err, FOVEA_ERR_FORMAT,
                          "byte %zu: field %u of %s has wire type %u, which does not occur in ONNX",
                          field->start, field->number, message_name(s), field->wire);
    }
}

enum fovea_status fovea_onnx_field_read(struct fovea_onnx_walk *s, struct fovea_onnx_field *field) {
    enum fovea_status st = read_tag(s, field);
    return st ? st : read_extent(s, field);
}

/* ---- checks of known fields --------------------------------------------- */

bool fovea_onnx_field_is_packed(const struct fovea_onnx_field *field) {
    return field->wire == WIRE_LENGTH && field->known->label == PROTOBUF_C_LABEL_REPEATED &&
           fovea_onnx_wire(field->known->type) != WIRE_LENGTH;
}

static enum fovea_status check_wire(struct fovea_onnx_walk *s,
                                    const struct fovea_onnx_field *field) {
    unsigned wanted = fovea_onnx_wire(field->known->type);
    if (field->number == FOVEA_ONNX_MAPPED) {
        return fovea_fail(s->err, FOVEA_ERR_FORMAT, "byte %zu: ONNX has no field %u of %s",
                          field->start, field->number, message_name(s));
    }
    if (field->wire == wanted || fovea_onnx_field_is_packed(field)) {
        return FOVEA_OK;
    }
    return fovea_fail(s->err, FOVEA_ERR_FORMAT,
                      "byte %zu: field '%s' of %s has wire type %u, not %u", field->start,
                      field->known->name, message_name(s), field->wire, wanted);
}

/*
 * Protobuf lets a singular field occur again and override or merge; no writer
 * does so, and merging is a part of protobuf-c better not relied upon.
 */
static enum fovea_status check_repetition(struct fovea_onnx_walk *s,
                                          const struct fovea_onnx_field *field, bool *first) {
    struct fovea_onnx_frame *frame = fovea_onnx_frame_top(s);
    uint64_t bit = (uint64_t)1 << (field->known - frame->type->fields);
    *first = !(frame->seen & bit);
    frame->seen |= bit;
    if (*first || field->known->label == PROTOBUF_C_LABEL_REPEATED) {
        return FOVEA_OK;
    }
    return fovea_fail(s->err, FOVEA_ERR_FORMAT, "byte %zu: field '%s' of %s occurs twice",
                      field->start, field->known->name, message_name(s));
}

enum fovea_status fovea_onnx_field_check(struct fovea_onnx_walk *s,
                                         const struct fovea_onnx_field *field, bool *first) {
    enum fovea_status st = check_wire(s, field);
    return st ? st : check_repetition(s, field, first);
}

/* ---- contents -------------------------------------------------------------- */

enum fovea_status fovea_onnx_field_count(struct fovea_onnx_walk *s,
                                         const struct fovea_onnx_field *field, size_t *count) {
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

enum fovea_status fovea_onnx_field_check_text(const struct fovea_onnx_walk *s,
                                              const struct fovea_onnx_field *field) {
    const uint8_t *text = s->bytes + s->at;
    bool value =
        s->frames[s->depth - 1].type == &fovea_onnx__string_string_entry_proto__descriptor &&
        field->number == 2;
    if (field->length > FOVEA_LIMIT_NAME && !value) {
        return fovea_fail(s->err, FOVEA_ERR_LIMIT,
                          "byte %zu: '%s' of %s is %zu bytes long; the limit is %d", field->start,
                          field->known->name, message_name(s), field->length, FOVEA_LIMIT_NAME);
    }
    if (memchr(text, 0, field->length)) {
        return fovea_fail(s->err, FOVEA_ERR_FORMAT, "byte %zu: '%s' of %s contains a NUL byte",
                          field->start, field->known->name, message_name(s));
    }
    return FOVEA_OK;
}
