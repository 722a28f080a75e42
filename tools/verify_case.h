/*
 * One case in the layout of ONNX's backend tests:
 *
 *     CASE/model.onnx
 *     CASE/test_data_set_0/input_0.pb ... output_0.pb ...
 *     CASE/test_data_set_1/...
 */
#ifndef FOVEA_TOOLS_VERIFY_CASE_H
#define FOVEA_TOOLS_VERIFY_CASE_H

#include "tools/compare_tensors.h"
#include "tools/model_options.h"

enum case_status {
    CASE_PASSED,
    CASE_FAILED,      /* ran, but the outputs are not the expected ones */
    CASE_UNSUPPORTED, /* the model uses what this build does not have */
    CASE_ERROR,       /* anything else went wrong */
};

struct case_result {
    enum case_status status;
    double max_abs, rel_l2; /* over all outputs that were compared */
    double winograd_rel_l2; /* of the outputs to those of direct convolutions; -1: all were */
    char message[512];      /* why it did not pass; "" if it did */
};

struct case_options {
    struct tolerance tolerance;
    struct model_options model;
};

/* "passed", ... */
const char *case_status_name(enum case_status status);

void verify_case(const char *folder, const struct case_options *options,
                 struct case_result *result);

#endif
