/* See diff_report.h. */
#include "tools/diff_report.h"

#include "runtime/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- verdict -------------------------------------------------------------------------- */

static bool is_within(const struct diff *d, size_t pair) {
    return d->errors[pair].rel_l2 <= d->bound; /* false of a NaN */
}

/* Mark, by value number, what depends on a value of a's graph. Nodes are in order: one walk. */
static void mark_after(const struct diff *d, size_t pair, bool *marked, size_t n_values) {
    const struct diff_value *from = &d->a.values[d->pairs[pair].a];
    memset(marked, 0, n_values * sizeof(*marked));
    marked[from->value->number] = true;
    for (const struct fovea_node *node = from->node->next; node; node = node->next) {
        bool reached = false;
        for (int i = 0; i < node->n_in; i++) {
            reached = reached || (node->in[i] && marked[node->in[i]->number]);
        }
        for (int i = 0; i < node->n_out; i++) {
            if (node->out[i]) {
                marked[node->out[i]->number] = reached;
            }
        }
    }
}

static bool heals(const struct diff *d, size_t pair, const bool *marked) {
    for (size_t i = pair + 1; i < d->n_pairs; i++) {
        if (marked[d->a.values[d->pairs[i].a].value->number] && is_within(d, i)) {
            return true;
        }
    }
    return false;
}

static void find_before(struct diff *d, bool *marked, size_t n_values) {
    const struct fovea_value *first = d->a.values[d->pairs[d->first].a].value;
    for (size_t i = d->first; i > 0 && d->before == NO_PAIR; i--) {
        if (is_within(d, i - 1)) {
            mark_after(d, i - 1, marked, n_values);
            d->before = marked[first->number] ? i - 1 : NO_PAIR;
        }
    }
}

/* NaN is the worst; of equals the first. */
static bool is_worse(double error, double than) {
    return isnan(error) ? !isnan(than) : error > than;
}

enum fovea_status diff_judge(struct diff *d, struct fovea_error *err) {
    d->first = d->before = d->worst = NO_PAIR;
    d->n_healed = d->n_beyond = 0;
    if (d->n_pairs == 0) {
        return FOVEA_OK;
    }
    size_t n_values = d->a.values[0].node->graph->n_values;
    bool *marked = calloc(n_values + 1, sizeof(*marked));
    if (!marked) {
        return fovea_fail_memory(err, n_values, "a verdict");
    }
    for (size_t i = 0; i < d->n_pairs; i++) {
        double error = d->errors[i].rel_l2;
        if (d->worst == NO_PAIR || is_worse(error, d->errors[d->worst].rel_l2)) {
            d->worst = i;
        }
        d->n_beyond += !is_within(d, i);
        if (is_within(d, i) || d->first != NO_PAIR) {
            continue;
        }
        mark_after(d, i, marked, n_values);
        if (heals(d, i, marked)) {
            d->n_healed++;
        } else {
            d->first = i;
        }
    }
    if (d->first != NO_PAIR) {
        find_before(d, marked, n_values);
    }
    free(marked);
    return FOVEA_OK;
}

bool diff_agrees(const struct diff *d) {
    return d->first == NO_PAIR && d->logits.rel_l2 <= d->bound;
}

/* ---- text ------------------------------------------------------------------------------ */

static const char *const ways[] = {
    [DIFF_BY_NAME] = "name",
    [DIFF_BY_CONTENT] = "content",
    [DIFF_BY_ORDER] = "order",
};

/* "Conv '/stem/conv1/Conv'"; by value. */
struct node_text {
    char text[160];
};

static struct node_text node_text(const struct diff_value *v) {
    struct node_text out;
    const char *name = v->node->name[0] ? v->node->name : v->value->name;
    snprintf(out.text, sizeof(out.text), "%s '%s'", v->node->type, fovea_quote(name).text);
    return out;
}

static void print_row(const struct diff *d, size_t i) {
    const struct diff_error *e = &d->errors[i];
    const struct diff_value *a = &d->a.values[d->pairs[i].a], *b = &d->b.values[d->pairs[i].b];
    struct node_text left = node_text(a), right = node_text(b);
    bool same = strcmp(left.text, right.text) == 0;
    printf("%c %9.3g  %9.3g  %10.7f  %-18s  %s%s%s\n",
           i == d->first     ? '>'
           : is_within(d, i) ? ' '
                             : '*',
           e->rel_l2, e->max_abs, e->cosine, fovea_shape_text(&a->value->t).text, left.text,
           same ? "" : "  |  ", same ? "" : right.text);
}

static void print_head(void) {
    printf("\n     rel_l2    max_abs      cosine  shape               node\n");
}

/* The rows around the first that matters, the worst, and the last. */
static void print_rows(const struct diff *d, bool all) {
    enum { AROUND = 4 };
    size_t middle = d->first == NO_PAIR ? d->worst : d->first, last = NO_PAIR;
    print_head();
    for (size_t i = 0; i < d->n_pairs; i++) {
        bool shown = all || i == d->before || i == d->worst || i + 1 == d->n_pairs ||
                     (i + AROUND > middle && i < middle + AROUND);
        if (!shown) {
            continue;
        }
        if (last != NO_PAIR ? i > last + 1 : i > 0) {
            printf("  ...\n");
        }
        print_row(d, i);
        last = i;
    }
}

