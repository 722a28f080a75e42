/*
 * fovea eval --sweep: one dataset under many recipes, so that "is it my model
 * or my resize?" has an answer.
 */
#ifndef FOVEA_TOOLS_EVAL_SWEEP_H
#define FOVEA_TOOLS_EVAL_SWEEP_H

#include "tools/eval_command.h"

/*
 * Evaluate operands MODEL DATASET under every combination of what
 * evaluation->sweep says: "all", or words by commas, each a filter, a resize
 * mode or a crop_pct. An axis without words keeps the recipe's value. The
 * recipe itself is always among them. Each image is read and decoded once.
 * Returns the exit code.
 */
int eval_sweep_run(struct evaluation *evaluation, const struct operands *operands);

#endif
