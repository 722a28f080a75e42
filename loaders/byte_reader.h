/*
 * Bytes of unknown origin to numbers and texts, never past their end. The
 * first thing that is wrong is kept and makes every later call give 0, so that
 * a record is read in one go and looked at once.
 */
#ifndef FOVEA_LOADERS_BYTE_READER_H
#define FOVEA_LOADERS_BYTE_READER_H

#include "runtime/error.h"

struct fovea_byte_reader {
    const unsigned char *bytes;
    size_t size, at;
    size_t start; /* place of bytes[0] in the file, for messages */
    enum fovea_status status;
    struct fovea_error *err;
};

/*
 * Fail, unless it has failed before: "byte 123: MESSAGE", with the place where
 * the latest item began. Returns the status.
 */
enum fovea_status fovea_reader_fail(struct fovea_byte_reader *reader, size_t at, const char *format,
                                    ...) FOVEA_PRINTF(3, 4);

/* `what` names the item for messages. */
unsigned fovea_read_u8(struct fovea_byte_reader *reader, const char *what);
uint32_t fovea_read_u32(struct fovea_byte_reader *reader, const char *what);
uint64_t fovea_read_u64(struct fovea_byte_reader *reader, const char *what);
int64_t fovea_read_i64(struct fovea_byte_reader *reader, const char *what);
float fovea_read_f32(struct fovea_byte_reader *reader, const char *what);
bool fovea_read_flag(struct fovea_byte_reader *reader, const char *what);

/* A number of at most `most`. */
unsigned fovea_read_choice(struct fovea_byte_reader *reader, const char *what, unsigned most);

/* How many records follow: at most `limit`, and what is left has `least` bytes for each. */
size_t fovea_read_count(struct fovea_byte_reader *reader, const char *what, size_t least,
                        size_t limit);

/* `size` bytes, in place; NULL after a failure. */
const unsigned char *fovea_read_bytes(struct fovea_byte_reader *reader, const char *what,
                                      size_t size);

/* A text of at most `limit` characters, in place; "" after a failure. */
const char *fovea_read_text(struct fovea_byte_reader *reader, const char *what, size_t limit);

/* Type and shape of a tensor that could be: out->data is NULL. */
void fovea_read_shape(struct fovea_byte_reader *reader, const char *what, struct fovea_tensor *out);

/* The same with dimensions that may be -1 and, if `any_rank`, a rank that may be. */
void fovea_read_open_shape(struct fovea_byte_reader *reader, const char *what, bool any_rank,
                           enum fovea_dtype *dtype, int *rank, int64_t dims[FOVEA_MAX_RANK]);

#endif
