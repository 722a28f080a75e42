/* Identity: the input, unchanged. */
#include "ops/ops.h"

#include <string.h>

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    return fovea_set_output_like(node, 0, node->in[0], err);
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct fovea_tensor *x = &node->in[0]->t, *y = &node->out[0]->t;
    if (y->data != x->data) {
        memcpy(y->data, x->data, fovea_tensor_bytes(y));
    }
    return FOVEA_OK;
}

const struct fovea_op fovea_op_identity = {
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .flags = FOVEA_OP_VIEW,
    .layout = FOVEA_LAYOUT_ANY,
    .infer = infer,
    .run = run,
};
