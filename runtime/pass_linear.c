/*
 * linear: x W + b as one operator, out of MatMul and Add or out of Gemm.
 *
 * fovea.Linear(x, W, b): x [..., K], W [K, N] (trans_b: [N, K]), b [N].
 */
#include "runtime/match.h"
#include "runtime/passes.h"
#include "runtime/rewrite.h"

#include <string.h>

static bool is_f32_matrix(const struct fovea_value *value) {
    return value && value->constant && value->t.dtype == FOVEA_F32 && value->t.rank == 2;
}

/* Whether `value` is a constant row [n], with any number of leading ones. */
static bool is_row(const struct fovea_value *value, int64_t n) {
    return value->constant && value->t.dtype == FOVEA_F32 && value->t.rank >= 1 &&
           value->t.dims[value->t.rank - 1] == n && fovea_tensor_count(&value->t) == n;
}

static enum fovea_status make_linear(struct fovea_graph *graph, struct fovea_node *end,
                                     struct fovea_value *x, struct fovea_value *weights,
                                     struct fovea_value *bias, bool trans_b,
                                     struct fovea_error *err) {
    struct fovea_value *in[3] = {x, weights, NULL};
    struct fovea_node *node;
    int64_t n = weights->t.dims[trans_b ? 0 : 1];
    enum fovea_status st = FOVEA_OK;
    if (bias) {
        st = fovea_rewrite_copy(graph, bias, 1, &n, &in[2], err);
    }
    if (!st) {
        st = fovea_rewrite_node(graph, end, "fovea", "Linear", end->name, in, bias ? 3 : 2, &node,
                                err);
    }
    if (!st && trans_b) {
        st = fovea_rewrite_set_int(node, "trans_b", 1, err);
    }
    return st ? st : fovea_rewrite_finish(node, end->out[0], err);
}

static enum fovea_status rewrite_matmul(struct fovea_graph *graph, struct fovea_node *node,
                                        struct fovea_error *err) {
    struct fovea_node *add = fovea_value_only_user(node->out[0]);
    struct fovea_value *bias = NULL;
    if (fovea_node_is(add, "Add")) {
        struct fovea_value *other = add->in[0] == node->out[0] ? add->in[1] : add->in[0];
        /* A bias of higher rank than the product would change the result's shape. */
        if (is_row(other, node->in[1]->t.dims[1]) && other->t.rank <= node->out[0]->t.rank) {
            bias = other;
        }
    }
    return make_linear(graph, bias ? add : node, node->in[0], node->in[1], bias, false, err);
}

/* A Gemm that is x W + b as it stands. */
static bool is_plain_gemm(const struct fovea_node *node) {
    const struct fovea_value *bias = fovea_node_input(node, 2);
    if (!is_f32_matrix(node->in[1]) || fovea_attr_int(node, "transA", 0) != 0 ||
        fovea_attr_float(node, "alpha", 1) != 1) {
        return false;
    }
    int64_t n = node->in[1]->t.dims[fovea_attr_int(node, "transB", 0) ? 0 : 1];
    return !bias || (fovea_attr_float(node, "beta", 1) == 1 && is_row(bias, n));
}

enum fovea_status fovea_pass_linear(struct fovea_graph *graph, struct fovea_pass_context *context,
                                    struct fovea_error *err) {
    for (struct fovea_node *node = graph->first; node; node = node->next) {
        enum fovea_status st;
        if (fovea_node_is(node, "MatMul") && is_f32_matrix(node->in[1]) &&
            node->in[0]->t.rank >= 2) {
            st = rewrite_matmul(graph, node, err);
        } else if (fovea_node_is(node, "Gemm") && is_plain_gemm(node)) {
            st = make_linear(graph, node, node->in[0], node->in[1], fovea_node_input(node, 2),
                             fovea_attr_int(node, "transB", 0) != 0, err);
        } else {
            continue;
        }
        if (st) {
            return st;
        }
        fovea_pass_hit(context, node, "Linear");
    }
    return FOVEA_OK;
}
