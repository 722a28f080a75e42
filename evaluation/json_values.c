/* See json_values.h. */
#include "evaluation/json_values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *json_double(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_float(float value) {
    char digits[32];
    snprintf(digits, sizeof(digits), "%.9g", (double)value);
    return json_double(strtod(digits, NULL));
}

json_t *json_text(const char *text) {
    if (!text) {
        return json_null();
    }
    json_t *string = json_string(text);
    if (string) {
        return string;
    }
    char *escaped = malloc(4 * strlen(text) + 1), *to = escaped;
    if (!escaped) {
        return NULL;
    }
    for (*to = 0; *text; text++) {
        to += sprintf(to, (unsigned char)*text < 0x80 ? "%c" : "\\x%02x", (unsigned char)*text);
    }
    string = json_string(escaped);
    free(escaped);
    return string;
}

json_t *json_count(size_t value) {
    return json_integer((json_int_t)value);
}

static void check_whole(json_t **whole, int failed) {
    if (failed) {
        json_decref(*whole);
        *whole = NULL;
    }
}

void json_append(json_t **list, json_t *item) {
    check_whole(list, json_array_append_new(*list, item));
}

void json_set(json_t **object, const char *key, json_t *item) {
    check_whole(object, json_object_set_new(*object, key, item));
}

json_t *json_joined(json_t *object, json_t *part) {
    if (object && part && json_object_update(object, part) == 0) {
        json_decref(part);
        return object;
    }
    json_decref(object);
    json_decref(part);
    return NULL;
}
