/*
 * layer-norm: LayerNormalization out of its parts.
 *
 *     d = x - mean(x);  y = d / sqrt(mean(d * d) + eps) [* gamma] [+ beta]
 *
 * over the last axis, as the TorchScript exporter writes it before opset 17.
 */
#include "runtime/match.h"
#include "runtime/passes.h"
#include "runtime/rewrite.h"

#include <string.h>

struct layer_norm {
    struct fovea_value *x;
    double epsilon;
    struct fovea_value *gamma, *beta; /* constants of one row, or NULL */
    struct fovea_node *end;           /* the last node of the match */
};

/* Whether `value` is ReduceMean of `of` (any if NULL) over the last axis, dimension kept. */
static struct fovea_node *row_mean(const struct fovea_value *value, const struct fovea_value *of) {
    struct fovea_node *node = fovea_value_from(value, "ReduceMean");
    if (!node || (of && node->in[0] != of) || !fovea_attr_int(node, "keepdims", 1)) {
        return NULL;
    }
    int64_t axis;
    size_t count;
    const int64_t *axes = fovea_attr_ints(node, "axes", &count);
    const struct fovea_value *input = fovea_node_input(node, 1);
    if (axes && count == 1) {
        axis = axes[0];
    } else if (input && input->constant && fovea_tensor_count(&input->t) == 1) {
        axis = fovea_tensor_get_int(&input->t, 0);
    } else {
        return NULL;
    }
    int rank = node->in[0]->t.rank;
    return axis == -1 || axis == rank - 1 ? node : NULL;
}

/* Whether `value` is x - mean(x). */
static bool is_centred(const struct fovea_value *value, const struct fovea_value *x) {
    const struct fovea_node *sub = fovea_value_from(value, "Sub");
    return sub && sub->in[0] == x && row_mean(sub->in[1], x);
}

/* Whether `value` is d * d or d ^ 2 for a centred d. */
static bool is_square(const struct fovea_value *value, const struct fovea_value *x) {
    double exponent;
    const struct fovea_node *mul = fovea_value_from(value, "Mul");
    const struct fovea_node *pow = fovea_value_from(value, "Pow");
    if (mul) {
        return mul->in[0] == mul->in[1] && is_centred(mul->in[0], x);
    }
    return pow && fovea_value_scalar(pow->in[1], &exponent) && exponent == 2 &&
           is_centred(pow->in[0], x);
}

/* sqrt(mean(d * d) + eps) */
static bool is_deviation(const struct fovea_value *value, const struct fovea_value *x,
                         double *epsilon) {
    int other;
    const struct fovea_node *root = fovea_value_from(value, "Sqrt");
    const struct fovea_node *add = root ? fovea_value_from(root->in[0], "Add") : NULL;
    if (!add || !fovea_node_scalar_operand(add, epsilon, &other)) {
        return false;
    }
    const struct fovea_node *mean = row_mean(add->in[other], NULL);
    return mean && is_square(mean->in[0], x);
}

/* The constant row that the only reader of match->end combines with it by `type`, if so. */
static struct fovea_value *take_row(struct layer_norm *match, const char *type) {
    struct fovea_node *user = fovea_value_only_user(match->end->out[0]);
    const struct fovea_tensor *x = &match->x->t;
    if (!fovea_node_is(user, type)) {
        return NULL;
    }
    struct fovea_value *row = user->in[0] == match->end->out[0] ? user->in[1] : user->in[0];
    bool fits = row->constant && row->t.dtype == FOVEA_F32 && row->t.rank >= 1 &&
                row->t.rank <= x->rank && row->t.dims[row->t.rank - 1] == x->dims[x->rank - 1] &&
                fovea_tensor_count(&row->t) == x->dims[x->rank - 1];
    if (!fits) {
        return NULL;
    }
    match->end = user;
    return row;
}

static bool match_layer_norm(struct fovea_node *node, struct layer_norm *out) {
    const struct fovea_node *sub;
    if (!fovea_node_is(node, "Div") || !(sub = fovea_value_from(node->in[0], "Sub"))) {
        return false;
    }
    struct layer_norm match = {.x = sub->in[0], .end = node};
    if (match.x->t.rank < 1 || match.x->t.dtype != FOVEA_F32 || !is_centred(node->in[0], match.x) ||
        !is_deviation(node->in[1], match.x, &match.epsilon) ||
        !fovea_tensor_same_shape(&match.x->t, &node->out[0]->t)) {
        return false;
    }
    match.gamma = take_row(&match, "Mul");
    match.beta = take_row(&match, "Add");
    *out = match;
    return true;
}

/* The row as a vector; ones where there is none. */
static enum fovea_status make_row(struct fovea_graph *graph, struct fovea_value *row, int64_t count,
                                  struct fovea_value **out, struct fovea_error *err) {
    if (!row) {
        return fovea_rewrite_filled(graph, count, 1, out, err);
    }
    return fovea_rewrite_copy(graph, row, 1, &count, out, err);
}

static enum fovea_status rewrite(struct fovea_graph *graph, const struct layer_norm *match,
                                 struct fovea_error *err) {
    int64_t count = match->x->t.dims[match->x->t.rank - 1];
    struct fovea_value *in[3] = {match->x, NULL, NULL};
    struct fovea_node *node;
    enum fovea_status st = make_row(graph, match->gamma, count, &in[1], err);
    if (!st && match->beta) {
        st = make_row(graph, match->beta, count, &in[2], err);
    }
    if (!st) {
        st = fovea_rewrite_node(graph, match->end, "fovea", "LayerNormalization", match->end->name,
                                in, match->beta ? 3 : 2, &node, err);
    }
    if (!st) {
        st = fovea_rewrite_set_float(node, "epsilon", (float)match->epsilon, err);
    }
    return st ? st : fovea_rewrite_finish(node, match->end->out[0], err);
}

enum fovea_status fovea_pass_layer_norm(struct fovea_graph *graph,
                                        struct fovea_pass_context *context,
                                        struct fovea_error *err) {
    for (struct fovea_node *node = graph->first; node; node = node->next) {
        struct layer_norm match;
        if (!match_layer_norm(node, &match)) {
            continue;
        }
        enum fovea_status st = rewrite(graph, &match, err);
        if (st) {
            return st;
        }
        fovea_pass_hit(context, match.end, "it and what leads to it are one LayerNormalization");
    }
    return FOVEA_OK;
}
