/*
 * JSON of unknown origin as a jansson object, within bounds: bytes, nesting
 * and the number of values are known to be moderate before anything is built
 * (limits.h). A key given twice is refused, as is what is no UTF-8.
 */
#ifndef FOVEA_LOADERS_JSON_H
#define FOVEA_LOADERS_JSON_H

#include "runtime/error.h"

struct json_t; /* jansson's; free with json_decref */

/* The bounds alone, for who parses otherwise. FOVEA_ERR_LIMIT. */
enum fovea_status fovea_json_check_bounds(const char *text, size_t size, size_t start,
                                          struct fovea_error *err);

/* `start` is the place of text[0] in its file, for messages. */
enum fovea_status fovea_json_parse(const char *text, size_t size, size_t start, struct json_t **out,
                                   struct fovea_error *err);

#endif
