/*
 * Numbers and texts to bytes, little-endian: what loaders/byte_reader.h reads.
 */
#ifndef FOVEA_LOADERS_BYTE_WRITER_H
#define FOVEA_LOADERS_BYTE_WRITER_H

#include "runtime/error.h"

/* Zeroed is empty and valid. After a failed allocation nothing more is added. */
struct fovea_byte_writer {
    unsigned char *bytes;
    size_t size, room;
    bool failed;
};

void fovea_byte_writer_finish(struct fovea_byte_writer *writer);

void fovea_write_bytes(struct fovea_byte_writer *writer, const void *bytes, size_t size);
void fovea_write_u8(struct fovea_byte_writer *writer, unsigned number);
void fovea_write_u32(struct fovea_byte_writer *writer, uint64_t number); /* below 2^32 */
void fovea_write_u64(struct fovea_byte_writer *writer, uint64_t number);
void fovea_write_i64(struct fovea_byte_writer *writer, int64_t number);
void fovea_write_f32(struct fovea_byte_writer *writer, float number);

/* Length, characters, a zero. */
void fovea_write_text(struct fovea_byte_writer *writer, const char *text);

/* Type, rank, dimensions (rank of them; none for a rank of -1). */
void fovea_write_shape(struct fovea_byte_writer *writer, enum fovea_dtype dtype, int rank,
                       const int64_t *dims);

#endif
