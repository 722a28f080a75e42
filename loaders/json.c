/*
 * JSON within bounds: see json.h. The values are jansson's, its parser is not used: 2.14 passes
 * over a failure to enlarge the buffer of a token, and then writes and reads beyond it.
 */
#include "loaders/json.h"

#include "loaders/json_text.h"
#include "runtime/limits.h"

#include <jansson.h>
#include <stdlib.h>

/* ---- bounds ------------------------------------------------------------------------ */

/* Counts brackets and commas outside strings: an upper bound of depth and values. */
static enum fovea_status check_bounds(const char *text, size_t size, size_t start,
                                      struct fovea_error *err) {
    size_t values = 1, depth = 0;
    bool quoted = false;
    if (size > FOVEA_LIMIT_JSON_BYTES) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "%zu bytes of JSON; the limit is %zu", size,
                          FOVEA_LIMIT_JSON_BYTES);
    }
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
            continue;
        }
        quoted = c == '"';
        values += c == ',' || c == '[' || c == '{';
        depth += c == '[' || c == '{';
        depth -= (c == ']' || c == '}') && depth > 0;
        if (depth > FOVEA_LIMIT_JSON_DEPTH) {
            return fovea_fail(err, FOVEA_ERR_LIMIT, "byte %zu: JSON nested over %d deep, the limit",
                              start + i, FOVEA_LIMIT_JSON_DEPTH);
        }
        if (values > FOVEA_LIMIT_JSON_VALUES) {
            return fovea_fail(err, FOVEA_ERR_LIMIT, "byte %zu: over %d JSON values, the limit",
                              start + i, FOVEA_LIMIT_JSON_VALUES);
        }
    }
    return FOVEA_OK;
}

/* ---- what is built --------------------------------------------------------------- */

/*
 * The containers that are open, the outermost first. Each is in the one before it, which holds the
 * reference; so all is released with the first.
 */
struct builder {
    struct fovea_json_text text;
    json_t *open[FOVEA_LIMIT_JSON_DEPTH];
    size_t depth;
    char *strings; /* room for a key and a string behind it */
};

/* Put `value`, whose reference is taken, into the innermost container, under `key` in an object. */
static enum fovea_status add(struct builder *b, const char *key, json_t *value) {
    json_t *to = b->open[b->depth - 1];
    bool object = json_is_object(to);
    int failed =
        object ? json_object_set_new_nocheck(to, key, value) : json_array_append_new(to, value);
    return failed ? fovea_fail_memory(b->text.err, b->text.size, "JSON") : FOVEA_OK;
}

/* Open a container, whose first bracket is next; it was added, or is the outermost. */
static enum fovea_status open_container(struct builder *b, const char *key) {
    if (b->depth == FOVEA_LIMIT_JSON_DEPTH) {
        return fovea_fail(b->text.err, FOVEA_ERR_LIMIT, "JSON nested over %d deep, the limit",
                          FOVEA_LIMIT_JSON_DEPTH);
    }
    json_t *made = b->text.bytes[b->text.at++] == '{' ? json_object() : json_array();
    if (!made) {
        return fovea_fail_memory(b->text.err, b->text.size, "JSON");
    }
    enum fovea_status st = b->depth > 0 ? add(b, key, made) : FOVEA_OK;
    if (!st) {
        b->open[b->depth++] = made;
    }
    return st;
}

/* A key and its colon; *end is where the next string has room. */
static enum fovea_status read_key(struct builder *b, size_t *end) {
    size_t length;
    if (fovea_json_peek(&b->text) != '"') {
        return fovea_json_refuse(&b->text, "a key is missing");
    }
    size_t at = b->text.at;
    enum fovea_status st = fovea_json_string(&b->text, b->strings, &length);
    if (st) {
        return st;
    }
    if (json_object_get(b->open[b->depth - 1], b->strings)) {
        b->text.at = at;
        return fovea_json_refuse(&b->text, "a duplicate key");
    }
    *end = length + 1;
    return fovea_json_take(&b->text, ':') ? FOVEA_OK
                                          : fovea_json_refuse(&b->text, "no ':' after a key");
}

static enum fovea_status read_string(struct builder *b, const char *key, char *room) {
    size_t length;
    enum fovea_status st = fovea_json_string(&b->text, room, &length);
    if (st) {
        return st;
    }
    json_t *value = json_stringn_nocheck(room, length);
    return value ? add(b, key, value) : fovea_fail_memory(b->text.err, length, "JSON");
}

static enum fovea_status read_member(struct builder *b) {
    const char *key = b->strings;
    size_t end = 0;
    json_t *value;
    enum fovea_status st = json_is_object(b->open[b->depth - 1]) ? read_key(b, &end) : FOVEA_OK;
    if (st) {
        return st;
    }
    switch (fovea_json_peek(&b->text)) {
    case '{':
    case '[':
        return open_container(b, key);
    case '"':
        return read_string(b, key, b->strings + end);
    default:
        st = fovea_json_scalar(&b->text, &value);
        return st ? st : add(b, key, value);
    }
}

/* One step: the end of the innermost container, or its next member. */
static enum fovea_status go_on(struct builder *b) {
    const json_t *within = b->open[b->depth - 1];
    bool object = json_is_object(within);
    bool begun = (object ? json_object_size(within) : json_array_size(within)) > 0;
    if (fovea_json_take(&b->text, object ? '}' : ']')) {
        b->depth--;
        return FOVEA_OK;
    }
    if (begun && !fovea_json_take(&b->text, ',')) {
        return fovea_json_refuse(&b->text, object ? "neither ',' nor '}' after a member"
                                                  : "neither ',' nor ']' after a value");
    }
    return read_member(b);
}

static enum fovea_status build(struct builder *b) {
    char first = fovea_json_peek(&b->text);
    if (first != '{' && first != '[') {
        return fovea_json_refuse(&b->text, "neither '{' nor '[' at its beginning");
    }
    enum fovea_status st = open_container(b, NULL);
    while (!st && b->depth > 0) {
        st = go_on(b);
    }
    (void)fovea_json_peek(&b->text);
    if (!st && b->text.at < b->text.size) {
        st = fovea_json_refuse(&b->text, "something after its end");
    }
    return st;
}

enum fovea_status fovea_json_parse(const char *text, size_t size, size_t start, struct json_t **out,
                                   struct fovea_error *err) {
    struct builder b = {.text = {.bytes = text, .size = size, .start = start, .err = err}};
    enum fovea_status st = check_bounds(text, size, start, err);
    if (st) {
        return st;
    }
    b.strings = malloc(size + 1);
    if (!b.strings) {
        return fovea_fail_memory(err, size + 1, "JSON");
    }
    st = build(&b);
    free(b.strings);
    if (st) {
        json_decref(b.open[0]);
        return st;
    }
    *out = b.open[0];
    return FOVEA_OK;
}
