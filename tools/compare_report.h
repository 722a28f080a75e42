/*
 * What `fovea compare` found, for people, for scripts, and image by image.
 */
#ifndef FOVEA_TOOLS_COMPARE_REPORT_H
#define FOVEA_TOOLS_COMPARE_REPORT_H

#include "evaluation/compare.h"
#include "tools/json_out.h"

/* One side: what was given, and what a report.json beside the predictions says of it. */
struct compare_side {
    const char *path;
    struct eval_predictions predictions;
    json_t *report; /* NULL: there is none */
};

struct compare_result {
    struct compare_side a, b;
    struct eval_comparison comparison;
    double fail_points; /* negative: not asked for */
    bool fail;
};

/* Load what `path` names. A report.json that cannot be read is none. */
enum fovea_status compare_side_init(struct compare_side *side, const char *path,
                                    struct fovea_error *err);
void compare_side_finish(struct compare_side *side);

void compare_print(const struct compare_result *result);

/* NULL if out of memory. */
json_t *compare_json(const struct compare_result *result);

/* A CSV in A's order: path,label,pred_a,pred_b,change, the last "gained" or "lost". */
enum fovea_status compare_write_flips(const struct compare_result *result, const char *path,
                                      struct fovea_error *err);

#endif
