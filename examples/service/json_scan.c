/*
 * Depth, brackets and commas of JSON, counted byte by byte.
 */
#include "json_scan.h"

#include <stdbool.h>

const char *json_scan(const char *text, size_t size, size_t max_brackets, size_t max_commas) {
    size_t depth = 0, brackets = 0, commas = 0;
    bool inside = false; /* a string */
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (inside) {
            i += c == '\\';
            inside = c != '"';
        } else if (c == '"') {
            inside = true;
        } else if (c == '[' || c == '{') {
            if (++depth > JSON_MAX_DEPTH) {
                return "JSON is nested deeper than 100 levels";
            }
            if (++brackets > max_brackets) {
                return "JSON has more arrays and objects than a request of this model can have";
            }
        } else if (c == ']' || c == '}') {
            depth -= depth > 0;
        } else if (c == ',' && ++commas > max_commas) {
            return "JSON has more values than a request of this model can have";
        }
    }
    return NULL;
}
