/* The figures of an evaluation as a JSON object: report.json, and what eval --json prints. */
#ifndef FOVEA_EVALUATION_REPORT_JSON_H
#define FOVEA_EVALUATION_REPORT_JSON_H

#include "evaluation/json_values.h"
#include "evaluation/report.h"
#include "evaluation/summary.h"

/*
 * A new object, NULL if out of memory. Its keys are described in
 * docs/evaluation.md; it depends on the description and the records only.
 */
json_t *eval_report_json(const struct eval_evidence *evidence, const struct eval_summary *summary);

/* What differs between two runs with the same result; images_per_s, seconds and so on. */
json_t *eval_timings_json(const struct eval_timings *timings);

#endif
