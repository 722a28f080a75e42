/* The header of NumPy's .npy format, a Python dictionary in ASCII: see npy_header.h. */
#include "loaders/npy_header.h"

#include "runtime/limits.h"
#include "runtime/tensor.h"

#include <string.h>

enum { MAGIC = 6 };

static const char magic[] = "\x93NUMPY";

static const struct {
    const char *code; /* without the byte order */
    enum fovea_dtype dtype;
} codes[] = {
    {"f4", FOVEA_F32}, {"f2", FOVEA_F16},  {"f8", FOVEA_F64},  {"i1", FOVEA_I8},  {"u1", FOVEA_U8},
    {"i2", FOVEA_I16}, {"u2", FOVEA_U16},  {"i4", FOVEA_I32},  {"u4", FOVEA_U32}, {"i8", FOVEA_I64},
    {"u8", FOVEA_U64}, {"b1", FOVEA_BOOL}, {"V2", FOVEA_BF16},
};

enum fovea_status fovea_npy_dtype(const char *text, enum fovea_dtype *out,
                                  struct fovea_error *err) {
    const char *code = text + (text[0] && strchr("<>=|", text[0]) ? 1 : 0);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (strcmp(code, codes[i].code) != 0) {
            continue;
        }
        if (text[0] == '>' && fovea_dtype_size(codes[i].dtype) > 1) {
            return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "type '%s' is big-endian", text);
        }
        *out = codes[i].dtype;
        return FOVEA_OK;
    }
    if (code[0] == 'O') {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "type '%s' is not supported: pickled Python objects",
                          fovea_quote(text).text);
    }
    return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "type '%s' is not supported",
                      fovea_quote(text).text);
}

const char *fovea_npy_code(enum fovea_dtype dtype) {
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i].dtype == dtype) {
            return codes[i].code;
        }
    }
    return NULL;
}

/* ---- the header's dictionary -------------------------------------------- */

struct header {
    const char *start, *at, *end;
    struct fovea_tensor *tensor;
    bool descr, order, shape; /* met */
    bool fortran;
    struct fovea_error *err;
};

static enum fovea_status fail_at(struct header *h, const char *expected) {
    return fovea_fail(h->err, FOVEA_ERR_FORMAT, "header character %td: %s expected",
                      h->at - h->start, expected);
}

static void skip_space(struct header *h) {
    while (h->at < h->end && (*h->at == ' ' || *h->at == '\n' || *h->at == '\t')) {
        h->at++;
    }
}

static bool accept(struct header *h, char c) {
    skip_space(h);
    if (h->at == h->end || *h->at != c) {
        return false;
    }
    h->at++;
    return true;
}

/* A quoted string without escapes, of fewer than `size` characters. */
static bool accept_string(struct header *h, char *out, size_t size) {
    char quote = accept(h, '\'') ? '\'' : accept(h, '"') ? '"' : 0;
    size_t used = 0;
    while (quote && h->at < h->end && *h->at != quote && *h->at != '\\' && used + 1 < size) {
        out[used++] = *h->at++;
    }
    out[used] = 0;
    return quote && accept(h, quote);
}

static bool accept_word(struct header *h, const char *word) {
    size_t length = strlen(word);
    skip_space(h);
    if ((size_t)(h->end - h->at) < length || memcmp(h->at, word, length) != 0) {
        return false;
    }
    h->at += length;
    return true;
}

static enum fovea_status parse_descr(struct header *h) {
    char text[16];
    if (!accept_string(h, text, sizeof(text))) {
        return fail_at(h, "a type as a short string");
    }
    return fovea_npy_dtype(text, &h->tensor->dtype, h->err);
}

static enum fovea_status parse_order(struct header *h) {
    if (accept_word(h, "False")) {
        return FOVEA_OK;
    }
    if (accept_word(h, "True")) {
        h->fortran = true;
        return FOVEA_OK;
    }
    return fail_at(h, "True or False");
}

static enum fovea_status parse_dim(struct header *h, int64_t *out) {
    int64_t value = 0;
    const char *start;
    skip_space(h);
    start = h->at;
    while (h->at < h->end && *h->at >= '0' && *h->at <= '9') {
        int digit = *h->at - '0';
        if (value > (INT64_MAX - digit) / 10) {
            return fail_at(h, "a dimension below 2^63");
        }
        value = value * 10 + digit;
        h->at++;
    }
    *out = value;
    return h->at > start ? FOVEA_OK : fail_at(h, "a dimension");
}

