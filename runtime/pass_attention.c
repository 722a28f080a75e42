/*
 * attention: softmax(scale Q K^T + mask) V as one operator.
 *
 * Exporters surround the two products with reshapes, transposes, splits and
 * scalings in every order. All of these are strided views, so Q, K and V are
 * traced to what they view (strided.h), commonly one packed projection, and
 * fovea.Attention reads them from there. A transpose of the result is the
 * order in which the operator writes.
 *
 * fovea.Attention: inputs q, k, v, and optionally a mask that is added to the
 * scaled scores. Attributes:
 *   dims      [batch, heads, q_tokens, kv_tokens, head_dim, value_dim]
 *   q, k, v   [offset, batch, head, token, channel] strides into the input
 *   mask      [offset, batch, head, q_token, kv_token] strides, if there is one
 *   shape     of the output
 *   out       [batch, head, token] strides of the output; channels are dense
 *   scale     of Q K^T
 */
#include "runtime/deferred.h"
#include "runtime/match.h"
#include "runtime/passes.h"
#include "runtime/rewrite.h"
#include "runtime/strided.h"

#include <math.h>
#include <string.h>

/* An operand as [batch, heads, rows, columns]. */
struct operand {
    struct fovea_value *base;
    int64_t dims[4];
    int64_t strides[4];
    int64_t offset;
};

struct attention {
    struct operand q, k, v, mask; /* k: [.., tokens, channels]; mask.base NULL if none */
    double scale;
    struct fovea_node *end;      /* makes the value that is replaced */
    struct fovea_value *product; /* [.., q_tokens, value_dim] */
};

static void operand_of(const struct fovea_strided *view, struct operand *out) {
    out->base = view->base;
    out->offset = view->offset;
    for (int i = 0; i < 4; i++) {
        int from = i - (4 - view->rank);
        out->dims[i] = from >= 0 ? view->dims[from] : 1;
        out->strides[i] = from >= 0 && view->dims[from] != 1 ? view->strides[from] : 0;
    }
}

static void swap_last_two(struct operand *operand) {
    int64_t dim = operand->dims[2], stride = operand->strides[2];
    operand->dims[2] = operand->dims[3];
    operand->strides[2] = operand->strides[3];
    operand->dims[3] = dim;
    operand->strides[3] = stride;
}

/* oneDNN's matmul wants one of the last two strides to be 1. */
static bool is_dense_enough(const struct operand *operand) {
    return operand->strides[3] == 1 || operand->strides[2] == 1 || operand->dims[3] == 1;
}

/* Trace an operand of rank 3 or 4; fall back on the value itself if its strides will not do. */
static void trace_operand(struct fovea_value *value, double *scale, struct operand *out) {
    struct fovea_strided view;
    fovea_strided_trace(value, &view);
    operand_of(&view, out);
    if (!is_dense_enough(out) || view.rank > 4) {
        fovea_strided_of(value, &view);
        operand_of(&view, out);
    }
    *scale *= view.scale;
}

/* Batch and head counts agree, or one of them is 1 and is repeated. */
static bool batches_fit(const struct operand *a, const struct operand *b) {
    for (int i = 0; i < 2; i++) {
        if (a->dims[i] != b->dims[i] && a->dims[i] != 1 && b->dims[i] != 1) {
            return false;
        }
    }
    return true;
}

static bool is_f32_of_rank(const struct fovea_value *value, int least, int most) {
    return value && value->t.dtype == FOVEA_F32 && value->t.rank >= least && value->t.rank <= most;
}

/* ---- matching the parts ------------------------------------------------------------ */

/* From the softmax's input back to the product Q K^T, collecting scale and mask. */
static struct fovea_node *find_scores(struct fovea_value *value, struct attention *match) {
    double scalar;
    int other;
    for (int depth = 0; depth < 4; depth++) {
        struct fovea_node *node = value->producer;
        if (fovea_node_is(node, "MatMul")) {
            return node;
        }
        if (!node || !fovea_value_only_user(value)) {
            return NULL;
        }
        bool divides = fovea_node_is(node, "Div");
        if ((fovea_node_is(node, "Mul") || divides) &&
            fovea_node_scalar_operand(node, &scalar, &other) && !(divides && other != 0)) {
            match->scale *= divides ? 1 / scalar : scalar;
            value = node->in[other];
        } else if (fovea_node_is(node, "Add") && !match->mask.base && match->scale == 1) {
            bool first = node->in[0]->constant || (fovea_value_from(node->in[1], "MatMul") &&
                                                   !fovea_value_from(node->in[0], "MatMul"));
            struct fovea_value *mask = node->in[first ? 0 : 1];
            struct fovea_strided view;
            /* A mask may be repeated over the scores, not the scores over a mask. */
            if (!is_f32_of_rank(mask, 0, 4) ||
                !fovea_tensor_same_shape(&node->out[0]->t, &node->in[first ? 1 : 0]->t)) {
                return NULL;
            }
            fovea_strided_of(mask, &view);
            operand_of(&view, &match->mask);
            value = node->in[first ? 1 : 0];
        } else {
            return NULL;
        }
    }
    return NULL;
}

