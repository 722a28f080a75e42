/*
 * fovea.View: the bytes of the input under the shape that attribute `shape`
 * gives. The layout pass makes it of a transpose between a channels-last image
 * [N,C,H,W] and the rows [N,H,W,C] that are the same in memory.
 */
#include "ops/ops.h"

#include <string.h>

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    size_t rank;
    const int64_t *dims = fovea_attr_ints(node, "shape", &rank);
    const struct fovea_tensor *x = &node->in[0]->t;
    if (rank > FOVEA_MAX_RANK) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "shape has %zu dimensions, over the limit",
                          rank);
    }
    struct fovea_tensor y;
    fovea_tensor_set_shape(&y, x->dtype, (int)rank, dims);
    enum fovea_status st = fovea_tensor_check_shape(&y, err);
    if (st) {
        return st;
    }
    if (fovea_tensor_count(&y) != fovea_tensor_count(x)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "shape %s cannot become %s",
                          fovea_shape_text(x).text, fovea_shape_text(&y).text);
    }
    return fovea_set_output(node, 0, y.dtype, y.rank, y.dims, err);
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct fovea_tensor *x = &node->in[0]->t, *y = &node->out[0]->t;
    if (y->data != x->data && fovea_tensor_bytes(y) > 0) {
        memcpy(y->data, x->data, fovea_tensor_bytes(y));
    }
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs[] = {
    {"shape", FOVEA_ATTR_INTS, true},
    {0},
};

const struct fovea_op fovea_op_view = {
    .attrs = attrs,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .flags = FOVEA_OP_VIEW,
    .infer = infer,
    .run = run,
};
