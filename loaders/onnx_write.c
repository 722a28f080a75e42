/* Messages of ONNX as bytes: see onnx_write.h. */
#include "loaders/onnx_write.h"

#include "loaders/onnx_convert.h"
#include "runtime/tensor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { VARINT = 0, LENGTH = 2, FIXED32 = 5 };

/* ---- protobuf --------------------------------------------------------------- */

static void write_varint(struct fovea_byte_writer *w, uint64_t number) {
    while (number >= 0x80) {
        fovea_write_u8(w, (unsigned)(number & 0x7f) | 0x80);
        number >>= 7;
    }
    fovea_write_u8(w, (unsigned)number);
}

void fovea_pb_number(struct fovea_byte_writer *w, unsigned field, uint64_t number) {
    write_varint(w, field << 3 | VARINT);
    write_varint(w, number);
}

void fovea_pb_float(struct fovea_byte_writer *w, unsigned field, float number) {
    write_varint(w, field << 3 | FIXED32);
    fovea_write_f32(w, number);
}

void fovea_pb_head(struct fovea_byte_writer *w, unsigned field, uint64_t size) {
    write_varint(w, field << 3 | LENGTH);
    write_varint(w, size);
}

void fovea_pb_bytes(struct fovea_byte_writer *w, unsigned field, const void *bytes, size_t size) {
    fovea_pb_head(w, field, size);
    fovea_write_bytes(w, bytes, size);
}

void fovea_pb_text(struct fovea_byte_writer *w, unsigned field, const char *text) {
    fovea_pb_bytes(w, field, text, strlen(text));
}

void fovea_pb_message(struct fovea_byte_writer *w, unsigned field,
                      struct fovea_byte_writer *inner) {
    w->failed |= inner->failed;
    fovea_pb_bytes(w, field, inner->bytes, inner->size);
    fovea_byte_writer_finish(inner);
    *inner = (struct fovea_byte_writer){0};
}

/* ---- small messages ----------------------------------------------------------- */

void fovea_onnx_write_opset(struct fovea_byte_writer *w, const char *domain, int version) {
    fovea_pb_text(w, 1, domain);
    fovea_pb_number(w, 2, (uint64_t)version);
}

void fovea_onnx_write_entry(struct fovea_byte_writer *w, const char *key, const char *value) {
    fovea_pb_text(w, 1, key);
    fovea_pb_text(w, 2, value);
}

static void write_entry(struct fovea_byte_writer *w, unsigned field, const char *key,
                        const char *value) {
    struct fovea_byte_writer entry = {0};
    fovea_onnx_write_entry(&entry, key, value);
    fovea_pb_message(w, field, &entry);
}

static void write_decimal(struct fovea_byte_writer *w, unsigned field, const char *key,
                          uint64_t number) {
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, number);
    write_entry(w, field, key, text);
}

void fovea_onnx_write_tensor(struct fovea_byte_writer *w, const char *name,
                             const struct fovea_tensor *tensor, uint64_t bytes,
                             const struct fovea_onnx_place *place) {
    enum { DIMS = 1, DATA_TYPE = 2, NAME = 8, RAW_DATA = 9, EXTERNAL_DATA = 13, LOCATION = 14 };
    for (int i = 0; i < tensor->rank; i++) {
        fovea_pb_number(w, DIMS, (uint64_t)tensor->dims[i]);
    }
    fovea_pb_number(w, DATA_TYPE, (uint64_t)fovea_onnx_data_type(tensor->dtype));
    if (name) {
        fovea_pb_text(w, NAME, name);
    }
    if (!place->location) {
        fovea_pb_head(w, RAW_DATA, bytes);
        return;
    }
    write_entry(w, EXTERNAL_DATA, "location", place->location);
    write_decimal(w, EXTERNAL_DATA, "offset", place->offset);
    write_decimal(w, EXTERNAL_DATA, "length", bytes);
    fovea_pb_number(w, LOCATION, 1);
}

void fovea_onnx_write_io(struct fovea_byte_writer *w, const char *name, const struct fovea_io *io) {
    struct fovea_byte_writer shape = {0}, tensor = {0}, type = {0}, dim = {0};
    fovea_pb_number(&tensor, 1, (uint64_t)fovea_onnx_data_type(io->dtype));
    for (int i = 0; i < io->rank; i++) {
        if (io->dims[i] >= 0) {
            fovea_pb_number(&dim, 1, (uint64_t)io->dims[i]);
        } else if (io->dim_names[i]) {
            fovea_pb_text(&dim, 2, io->dim_names[i]);
        }
        fovea_pb_message(&shape, 1, &dim);
    }
    if (io->rank >= 0) {
        fovea_pb_message(&tensor, 2, &shape);
    }
    fovea_pb_message(&type, 1, &tensor);
    fovea_pb_text(w, 1, name);
    fovea_pb_message(w, 2, &type);
}

