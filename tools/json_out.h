/*
 * Results for scripts. The only place in tools/ that includes jansson.h.
 *
 * A json_t that could not be made is NULL, and jansson passes that on: a
 * missing part makes the whole NULL, which json_target_write reports.
 */
#ifndef FOVEA_TOOLS_JSON_OUT_H
#define FOVEA_TOOLS_JSON_OUT_H

#include "tools/options.h"

#include <jansson.h>

/* Whether and where to. With `on` and no path, JSON takes the place of the text on stdout. */
struct json_target {
    bool on;
    const char *path; /* NULL: stdout */
};

/* The row for --json[=FILE]. */
struct option_spec json_option_spec(struct json_target *target);

/* Whether stdout is for the text. */
bool json_target_wants_text(const struct json_target *target);

/*
 * Write `root`, whose reference is taken also on failure; does nothing if not
 * asked for. Files appear whole or not at all.
 */
enum fovea_status json_target_write(const struct json_target *target, json_t *root,
                                    struct fovea_error *err);

/* A number; null if it is not finite, for which JSON has no word. */
json_t *json_double(double value);

/* The same with the nine digits that tell floats apart, and no more. */
json_t *json_float(float value);

/* A string; bytes that are not UTF-8 become '?'. */
json_t *json_text(const char *text);

#endif
