/*
 * Values of results as JSON. Above loaders/ the only header that includes
 * jansson.h.
 *
 * A json_t that could not be made is NULL, and jansson passes that on: a
 * missing part makes the whole NULL.
 */
#ifndef FOVEA_EVALUATION_JSON_VALUES_H
#define FOVEA_EVALUATION_JSON_VALUES_H

#include <jansson.h>

/*
 * How results are written, for json_dumpf. 15 digits: every decimal of that
 * length comes back as it was, 0.605 as 0.605.
 */
#define JSON_RESULTS (JSON_INDENT(2) | JSON_REAL_PRECISION(15))

/* A number; null if it is not finite, for which JSON has no word. */
json_t *json_double(double value);

/* The same with the nine digits that tell floats apart, and no more. */
json_t *json_float(float value);

/* A string, null for NULL. Of one that is not UTF-8, bytes over 127 become \xNN. */
json_t *json_text(const char *text);

/* A count. */
json_t *json_count(size_t value);

/*
 * Add to a list, or an object, whose reference to `item` it takes. What lacks a
 * part for want of memory is released and becomes NULL.
 */
void json_append(json_t **list, json_t *item);
void json_set(json_t **object, const char *key, json_t *item);

/* `object` with all of `part` in it. Takes both references; NULL if either is or memory lacks. */
json_t *json_joined(json_t *object, json_t *part);

#endif
