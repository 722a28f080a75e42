/* See calibration.h. */
#include "evaluation/calibration.h"

#include <math.h>

size_t eval_bin_of(double confidence) {
    double place = ceil(confidence * EVAL_BINS) - 1;
    if (!(place > 0)) {
        return 0;
    }
    return place < EVAL_BINS ? (size_t)place : EVAL_BINS - 1;
}

static void sum_errors(struct eval_calibration *c) {
    double all = (double)c->images;
    c->ece = 0;
    c->mce = 0;
    for (size_t i = 0; i < EVAL_BINS; i++) {
        const struct eval_bin *bin = &c->bins[i];
        if (bin->images > 0) {
            double gap = fabs((double)bin->right - bin->confidence);
            c->ece += gap / all;
            c->mce = fmax(c->mce, gap / (double)bin->images);
        }
    }
}

void eval_calibrate(const struct eval_record *records, size_t n_records,
                    struct eval_calibration *out) {
    struct eval_calibration c = {.ece = NAN, .mce = NAN};
    for (size_t i = 0; i < n_records; i++) {
        const struct eval_record *r = &records[i];
        if (r->state != EVAL_OK || r->n_labels == 0) {
            continue;
        }
        double confidence = eval_record_confidence(r);
        struct eval_bin *bin = &c.bins[eval_bin_of(confidence)];
        bin->images++;
        bin->right += eval_record_hit(r) == 0;
        bin->confidence += confidence;
        c.images++;
        c.confidence += confidence;
        c.nll += eval_record_nll(r);
    }
    /* without images: 0 / 0 */
    c.confidence /= (double)c.images;
    c.nll /= (double)c.images;
    if (c.images > 0) {
        sum_errors(&c);
    }
    *out = c;
}
