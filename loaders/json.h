/*
 * JSON of unknown origin as a jansson object, within bounds: bytes, nesting
 * and the number of values are known to be moderate before anything is built
 * (limits.h). A key given twice is refused, as is what is no UTF-8.
 */
#ifndef FOVEA_LOADERS_JSON_H
#define FOVEA_LOADERS_JSON_H

#include "runtime/error.h"

struct json_t; /* jansson's; free with json_decref */

/*
 * `start` is the place of text[0] in its file, for messages: they name a line and a column where it
 * is 0, else a byte of the file. FOVEA_ERR_FORMAT, FOVEA_ERR_LIMIT, FOVEA_ERR_MEMORY.
 */
enum fovea_status fovea_json_parse(const char *text, size_t size, size_t start, struct json_t **out,
                                   struct fovea_error *err);

#endif
