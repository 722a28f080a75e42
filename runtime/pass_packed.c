/*
 * packed: query, key and value projections of one input become one Linear.
 *
 * Attention reads its operands as strided views, so that it does not mind
 * whether the three lie in one matrix. One product of three times the width
 * reads its input once and fills threads better than three.
 */
#include "runtime/match.h"
#include "runtime/passes.h"
#include "runtime/rewrite.h"

#include <string.h>

enum { MOST = 3 };

/* Inputs of an attention that are Linears of one value. */
struct match {
    struct fovea_node *node, *linears[MOST];
    int inputs[MOST]; /* of the attention */
    int n;
    int64_t width; /* of all together */
};

static const char *const view_names[MOST] = {"q", "k", "v"};

static int64_t width_of(const struct fovea_node *linear) {
    const struct fovea_tensor *t = &linear->out[0]->t;
    return t->dims[t->rank - 1];
}

static bool is_mergeable(const struct fovea_node *linear) {
    if (!fovea_node_is_own(linear, "Linear") || linear->n_epilogue > 0 ||
        !linear->in[1]->constant || !fovea_value_only_user(linear->out[0])) {
        return false;
    }
    const struct fovea_value *bias = fovea_node_input(linear, 2);
    return !bias || bias->constant;
}

/* Whether the view of input `index` stays in one row of the Linear along its shorter strides. */
static bool stays_in_rows(const struct fovea_node *node, int index, int64_t width) {
    static const int extents[MOST][5] = {{0, 0, 1, 2, 4}, {0, 0, 1, 3, 4}, {0, 0, 1, 3, 5}};
    size_t count;
    const int64_t *view = fovea_attr_ints(node, view_names[index], &count);
    const int64_t *dims = fovea_attr_ints(node, "dims", &count);
    int64_t last = view[0] % width;
    for (int d = 1; d < 5; d++) {
        if (view[d] >= width && view[d] % width != 0) {
            return false;
        }
        last += view[d] < width ? view[d] * (dims[extents[index][d]] - 1) : 0;
    }
    return last < width;
}

/* The Linears behind the attention's inputs that share the last one's input and form. */
static bool match_inputs(struct fovea_node *node, struct match *m) {
    if (!fovea_node_is_own(node, "Attention")) {
        return false;
    }
    *m = (struct match){.node = node};
    struct fovea_node *last = node->in[2]->producer;
    for (int i = 0; i < MOST && is_mergeable(last); i++) {
        struct fovea_node *linear = node->in[i]->producer;
        if (is_mergeable(linear) && linear->in[0] == last->in[0] &&
            stays_in_rows(node, i, width_of(linear)) &&
            fovea_attr_int(linear, "trans_b", 0) == fovea_attr_int(last, "trans_b", 0)) {
            m->linears[m->n] = linear;
            m->inputs[m->n++] = i;
            m->width += width_of(linear);
        }
    }
    return m->n > 1;
}

/* One constant of those that `get` gives, side by side along `axis`. */
static enum fovea_status join(struct fovea_graph *graph, const struct match *m,
                              struct fovea_value *const *parts, int64_t axis,
                              struct fovea_value **out, struct fovea_error *err) {
    struct fovea_node *node;
    enum fovea_status st =
        fovea_rewrite_node(graph, NULL, "", "Concat", m->linears[0]->name, parts, m->n, &node, err);
    if (!st) {
        st = fovea_rewrite_set_int(node, "axis", axis, err);
    }
    return st ? st : fovea_derive_finish(node, out, err);
}

static enum fovea_status join_biases(struct fovea_graph *graph, const struct match *m,
                                     struct fovea_value **out, struct fovea_error *err) {
    struct fovea_value *parts[MOST];
    bool any = false;
    *out = NULL;
    for (int i = 0; i < m->n; i++) {
        parts[i] = fovea_node_input(m->linears[i], 2);
        any |= parts[i] != NULL;
    }
    for (int i = 0; any && i < m->n; i++) {
        enum fovea_status st =
            parts[i] ? FOVEA_OK
                     : fovea_rewrite_filled(graph, width_of(m->linears[i]), 0, &parts[i], err);
        if (st) {
            return st;
        }
    }
    return any ? join(graph, m, parts, 0, out, err) : FOVEA_OK;
}

/* A position in a matrix of rows of `width`, now `from` columns into wider rows. */
static int64_t widened(int64_t position, int64_t width, int64_t from, int64_t total) {
    return position / width * total + from + position % width;
}

/* Let the attention read all from `y`. */
static enum fovea_status read_from(const struct match *m, struct fovea_value *y,
                                   struct fovea_error *err) {
    int64_t from = 0;
    enum fovea_status st = FOVEA_OK;
    for (int i = 0; !st && i < m->n; i++) {
        int64_t width = width_of(m->linears[i]), view[5];
        const char *name = view_names[m->inputs[i]];
        size_t count;
        memcpy(view, fovea_attr_ints(m->node, name, &count), sizeof(view));
        view[0] = widened(view[0], width, from, m->width);
        for (int d = 1; d < 5; d++) {
            view[d] = widened(view[d], width, 0, m->width);
        }
        st = fovea_rewrite_set_ints(m->node, name, view, 5, err);
        if (!st) {
            st = fovea_node_set_input(m->node, m->inputs[i], y, err);
        }
        from += width;
    }
    return st ? st : fovea_rewrite_finish(m->node, NULL, err);
}

static enum fovea_status merge(struct fovea_graph *graph, const struct match *m,
                               struct fovea_error *err) {
    struct fovea_node *first = m->linears[0], *node;
    struct fovea_value *parts[MOST], *weights, *bias = NULL;
    bool trans_b = fovea_attr_int(first, "trans_b", 0) != 0;
    for (int i = 0; i < m->n; i++) {
        parts[i] = m->linears[i]->in[1];
    }
    enum fovea_status st = join(graph, m, parts, trans_b ? 0 : 1, &weights, err);
    if (!st) {
        st = join_biases(graph, m, &bias, err);
    }
    if (!st) {
        st = fovea_rewrite_node(graph, m->node, "fovea", "Linear", first->name,
                                (struct fovea_value *[]){first->in[0], weights, bias}, bias ? 3 : 2,
                                &node, err);
    }
    if (!st && trans_b) {
        st = fovea_rewrite_set_int(node, "trans_b", 1, err);
    }
    if (!st) {
        st = fovea_rewrite_finish(node, NULL, err);
    }
    return st ? st : read_from(m, node->out[0], err);
}

enum fovea_status fovea_pass_packed(struct fovea_graph *graph, struct fovea_pass_context *context,
                                    struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    for (struct fovea_node *node = graph->first; !st && node; node = node->next) {
        struct match match;
        if (match_inputs(node, &match)) {
            fovea_pass_hit(context, node, "its projections are one Linear");
            st = merge(graph, &match, err);
        }
    }
    return st;
}
