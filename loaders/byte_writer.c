/* Growing bytes: see byte_writer.h. */
#include "loaders/byte_writer.h"

#include <stdlib.h>
#include <string.h>

void fovea_byte_writer_finish(struct fovea_byte_writer *writer) {
    free(writer->bytes);
    *writer = (struct fovea_byte_writer){0};
}

static bool reserve(struct fovea_byte_writer *writer, size_t size) {
    if (writer->failed || writer->room - writer->size >= size) {
        return !writer->failed;
    }
    size_t room = writer->room * 2 > writer->size + size ? writer->room * 2 : writer->size + size;
    unsigned char *bytes = realloc(writer->bytes, room);
    writer->failed = !bytes;
    if (bytes) {
        writer->bytes = bytes;
        writer->room = room;
    }
    return bytes != NULL;
}

void fovea_write_bytes(struct fovea_byte_writer *writer, const void *bytes, size_t size) {
    if (size > 0 && reserve(writer, size)) {
        memcpy(writer->bytes + writer->size, bytes, size);
        writer->size += size;
    }
}

static void write_number(struct fovea_byte_writer *writer, uint64_t number, int size) {
    unsigned char bytes[8];
    for (int i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(number >> (8 * i));
    }
    fovea_write_bytes(writer, bytes, (size_t)size);
}

void fovea_write_u8(struct fovea_byte_writer *writer, unsigned number) {
    write_number(writer, number, 1);
}

void fovea_write_u32(struct fovea_byte_writer *writer, uint64_t number) {
    write_number(writer, number, 4);
}

void fovea_write_u64(struct fovea_byte_writer *writer, uint64_t number) {
    write_number(writer, number, 8);
}

void fovea_write_i64(struct fovea_byte_writer *writer, int64_t number) {
    write_number(writer, (uint64_t)number, 8);
}

void fovea_write_f32(struct fovea_byte_writer *writer, float number) {
    uint32_t bits;
    memcpy(&bits, &number, sizeof(bits));
    write_number(writer, bits, 4);
}

void fovea_write_text(struct fovea_byte_writer *writer, const char *text) {
    size_t length = strlen(text);
    fovea_write_u32(writer, length);
    fovea_write_bytes(writer, text, length + 1);
}

void fovea_write_shape(struct fovea_byte_writer *writer, enum fovea_dtype dtype, int rank,
                       const int64_t *dims) {
    fovea_write_u8(writer, (unsigned)dtype);
    fovea_write_u8(writer, (unsigned)(rank + 1));
    for (int i = 0; i < rank; i++) {
        fovea_write_i64(writer, dims[i]);
    }
}
