/*
 * pad: zero padding of height and width becomes the convolution's own.
 *
 * SAME padding of TensorFlow-born networks is exported as a Pad whose amounts
 * come from a shape chain; once the shape is bound they are constants.
 */
#include "runtime/match.h"
#include "runtime/passes.h"
#include "runtime/rewrite.h"

#include <string.h>

enum { MAX_SPATIAL = 3 };

/* Most padding on one side of either node: the sum stays below what Conv refuses. */
enum { MOST_PAD = 1024 };

/* Amounts before and after each spatial axis, if the Pad is one a convolution can do itself. */
static bool spatial_pads(const struct fovea_node *pad, int64_t *before, int64_t *after) {
    int rank = pad->in[0]->t.rank;
    int64_t amounts[2 * FOVEA_MAX_RANK], n_amounts = (int64_t)rank * 2;
    size_t n_attr;
    const int64_t *attr = fovea_attr_ints(pad, "pads", &n_attr);
    const struct fovea_value *input = fovea_node_input(pad, 1);
    if (strcmp(fovea_attr_string(pad, "mode", "constant"), "constant") != 0 || rank < 3 ||
        rank > 2 + MAX_SPATIAL || fovea_node_input(pad, 3)) {
        return false;
    }
    for (int i = 0; i < n_amounts; i++) {
        if (attr && n_attr == (size_t)n_amounts) {
            amounts[i] = attr[i];
        } else if (input && input->constant && fovea_tensor_count(&input->t) == n_amounts) {
            amounts[i] = fovea_tensor_get_int(&input->t, i);
        } else {
            return false;
        }
        bool spatial = i % rank >= 2;
        if (amounts[i] < 0 || amounts[i] > MOST_PAD || (!spatial && amounts[i] != 0)) {
            return false;
        }
    }
    memcpy(before, amounts + 2, (size_t)(rank - 2) * sizeof(*before));
    memcpy(after, amounts + rank + 2, (size_t)(rank - 2) * sizeof(*after));
    return true;
}

static bool pads_with_zero(const struct fovea_node *pad) {
    double number = 0;
    const struct fovea_value *input = fovea_node_input(pad, 2);
    if (input) {
        return fovea_value_scalar(input, &number) && number == 0;
    }
    return fovea_attr_float(pad, "value", 0) == 0;
}

static bool takes_pads(const struct fovea_node *conv) {
    size_t count;
    const int64_t *own = fovea_attr_ints(conv, "pads", &count);
    for (size_t i = 0; i < count; i++) {
        if (own[i] > MOST_PAD) {
            return false;
        }
    }
    return strcmp(fovea_attr_string(conv, "auto_pad", "NOTSET"), "NOTSET") == 0;
}

static enum fovea_status take_pads(struct fovea_node *conv, const struct fovea_node *pad,
                                   struct fovea_error *err) {
    int64_t before[MAX_SPATIAL], after[MAX_SPATIAL], pads[2 * MAX_SPATIAL] = {0};
    size_t spatial = (size_t)pad->in[0]->t.rank - 2, n_own;
    const int64_t *own = fovea_attr_ints(conv, "pads", &n_own);
    spatial_pads(pad, before, after);
    for (size_t i = 0; i < spatial; i++) {
        pads[i] = before[i] + (own ? own[i] : 0);
        pads[spatial + i] = after[i] + (own ? own[spatial + i] : 0);
    }
    enum fovea_status st = fovea_rewrite_set_ints(conv, "pads", pads, 2 * spatial, err);
    if (!st) {
        st = fovea_node_set_input(conv, 0, pad->in[0], err);
    }
    return st ? st : fovea_rewrite_finish(conv, NULL, err);
}

enum fovea_status fovea_pass_pad(struct fovea_graph *graph, struct fovea_pass_context *context,
                                 struct fovea_error *err) {
    int64_t before[MAX_SPATIAL], after[MAX_SPATIAL];
    for (struct fovea_node *node = graph->first; node; node = node->next) {
        struct fovea_node *pad =
            fovea_node_is(node, "Conv") ? fovea_value_from(node->in[0], "Pad") : NULL;
        if (!pad) {
            continue;
        }
        if (!spatial_pads(pad, before, after) || !pads_with_zero(pad) || !takes_pads(node)) {
            fovea_pass_miss(context, pad, "not a constant zero padding of spatial axes");
            continue;
        }
        enum fovea_status st = take_pads(node, pad, err);
        if (st) {
            return st;
        }
        fovea_pass_hit(context, pad, "padding of the convolution");
    }
    return FOVEA_OK;
}