static bool normalises_last_axis(const struct fovea_node *softmax) {
    int rank = softmax->in[0]->t.rank;
    int64_t axis = fovea_attr_int(softmax, "axis", softmax->opset < 13 ? 1 : -1);
    return axis == -1 || axis == rank - 1;
}

static bool operands_fit(const struct attention *m) {
    return m->q.dims[3] == m->k.dims[3] && m->k.dims[2] == m->v.dims[2] &&
           batches_fit(&m->q, &m->k) && batches_fit(&m->q, &m->v) && m->q.dims[2] > 0 &&
           m->k.dims[2] > 0 && m->q.dims[3] > 0 && m->v.dims[3] > 0;
}

/* Whether a mask is a constant; its contents are there then. */
static bool has_contents(struct fovea_value *mask) {
    return mask->constant && !fovea_value_contents(mask, NULL);
}

/* Whether a mask is a constant that leaves each query at least one key. */
static bool leaves_something(struct fovea_value *mask) {
    if (!has_contents(mask)) {
        return false;
    }
    int64_t row = mask->t.rank > 0 ? mask->t.dims[mask->t.rank - 1] : 1;
    int64_t count = fovea_tensor_count(&mask->t);
    const float *data = mask->t.data;
    for (int64_t i = 0; i < count; i += row) {
        bool any = false;
        for (int64_t j = 0; j < row; j++) {
            any |= isfinite(data[i + j]);
        }
        if (!any) {
            return false;
        }
    }
    return count > 0;
}

/* Whether a mask is a constant that changes nothing, as exporters make of an absent one. */
static bool is_zero(struct fovea_value *mask) {
    if (!has_contents(mask)) {
        return false;
    }
    const float *data = mask->t.data;
    for (int64_t i = 0; i < fovea_tensor_count(&mask->t); i++) {
        if (data[i] != 0) {
            return false;
        }
    }
    return true;
}

/*
 * The weights as they are multiplied. PyTorch's exporter puts Where(IsNaN(w), 0, w)
 * behind the softmax for rows in which a mask leaves nothing; *guarded tells.
 */
static const struct fovea_value *find_weights(const struct fovea_node *softmax, bool *guarded) {
    const struct fovea_value *weights = softmax->out[0];
    double scalar;
    *guarded = false;
    if (weights->n_uses != 2 || weights->is_output) {
        return weights;
    }
    struct fovea_node *test = weights->uses[0].node, *where = weights->uses[1].node;
    if (fovea_node_is(test, "Where")) {
        struct fovea_node *first = test;
        test = where;
        where = first;
    }
    *guarded = fovea_node_is(test, "IsNaN") && fovea_node_is(where, "Where") &&
               fovea_value_only_user(test->out[0]) == where && where->in[0] == test->out[0] &&
               where->in[2] == weights && fovea_value_scalar(where->in[1], &scalar) && scalar == 0;
    return *guarded ? where->out[0] : weights;
}

static bool match_softmax(struct fovea_node *softmax, struct attention *match) {
    bool guarded;
    if (!fovea_node_is(softmax, "Softmax") || !is_f32_of_rank(softmax->out[0], 3, 4) ||
        !normalises_last_axis(softmax)) {
        return false;
    }
    *match = (struct attention){.scale = 1};
    const struct fovea_value *weights = find_weights(softmax, &guarded);
    struct fovea_node *context = fovea_value_only_user(weights);
    if (!fovea_value_only_user(softmax->in[0]) || !fovea_node_is(context, "MatMul") ||
        context->in[0] != weights || context->in[1] == weights ||
        !is_f32_of_rank(context->in[0], 3, 4) || !is_f32_of_rank(context->in[1], 3, 4)) {
        return false;
    }
    struct fovea_node *scores = find_scores(softmax->in[0], match);
    if (!scores || !fovea_value_only_user(scores->out[0]) || !is_f32_of_rank(scores->in[0], 3, 4) ||
        !is_f32_of_rank(scores->in[1], 3, 4)) {
        return false;
    }
    if (guarded && match->mask.base && !leaves_something(match->mask.base)) {
        return false;
    }
    if (match->mask.base && is_zero(match->mask.base)) {
        match->mask.base = NULL;
    }
    double one = 1;
    trace_operand(scores->in[0], &match->scale, &match->q);
    trace_operand(scores->in[1], &match->scale, &match->k);
    swap_last_two(&match->k);
    trace_operand(context->in[1], &one, &match->v);
    match->end = context;
    match->product = context->out[0];
    return one == 1 && operands_fit(match);
}

