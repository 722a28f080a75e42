/* See doctor_maps.h. */
#include "evaluation/doctor_maps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { REVERSED = 2, AS_TEXT = 8, BY_NAME = 4 };

size_t eval_orders_count(void) {
    return 1 + REVERSED + AS_TEXT + BY_NAME;
}

/* ---- offsets ---------------------------------------------------------------------- */

/* The offset, other than 0, that most predictions have; of equal ones the smaller. 0: none. */
static int32_t best_offset(const struct eval_orders_of *of, size_t *sums) {
    int32_t classes = of->description->classes, best = 0;
    for (size_t i = 0; i < of->confusion->n_cells; i++) {
        const struct eval_cell *c = &of->confusion->cells[i];
        sums[c->pred - c->label + classes] += c->count;
    }
    for (int32_t size = 1; size < classes; size++) {
        for (int sign = 1; sign >= -1; sign -= 2) {
            if (sums[classes + sign * size] > (best == 0 ? 0 : sums[classes + best])) {
                best = sign * size;
            }
        }
    }
    return best;
}

static bool offset(const struct eval_orders_of *of, int32_t *map, struct eval_order *out) {
    int32_t classes = of->description->classes;
    size_t *sums = calloc((size_t)classes * 2 + 1, sizeof(*sums));
    if (!sums) {
        return false;
    }
    int32_t by = best_offset(of, sums);
    free(sums);
    for (int32_t i = 0; i < classes; i++) {
        map[i] = i + by >= 0 && i + by < classes ? i + by : -1;
    }
    *out = (struct eval_order){.ailment = EVAL_OFFSET, .parameter = (int)by};
    snprintf(out->words, sizeof(out->words), "the model's classes are the labels %s %d%s",
             by > 0 ? "plus" : "minus", abs((int)by),
             by == 1 ? ", as if its class 0 were the background" : "");
    return by != 0;
}

/* ---- reversed --------------------------------------------------------------------- */

static void fill_none(int32_t *map, int32_t classes) {
    for (int32_t i = 0; i < classes; i++) {
        map[i] = -1;
    }
}

static bool reversed(const struct eval_orders_of *of, int which, int32_t *map,
                     struct eval_order *out) {
    int32_t n = which == 0 ? of->description->classes : of->labels;
    fill_none(map, of->description->classes);
    for (int32_t i = 0; i < n; i++) {
        map[i] = n - 1 - i;
    }
    *out = (struct eval_order){.ailment = EVAL_REVERSED, .parameter = which};
    snprintf(out->words, sizeof(out->words), "the model has its classes in reverse order");
    return which == 0 || of->labels < of->description->classes;
}

/* ---- numbers as text -------------------------------------------------------------- */

static int compare_as_text(const void *a, const void *b, void *base) {
    char x[16], y[16];
    snprintf(x, sizeof(x), "%d", (int)*(const int32_t *)a + *(const int *)base);
    snprintf(y, sizeof(y), "%d", (int)*(const int32_t *)b + *(const int *)base);
    return strcmp(x, y);
}

/* `which` has a bit for each choice: how many there are, the first number, the direction. */
static bool as_text(const struct eval_orders_of *of, int which, int32_t *order, int32_t *map,
                    struct eval_order *out) {
    int32_t n = which & 4 ? of->labels : of->description->classes;
    int base = (which & 2) != 0;
    fill_none(map, of->description->classes);
    for (int32_t i = 0; i < n; i++) {
        order[i] = i;
    }
    qsort_r(order, (size_t)n, sizeof(*order), compare_as_text, &base);
    for (int32_t i = 0; i < n; i++) {
        map[which & 1 ? i : order[i]] = which & 1 ? order[i] : i;
    }
    *out = (struct eval_order){.ailment = EVAL_NUMBERS_AS_TEXT, .parameter = which};
    snprintf(out->words, sizeof(out->words), "%s",
             which & 1 ? "the labels count numbers in the order of text (1, 10, 11, ..., 2), which "
                         "the model has in the order of numbers"
                       : "the labels are numbers, which the model has in the order of text (1, 10, "
                         "11, ..., 2)");
    return n > 10 && ((which & 4) == 0 || of->labels < of->description->classes);
}

/* ---- by name ---------------------------------------------------------------------- */

struct naming {
    char **names;
    bool fold; /* upper and lower case alike */
};

static int compare_names(const void *a, const void *b, void *context) {
    const struct naming *naming = context;
    int32_t i = *(const int32_t *)a, j = *(const int32_t *)b;
    const char *x = naming->names[i], *y = naming->names[j];
    int order = naming->fold ? strcasecmp(x, y) : strcmp(x, y);
    return order ? order : (i > j) - (i < j);
}

static bool all_named(const struct eval_description *d) {
    for (int32_t i = 0; d->names && i < d->classes; i++) {
        if (!d->names[i]) {
            return false;
        }
    }
    return d->names != NULL;
}

static bool by_name(const struct eval_orders_of *of, int which, int32_t *order, int32_t *map,
                    struct eval_order *out) {
    const struct eval_description *d = of->description;
    struct naming naming = {.names = d->names, .fold = (which & 2) != 0};
    bool sorted = true;
    if (!all_named(d)) {
        return false;
    }
    for (int32_t i = 0; i < d->classes; i++) {
        order[i] = i;
    }
    qsort_r(order, (size_t)d->classes, sizeof(*order), compare_names, &naming);
    for (int32_t i = 0; i < d->classes; i++) {
        map[which & 1 ? order[i] : i] = which & 1 ? i : order[i];
        sorted = sorted && order[i] == i;
    }
    *out = (struct eval_order){.ailment = EVAL_NAME_ORDER, .parameter = which};
    snprintf(out->words, sizeof(out->words), "%s",
             which & 1 ? "the model has its classes in the sorted order of their names, the labels "
                         "have not"
                       : "the labels count the classes in the sorted order of their names, the "
                         "model has them in another");
    return !sorted;
}

bool eval_order_get(const struct eval_orders_of *of, size_t index, int32_t *scratch, int32_t *map,
                    struct eval_order *out) {
    int i = (int)index;
    if (i == 0) {
        return offset(of, map, out);
    }
    i -= 1;
    if (i < REVERSED) {
        return reversed(of, i, map, out);
    }
    i -= REVERSED;
    if (i < AS_TEXT) {
        return as_text(of, i, scratch, map, out);
    }
    return by_name(of, i - AS_TEXT, scratch, map, out);
}
