/* The table of operators: see registry.h. A test holds its order. */
#include "ops/registry.h"

#include "ops/ops.h"

#include <string.h>

/* By domain, type, opset. A row is added when ONNX changes what an operator means. */
static const struct fovea_op_entry table[] = {
    {"", "BatchNormalization", 1, &fovea_op_batch_norm_by_outputs},
    {"", "BatchNormalization", 14, &fovea_op_batch_norm},
    {"", "Concat", 4, &fovea_op_concat},
    {"", "Constant", 1, &fovea_op_constant},
    {"", "ConstantOfShape", 9, &fovea_op_constant_of_shape},
    {"", "Conv", 1, &fovea_op_conv},
    {"", "Expand", 8, &fovea_op_expand},
    {"", "Flatten", 1, &fovea_op_flatten},
    {"", "Gather", 1, &fovea_op_gather},
    {"", "GatherElements", 11, &fovea_op_gather_elements},
    {"", "GatherND", 11, &fovea_op_gather_nd},
    {"", "Hardmax", 1, &fovea_op_hardmax_flat},
    {"", "Hardmax", 13, &fovea_op_hardmax},
    {"", "Identity", 1, &fovea_op_identity},
    {"", "LayerNormalization", 17, &fovea_op_layer_norm},
    {"", "LogSoftmax", 1, &fovea_op_log_softmax_flat},
    {"", "LogSoftmax", 13, &fovea_op_log_softmax},
    {"", "Pad", 2, &fovea_op_pad_2},
    {"", "Pad", 11, &fovea_op_pad_11},
    {"", "RMSNormalization", 23, &fovea_op_rms_norm},
    {"", "ReduceL1", 1, &fovea_op_reduce_axes_attr},
    {"", "ReduceL1", 18, &fovea_op_reduce},
    {"", "ReduceL2", 1, &fovea_op_reduce_axes_attr},
    {"", "ReduceL2", 18, &fovea_op_reduce},
    {"", "ReduceLogSum", 1, &fovea_op_reduce_axes_attr},
    {"", "ReduceLogSum", 18, &fovea_op_reduce},
    {"", "ReduceLogSumExp", 1, &fovea_op_reduce_axes_attr},
    {"", "ReduceLogSumExp", 18, &fovea_op_reduce},
    {"", "ReduceMax", 1, &fovea_op_reduce_axes_attr},
    {"", "ReduceMax", 18, &fovea_op_reduce},
    {"", "ReduceMean", 1, &fovea_op_reduce_axes_attr},
    {"", "ReduceMean", 18, &fovea_op_reduce},
    {"", "ReduceMin", 1, &fovea_op_reduce_axes_attr},
    {"", "ReduceMin", 18, &fovea_op_reduce},
    {"", "ReduceProd", 1, &fovea_op_reduce_axes_attr},
    {"", "ReduceProd", 18, &fovea_op_reduce},
    {"", "ReduceSum", 1, &fovea_op_reduce_axes_attr},
    {"", "ReduceSum", 13, &fovea_op_reduce},
    {"", "ReduceSumSquare", 1, &fovea_op_reduce_axes_attr},
    {"", "ReduceSumSquare", 18, &fovea_op_reduce},
    {"", "Reshape", 5, &fovea_op_reshape},
    {"", "Shape", 1, &fovea_op_shape},
    {"", "Size", 1, &fovea_op_size},
    {"", "Slice", 1, &fovea_op_slice_1},
    {"", "Slice", 10, &fovea_op_slice_10},
    {"", "Softmax", 1, &fovea_op_softmax_flat},
    {"", "Softmax", 13, &fovea_op_softmax},
    {"", "Split", 2, &fovea_op_split_2},
    {"", "Split", 13, &fovea_op_split_13},
    {"", "Squeeze", 1, &fovea_op_squeeze_1},
    {"", "Squeeze", 13, &fovea_op_squeeze_13},
    {"", "Tile", 6, &fovea_op_tile},
    {"", "Transpose", 1, &fovea_op_transpose},
    {"", "Unsqueeze", 1, &fovea_op_unsqueeze_1},
    {"", "Unsqueeze", 13, &fovea_op_unsqueeze_13},
};

const struct fovea_op_entry *fovea_op_table(size_t *count) {
    *count = sizeof(table) / sizeof(table[0]);
    return table;
}

/* Called once per node at load, over a few hundred rows: a scan is enough. */
const struct fovea_op *fovea_op_find(const char *domain, const char *type, int opset) {
    const struct fovea_op *found = NULL;
    if (strcmp(domain, "ai.onnx") == 0) {
        domain = "";
    }
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcmp(table[i].type, type) == 0 && strcmp(table[i].domain, domain) == 0 &&
            table[i].since <= opset) {
            found = table[i].op;
        }
    }
    return found;
}
