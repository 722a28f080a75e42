/* See diff_match.h. */
#include "tools/diff_match.h"

#include "runtime/tensor.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE_MAX = 1 << 28 }; /* entries */

/* ---- what can correspond -------------------------------------------------------------- */

static bool same_dims(const struct fovea_tensor *x, const struct fovea_tensor *y) {
    int i = 0, j = 0;
    for (;; i++, j++) {
        while (i < x->rank && x->dims[i] == 1) {
            i++;
        }
        while (j < y->rank && y->dims[j] == 1) {
            j++;
        }
        if (i == x->rank || j == y->rank) {
            return i == x->rank && j == y->rank;
        }
        if (x->dims[i] != y->dims[j]) {
            return false;
        }
    }
}

static bool same_name(const struct diff_value *x, const struct diff_value *y) {
    return x->value->name[0] && strcmp(x->value->name, y->value->name) == 0;
}

static int by_name(const void *a, const void *b) {
    const struct diff_value *const *x = a, *const *y = b;
    return strcmp((*x)->value->name, (*y)->value->name);
}

/* Whether at least half of the names of the run that has fewer are names of the other as well. */
static bool share_names(const struct diff_trace *a, const struct diff_trace *b) {
    const struct diff_trace *few = a->count < b->count ? a : b, *many = few == a ? b : a;
    const struct diff_value **sorted = malloc((many->count + 1) * sizeof(const void *));
    if (!sorted) {
        return false;
    }
    size_t shared = 0;
    for (size_t i = 0; i < many->count; i++) {
        sorted[i] = &many->values[i];
    }
    qsort(sorted, many->count, sizeof(*sorted), by_name);
    for (size_t i = 0; i < few->count; i++) {
        const struct diff_value *wanted = &few->values[i];
        shared += wanted->value->name[0] &&
                  bsearch(&wanted, sorted, many->count, sizeof(*sorted), by_name) != NULL;
    }
    free(sorted);
    return shared > 0 && 2 * shared >= few->count;
}

/* ---- alignment ------------------------------------------------------------------------ */

/* What a pair is worth; 0: nothing. */
typedef float (*worth_fn)(const struct diff_value *x, const struct diff_value *y);

static float worth_by_content(const struct diff_value *x, const struct diff_value *y) {
    double distance = same_dims(&x->value->t, &y->value->t) ? diff_distance(x, y) : 1;
    return distance <= DIFF_ALIKE ? (float)(2 - distance) : 0;
}

static float worth_by_name(const struct diff_value *x, const struct diff_value *y) {
    bool named = same_name(x, y) && same_dims(&x->value->t, &y->value->t);
    return (named ? 0.5f : 0) + worth_by_content(x, y);
}

static float worth_by_order(const struct diff_value *x, const struct diff_value *y) {
    return same_dims(&x->value->t, &y->value->t) ? 1 : 0;
}

/* The sequences from a's `a0` and b's `b0` on. */
struct alignment {
    const struct diff_trace *a, *b;
    size_t a0, b0;
    worth_fn worth;
    float *best; /* [i][j]: of what comes before i and j; (n + 1) x (m + 1) */
};

static void fill_table(struct alignment *l, size_t n, size_t m) {
    for (size_t i = 1; i <= n; i++) {
        float *row = l->best + i * (m + 1), *above = row - (m + 1);
        for (size_t j = 1; j <= m; j++) {
            float worth = l->worth(&l->a->values[l->a0 + i - 1], &l->b->values[l->b0 + j - 1]);
            float best = above[j] > row[j - 1] ? above[j] : row[j - 1];
            row[j] = worth > 0 && above[j - 1] + worth > best ? above[j - 1] + worth : best;
        }
    }
}

/* Walk back from the end; pairs come out last first, then are turned round. */
static size_t walk_back(const struct alignment *l, size_t n, size_t m, struct diff_pair *out) {
    size_t count = 0, i = n, j = m;
    while (i > 0 && j > 0) {
        const float *row = l->best + i * (m + 1), *above = row - (m + 1);
        if (row[j] == above[j]) {
            i--;
        } else if (row[j] == row[j - 1]) {
            j--;
        } else {
            i--;
            j--;
            out[count++] = (struct diff_pair){.a = l->a0 + i, .b = l->b0 + j};
        }
    }
    for (size_t k = 0; k < count / 2; k++) {
        struct diff_pair other = out[count - 1 - k];
        out[count - 1 - k] = out[k];
        out[k] = other;
    }
    return count;
}

/* Append the pairs of the best alignment of what is left. */
static enum fovea_status align(const struct diff_trace *a, const struct diff_trace *b,
                               worth_fn worth, struct diff_pair *pairs, size_t *count,
                               struct fovea_error *err) {
    size_t a0 = *count ? pairs[*count - 1].a + 1 : 0, b0 = *count ? pairs[*count - 1].b + 1 : 0;
    size_t n = a->count - a0, m = b->count - b0;
    if ((n + 1) > TABLE_MAX / (m + 1)) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "%zu and %zu tensors are too many to align", n, m);
    }
    struct alignment l = {.a = a, .b = b, .a0 = a0, .b0 = b0, .worth = worth};
    l.best = calloc((n + 1) * (m + 1), sizeof(*l.best));
    if (!l.best) {
        return fovea_fail_memory(err, (n + 1) * (m + 1) * sizeof(*l.best), "an alignment");
    }
    fill_table(&l, n, m);
    *count += walk_back(&l, n, m, pairs + *count);
    free(l.best);
    return FOVEA_OK;
}

enum fovea_status diff_match(const struct diff_trace *a, const struct diff_trace *b,
                             struct diff_pair **out, size_t *count, struct fovea_error *err) {
    size_t most = a->count < b->count ? a->count : b->count, n = 0;
    struct diff_pair *pairs = calloc(most + 1, sizeof(*pairs));
    bool named = share_names(a, b);
    if (!pairs) {
        return fovea_fail_memory(err, most * sizeof(*pairs), "pairs of tensors");
    }
    enum fovea_status status =
        align(a, b, named ? worth_by_name : worth_by_content, pairs, &n, err);
    for (size_t i = 0; i < n; i++) {
        bool by_name = named && same_name(&a->values[pairs[i].a], &b->values[pairs[i].b]);
        pairs[i].by = by_name ? DIFF_BY_NAME : DIFF_BY_CONTENT;
    }
    size_t strong = n;
    if (!status && !named) {
        status = align(a, b, worth_by_order, pairs, &n, err);
    }
    for (size_t i = strong; i < n; i++) {
        pairs[i].by = DIFF_BY_ORDER;
    }
    if (status) {
        free(pairs);
        return status;
    }
    *out = pairs;
    *count = n;
    return FOVEA_OK;
}
