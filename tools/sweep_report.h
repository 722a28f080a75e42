/*
 * What a sweep found.
 */
#ifndef FOVEA_TOOLS_SWEEP_REPORT_H
#define FOVEA_TOOLS_SWEEP_REPORT_H

#include "tools/eval_run.h"
#include "tools/json_out.h"
#include "tools/sweep_axes.h"

/* A table, best first, and what it says; of a part of the images if a signal stopped it. */
void sweep_print(const struct sweep *sweep, const struct eval *eval);

/* The object that scripts rely on; NULL if out of memory. */
json_t *sweep_json(const struct sweep *sweep, const struct eval *eval);

#endif
