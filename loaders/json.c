/* JSON within bounds: see json.h. */
#include "loaders/json.h"

#include "runtime/limits.h"

#include <jansson.h>

/* Counts brackets and commas outside strings: an upper bound of depth and values. */
enum fovea_status fovea_json_check_bounds(const char *text, size_t size, size_t start,
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

enum fovea_status fovea_json_parse(const char *text, size_t size, size_t start, struct json_t **out,
                                   struct fovea_error *err) {
    json_error_t problem;
    enum fovea_status st = fovea_json_check_bounds(text, size, start, err);
    if (st) {
        return st;
    }
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    if (!json) {
        size_t at = problem.position > 0 ? (size_t)problem.position : 0;
        return fovea_fail(err, FOVEA_ERR_FORMAT, "byte %zu: not JSON: %s", start + at,
                          fovea_quote(problem.text).text);
    }
    *out = json;
    return FOVEA_OK;
}