/* ---- nodes --------------------------------------------------------------------- */

enum attr_field {
    ATTR_NAME = 1,
    ATTR_F = 2,
    ATTR_I = 3,
    ATTR_S = 4,
    ATTR_T = 5,
    ATTR_FLOATS = 7,
    ATTR_INTS = 8,
    ATTR_STRINGS = 9,
    ATTR_TYPE = 20,
};

/* AttributeProto.AttributeType */
static const int attr_types[] = {
    [FOVEA_ATTR_FLOAT] = 1,   [FOVEA_ATTR_INT] = 2,    [FOVEA_ATTR_STRING] = 3,
    [FOVEA_ATTR_TENSOR] = 4,  [FOVEA_ATTR_FLOATS] = 6, [FOVEA_ATTR_INTS] = 7,
    [FOVEA_ATTR_STRINGS] = 8,
};

static void write_tensor_attr(struct fovea_byte_writer *w, const struct fovea_tensor *tensor) {
    static const struct fovea_onnx_place here = {0};
    struct fovea_byte_writer message = {0};
    size_t bytes = fovea_tensor_bytes(tensor);
    fovea_onnx_write_tensor(&message, NULL, tensor, bytes, &here);
    fovea_write_bytes(&message, tensor->data, bytes);
    fovea_pb_message(w, ATTR_T, &message);
}

static enum fovea_status write_attr(struct fovea_byte_writer *w, const struct fovea_attr *attr,
                                    struct fovea_error *err) {
    fovea_pb_text(w, ATTR_NAME, attr->name);
    switch (attr->kind) {
    case FOVEA_ATTR_FLOAT:
        fovea_pb_float(w, ATTR_F, attr->f);
        break;
    case FOVEA_ATTR_INT:
        fovea_pb_number(w, ATTR_I, (uint64_t)attr->i);
        break;
    case FOVEA_ATTR_STRING:
        fovea_pb_text(w, ATTR_S, attr->s);
        break;
    case FOVEA_ATTR_TENSOR:
        write_tensor_attr(w, &attr->t);
        break;
    default:
        for (size_t i = 0; i < attr->count; i++) {
            if (attr->kind == FOVEA_ATTR_FLOATS) {
                fovea_pb_float(w, ATTR_FLOATS, attr->floats[i]);
            } else if (attr->kind == FOVEA_ATTR_INTS) {
                fovea_pb_number(w, ATTR_INTS, (uint64_t)attr->ints[i]);
            } else if (attr->kind == FOVEA_ATTR_STRINGS) {
                fovea_pb_text(w, ATTR_STRINGS, attr->strings[i]);
            }
        }
    }
    if (attr->kind > FOVEA_ATTR_STRINGS) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "attribute '%s' is a graph, which cannot be written",
                          fovea_quote(attr->name).text);
    }
    fovea_pb_number(w, ATTR_TYPE, (uint64_t)attr_types[attr->kind]);
    return FOVEA_OK;
}

/* Trailing absent inputs need no empty name. */
static int count_inputs(const struct fovea_node *node) {
    int n = node->n_in;
    while (n > 0 && !node->in[n - 1]) {
        n--;
    }
    return n;
}

enum fovea_status fovea_onnx_write_node(struct fovea_byte_writer *w, const struct fovea_node *node,
                                        const char *name, const char *const *names,
                                        struct fovea_error *err) {
    enum { INPUT = 1, OUTPUT = 2, NAME = 3, OP_TYPE = 4, ATTRIBUTE = 5, DOMAIN_ = 7 };
    enum fovea_status st = FOVEA_OK;
    for (int i = 0; i < count_inputs(node); i++) {
        fovea_pb_text(w, INPUT, node->in[i] ? names[node->in[i]->number] : "");
    }
    for (int i = 0; i < node->n_out; i++) {
        fovea_pb_text(w, OUTPUT, node->out[i] ? names[node->out[i]->number] : "");
    }
    fovea_pb_text(w, NAME, name);
    fovea_pb_text(w, OP_TYPE, node->type);
    for (size_t i = 0; !st && i < node->n_attrs; i++) {
        struct fovea_byte_writer attr = {0};
        st = write_attr(&attr, &node->attrs[i], err);
        fovea_pb_message(w, ATTRIBUTE, &attr);
    }
    if (node->domain[0]) {
        fovea_pb_text(w, DOMAIN_, node->domain);
    }
    if (st) {
        fovea_error_prefix_node(err, node);
    }
    return st;
}