static enum fovea_status parse_shape(struct header *h) {
    struct fovea_tensor *t = h->tensor;
    if (!accept(h, '(')) {
        return fail_at(h, "'('");
    }
    t->rank = 0;
    while (!accept(h, ')')) {
        if (t->rank == FOVEA_MAX_RANK) {
            return fovea_fail(h->err, FOVEA_ERR_UNSUPPORTED, "over %d dimensions, the limit",
                              FOVEA_MAX_RANK);
        }
        enum fovea_status st = parse_dim(h, &t->dims[t->rank++]);
        if (st) {
            return st;
        }
        if (accept(h, ',')) {
            continue;
        }
        /* "(3)" is a number in parentheses, not a tuple. */
        return t->rank > 1 && accept(h, ')') ? FOVEA_OK : fail_at(h, "','");
    }
    return FOVEA_OK;
}

static enum fovea_status parse_entry(struct header *h) {
    char key[16];
    if (!accept_string(h, key, sizeof(key)) || !accept(h, ':')) {
        return fail_at(h, "a key and ':'");
    }
    bool *met = strcmp(key, "descr") == 0           ? &h->descr
                : strcmp(key, "fortran_order") == 0 ? &h->order
                : strcmp(key, "shape") == 0         ? &h->shape
                                                    : NULL;
    if (!met || *met) {
        return fovea_fail(h->err, FOVEA_ERR_FORMAT, "header key '%s' is %s", fovea_quote(key).text,
                          met ? "given twice" : "not known");
    }
    *met = true;
    return met == &h->descr ? parse_descr(h) : met == &h->order ? parse_order(h) : parse_shape(h);
}

static enum fovea_status parse_header(struct header *h) {
    if (!accept(h, '{')) {
        return fail_at(h, "'{'");
    }
    while (!accept(h, '}')) {
        enum fovea_status st = parse_entry(h);
        if (st) {
            return st;
        }
        if (!accept(h, ',') && (h->at == h->end || *h->at != '}')) {
            return fail_at(h, "',' or '}'");
        }
    }
    skip_space(h);
    if (h->at != h->end) {
        return fail_at(h, "the end");
    }
    if (h->end[-1] != '\n') {
        return fail_at(h, "a line's end, last of all");
    }
    if (!h->descr || !h->order || !h->shape) {
        return fovea_fail(h->err, FOVEA_ERR_FORMAT,
                          "the header lacks descr, fortran_order or shape");
    }
    return fovea_tensor_check_shape(h->tensor, h->err);
}

/* ---- the bytes around it ------------------------------------------------ */

/* Where the header's text lies, from the bytes before it. */
static enum fovea_status find_header(const unsigned char *bytes, size_t size, size_t *start,
                                     size_t *length, struct fovea_error *err) {
    if (size < MAGIC + 4 || memcmp(bytes, magic, MAGIC) != 0) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "not an .npy file (no \\x93NUMPY at its start)");
    }
    int version = bytes[MAGIC];
    if (version < 1 || version > 3) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, ".npy version %d is outside 1 to 3", version);
    }
    *start = version == 1 ? MAGIC + 4 : MAGIC + 6;
    if (size < *start) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "the file ends in its header");
    }
    *length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (version > 1) {
        *length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    }
    if (*length > FOVEA_LIMIT_NPY_HEADER || *length > size - *start) {
        return fovea_fail(err, FOVEA_ERR_FORMAT,
                          "the header has %zu bytes; %zu are left, and %d are allowed", *length,
                          size - *start, FOVEA_LIMIT_NPY_HEADER);
    }
    return FOVEA_OK;
}

enum fovea_status fovea_npy_header_read(const void *bytes, size_t size,
                                        struct fovea_npy_header *out, struct fovea_error *err) {
    size_t start = 0, length = 0;
    struct fovea_tensor tensor = {0};
    enum fovea_status st = find_header(bytes, size, &start, &length, err);
    if (st) {
        return st;
    }
    const char *text = (const char *)bytes + start;
    struct header header = {
        .start = text, .at = text, .end = text + length, .tensor = &tensor, .err = err};
    st = parse_header(&header);
    if (!st) {
        *out = (struct fovea_npy_header){
            .tensor = tensor, .fortran = header.fortran, .size = start + length};
    }
    return st;
}

void fovea_npy_strides(const struct fovea_npy_header *header, int64_t strides[FOVEA_MAX_RANK]) {
    const struct fovea_tensor *t = &header->tensor;
    int64_t step = 1;
    for (int i = 0; i < t->rank; i++) {
        int axis = header->fortran ? i : t->rank - 1 - i;
        strides[axis] = step;
        step *= t->dims[axis];
    }
}

enum fovea_status fovea_npy_check(const struct fovea_tensor *t, const unsigned char *data,
                                  struct fovea_error *err) {
    size_t size = fovea_tensor_bytes(t);
    for (size_t i = 0; t->dtype == FOVEA_BOOL && i < size; i++) {
        if (data[i] > 1) {
            return fovea_fail(err, FOVEA_ERR_FORMAT, "element %zu of a bool tensor is %d", i,
                              data[i]);
        }
    }
    return FOVEA_OK;
}
