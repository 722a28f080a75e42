/* JSON within bounds: see json.h. */
#include "loaders/json.h"

#include "runtime/limits.h"

#include <jansson.h>

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

/* jansson calls some want of memory bad syntax: what it refuses, it is asked once more. */
static json_t *load(const char *text, size_t size, json_error_t *problem) {
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, problem);
    return json ? json : json_loadb(text, size, JSON_REJECT_DUPLICATES, problem);
}

/* Of a text that is a part of a file with other contents, a line says nothing. */
static enum fovea_status fail_syntax(const json_error_t *problem, size_t start,
                                     struct fovea_error *err) {
    size_t at = problem->position > 0 ? (size_t)problem->position : 0;
    if (start == 0) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "line %d, column %d: not JSON: %s", problem->line,
                          problem->column, fovea_quote(problem->text).text);
    }
    return fovea_fail(err, FOVEA_ERR_FORMAT, "byte %zu: not JSON: %s", start + at,
                      fovea_quote(problem->text).text);
}

enum fovea_status fovea_json_parse(const char *text, size_t size, size_t start, struct json_t **out,
                                   struct fovea_error *err) {
    json_error_t problem;
    enum fovea_status st = check_bounds(text, size, start, err);
    if (st) {
        return st;
    }
    json_t *json = load(text, size, &problem);
    if (!json && (!problem.text[0] || json_error_code(&problem) == json_error_out_of_memory)) {
        return fovea_fail_memory(err, size, "JSON"); /* of which jansson often says nothing */
    }
    if (!json) {
        return fail_syntax(&problem, start, err);
    }
    *out = json;
    return FOVEA_OK;
}
