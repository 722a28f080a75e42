/*
 * Results for scripts. A part that could not be made makes the whole NULL
 * (evaluation/json_values.h), which json_target_write reports.
 */
#ifndef FOVEA_TOOLS_JSON_OUT_H
#define FOVEA_TOOLS_JSON_OUT_H

#include "evaluation/json_values.h"
#include "tools/options.h"

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

#endif
