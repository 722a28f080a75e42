/*
 * How often each class was taken for each: the confusion matrix, of which only
 * the entries that are not zero are kept, so that it never is larger than the
 * list of images, however many classes there are.
 */
#ifndef FOVEA_EVALUATION_CONFUSION_H
#define FOVEA_EVALUATION_CONFUSION_H

#include "runtime/error.h"

/* Images of class `label` that were taken for class `pred`. */
struct eval_cell {
    int32_t label, pred;
    size_t count;
};

struct eval_confusion {
    struct eval_cell *cells; /* by label, then by pred */
    size_t n_cells;
};

/*
 * Count equal cells together. `cells`, whose counts are added, is taken on
 * success and failure alike; it may be NULL if n is 0.
 */
void eval_confusion_init(struct eval_confusion *confusion, struct eval_cell *cells, size_t n);

/* The count of a cell: 0 if there is none. */
size_t eval_confusion_get(const struct eval_confusion *confusion, int32_t label, int32_t pred);

/* A zeroed one is fine. */
void eval_confusion_finish(struct eval_confusion *confusion);

/* By count, the largest first; then by label, then by pred: for qsort over struct eval_cell. */
int eval_cell_compare_counts(const void *a, const void *b);

#endif
