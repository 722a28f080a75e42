/*
 * squeeze: squeeze-and-excitation takes its means from where less is read.
 *
 *     mean(x W + b)  =  mean(x) W + b          the mean over H and W of a pointwise convolution
 *     fc(mean(x) W + b)  =  mean(x) (W V) + (b V + c)
 *
 * where fc, with weights V and bias c, is the first convolution of the gate.
 * So the mean reads the convolution's input, which in a bottleneck has fewer
 * channels; fc becomes smaller; and the gate no longer depends on the
 * convolution, which can then apply it, and what follows, as an epilogue: the
 * pass over memory that scaled the branch is gone.
 *
 * W V is computed once, when the session is made. That is done where it takes
 * no more multiplications than one run of the convolution.
 *
 * Means over H and W become GlobalAveragePool, whatever the exporter wrote.
 */
#include "runtime/match.h"
#include "runtime/passes.h"
#include "runtime/rewrite.h"

#include <string.h>

/* ---- means over H and W ---------------------------------------------------- */

/* Whether `node` is a mean of f32 [N,C,H,W] over H and W that keeps them as ones. */
static bool is_spatial_mean(const struct fovea_node *node) {
    const struct fovea_tensor *x = &node->in[0]->t;
    int64_t axes[2];
    size_t count = 0;
    if (!fovea_node_is(node, "ReduceMean") || x->rank != 4 || x->dtype != FOVEA_F32 ||
        fovea_attr_int(node, "keepdims", 1) == 0) {
        return false;
    }
    const struct fovea_value *input = fovea_node_input(node, 1);
    const int64_t *given = fovea_attr_ints(node, "axes", &count);
    if (input) {
        count = input->constant ? (size_t)fovea_tensor_count(&input->t) : 0;
    }
    for (size_t i = 0; i < 2 && count == 2; i++) {
        axes[i] = input ? fovea_tensor_get_int(&input->t, (int64_t)i) : given[i];
        axes[i] += axes[i] < 0 ? 4 : 0;
    }
    return count == 2 && axes[0] + axes[1] == 5 && axes[0] * axes[1] == 6;
}

/* GlobalAveragePool in place of `*node`, which is gone then: *node becomes the new one. */
static enum fovea_status make_pool(struct fovea_graph *graph, struct fovea_node **node,
                                   struct fovea_error *err) {
    struct fovea_node *mean = *node;
    enum fovea_status st = fovea_rewrite_node(graph, mean, "", "GlobalAveragePool", mean->name,
                                              &mean->in[0], 1, node, err);
    if (!st) {
        st = fovea_rewrite_finish(*node, mean->out[0], err);
    }
    if (!st) {
        fovea_graph_remove_node(graph, mean);
    }
    return st;
}

/* ---- matching ----------------------------------------------------------------- */

/* conv, its mean, and the convolution that reads the mean. */
struct match {
    struct fovea_node *conv, *mean, *fc;
};

static bool all_ints_are(const struct fovea_node *node, const char *name, int64_t number) {
    size_t count;
    const int64_t *values = fovea_attr_ints(node, name, &count);
    for (size_t i = 0; i < count; i++) {
        if (values[i] != number) {
            return false;
        }
    }
    return true;
}

/* A convolution of single pixels, with constant f32 weights, in one group, nothing behind it. */
static bool is_pointwise(const struct fovea_node *node) {
    if (!fovea_node_is(node, "Conv") || node->n_epilogue > 0 || node->in[1]->t.rank != 4) {
        return false;
    }
    const struct fovea_value *w = node->in[1], *bias = fovea_node_input(node, 2);
    bool constant = w->constant && w->t.dtype == FOVEA_F32 &&
                    (!bias || (bias->constant && bias->t.dtype == FOVEA_F32));
    return constant && w->t.dims[2] == 1 && w->t.dims[3] == 1 &&
           fovea_attr_int(node, "group", 1) == 1 && all_ints_are(node, "strides", 1) &&
           all_ints_are(node, "pads", 0);
}

