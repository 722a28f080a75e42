/*
 * affine: multiplications and additions of constants move into weights.
 *
 *     after:   (x W + b) * s + t   ->   x (W s) + (b s + t)    s, t per output channel
 *     before:  (x * s) W + b       ->   x (s W) + b            s a number
 *     gated:   (x W + b) * g * s   ->   (x (W s) + b s) * g    s a number, g anything
 *
 * where W belongs to a Conv or a Linear. A number is also moved below pooling,
 * means and reshapes, which commute with it, to reach such a W. So the gains
 * of a normaliser-free network and the scales of batch norm, layer scale and
 * GammaAct cost nothing at run time. Padding is zero, and zero times s is zero.
 */
#include "runtime/deferred.h"
#include "runtime/infer.h"
#include "runtime/match.h"
#include "runtime/passes.h"
#include "runtime/rewrite.h"

#include <string.h>

/* ---- weights ------------------------------------------------------------- */

static bool is_conv(const struct fovea_node *node) {
    return fovea_node_is(node, "Conv");
}

static bool is_linear(const struct fovea_node *node) {
    return fovea_node_is_own(node, "Linear");
}

/* A Conv or Linear whose weights and bias are constants of f32. */
static bool has_weights(const struct fovea_node *node) {
    if (!is_conv(node) && !is_linear(node)) {
        return false;
    }
    const struct fovea_value *bias = fovea_node_input(node, 2);
    return node->in[1]->constant && node->in[1]->t.dtype == FOVEA_F32 &&
           (!bias || (bias->constant && bias->t.dtype == FOVEA_F32));
}

static int64_t out_channels(const struct fovea_node *node) {
    const struct fovea_tensor *w = &node->in[1]->t;
    bool first = is_conv(node) || fovea_attr_int(node, "trans_b", 0);
    return w->dims[first ? 0 : 1];
}

/* Multiply the weights by factors, one or one for each output channel. */
static enum fovea_status scale_weights(struct fovea_graph *graph, struct fovea_node *node,
                                       struct fovea_value *factors, struct fovea_error *err) {
    struct fovea_value *scaled;
    bool rows = is_conv(node) || fovea_attr_int(node, "trans_b", 0);
    enum fovea_status st =
        fovea_derive_mul(graph, node->in[1], factors, rows ? 0 : 1, &scaled, err);
    return st ? st : fovea_node_set_input(node, 1, scaled, err);
}

/* bias = bias * scale + offset, either of them NULL for 1 and 0; `one`: of one element. */
static enum fovea_status change_bias(struct fovea_graph *graph, struct fovea_node *node,
                                     const float *scale, const float *offset, bool one,
                                     struct fovea_error *err) {
    struct fovea_value *bias = fovea_node_input(node, 2), *changed;
    int64_t n = out_channels(node);
    int index;
    if (!bias && !offset) {
        return FOVEA_OK;
    }
    enum fovea_status st = bias ? fovea_value_contents(bias, err) : FOVEA_OK;
    if (!st) {
        st = fovea_rewrite_filled(graph, n, 0, &changed, err);
    }
    if (st) {
        return st;
    }
    const float *from = bias ? bias->t.data : NULL;
    float *to = changed->t.data;
    for (int64_t o = 0; o < n; o++) {
        float s = scale ? scale[one ? 0 : o] : 1, t = offset ? offset[one ? 0 : o] : 0;
        to[o] = (from ? from[o] : 0) * s + t;
    }
    st = node->n_in > 2 ? fovea_node_set_input(node, 2, changed, err)
                        : fovea_node_add_input(node, changed, &index, err);
    /* Whether it has a bias, an operator finds when it is inferred. */
    return st || bias ? st : fovea_infer_node(node, err);
}

/* ---- after a Conv or Linear ------------------------------------------------ */

