/* See compare.h. */
#include "evaluation/compare.h"

#include <stdlib.h>
#include <string.h>

struct comparing {
    struct eval_comparison out;
    struct eval_class_change *changes; /* one a compared image, to be added up */
    size_t n_changes;
};

static void compare_scored(struct comparing *c, const struct eval_prediction *a,
                           const struct eval_prediction *b) {
    struct eval_comparison *out = &c->out;
    out->images++;
    out->counts.both += a->right && b->right;
    out->counts.only_a += a->right && !b->right;
    out->counts.only_b += !a->right && b->right;
    out->counts.neither += !a->right && !b->right;
    out->other_answers += !a->right && !b->right && a->pred != b->pred;
    out->relabelled += strcmp(a->labels, b->labels) != 0;
    bool gained = !a->right && b->right, lost = a->right && !b->right;
    if (gained || lost) {
        out->flips[out->n_flips++] = (struct eval_flip){a, b, gained};
    }
    c->changes[c->n_changes++] = (struct eval_class_change){a->label, 1, gained, lost};
}

static void compare_pair(struct comparing *c, const struct eval_prediction *a,
                         const struct eval_prediction *b) {
    c->out.no_answer_a += !a->answered;
    c->out.no_answer_b += !b->answered;
    if (!a->answered || !b->answered) {
        return;
    }
    if (a->scored && b->scored) {
        compare_scored(c, a, b);
    } else {
        c->out.not_scored++;
    }
}

/* Both are sorted by path. */
static void compare_all(struct comparing *c, const struct eval_predictions *a,
                        const struct eval_predictions *b) {
    size_t i = 0, j = 0;
    while (i < a->n && j < b->n) {
        int order = strcmp(a->rows[i].path, b->rows[j].path);
        if (order == 0) {
            compare_pair(c, &a->rows[i++], &b->rows[j++]);
        } else if (order < 0) {
            c->out.only_in_a++;
            i++;
        } else {
            c->out.only_in_b++;
            j++;
        }
    }
    c->out.only_in_a += a->n - i;
    c->out.only_in_b += b->n - j;
}

static int compare_flips(const void *x, const void *y) {
    const struct eval_flip *a = x, *b = y;
    return (a->a->row > b->a->row) - (a->a->row < b->a->row);
}

static int compare_classes(const void *x, const void *y) {
    const struct eval_class_change *a = x, *b = y;
    return (a->class_index > b->class_index) - (a->class_index < b->class_index);
}

/* What was lost most, on balance, first. */
static int compare_changes(const void *x, const void *y) {
    const struct eval_class_change *a = x, *b = y;
    long long down_a = (long long)a->lost - (long long)a->gained;
    long long down_b = (long long)b->lost - (long long)b->gained;
    if (down_a != down_b) {
        return down_a > down_b ? -1 : 1;
    }
    return compare_classes(x, y);
}

static void sum_classes(struct comparing *c) {
    struct eval_class_change *changes = c->changes;
    qsort(changes, c->n_changes, sizeof(*changes), compare_classes);
    size_t n = 0;
    for (size_t i = 0; i < c->n_changes;) {
        struct eval_class_change sum = {.class_index = changes[i].class_index};
        for (; i < c->n_changes && changes[i].class_index == sum.class_index; i++) {
            sum.images += changes[i].images;
            sum.gained += changes[i].gained;
            sum.lost += changes[i].lost;
        }
        if (sum.class_index >= 0 && sum.gained + sum.lost > 0) {
            changes[n++] = sum;
        }
    }
    qsort(changes, n, sizeof(*changes), compare_changes);
    c->out.classes = changes;
    c->out.n_classes = n;
    c->changes = NULL;
}

static enum fovea_status fail_nothing_common(const struct eval_comparison *c, size_t in_a,
                                             size_t in_b, struct fovea_error *err) {
    if (c->only_in_a == in_a && c->only_in_b == in_b) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "of %zu and %zu images no path is in both: are they of one list?", in_a,
                          in_b);
    }
    return fovea_fail(err, FOVEA_ERR_INVALID,
                      "no image has an answer and a label in both (%zu without an answer in the "
                      "first, %zu in the second, %zu without labels)",
                      c->no_answer_a, c->no_answer_b, c->not_scored);
}

enum fovea_status eval_compare(const struct eval_predictions *a, const struct eval_predictions *b,
                               struct eval_comparison *out, struct fovea_error *err) {
    size_t most = (a->n < b->n ? a->n : b->n) + 1;
    struct comparing c = {.changes = malloc(most * sizeof(*c.changes))};
    c.out.flips = malloc(most * sizeof(*c.out.flips));
    if (!c.changes || !c.out.flips) {
        free(c.changes);
        eval_comparison_finish(&c.out);
        return fovea_fail_memory(err, most * sizeof(*c.changes), "a comparison");
    }
    compare_all(&c, a, b);
    if (c.out.images == 0) {
        enum fovea_status status = fail_nothing_common(&c.out, a->n, b->n, err);
        free(c.changes);
        eval_comparison_finish(&c.out);
        return status;
    }
    qsort(c.out.flips, c.out.n_flips, sizeof(*c.out.flips), compare_flips);
    sum_classes(&c);
    eval_paired_difference(&c.out.counts, &c.out.difference, &c.out.low, &c.out.high);
    c.out.p = eval_mcnemar_exact(c.out.counts.only_a, c.out.counts.only_b);
    *out = c.out;
    return FOVEA_OK;
}

bool eval_is_worse(const struct eval_comparison *comparison, double points) {
    double lost = (double)comparison->counts.only_a - (double)comparison->counts.only_b;
    double images = (double)comparison->images;
    /* one image in a thousand is 0.1 points, not more, however 0.1 is rounded */
    return 100 * lost > points * images + 1e-9 * images;
}

void eval_comparison_finish(struct eval_comparison *comparison) {
    free(comparison->flips);
    free(comparison->classes);
    memset(comparison, 0, sizeof(*comparison));
}
