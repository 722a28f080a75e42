/*
 * Two evaluations of the same images, image by image: A is what was, B what
 * might take its place.
 */
#ifndef FOVEA_EVALUATION_COMPARE_H
#define FOVEA_EVALUATION_COMPARE_H

#include "evaluation/paired.h"
#include "evaluation/predictions.h"

/* An image that one of the two has right and the other wrong. */
struct eval_flip {
    const struct eval_prediction *a, *b; /* lent */
    bool gained;                         /* B has it right */
};

struct eval_class_change {
    int32_t class_index; /* the first label in A */
    size_t images, gained, lost;
};

struct eval_comparison {
    size_t images; /* compared: in both, answered and scored by both */
    struct eval_paired counts;
    double difference, low, high; /* of the share right, B less A, with its 95 % interval */
    double p;                     /* McNemar's exact test, two-sided */
    size_t other_answers;         /* compared, both wrong, each with another class */
    /* Not compared: */
    size_t only_in_a, only_in_b;     /* of the list */
    size_t no_answer_a, no_answer_b; /* in both lists, but without an answer there */
    size_t not_scored;               /* answered by both, but without labels */
    size_t relabelled;               /* compared, though A and B differ in the labels */
    struct eval_flip *flips;         /* in A's order */
    size_t n_flips;
    struct eval_class_change *classes; /* those with flips; what was lost most first */
    size_t n_classes;
};

/*
 * Pair by path; the k-th image of a path with the k-th of the other. *out lends
 * from both and is the caller's to finish. FOVEA_ERR_INVALID if nothing is in
 * both and scored.
 */
enum fovea_status eval_compare(const struct eval_predictions *a, const struct eval_predictions *b,
                               struct eval_comparison *out, struct fovea_error *err);

/*
 * Whether B is worse by more than `points` (hundredths of the images compared):
 * lost less gained is more than points / 100 of them.
 */
bool eval_is_worse(const struct eval_comparison *comparison, double points);

/* A zeroed one is fine. */
void eval_comparison_finish(struct eval_comparison *comparison);

#endif
