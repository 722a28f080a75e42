/*
 * batch-norm: inference BatchNormalization as a multiplication and an addition
 * per channel, which the affine pass then moves into weights.
 *
 *     y = x * (scale / sqrt(var + eps)) + (bias - mean * scale / sqrt(var + eps))
 */
#include "runtime/deferred.h"
#include "runtime/match.h"
#include "runtime/passes.h"
#include "runtime/rewrite.h"

#include <math.h>

static bool is_inference(const struct fovea_node *node) {
    if (!fovea_node_is(node, "BatchNormalization") || fovea_batch_norm_trains(node) ||
        fovea_node_has_more_outputs(node)) {
        return false;
    }
    for (int i = 1; i < 5; i++) {
        if (!node->in[i]->constant || node->in[i]->t.dtype != FOVEA_F32) {
            return false;
        }
    }
    return node->in[0]->t.rank >= 2 && node->in[0]->t.dtype == FOVEA_F32;
}

/* Constants of shape [C, 1, ...] that broadcast over everything but channels. */
static enum fovea_status make_factors(struct fovea_graph *graph, const struct fovea_node *node,
                                      struct fovea_value **mul, struct fovea_value **add,
                                      struct fovea_error *err) {
    int64_t dims[FOVEA_MAX_RANK];
    int rank = node->in[0]->t.rank - 1;
    dims[0] = node->in[0]->t.dims[1];
    for (int i = 1; i < rank; i++) {
        dims[i] = 1;
    }
    enum fovea_status st = fovea_graph_add_constant(graph, FOVEA_F32, rank, dims, mul, err);
    if (!st) {
        st = fovea_graph_add_constant(graph, FOVEA_F32, rank, dims, add, err);
    }
    for (int i = 1; !st && i < 5; i++) {
        st = fovea_value_contents(node->in[i], err);
    }
    if (st) {
        return st;
    }
    const float *scale = node->in[1]->t.data, *bias = node->in[2]->t.data;
    const float *mean = node->in[3]->t.data, *var = node->in[4]->t.data;
    double epsilon = fovea_attr_float(node, "epsilon", 1e-5f);
    for (int64_t c = 0; c < dims[0]; c++) {
        double factor = scale[c] / sqrt(var[c] + epsilon);
        ((float *)(*mul)->t.data)[c] = (float)factor;
        ((float *)(*add)->t.data)[c] = (float)(bias[c] - mean[c] * factor);
    }
    return FOVEA_OK;
}

static enum fovea_status rewrite(struct fovea_graph *graph, struct fovea_node *node,
                                 struct fovea_error *err) {
    struct fovea_value *factor, *offset;
    struct fovea_node *mul, *add;
    enum fovea_status st = make_factors(graph, node, &factor, &offset, err);
    if (!st) {
        st = fovea_rewrite_node(graph, node, "", "Mul", node->name,
                                (struct fovea_value *[]){node->in[0], factor}, 2, &mul, err);
    }
    if (!st) {
        st = fovea_rewrite_finish(mul, NULL, err);
    }
    if (!st) {
        st = fovea_rewrite_node(graph, node, "", "Add", node->name,
                                (struct fovea_value *[]){mul->out[0], offset}, 2, &add, err);
    }
    return st ? st : fovea_rewrite_finish(add, node->out[0], err);
}

enum fovea_status fovea_pass_batch_norm(struct fovea_graph *graph,
                                        struct fovea_pass_context *context,
                                        struct fovea_error *err) {
    for (struct fovea_node *node = graph->first; node; node = node->next) {
        if (!is_inference(node)) {
            continue;
        }
        enum fovea_status st = rewrite(graph, node, err);
        if (st) {
            return st;
        }
        fovea_pass_hit(context, node, "a factor and an offset per channel");
    }
    return FOVEA_OK;
}
