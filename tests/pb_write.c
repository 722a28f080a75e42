/* Protobuf messages for tests: see pb_write.h. */
#include "tests/pb_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pb_raw(struct pb *pb, const void *bytes, size_t size) {
    if (pb->cap - pb->size < size) {
        pb->cap = (pb->cap + size) * 2;
        pb->bytes = realloc(pb->bytes, pb->cap);
        if (!pb->bytes) {
            fputs("pb_write: out of memory\n", stderr);
            exit(1);
        }
    }
    if (size > 0) {
        memcpy(pb->bytes + pb->size, bytes, size);
    }
    pb->size += size;
}

void pb_varint(struct pb *pb, uint64_t value) {
    do {
        uint8_t byte = value & 0x7f;
        value >>= 7;
        byte |= value ? 0x80 : 0;
        pb_raw(pb, &byte, 1);
    } while (value);
}

void pb_tag(struct pb *pb, uint32_t field, unsigned wire) {
    pb_varint(pb, (uint64_t)field << 3 | wire);
}

void pb_int(struct pb *pb, uint32_t field, int64_t value) {
    pb_tag(pb, field, 0);
    pb_varint(pb, (uint64_t)value);
}

void pb_float(struct pb *pb, uint32_t field, float value) {
    pb_tag(pb, field, 5);
    pb_raw(pb, &value, sizeof(value));
}

void pb_bytes(struct pb *pb, uint32_t field, const void *bytes, size_t size) {
    pb_tag(pb, field, 2);
    pb_varint(pb, size);
    pb_raw(pb, bytes, size);
}

void pb_text(struct pb *pb, uint32_t field, const char *text) {
    pb_bytes(pb, field, text, strlen(text));
}

size_t pb_begin(struct pb *pb, uint32_t field) {
    pb_tag(pb, field, 2);
    return pb->size;
}

void pb_end(struct pb *pb, size_t begin) {
    struct pb length = {0};
    size_t size = pb->size - begin;
    pb_varint(&length, size);
    pb_raw(pb, length.bytes, length.size);
    memmove(pb->bytes + begin + length.size, pb->bytes + begin, size);
    memcpy(pb->bytes + begin, length.bytes, length.size);
    pb_finish(&length);
}

void pb_finish(struct pb *pb) {
    free(pb->bytes);
    *pb = (struct pb){0};
}
