/* Bounded reading: see byte_reader.h. */
#include "loaders/byte_reader.h"

#include "runtime/tensor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum fovea_status fovea_reader_fail(struct fovea_byte_reader *reader, size_t at, const char *format,
                                    ...) {
    char message[384];
    if (reader->status) {
        return reader->status;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    reader->status =
        fovea_fail(reader->err, FOVEA_ERR_FORMAT, "byte %zu: %s", reader->start + at, message);
    return reader->status;
}

const unsigned char *fovea_read_bytes(struct fovea_byte_reader *reader, const char *what,
                                      size_t size) {
    size_t left = reader->size - reader->at;
    if (reader->status) {
        return NULL;
    }
    if (size > left) {
        fovea_reader_fail(reader, reader->at, "%s takes %zu bytes; %zu are left", what, size, left);
        return NULL;
    }
    const unsigned char *bytes = reader->bytes + reader->at;
    reader->at += size;
    return bytes;
}

static uint64_t read_number(struct fovea_byte_reader *reader, const char *what, size_t size) {
    const unsigned char *bytes = fovea_read_bytes(reader, what, size);
    uint64_t number = 0;
    for (size_t i = 0; bytes && i < size; i++) {
        number |= (uint64_t)bytes[i] << (8 * i);
    }
    return number;
}

unsigned fovea_read_u8(struct fovea_byte_reader *reader, const char *what) {
    return (unsigned)read_number(reader, what, 1);
}

uint32_t fovea_read_u32(struct fovea_byte_reader *reader, const char *what) {
    return (uint32_t)read_number(reader, what, 4);
}

uint64_t fovea_read_u64(struct fovea_byte_reader *reader, const char *what) {
    return read_number(reader, what, 8);
}

int64_t fovea_read_i64(struct fovea_byte_reader *reader, const char *what) {
    return (int64_t)read_number(reader, what, 8);
}

float fovea_read_f32(struct fovea_byte_reader *reader, const char *what) {
    uint32_t bits = fovea_read_u32(reader, what);
    float number;
    memcpy(&number, &bits, sizeof(number));
    return number;
}

unsigned fovea_read_choice(struct fovea_byte_reader *reader, const char *what, unsigned most) {
    size_t at = reader->at;
    unsigned number = fovea_read_u8(reader, what);
    if (number > most) {
        fovea_reader_fail(reader, at, "%s is %u; the most is %u", what, number, most);
        return 0;
    }
    return number;
}

bool fovea_read_flag(struct fovea_byte_reader *reader, const char *what) {
    return fovea_read_choice(reader, what, 1) != 0;
}

size_t fovea_read_count(struct fovea_byte_reader *reader, const char *what, size_t least,
                        size_t limit) {
    size_t at = reader->at;
    size_t count = fovea_read_u32(reader, what);
    size_t fit = (reader->size - reader->at) / (least > 0 ? least : 1);
    if (count > limit || count > fit) {
        fovea_reader_fail(reader, at, "%s is %zu; at most %zu can be", what, count,
                          fit < limit ? fit : limit);
        return 0;
    }
    return reader->status ? 0 : count;
}

const char *fovea_read_text(struct fovea_byte_reader *reader, const char *what, size_t limit) {
    size_t at = reader->at;
    size_t length = fovea_read_u32(reader, what);
    if (length > limit) {
        fovea_reader_fail(reader, at, "%s has %zu characters; the limit is %zu", what, length,
                          limit);
    }
    const char *text = (const char *)fovea_read_bytes(reader, what, length + 1);
    if (!text) {
        return "";
    }
    if (strnlen(text, length + 1) != length) {
        fovea_reader_fail(reader, at, "%s is not a text of %zu characters and a zero", what,
                          length);
        return "";
    }
    return text;
}

void fovea_read_open_shape(struct fovea_byte_reader *reader, const char *what, bool any_rank,
                           enum fovea_dtype *dtype, int *rank, int64_t dims[FOVEA_MAX_RANK]) {
    struct fovea_error err = {.message = ""};
    struct fovea_tensor shape = {0}; /* the smallest that the open one can be */
    size_t start = reader->at;
    *dtype = (enum fovea_dtype)fovea_read_choice(reader, what, FOVEA_N_DTYPES - 1);
    size_t at = reader->at;
    *rank = (int)fovea_read_choice(reader, what, FOVEA_MAX_RANK + 1) - 1;
    if (*rank < 0) {
        if (!any_rank) {
            fovea_reader_fail(reader, at, "%s has no rank", what);
        }
        *rank = any_rank && !reader->status ? -1 : 0;
    }
    for (int i = 0; i < *rank; i++) {
        at = reader->at;
        dims[i] = fovea_read_i64(reader, what);
        if (dims[i] < -1) {
            fovea_reader_fail(reader, at, "dimension %d of %s is %lld; the least is -1", i, what,
                              (long long)dims[i]);
        }
        shape.dims[i] = dims[i] < 0 ? 1 : dims[i];
    }
    shape.dtype = *dtype;
    shape.rank = *rank < 0 ? 0 : *rank;
    if (!reader->status && fovea_tensor_check_shape(&shape, &err)) {
        fovea_reader_fail(reader, start, "%s: %s", what, err.message);
    }
}

void fovea_read_shape(struct fovea_byte_reader *reader, const char *what,
                      struct fovea_tensor *out) {
    struct fovea_tensor shape = {0};
    size_t at = reader->at;
    fovea_read_open_shape(reader, what, false, &shape.dtype, &shape.rank, shape.dims);
    for (int i = 0; !reader->status && i < shape.rank; i++) {
        if (shape.dims[i] < 0) {
            fovea_reader_fail(reader, at, "dimension %d of %s is open", i, what);
        }
    }
    if (reader->status) {
        shape = (struct fovea_tensor){0};
    }
    *out = shape;
}
