/*
 * Whether a model is as often right as it says: reliability over bins of
 * confidence, and the expected calibration error.
 */
#ifndef FOVEA_EVALUATION_CALIBRATION_H
#define FOVEA_EVALUATION_CALIBRATION_H

#include "evaluation/record.h"

/* As many, and of equal width, as in Guo et al., On Calibration of Modern Neural Networks (2017).
 */
enum { EVAL_BINS = 15 };

/* Images whose confidence is over i / EVAL_BINS and at most (i + 1) / EVAL_BINS. */
struct eval_bin {
    size_t images, right;
    double confidence; /* summed */
};

struct eval_calibration {
    struct eval_bin bins[EVAL_BINS];
    size_t images;     /* all that were scored */
    double confidence; /* mean */
    double nll;        /* mean of -ln of the probability of the label; NaN without images */
    double ece;        /* mean over images of |accuracy - confidence| of their bin; NaN without */
    double mce;        /* the largest |accuracy - confidence| of a bin; NaN without images */
};

/* Over the records that are EVAL_OK and have labels. */
void eval_calibrate(const struct eval_record *records, size_t n_records,
                    struct eval_calibration *out);

/* The bin of a confidence in 0..1. */
size_t eval_bin_of(double confidence);

#endif
