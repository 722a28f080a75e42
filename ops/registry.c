/* The table of operators: see registry.h. A test holds its order. */
#include "ops/registry.h"

#include "ops/ops.h"

#include <string.h>

/* By domain, type, opset. A row is added when ONNX changes what an operator means. */
static const struct fovea_op_entry table[] = {
    {"", "ArgMax", 1, &fovea_op_arg_max},
    {"", "ArgMin", 1, &fovea_op_arg_max},
    {"", "Concat", 4, &fovea_op_concat},
    {"", "Constant", 1, &fovea_op_constant},
    {"", "ConstantOfShape", 9, &fovea_op_constant_of_shape},
    {"", "CumSum", 11, &fovea_op_cumsum},
    {"", "DepthToSpace", 1, &fovea_op_depth_to_space},
    {"", "Expand", 8, &fovea_op_expand},
    {"", "Flatten", 1, &fovea_op_flatten},
    {"", "Gather", 1, &fovea_op_gather},
    {"", "GatherElements", 11, &fovea_op_gather_elements},
    {"", "GatherND", 11, &fovea_op_gather_nd},
    {"", "Identity", 1, &fovea_op_identity},
    {"", "OneHot", 9, &fovea_op_one_hot},
    {"", "Pad", 2, &fovea_op_pad_2},
    {"", "Pad", 11, &fovea_op_pad_11},
    {"", "Range", 11, &fovea_op_range},
    {"", "Reshape", 5, &fovea_op_reshape},
    {"", "Resize", 10, &fovea_op_resize_10},
    {"", "Resize", 11, &fovea_op_resize_11},
    {"", "ReverseSequence", 10, &fovea_op_reverse_sequence},
    {"", "Scatter", 9, &fovea_op_scatter},
    {"", "ScatterElements", 11, &fovea_op_scatter_elements},
    {"", "ScatterND", 11, &fovea_op_scatter_nd},
    {"", "Shape", 1, &fovea_op_shape},
    {"", "Size", 1, &fovea_op_size},
    {"", "Slice", 1, &fovea_op_slice_1},
    {"", "Slice", 10, &fovea_op_slice_10},
    {"", "SpaceToDepth", 1, &fovea_op_space_to_depth},
    {"", "Split", 2, &fovea_op_split_2},
    {"", "Split", 13, &fovea_op_split_13},
    {"", "Squeeze", 1, &fovea_op_squeeze_1},
    {"", "Squeeze", 13, &fovea_op_squeeze_13},
    {"", "Tile", 6, &fovea_op_tile},
    {"", "TopK", 1, &fovea_op_topk_1},
    {"", "TopK", 10, &fovea_op_topk_10},
    {"", "TopK", 11, &fovea_op_topk_11},
    {"", "Transpose", 1, &fovea_op_transpose},
    {"", "Trilu", 14, &fovea_op_trilu},
    {"", "Unsqueeze", 1, &fovea_op_unsqueeze_1},
    {"", "Unsqueeze", 13, &fovea_op_unsqueeze_13},
    {"", "Upsample", 7, &fovea_op_upsample_7},
    {"", "Upsample", 9, &fovea_op_upsample_9},
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