/* Whether constant `value` acts per output channel of `node` (or is one number). */
static bool is_per_channel(const struct fovea_node *node, const struct fovea_value *value,
                           bool *one) {
    const struct fovea_tensor *t = &value->t, *y = &node->out[0]->t;
    if (!value->constant || t->dtype != FOVEA_F32 || t->rank > y->rank) {
        return false;
    }
    *one = fovea_tensor_count(t) == 1;
    int axis = is_conv(node) ? 1 : y->rank - 1;
    int own = axis - (y->rank - t->rank);
    return *one || (own >= 0 && t->dims[own] == out_channels(node) &&
                    fovea_tensor_count(t) == t->dims[own]);
}

static enum fovea_status absorb(struct fovea_graph *graph, struct fovea_node *node,
                                const struct fovea_node *user, struct fovea_value *value, bool one,
                                struct fovea_error *err) {
    enum fovea_status st = fovea_value_contents(value, err);
    if (st) {
        return st;
    }
    const float *numbers = value->t.data;
    if (fovea_node_is(user, "Add")) {
        return change_bias(graph, node, NULL, numbers, one, err);
    }
    st = scale_weights(graph, node, value, err);
    return st ? st : change_bias(graph, node, numbers, NULL, one, err);
}

/* Take in the only reader of a Conv or Linear if it is Mul or Add of a constant. */
static enum fovea_status absorb_user(struct fovea_graph *graph, struct fovea_node *node,
                                     bool *changed, struct fovea_error *err) {
    struct fovea_node *user = fovea_value_only_user(node->out[0]);
    bool one;
    *changed = false;
    if (node->n_epilogue > 0 || (!fovea_node_is(user, "Mul") && !fovea_node_is(user, "Add"))) {
        return FOVEA_OK;
    }
    struct fovea_value *value = user->in[0] == node->out[0] ? user->in[1] : user->in[0];
    if (!is_per_channel(node, value, &one)) {
        return FOVEA_OK;
    }
    enum fovea_status st = absorb(graph, node, user, value, one, err);
    if (!st) {
        st = fovea_value_replace(graph, user->out[0], node->out[0], err);
    }
    if (!st) {
        /* Left in place it would be a second reader and end the chain. */
        fovea_graph_remove_node(graph, user);
    }
    *changed = !st;
    return st;
}

/* The number in x * s or x / s, and x. */
static bool is_scaling(const struct fovea_node *node, double *scalar, struct fovea_value **x) {
    int other;
    bool divides = fovea_node_is(node, "Div");
    if ((!fovea_node_is(node, "Mul") && !divides) ||
        !fovea_node_scalar_operand(node, scalar, &other) || (divides && other != 0) ||
        node->out[0]->t.dtype != FOVEA_F32) {
        return false;
    }
    if (divides) {
        *scalar = 1 / *scalar;
    }
    *x = node->in[other];
    return true;
}

/* The scaling behind one or more products of the result with something not constant. */
static struct fovea_node *find_gated_scaling(const struct fovea_node *node, double *scalar) {
    struct fovea_node *user = fovea_value_only_user(node->out[0]);
    struct fovea_value *x;
    for (bool gated = false; user; gated = true) {
        if (gated && is_scaling(user, scalar, &x)) {
            return user;
        }
        if (!fovea_node_is(user, "Mul") || user->in[0] == user->in[1] || user->in[0]->constant ||
            user->in[1]->constant) {
            return NULL;
        }
        user = fovea_value_only_user(user->out[0]);
    }
    return NULL;
}

/* Take in a number by which the result is multiplied after a gate. */
static enum fovea_status absorb_gated(struct fovea_graph *graph, struct fovea_node *node,
                                      bool *changed, struct fovea_error *err) {
    double scalar;
    struct fovea_node *scaling = node->n_epilogue == 0 ? find_gated_scaling(node, &scalar) : NULL;
    *changed = scaling != NULL;
    if (!scaling) {
        return FOVEA_OK;
    }
    float factor = (float)scalar;
    struct fovea_value *x = NULL, *factors;
    is_scaling(scaling, &scalar, &x);
    enum fovea_status st = fovea_rewrite_scalar(graph, factor, &factors, err);
    if (!st) {
        st = scale_weights(graph, node, factors, err);
    }
    if (!st) {
        st = change_bias(graph, node, &factor, NULL, true, err);
    }
    if (!st) {
        st = fovea_value_replace(graph, scaling->out[0], x, err);
    }
    if (!st) {
        fovea_graph_remove_node(graph, scaling);
    }
    return st;
}

