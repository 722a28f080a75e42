/* Identity: the input, unchanged. */
#include "ops/axes.h"
#include "ops/ops.h"

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    return fovea_set_output_like(node, 0, node->in[0], err);
}

const struct fovea_op fovea_op_identity = {
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .flags = FOVEA_OP_VIEW,
    .layout = FOVEA_LAYOUT_ANY,
    .infer = infer,
    .run = fovea_run_view,
};
