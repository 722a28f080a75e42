/*
 * Write protobuf messages byte by byte, right or wrong, for tests of loaders.
 *
 *     struct pb pb = {0};
 *     size_t graph = pb_begin(&pb, 7);
 *     pb_text(&pb, 2, "name");
 *     pb_end(&pb, graph);
 *     ... pb.bytes, pb.size
 *     pb_finish(&pb);
 *
 * Memory that runs out ends the test program.
 */
#ifndef FOVEA_TESTS_PB_WRITE_H
#define FOVEA_TESTS_PB_WRITE_H

#include <stddef.h>
#include <stdint.h>

struct pb {
    uint8_t *bytes;
    size_t size, cap;
};

void pb_raw(struct pb *pb, const void *bytes, size_t size);
void pb_varint(struct pb *pb, uint64_t value);
void pb_tag(struct pb *pb, uint32_t field, unsigned wire);

void pb_int(struct pb *pb, uint32_t field, int64_t value);
void pb_float(struct pb *pb, uint32_t field, float value);
void pb_bytes(struct pb *pb, uint32_t field, const void *bytes, size_t size);
void pb_text(struct pb *pb, uint32_t field, const char *text);

/* A message within: what is written between begin and end. */
size_t pb_begin(struct pb *pb, uint32_t field);
void pb_end(struct pb *pb, size_t begin);

void pb_finish(struct pb *pb);

#endif