/* ---- numbers before a Conv or Linear ---------------------------------------- */

/* Operators f with f(x * s) = f(x) * s for any number s; input 0 is x. */
static bool commutes(const struct fovea_node *node) {
    static const char *const types[] = {"AveragePool", "GlobalAveragePool", "ReduceMean",
                                        "ReduceSum",   "Reshape",           "Flatten",
                                        "Transpose",   "Squeeze",           "Unsqueeze"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (fovea_node_is(node, types[i])) {
            return true;
        }
    }
    return false;
}

/* f(x * s) becomes f(x) * s. */
static enum fovea_status move_below(struct fovea_graph *graph, struct fovea_node *node,
                                    struct fovea_value *x, float scalar, struct fovea_error *err) {
    struct fovea_value *old = node->out[0], *factor;
    struct fovea_node *mul;
    enum fovea_status st = fovea_node_set_input(node, 0, x, err);
    if (!st) {
        st = fovea_rewrite_scalar(graph, scalar, &factor, err);
    }
    if (!st) {
        st = fovea_rewrite_node(graph, node->next, "", "Mul", node->name,
                                (struct fovea_value *[]){old, factor}, 2, &mul, err);
    }
    if (!st) {
        st = fovea_rewrite_finish(mul, NULL, err);
    }
    /* Everybody but the new product reads the product. */
    for (size_t i = 0; !st && i < old->n_uses;) {
        struct fovea_use use = old->uses[i];
        if (use.node == mul) {
            i++;
            continue;
        }
        st = fovea_node_set_input(use.node, use.index, mul->out[0], err);
    }
    return st;
}

/* Give the number of one x * s to each reader that can take it. */
static enum fovea_status push_down(struct fovea_graph *graph, struct fovea_node *node,
                                   struct fovea_value *x, float scalar,
                                   struct fovea_pass_context *context, struct fovea_error *err) {
    struct fovea_value *product = node->out[0], *factor;
    enum fovea_status st = fovea_rewrite_scalar(graph, scalar, &factor, err);
    for (size_t i = 0; !st && i < product->n_uses;) {
        struct fovea_use use = product->uses[i];
        bool takes = use.index == 0 && !use.node->out[0]->is_output;
        if (use.index == 0 && has_weights(use.node)) {
            st = scale_weights(graph, use.node, factor, err);
            if (!st) {
                st = fovea_node_set_input(use.node, 0, x, err);
            }
        } else if (takes && commutes(use.node)) {
            st = move_below(graph, use.node, x, scalar, err);
        } else {
            i++;
            continue;
        }
        fovea_pass_hit(context, node, "its number moves into what reads it");
    }
    return st;
}

enum fovea_status fovea_pass_affine(struct fovea_graph *graph, struct fovea_pass_context *context,
                                    struct fovea_error *err) {
    for (struct fovea_node *node = graph->first; node; node = node->next) {
        double scalar;
        struct fovea_value *x;
        enum fovea_status st = FOVEA_OK;
        if (is_scaling(node, &scalar, &x)) {
            st = push_down(graph, node, x, (float)scalar, context, err);
        }
        bool changed = has_weights(node);
        while (!st && changed) {
            st = absorb_user(graph, node, &changed, err);
            if (!st && !changed) {
                st = absorb_gated(graph, node, &changed, err);
            }
            if (changed) {
                fovea_pass_hit(context, node, "takes a constant behind it into its weights");
            }
        }
        if (st) {
            return st;
        }
    }
    return FOVEA_OK;
}
