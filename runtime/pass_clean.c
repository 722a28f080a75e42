/*
 * clean: remove nodes that change nothing.
 *
 * Identity and inference Dropout; casts to the type a value has; reshapes to
 * the shape it has; transposes that keep the order; slices of everything;
 * padding by nothing; concatenation of one; an expansion that the operator
 * which reads it does by itself, as when a gate is expanded to its image. Two transposes in a row
 * become one or none, a reshape of a reshape one.
 */
#include "runtime/infer.h"
#include "runtime/match.h"
#include "runtime/passes.h"
#include "runtime/rewrite.h"
#include "runtime/strided.h"

#include <string.h>

static bool same_type(const struct fovea_node *node) {
    return node->in[0]->t.dtype == node->out[0]->t.dtype &&
           fovea_tensor_same_shape(&node->in[0]->t, &node->out[0]->t);
}

static bool always(const struct fovea_node *node) {
    return node->n_out < 2 || !node->out[1] ||
           (node->out[1]->n_uses == 0 && !node->out[1]->is_output);
}

static bool keeps_order(const struct fovea_node *node) {
    size_t count;
    const int64_t *perm = fovea_attr_ints(node, "perm", &count);
    if (!perm) {
        return node->in[0]->t.rank < 2;
    }
    for (size_t i = 0; i < count; i++) {
        if (perm[i] != (int64_t)i) {
            return false;
        }
    }
    return true;
}

/* The same shape, and no step that is not 1 (a step of -1 keeps the shape too). */
static bool takes_all(const struct fovea_node *node) {
    const struct fovea_value *steps = fovea_node_input(node, 4);
    if (!same_type(node)) {
        return false;
    }
    if (node->n_in == 1) {
        return true; /* opset < 10 has no steps */
    }
    for (int64_t i = 0; steps && i < fovea_tensor_count(&steps->t); i++) {
        if (!steps->constant || fovea_tensor_get_int(&steps->t, i) != 1) {
            return false;
        }
    }
    return true;
}

static bool pads_nothing(const struct fovea_node *node) {
    const struct fovea_value *pads = fovea_node_input(node, 1);
    if (!same_type(node) || !pads || !pads->constant) {
        return false;
    }
    for (int64_t i = 0; i < fovea_tensor_count(&pads->t); i++) {
        if (fovea_tensor_get_int(&pads->t, i) != 0) {
            return false;
        }
    }
    return true;
}

static bool joins_one(const struct fovea_node *node) {
    return node->n_in == 1;
}

/* When a node of that type hands its input on. */
static const struct {
    const char *type;
    bool (*is_idle)(const struct fovea_node *node);
} idle[] = {
    {"Identity", always},    {"Dropout", always},        {"Cast", same_type},
    {"CastLike", same_type}, {"Reshape", same_type},     {"Flatten", same_type},
    {"Squeeze", same_type},  {"Unsqueeze", same_type},   {"Expand", same_type},
    {"Tile", same_type},     {"Transpose", keeps_order}, {"Slice", takes_all},
    {"Pad", pads_nothing},   {"Concat", joins_one},      {"Sum", joins_one},
    {"Max", joins_one},      {"Min", joins_one},
};

static bool is_idle(const struct fovea_node *node) {
    for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
        if (fovea_node_is(node, idle[i].type)) {
            return idle[i].is_idle(node);
        }
    }
    return false;
}

/* Operators of two inputs that broadcast them against each other. */
static bool broadcasts(const struct fovea_node *node) {
    static const char *const types[] = {"Add", "Div", "Mul", "Sub"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (fovea_node_is(node, types[i])) {
            return true;
        }
    }
    return false;
}

/* Readers of Expand(x) whose other operand has the full shape read x. */
static enum fovea_status skip_expand(struct fovea_node *node, struct fovea_pass_context *context,
                                     struct fovea_error *err) {
    struct fovea_value *expanded = node->out[0];
    enum fovea_status st = FOVEA_OK;
    for (size_t i = 0; !st && i < expanded->n_uses;) {
        struct fovea_use use = expanded->uses[i];
        const struct fovea_value *other = broadcasts(use.node) ? use.node->in[1 - use.index] : NULL;
        if (!other || other == expanded || !fovea_tensor_same_shape(&other->t, &expanded->t)) {
            i++;
            continue;
        }
        st = fovea_node_set_input(use.node, use.index, node->in[0], err);
        fovea_pass_hit(context, use.node, "reads what was expanded for it");
    }
    return st;
}

/* Readers of an idle node's output read its input. A graph's output must stay one of its own. */
static enum fovea_status bypass(struct fovea_graph *graph, struct fovea_node *node,
                                struct fovea_pass_context *context, struct fovea_error *err) {
    struct fovea_value *from = node->out[0], *to = node->in[0];
    if (from->is_output && (to->is_input || to->is_output || to->constant)) {
        return FOVEA_OK;
    }
    fovea_pass_hit(context, node, "changes nothing");
    return fovea_value_replace(graph, from, to, err);
}

/* Transpose(Transpose(x)): one permutation of x. */
static enum fovea_status join_transposes(struct fovea_node *node,
                                         struct fovea_pass_context *context,
                                         struct fovea_error *err) {
    struct fovea_node *inner = fovea_value_from(node->in[0], "Transpose");
    size_t n_outer, n_inner;
    if (!inner) {
        return FOVEA_OK;
    }
    const int64_t *outer_perm = fovea_attr_ints(node, "perm", &n_outer);
    const int64_t *inner_perm = fovea_attr_ints(inner, "perm", &n_inner);
    if (!outer_perm || !inner_perm || n_outer != n_inner) {
        return FOVEA_OK;
    }
    int64_t joined[FOVEA_MAX_RANK];
    for (size_t i = 0; i < n_outer; i++) {
        joined[i] = inner_perm[outer_perm[i]];
    }
    struct fovea_attr perm = {
        .name = "perm", .kind = FOVEA_ATTR_INTS, .count = n_outer, .ints = joined};
    enum fovea_status st = fovea_node_set_attr(node, &perm, err);
    if (!st) {
        st = fovea_node_set_input(node, 0, inner->in[0], err);
    }
    fovea_pass_hit(context, node, "two transposes are one");
    return st ? st : fovea_infer_node(node, err); /* what the operator keeps of perm changes */
}

