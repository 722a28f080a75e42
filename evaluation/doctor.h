/*
 * The label doctor: is the model bad, or are its classes in another order than
 * the labels?
 *
 * It tries the orders that are known to be mixed up, and one-to-one
 * assignments found from the predictions themselves, and speaks only of one that
 *
 *  - makes at least twice as many images right, by a margin that McNemar's
 *    test gives a probability below 1e-6 after Bonferroni's correction for
 *    the orders tried;
 *  - holds for at least half of the classes, each by its most frequent
 *    prediction, which is what tells a mixed-up order from a model that
 *    takes everything for a few classes: images of a class are not independent,
 *    classes nearly are;
 *  - agrees with the labels beyond what the frequencies of labels and
 *    predictions alone would do (Cohen's kappa, 1960).
 *
 * An assignment found from the data is judged on data it was not found from:
 * the images of each class are dealt into two halves, and the assignment of
 * each half is judged on the other.
 */
#ifndef FOVEA_EVALUATION_DOCTOR_H
#define FOVEA_EVALUATION_DOCTOR_H

#include "evaluation/record.h"
#include "runtime/error.h"

#include <stdio.h>

enum eval_ailment {
    EVAL_NO_AILMENT,
    EVAL_OFFSET,          /* class = label + n */
    EVAL_REVERSED,        /* class = last - label */
    EVAL_NUMBERS_AS_TEXT, /* "10" before "2" on one side, after it on the other */
    EVAL_NAME_ORDER,      /* labels count the classes by their names in sorted order */
    EVAL_PERMUTED,        /* none of these */
};

struct eval_diagnosis {
    enum eval_ailment ailment;
    char words[240];              /* what is wrong; "" if nothing is */
    int32_t *map;                 /* [classes] which class each label is; -1: not known */
    int32_t classes;              /* of the model */
    size_t images;                /* with one label and an answer: what was looked at */
    size_t right_now, right_then; /* of them, as they are, and with the map */
    size_t holds, labels; /* of how many labels the map's class is the most frequent prediction */
    double p;             /* McNemar's, one-sided, corrected */
};

/*
 * Labels and classes must be inside 0 .. classes - 1. *out is the caller's to
 * finish; nothing wrong is a diagnosis, too. FOVEA_ERR_MEMORY.
 */
enum fovea_status eval_diagnose(const struct eval_description *description,
                                const struct eval_record *records, size_t n_records,
                                struct eval_diagnosis *out, struct fovea_error *err);

/* A zeroed one is fine. */
void eval_diagnosis_finish(struct eval_diagnosis *diagnosis);

/* A few lines of text about an ailment; nothing if there is none. */
void eval_diagnosis_print(const struct eval_diagnosis *diagnosis, FILE *out);

/* The map as `fovea eval --label-map` reads it: "LABEL CLASS" lines. */
void eval_label_map_write(const struct eval_diagnosis *diagnosis, FILE *out);

const char *eval_ailment_name(enum eval_ailment ailment);

#endif
