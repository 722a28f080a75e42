/*
 * Ways to divide an evaluation's work that are worth a measurement.
 */
#ifndef FOVEA_TOOLS_EVAL_SETTINGS_H
#define FOVEA_TOOLS_EVAL_SETTINGS_H

#include "tools/eval_run.h"

/* From the most threads by halves to one. */
enum { EVAL_MAX_SETTINGS = 11 };

/* The setting there is, then others that may do more images in the same time; how many. */
size_t eval_settings_list(const struct eval *eval, struct streams_setting list[EVAL_MAX_SETTINGS]);

#endif
