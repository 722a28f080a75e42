/*
 * The figures of an evaluation: shares with their intervals, class by class,
 * pair by pair, calibration, and the worst of the mistakes. Everything that
 * prints or writes results starts from here.
 *
 * An image is scored if it is EVAL_OK and has labels; with several labels
 * (ReaL) any of them is right. Such an image counts for each of its labels in
 * the figures by class, and, if wrong, for each in the pairs.
 */
#ifndef FOVEA_EVALUATION_SUMMARY_H
#define FOVEA_EVALUATION_SUMMARY_H

#include "evaluation/calibration.h"
#include "evaluation/confusion.h"
#include "evaluation/doctor.h"
#include "evaluation/record.h"
#include "runtime/error.h"

/* `part` of `whole`, with Wilson's 95 % interval. */
struct eval_share {
    size_t part, whole;
    double value; /* NaN if whole is 0 */
    double low, high;
};

struct eval_class_score {
    int32_t class_index;
    size_t images;          /* scored, with this label */
    size_t top1;            /* of these, right */
    size_t top5;            /* of these, with a right class among the best five */
    size_t predicted;       /* scored images that were taken for this class */
    size_t predicted_right; /* of these, rightly */
};

struct eval_summary {
    size_t listed, states[EVAL_N_STATES];
    size_t warned;     /* ok, but read with a warning */
    size_t unlabelled; /* ok, but without labels: not scored */
    size_t scored;
    struct eval_share top1, top5;  /* of those scored */
    struct eval_share top1_listed; /* of all that have labels: without an answer counts as wrong */
    double class_mean; /* the mean over classes of their accuracy; NaN if there is none */
    struct eval_class_score *classes; /* those with images or predictions, by class_index */
    size_t n_classes;
    struct eval_confusion confusion;
    struct eval_cell *pairs; /* cells off the diagonal, by eval_cell_compare_counts */
    size_t n_pairs;
    struct eval_calibration calibration;
    size_t *mistakes; /* indices of records that were scored wrong, the most confident first */
    size_t n_mistakes;
    struct eval_diagnosis diagnosis;
};

struct eval_share eval_share_of(size_t part, size_t whole);

/*
 * *out is the caller's to finish. FOVEA_ERR_INVALID if a record names a class
 * outside 0 .. classes - 1; FOVEA_ERR_MEMORY.
 */
enum fovea_status eval_summary_init(struct eval_summary *out,
                                    const struct eval_description *description,
                                    const struct eval_record *records, size_t n_records,
                                    struct fovea_error *err);

/* A zeroed one is fine. */
void eval_summary_finish(struct eval_summary *summary);

/* The name of a class, or NULL. */
const char *eval_class_name(const struct eval_description *description, int32_t class_index);

#endif