static bool match_mean(struct fovea_node *node, struct match *match) {
    if (!fovea_node_is(node, "GlobalAveragePool") || node->in[0]->t.rank != 4) {
        return false;
    }
    match->mean = node;
    match->conv = node->in[0]->producer;
    match->fc = fovea_value_only_user(node->out[0]);
    return match->conv && match->fc && is_pointwise(match->conv) && is_pointwise(match->fc) &&
           match->fc->in[0] == node->out[0] && match->conv->out[0]->n_uses > 1;
}

/* Whether making W V takes no more multiplications than one run of the convolution. */
static bool is_cheap(const struct match *match) {
    const int64_t *y = match->conv->out[0]->t.dims;
    return match->fc->in[1]->t.dims[0] <= y[0] * y[2] * y[3];
}

/* ---- folding --------------------------------------------------------------------- */

/* V b + c for fc's V (as a matrix), conv's b and fc's c, of which some may be absent. */
static enum fovea_status fold_bias(struct fovea_graph *graph, const struct match *match,
                                   struct fovea_value *fc_weights, struct fovea_value **out,
                                   struct fovea_error *err) {
    struct fovea_value *b = fovea_node_input(match->conv, 2), *c = fovea_node_input(match->fc, 2);
    *out = c;
    if (!b) {
        return FOVEA_OK;
    }
    struct fovea_value *moved;
    enum fovea_status st = fovea_derive_op(graph, "MatMul", fc_weights, b, &moved, err);
    if (!st && c) {
        st = fovea_derive_op(graph, "Add", moved, c, &moved, err);
    }
    *out = moved;
    return st;
}

static enum fovea_status rewrite(struct fovea_graph *graph, const struct match *match,
                                 struct fovea_error *err) {
    struct fovea_node *conv = match->conv, *fc = match->fc, *mean, *made;
    const int64_t *w = conv->in[1]->t.dims, *v = fc->in[1]->t.dims;
    struct fovea_value *first, *second, *product, *bias;
    enum fovea_status st =
        fovea_derive_reshape(graph, conv->in[1], 2, (int64_t[]){w[0], w[1]}, &first, err);
    if (!st) {
        st = fovea_derive_reshape(graph, fc->in[1], 2, (int64_t[]){v[0], v[1]}, &second, err);
    }
    if (!st) {
        st = fovea_derive_op(graph, "MatMul", second, first, &product, err);
    }
    if (!st) {
        st = fovea_derive_reshape(graph, product, 4, (int64_t[]){v[0], w[1], 1, 1}, &product, err);
    }
    if (!st) {
        st = fold_bias(graph, match, second, &bias, err);
    }
    if (!st) {
        st = fovea_rewrite_node(graph, fc, "", "GlobalAveragePool", match->mean->name, &conv->in[0],
                                1, &mean, err);
    }
    if (!st) {
        st = fovea_rewrite_finish(mean, NULL, err);
    }
    if (!st) {
        st = fovea_rewrite_node(graph, fc, "", "Conv", fc->name,
                                (struct fovea_value *[]){mean->out[0], product, bias}, bias ? 3 : 2,
                                &made, err);
    }
    return st ? st : fovea_rewrite_finish(made, fc->out[0], err);
}

static enum fovea_status visit(struct fovea_graph *graph, struct fovea_node *node,
                               struct fovea_pass_context *context, struct fovea_error *err) {
    struct match match;
    enum fovea_status st = is_spatial_mean(node) ? make_pool(graph, &node, err) : FOVEA_OK;
    if (st || !match_mean(node, &match)) {
        return st;
    }
    if (!is_cheap(&match)) {
        fovea_pass_miss(context, match.conv,
                        "the product of its weights with the gate's takes more than it saves");
        return FOVEA_OK;
    }
    fovea_pass_hit(context, match.mean,
                   "read before the convolution; the gate becomes an epilogue");
    return rewrite(graph, &match, err);
}

enum fovea_status fovea_pass_squeeze(struct fovea_graph *graph, struct fovea_pass_context *context,
                                     struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    struct fovea_node *next;
    for (struct fovea_node *node = graph->first; !st && node; node = next) {
        next = node->next; /* the node itself may go */
        st = visit(graph, node, context, err);
    }
    return st;
}