/*
 * A reshape of a reshape reads what the first one read. A target of 0 copies
 * a dimension of the input, so it only holds for the input it was written for.
 */
static enum fovea_status join_reshapes(struct fovea_node *node, struct fovea_pass_context *context,
                                       struct fovea_error *err) {
    struct fovea_node *inner = fovea_value_from(node->in[0], "Reshape");
    if (!inner || !fovea_value_only_user(inner->out[0])) {
        return FOVEA_OK;
    }
    const struct fovea_value *shape = node->in[1];
    for (int64_t i = 0; i < fovea_tensor_count(&shape->t); i++) {
        if (fovea_tensor_get_int(&shape->t, i) == 0) {
            return FOVEA_OK;
        }
    }
    fovea_pass_hit(context, node, "a reshape of a reshape");
    enum fovea_status st = fovea_node_set_input(node, 0, inner->in[0], err);
    return st ? st : fovea_infer_node(node, err);
}

/* ---- transposes between reshapes -------------------------------------------- */

/* Order of the axes of a view by stride, largest first; ones may be anywhere. */
static void order_axes(const struct fovea_strided *view, int64_t *order) {
    for (int i = 0; i < view->rank; i++) {
        int at = i;
        for (; at > 0 && view->strides[order[at - 1]] < view->strides[i]; at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
}

static bool same_dims(const struct fovea_tensor *t, int rank, const int64_t *dims) {
    return t->rank == rank && memcmp(t->dims, dims, (size_t)rank * sizeof(*dims)) == 0;
}

/* x [dims] -> [dims ordered by stride] -> transposed: a Reshape if need be, then a Transpose. */
static enum fovea_status make_transpose(struct fovea_graph *graph, struct fovea_node *node,
                                        struct fovea_value *x, const struct fovea_strided *view,
                                        struct fovea_error *err) {
    int64_t order[FOVEA_MAX_RANK], dims[FOVEA_MAX_RANK], perm[FOVEA_MAX_RANK];
    struct fovea_node *reshape, *transpose;
    order_axes(view, order);
    for (int i = 0; i < view->rank; i++) {
        dims[i] = view->dims[order[i]];
        perm[order[i]] = i;
    }
    enum fovea_status st = FOVEA_OK;
    if (!same_dims(&x->t, view->rank, dims)) {
        st = fovea_rewrite_reshape(graph, node, node->name, x, view->rank, dims, &reshape, err);
        if (!st) {
            st = fovea_rewrite_finish(reshape, NULL, err);
        }
        x = st ? x : reshape->out[0];
    }
    if (!st) {
        st = fovea_rewrite_node(graph, node, "", "Transpose", node->name, &x, 1, &transpose, err);
    }
    if (!st) {
        st = fovea_rewrite_set_ints(transpose, "perm", perm, (size_t)view->rank, err);
    }
    return st ? st : fovea_rewrite_finish(transpose, node->out[0], err);
}

/*
 * Reshape(Transpose(Reshape(x))), where batch and heads are one axis in
 * between: the last reshape parts what the first one joined, so that one
 * transpose of x, its axes split at most, does the same.
 */
static enum fovea_status part_axes(struct fovea_graph *graph, struct fovea_node *node,
                                   struct fovea_pass_context *context, struct fovea_error *err) {
    struct fovea_node *transpose = fovea_value_from(node->in[0], "Transpose");
    struct fovea_node *first = transpose ? fovea_value_from(transpose->in[0], "Reshape") : NULL;
    struct fovea_strided view, moved;
    size_t count;
    if (!first || !fovea_value_only_user(node->in[0])) {
        return FOVEA_OK;
    }
    const int64_t *perm = fovea_attr_ints(transpose, "perm", &count);
    const struct fovea_tensor *joined = &first->out[0]->t, *y = &node->out[0]->t;
    fovea_strided_of(first->in[0], &view);
    if (!perm || !fovea_strided_reshape(&view, joined->rank, joined->dims)) {
        return FOVEA_OK;
    }
    moved = view;
    for (size_t i = 0; i < count; i++) {
        moved.dims[i] = view.dims[perm[i]];
        moved.strides[i] = view.strides[perm[i]];
    }
    if (!fovea_strided_reshape(&moved, y->rank, y->dims)) {
        return FOVEA_OK;
    }
    fovea_pass_hit(context, node, "and the Reshape and Transpose before it are one Transpose");
    return make_transpose(graph, node, first->in[0], &moved, err);
}

enum fovea_status fovea_pass_clean(struct fovea_graph *graph, struct fovea_pass_context *context,
                                   struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    for (struct fovea_node *node = graph->first; !st && node; node = node->next) {
        if (fovea_node_is(node, "Transpose")) {
            st = join_transposes(node, context, err);
        } else if (fovea_node_is(node, "Reshape")) {
            st = join_reshapes(node, context, err);
            if (!st) {
                st = part_axes(graph, node, context, err);
            }
        } else if (fovea_node_is(node, "Expand")) {
            st = skip_expand(node, context, err);
        }
        if (!st && is_idle(node)) {
            st = bypass(graph, node, context, err);
        }
    }
    return st;
}
