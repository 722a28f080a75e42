/* The contents of constants, and attributes, from a compiled file: see compiled.h. */
#include "loaders/compiled.h"
#include "runtime/limits.h"
#include "runtime/tensor.h"

#include <stdlib.h>

void *fovea_compiled_read_blob(struct fovea_compiled_reader *reader, const char *what,
                               uint64_t size) {
    struct fovea_byte_reader *in = &reader->in;
    size_t at = in->at;
    uint64_t offset = fovea_read_u64(in, what);
    if (in->status) {
        return NULL;
    }
    if (offset % FOVEA_ALIGNMENT != 0 || offset > reader->data_size ||
        size > reader->data_size - offset) {
        fovea_reader_fail(in, at,
                          "%s is %llu bytes at %llu of the data; they must lie within its %llu, at "
                          "a multiple of %d",
                          what, (unsigned long long)size, (unsigned long long)offset,
                          (unsigned long long)reader->data_size, FOVEA_ALIGNMENT);
        return NULL;
    }
    return (void *)(reader->data + offset);
}

void fovea_compiled_read_tensor(struct fovea_compiled_reader *reader, const char *what,
                                struct fovea_tensor *out) {
    fovea_read_shape(&reader->in, what, out);
    out->data = fovea_compiled_read_blob(reader, what, fovea_tensor_bytes(out));
}

static void *read_array(struct fovea_compiled_reader *reader, struct fovea_attr *attr,
                        size_t stored, size_t size) {
    struct fovea_byte_reader *in = &reader->in;
    attr->count = fovea_read_count(in, "an attribute's length", stored, SIZE_MAX);
    void *array = in->status ? NULL : calloc(attr->count + 1, size);
    if (!array && !in->status) {
        in->status = fovea_fail_memory(in->err, attr->count * size, "an attribute");
    }
    return array;
}

/* A text within an attribute: as long as it likes, the description being all there is. */
static const char *read_string(struct fovea_compiled_reader *reader) {
    return fovea_read_text(&reader->in, "a text", reader->in.size);
}

/* `heap`: an array to be freed once the attribute was copied. */
static void read_attr(struct fovea_compiled_reader *reader, struct fovea_attr *attr, void **heap) {
    struct fovea_byte_reader *in = &reader->in;
    float *floats;
    int64_t *ints;
    const char **strings;
    attr->name = fovea_read_text(in, "an attribute's name", FOVEA_LIMIT_NAME);
    size_t at = in->at;
    attr->kind =
        (enum fovea_attr_kind)fovea_read_choice(in, "an attribute's kind", FOVEA_ATTR_NONE);
    switch (in->status ? FOVEA_ATTR_NONE : attr->kind) {
    case FOVEA_ATTR_FLOAT:
        attr->f = fovea_read_f32(in, "an attribute");
        break;
    case FOVEA_ATTR_INT:
        attr->i = fovea_read_i64(in, "an attribute");
        break;
    case FOVEA_ATTR_STRING:
        attr->s = read_string(reader);
        break;
    case FOVEA_ATTR_TENSOR:
        fovea_compiled_read_tensor(reader, "an attribute's tensor", &attr->t);
        break;
    case FOVEA_ATTR_FLOATS:
        attr->floats = floats = *heap = read_array(reader, attr, 4, sizeof(*floats));
        for (size_t i = 0; floats && i < attr->count; i++) {
            floats[i] = fovea_read_f32(in, "an attribute");
        }
        break;
    case FOVEA_ATTR_INTS:
        attr->ints = ints = *heap = read_array(reader, attr, 8, sizeof(*ints));
        for (size_t i = 0; ints && i < attr->count; i++) {
            ints[i] = fovea_read_i64(in, "an attribute");
        }
        break;
    case FOVEA_ATTR_STRINGS:
        attr->strings = strings = *heap = read_array(reader, attr, 5, sizeof(*strings));
        for (size_t i = 0; strings && i < attr->count; i++) {
            strings[i] = read_string(reader);
        }
        break;
    case FOVEA_ATTR_GRAPH: /* what has one is expanded before a session is saved */
        fovea_reader_fail(in, at, "attribute '%s' is a graph, of which compiled files have none",
                          fovea_quote(attr->name).text);
        break;
    default:
        break;
    }
}

void fovea_compiled_read_attrs(struct fovea_compiled_reader *reader, struct fovea_node *node) {
    struct fovea_byte_reader *in = &reader->in;
    enum { LEAST = 6 };
    size_t count = fovea_read_count(in, "the number of attributes", LEAST, FOVEA_LIMIT_NODE_ATTRS);
    for (size_t i = 0; !in->status && i < count; i++) {
        struct fovea_attr attr = {0};
        void *heap = NULL;
        size_t at = in->at;
        read_attr(reader, &attr, &heap);
        if (!in->status && fovea_node_attr(node, attr.name)) {
            fovea_reader_fail(in, at, "attribute '%s' occurs twice", fovea_quote(attr.name).text);
        }
        if (!in->status) {
            in->status = fovea_node_set_attr(node, &attr, in->err);
        }
        free(heap);
    }
}
