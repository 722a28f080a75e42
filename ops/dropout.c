/* Dropout at inference: the input, unchanged, and a mask that keeps everything. */
#include "ops/ops.h"

#include <string.h>

/*
 * "If training_mode is set to true ... the ratio is the ratio of random dropout":
 * a ratio of 0, which exporters write for a layer left in training, drops nothing.
 */
static bool drops_nothing(const struct fovea_node *node) {
    const struct fovea_value *ratio = fovea_node_input(node, 1);
    return ratio && ratio->constant && fovea_dtype_is_float(ratio->t.dtype) &&
           fovea_tensor_count(&ratio->t) == 1 && fovea_tensor_get_float(&ratio->t, 0) == 0;
}

/* Training is the one case that would not be the identity. */
static enum fovea_status check_mode(const struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_value *mode = fovea_node_input(node, 2);
    if (!mode) {
        return FOVEA_OK;
    }
    if (mode->t.dtype != FOVEA_BOOL || fovea_tensor_count(&mode->t) != 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "training_mode is %s%s; it must be one bool",
                          fovea_dtype_name(mode->t.dtype), fovea_shape_text(&mode->t).text);
    }
    if (fovea_tensor_get_int(&mode->t, 0) != 0 && !drops_nothing(node)) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "training_mode is true, and ratio no constant 0");
    }
    return FOVEA_OK;
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    enum fovea_status st = check_mode(node, err);
    const struct fovea_tensor *x = &node->in[0]->t;
    if (!st) {
        st = fovea_set_output_like(node, 0, node->in[0], err);
    }
    return st ? st : fovea_set_output(node, 1, FOVEA_BOOL, x->rank, x->dims, err);
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct fovea_tensor *x = &node->in[0]->t;
    size_t bytes = fovea_tensor_bytes(x);
    if (node->out[0] && node->out[0]->t.data != x->data && bytes) {
        memcpy(node->out[0]->t.data, x->data, bytes);
    }
    if (node->n_out > 1 && node->out[1]) {
        memset(node->out[1]->t.data, 1, fovea_tensor_bytes(&node->out[1]->t));
    }
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs_7[] = {
    {"ratio", FOVEA_ATTR_FLOAT, false},
    {0},
};

static const struct fovea_attr_spec attrs_12[] = {
    {"seed", FOVEA_ATTR_INT, false},
    {0},
};

const struct fovea_op fovea_op_dropout = {
    .attrs = attrs_12,
    .min_in = 1,
    .max_in = 3,
    .min_out = 1,
    .max_out = 2,
    .value_inputs = 1u << 2,
    .flags = FOVEA_OP_VIEW,
    .layout = FOVEA_LAYOUT_ANY,
    .infer = infer,
    .run = run,
};

const struct fovea_op fovea_op_dropout_7 = {
    .attrs = attrs_7,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 2,
    .flags = FOVEA_OP_VIEW,
    .layout = FOVEA_LAYOUT_ANY,
    .infer = infer,
    .run = run,
};