static void print_first(const struct diff *d) {
    const struct diff_value *a = &d->a.values[d->pairs[d->first].a];
    const struct diff_value *b = &d->b.values[d->pairs[d->first].b];
    const struct diff_error *e = &d->errors[d->first];
    printf("\nfirst beyond %g: %s of A", d->bound, node_text(a).text);
    printf(", %s of B (matched by %s)\n", node_text(b).text, ways[d->pairs[d->first].by]);
    printf("  tensor '%s': rel_l2 %.3g, max_abs %.3g, cosine %.7f",
           fovea_quote(a->value->name).text, e->rel_l2, e->max_abs, e->cosine);
    if (1 - e->cosine * e->cosine <= d->bound * d->bound) {
        printf("; B is A times %.6g", e->scale);
    }
    printf("\n");
    if (d->before == NO_PAIR) {
        printf("  no tensor that it depends on was matched\n");
        return;
    }
    const struct diff_value *before = &d->a.values[d->pairs[d->before].a];
    printf("  the last before it that agrees: %s, rel_l2 %.3g\n", node_text(before).text,
           d->errors[d->before].rel_l2);
}

static void print_side(const char *letter, const struct diff_name *name) {
    printf("%s  %s  (%s, passes %s)\n", letter, fovea_quote(name->path).text, name->precision,
           fovea_quote(name->passes).text);
}

void diff_print(const struct diff *d, bool all) {
    size_t by[3] = {0};
    for (size_t i = 0; i < d->n_pairs; i++) {
        by[d->pairs[i].by]++;
    }
    print_side("A", &d->name_a);
    print_side("B", &d->name_b);
    printf("%zu of %zu and %zu tensors matched: %zu by name, %zu by content, %zu by order\n",
           d->n_pairs, d->a.count, d->b.count, by[DIFF_BY_NAME], by[DIFF_BY_CONTENT],
           by[DIFF_BY_ORDER]);
    if (d->n_pairs > 0) {
        print_rows(d, all);
    }
    if (d->first != NO_PAIR) {
        print_first(d);
    } else {
        printf("\nno tensor goes beyond %g for good\n", d->bound);
    }
    if (d->n_healed > 0) {
        printf("%zu tensors are beyond %g, but what is computed from them agrees\n", d->n_healed,
               d->bound);
    }
    printf("logits: rel_l2 %.3g, max_abs %.3g, cosine %.7f; best class %d and %d\n",
           d->logits.rel_l2, d->logits.max_abs, d->logits.cosine, d->top_a, d->top_b);
}

/* ---- JSON ------------------------------------------------------------------------------ */

static json_t *error_json(const struct diff_error *e) {
    return json_pack("{s:o, s:o, s:o, s:o}", "rel_l2", json_double(e->rel_l2), "max_abs",
                     json_double(e->max_abs), "cosine", json_double(e->cosine), "scale",
                     json_double(e->scale));
}

static json_t *value_json(const struct diff_value *v) {
    return json_pack("{s:o, s:s, s:o}", "node", json_text(v->node->name), "type", v->node->type,
                     "tensor", json_text(v->value->name));
}

static json_t *pair_json(const struct diff *d, size_t i) {
    const struct diff_value *a = &d->a.values[d->pairs[i].a], *b = &d->b.values[d->pairs[i].b];
    json_t *root = error_json(&d->errors[i]);
    json_t *shape = json_array();
    for (int k = 0; k < a->value->t.rank; k++) {
        json_append(&shape, json_integer(a->value->t.dims[k]));
    }
    json_t *more =
        json_pack("{s:o, s:o, s:o, s:s, s:b}", "a", value_json(a), "b", value_json(b), "shape",
                  shape, "matched_by", ways[d->pairs[i].by], "within", is_within(d, i));
    if (!more || json_object_update(root, more)) {
        json_decref(root);
        root = NULL;
    }
    json_decref(more);
    return root;
}

static json_t *side_json(const struct diff_name *name, size_t tensors) {
    return json_pack("{s:o, s:s, s:o, s:o}", "model", json_text(name->path), "precision",
                     name->precision, "passes", json_text(name->passes), "tensors",
                     json_count(tensors));
}

json_t *diff_json(const struct diff *d) {
    json_t *pairs = json_array();
    for (size_t i = 0; i < d->n_pairs; i++) {
        json_append(&pairs, pair_json(d, i));
    }
    return json_pack("{s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:[ii], s:o}", "a",
                     side_json(&d->name_a, d->a.count), "b", side_json(&d->name_b, d->b.count),
                     "bound", json_double(d->bound), "agrees", diff_agrees(d), "first",
                     d->first == NO_PAIR ? json_null() : pair_json(d, d->first), "last_agreeing",
                     d->before == NO_PAIR ? json_null() : pair_json(d, d->before), "beyond",
                     json_count(d->n_beyond), "healed", json_count(d->n_healed), "logits",
                     error_json(&d->logits), "best_class", d->top_a, d->top_b, "tensors", pairs);
}

void diff_finish(struct diff *d) {
    diff_trace_finish(&d->a);
    diff_trace_finish(&d->b);
    free(d->pairs);
    free(d->errors);
    d->pairs = NULL;
    d->errors = NULL;
}
