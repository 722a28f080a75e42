/* See confusion.h. */
#include "evaluation/confusion.h"

#include <stdlib.h>

static int compare_places(const void *a, const void *b) {
    const struct eval_cell *x = a, *y = b;
    if (x->label != y->label) {
        return x->label < y->label ? -1 : 1;
    }
    return (x->pred > y->pred) - (x->pred < y->pred);
}

int eval_cell_compare_counts(const void *a, const void *b) {
    const struct eval_cell *x = a, *y = b;
    if (x->count != y->count) {
        return x->count > y->count ? -1 : 1;
    }
    return compare_places(a, b);
}

void eval_confusion_init(struct eval_confusion *confusion, struct eval_cell *cells, size_t n) {
    *confusion = (struct eval_confusion){.cells = cells};
    if (n == 0) {
        return;
    }
    qsort(cells, n, sizeof(*cells), compare_places);
    size_t last = 0;
    for (size_t i = 1; i < n; i++) {
        if (compare_places(&cells[last], &cells[i]) == 0) {
            cells[last].count += cells[i].count;
        } else {
            cells[++last] = cells[i];
        }
    }
    confusion->n_cells = last + 1;
}

size_t eval_confusion_get(const struct eval_confusion *confusion, int32_t label, int32_t pred) {
    const struct eval_cell key = {.label = label, .pred = pred};
    const struct eval_cell *found =
        confusion->n_cells == 0
            ? NULL
            : bsearch(&key, confusion->cells, confusion->n_cells, sizeof(key), compare_places);
    return found ? found->count : 0;
}

void eval_confusion_finish(struct eval_confusion *confusion) {
    free(confusion->cells);
    *confusion = (struct eval_confusion){0};
}
