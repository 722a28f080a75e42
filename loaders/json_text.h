/*
 * The parts of a JSON text (RFC 8259), read one by one from its beginning. See
 * json.h for the whole. A function that fails has said so to text->err, with
 * where, and nothing is to be read after it.
 */
#ifndef FOVEA_LOADERS_JSON_TEXT_H
#define FOVEA_LOADERS_JSON_TEXT_H

#include "runtime/error.h"

struct json_t;

struct fovea_json_text {
    const char *bytes;
    size_t size, at;
    size_t start; /* of bytes[0] in its file: see json.h */
    struct fovea_error *err;
};

/* FOVEA_ERR_FORMAT: `what` is wrong where the text is. */
enum fovea_status fovea_json_refuse(const struct fovea_json_text *text, const char *what);

/* The next byte that is no white space, which is not passed; 0 at the end, and for a NUL. */
char fovea_json_peek(struct fovea_json_text *text);

/* Pass `byte`, after white space, if it is the next. */
bool fovea_json_take(struct fovea_json_text *text, char byte);

/*
 * Pass a string, whose first quote is next. Its bytes, as UTF-8 and without a NUL
 * among them, go to `out`, and a NUL behind them: in all fewer than the string has
 * bytes in the text.
 */
enum fovea_status fovea_json_string(struct fovea_json_text *text, char *out, size_t *length);

/* Pass a number, true, false or null: *out is a reference of the caller's. */
enum fovea_status fovea_json_scalar(struct fovea_json_text *text, struct json_t **out);

#endif
