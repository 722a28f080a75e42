/* Identity: the input, unchanged. */
#include "ops/axes.h"
#include "ops/ops.h"
#include "runtime/subgraph.h"

/* Of what is no tensor (since opset 14 and 16): another name. */
static enum fovea_status expand(struct fovea_node *node, enum fovea_expansion *out,
                                struct fovea_error *err) {
    bool tensor = node->in[0]->kind == FOVEA_TENSOR;
    *out = tensor ? FOVEA_EXPANDED_NOT : FOVEA_EXPANDED;
    return tensor ? FOVEA_OK : fovea_node_yield(node, 0, node->in[0], err);
}

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
    .expand = expand,
    .infer = infer,
    .run = fovea_run_view,
};