/* The operator itself, in the form without cache, mask or cap, q k v of rank 4. */
static bool match_operator(struct fovea_node *node, struct attention *match) {
    if (!fovea_node_is(node, "Attention") || node->n_out != 1 || node->n_in < 3 ||
        fovea_attr_int(node, "is_causal", 0) || fovea_attr_float(node, "softcap", 0) != 0) {
        return false;
    }
    for (int i = 0; i < node->n_in; i++) {
        if (i < 3 ? !is_f32_of_rank(node->in[i], 4, 4) : node->in[i] != NULL) {
            return false;
        }
    }
    int64_t head_dim = node->in[0]->t.dims[3];
    double one = 1, scale = fovea_attr_float(node, "scale", (float)(1 / sqrt((double)head_dim)));
    *match = (struct attention){.scale = scale};
    trace_operand(node->in[0], &match->scale, &match->q);
    trace_operand(node->in[1], &match->scale, &match->k);
    trace_operand(node->in[2], &one, &match->v);
    match->end = node;
    match->product = node->out[0];
    return one == 1 && operands_fit(match) && match->q.dims[1] == match->k.dims[1];
}

/* ---- making the operator ---------------------------------------------------------------- */

/*
 * How the product [.., batch, head, token, channel] lies in the value that is
 * written: its own row-major order, or that of a transpose behind it.
 */
static void output_strides(struct attention *match, int64_t out[3]) {
    struct fovea_strided view;
    struct operand product;
    struct fovea_node *transpose = fovea_value_only_user(match->product);
    size_t count;
    const int64_t *perm =
        fovea_node_is(transpose, "Transpose") ? fovea_attr_ints(transpose, "perm", &count) : NULL;
    fovea_strided_of(match->product, &view);
    if (perm && perm[count - 1] == (int64_t)count - 1) {
        struct fovea_strided moved;
        fovea_strided_of(transpose->out[0], &moved);
        for (size_t i = 0; i < count; i++) {
            view.strides[perm[i]] = moved.strides[i];
        }
        match->end = transpose;
    }
    operand_of(&view, &product);
    memcpy(out, product.strides, 3 * sizeof(*out));
    /* Another shape of the result is only a name for it. */
    struct fovea_node *reshape = fovea_value_only_user(match->end->out[0]);
    while (fovea_node_is(reshape, "Reshape") || fovea_node_is(reshape, "Flatten")) {
        match->end = reshape;
        reshape = fovea_value_only_user(reshape->out[0]);
    }
}

static enum fovea_status set_operand(struct fovea_node *node, const char *name,
                                     const struct operand *operand, struct fovea_error *err) {
    int64_t numbers[5] = {operand->offset, operand->strides[0], operand->strides[1],
                          operand->strides[2], operand->strides[3]};
    return fovea_rewrite_set_ints(node, name, numbers, 5, err);
}

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static enum fovea_status set_attrs(struct fovea_node *node, const struct attention *m,
                                   const int64_t out[3], struct fovea_error *err) {
    const struct fovea_tensor *t = &m->end->out[0]->t;
    int64_t dims[6] = {larger(larger(m->q.dims[0], m->k.dims[0]), m->v.dims[0]),
                       larger(larger(m->q.dims[1], m->k.dims[1]), m->v.dims[1]),
                       m->q.dims[2],
                       m->k.dims[2],
                       m->q.dims[3],
                       m->v.dims[3]};
    enum fovea_status st = fovea_rewrite_set_ints(node, "dims", dims, 6, err);
    if (!st) {
        st = set_operand(node, "q", &m->q, err);
    }
    if (!st) {
        st = set_operand(node, "k", &m->k, err);
    }
    if (!st) {
        st = set_operand(node, "v", &m->v, err);
    }
    if (!st && m->mask.base) {
        st = set_operand(node, "mask", &m->mask, err);
    }
    if (!st) {
        st = fovea_rewrite_set_ints(node, "shape", t->dims, (size_t)t->rank, err);
    }
    if (!st) {
        st = fovea_rewrite_set_ints(node, "out", out, 3, err);
    }
    return st ? st : fovea_rewrite_set_float(node, "scale", (float)m->scale, err);
}

static enum fovea_status rewrite(struct fovea_graph *graph, struct attention *match,
                                 struct fovea_error *err) {
    struct fovea_value *in[4] = {match->q.base, match->k.base, match->v.base, match->mask.base};
    struct fovea_node *node;
    int64_t out[3];
    output_strides(match, out);
    enum fovea_status st =
        fovea_rewrite_node(graph, match->end, "fovea", "Attention", match->end->name, in,
                           match->mask.base ? 4 : 3, &node, err);
    if (!st) {
        st = set_attrs(node, match, out, err);
    }
    return st ? st : fovea_rewrite_finish(node, match->end->out[0], err);
}

enum fovea_status fovea_pass_attention(struct fovea_graph *graph,
                                       struct fovea_pass_context *context,
                                       struct fovea_error *err) {
    for (struct fovea_node *node = graph->first; node; node = node->next) {
        struct attention match;
        if (!match_softmax(node, &match) && !match_operator(node, &match)) {
            if (fovea_node_is(node, "Softmax") && fovea_value_only_user(node->out[0]) &&
                fovea_node_is(fovea_value_only_user(node->out[0]), "MatMul")) {
                fovea_pass_miss(context, node, "the scores are no plain scaled product");
            }
            continue;
        }
        enum fovea_status st = rewrite(graph, &match, err);
        if (st) {
            return st;
        }
        fovea_pass_hit(context, match.end, "it and what leads to it are one Attention");
    }
    return FOVEA_OK;
}
