/* The table of operators: see registry.h. A test holds its order. */
#include "ops/registry.h"

#include "ops/ops.h"

#include <string.h>

/* By domain, type, opset. A row is added when ONNX changes what an operator means. */
static const struct fovea_op_entry table[] = {
    {"", "Abs", 6, &fovea_op_unary},
    {"", "Acos", 7, &fovea_op_unary},
    {"", "Acosh", 9, &fovea_op_unary},
    {"", "Add", 7, &fovea_op_binary},
    {"", "And", 7, &fovea_op_binary},
    {"", "ArgMax", 1, &fovea_op_arg_max},
    {"", "ArgMin", 1, &fovea_op_arg_max},
    {"", "Asin", 7, &fovea_op_unary},
    {"", "Asinh", 9, &fovea_op_unary},
    {"", "Atan", 7, &fovea_op_unary},
    {"", "Atanh", 9, &fovea_op_unary},
    {"", "Attention", 23, &fovea_op_attention_onnx},
    {"", "Attention", 24, NULL},
    {"", "AveragePool", 7, &fovea_op_average_pool},
    {"", "BatchNormalization", 1, &fovea_op_batch_norm_by_outputs},
    {"", "BatchNormalization", 14, &fovea_op_batch_norm},
    {"", "BitShift", 11, &fovea_op_bit_shift},
    {"", "BitwiseAnd", 18, &fovea_op_binary},
    {"", "BitwiseNot", 18, &fovea_op_unary},
    {"", "BitwiseOr", 18, &fovea_op_binary},
    {"", "BitwiseXor", 18, &fovea_op_binary},
    {"", "Cast", 6, &fovea_op_cast},
    {"", "CastLike", 15, &fovea_op_cast_like},
    {"", "Ceil", 6, &fovea_op_unary},
    {"", "Celu", 12, &fovea_op_unary_alpha},
    {"", "Clip", 6, &fovea_op_clip_6},
    {"", "Clip", 11, &fovea_op_clip},
    {"", "Concat", 4, &fovea_op_concat},
    {"", "Constant", 1, &fovea_op_constant},
    {"", "ConstantOfShape", 9, &fovea_op_constant_of_shape},
    {"", "Conv", 1, &fovea_op_conv},
    {"", "Cos", 7, &fovea_op_unary},
    {"", "Cosh", 9, &fovea_op_unary},
    {"", "CumSum", 11, &fovea_op_cumsum},
    {"", "DepthToSpace", 1, &fovea_op_depth_to_space},
    {"", "DequantizeLinear", 10, &fovea_op_dequantize_linear},
    {"", "Div", 7, &fovea_op_binary},
    {"", "Dropout", 7, &fovea_op_dropout_7},
    {"", "Dropout", 12, &fovea_op_dropout},
    {"", "DynamicQuantizeLinear", 11, &fovea_op_dynamic_quantize_linear},
    {"", "Einsum", 12, &fovea_op_einsum},
    {"", "Elu", 6, &fovea_op_unary_alpha},
    {"", "Equal", 7, &fovea_op_binary},
    {"", "Erf", 9, &fovea_op_unary},
    {"", "Exp", 6, &fovea_op_unary},
    {"", "Expand", 8, &fovea_op_expand},
    {"", "EyeLike", 9, &fovea_op_eye_like},
    {"", "Flatten", 1, &fovea_op_flatten},
    {"", "Floor", 6, &fovea_op_unary},
    {"", "Gather", 1, &fovea_op_gather},
    {"", "GatherElements", 11, &fovea_op_gather_elements},
    {"", "GatherND", 11, &fovea_op_gather_nd},
    {"", "Gelu", 20, &fovea_op_gelu},
    {"", "Gemm", 7, &fovea_op_gemm},
    {"", "GlobalAveragePool", 1, &fovea_op_global_average_pool},
    {"", "GlobalMaxPool", 1, &fovea_op_global_max_pool},
    {"", "Greater", 7, &fovea_op_binary},
    {"", "GreaterOrEqual", 12, &fovea_op_binary},
    {"", "GroupNormalization", 18, &fovea_op_group_norm_18},
    {"", "GroupNormalization", 21, &fovea_op_group_norm_21},
    {"", "HardSigmoid", 6, &fovea_op_unary_alpha_beta},
    {"", "HardSwish", 14, &fovea_op_unary},
    {"", "Hardmax", 1, &fovea_op_hardmax_flat},
    {"", "Hardmax", 13, &fovea_op_hardmax},
    {"", "Identity", 1, &fovea_op_identity},
    {"", "InstanceNormalization", 1, &fovea_op_instance_norm},
    {"", "IsInf", 10, &fovea_op_is_inf},
    {"", "IsNaN", 9, &fovea_op_unary},
    {"", "LRN", 1, &fovea_op_lrn},
    {"", "LayerNormalization", 17, &fovea_op_layer_norm},
    {"", "LeakyRelu", 6, &fovea_op_unary_alpha},
    {"", "Less", 7, &fovea_op_binary},
    {"", "LessOrEqual", 12, &fovea_op_binary},
    {"", "Log", 6, &fovea_op_unary},
    {"", "LogSoftmax", 1, &fovea_op_log_softmax_flat},
    {"", "LogSoftmax", 13, &fovea_op_log_softmax},
    {"", "LpNormalization", 1, &fovea_op_lp_norm},
    {"", "MatMul", 1, &fovea_op_matmul},
    {"", "Max", 6, &fovea_op_variadic},
    {"", "MaxPool", 1, &fovea_op_max_pool},
    {"", "Mean", 6, &fovea_op_variadic},
    {"", "MeanVarianceNormalization", 9, &fovea_op_mean_variance_norm},
    {"", "Min", 6, &fovea_op_variadic},
    {"", "Mish", 18, &fovea_op_unary},
    {"", "Mod", 10, &fovea_op_mod},
    {"", "Mul", 7, &fovea_op_binary},
    {"", "Neg", 6, &fovea_op_unary},
    {"", "Not", 1, &fovea_op_unary},
    {"", "OneHot", 9, &fovea_op_one_hot},
    {"", "Or", 7, &fovea_op_binary},
    {"", "PRelu", 7, &fovea_op_binary},
    {"", "Pad", 2, &fovea_op_pad_2},
    {"", "Pad", 11, &fovea_op_pad_11},
    {"", "Pow", 7, &fovea_op_binary},
    {"", "QuantizeLinear", 10, &fovea_op_quantize_linear},
    {"", "RMSNormalization", 23, &fovea_op_rms_norm},
    {"", "Range", 11, &fovea_op_range},
    {"", "Reciprocal", 6, &fovea_op_unary},
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
    {"", "Relu", 6, &fovea_op_unary},
    {"", "Reshape", 5, &fovea_op_reshape},
    {"", "Resize", 10, &fovea_op_resize_10},
    {"", "Resize", 11, &fovea_op_resize_11},
    {"", "ReverseSequence", 10, &fovea_op_reverse_sequence},
    {"", "Round", 11, &fovea_op_unary},
    {"", "Scatter", 9, &fovea_op_scatter},
    {"", "ScatterElements", 11, &fovea_op_scatter_elements},
    {"", "ScatterND", 11, &fovea_op_scatter_nd},
    {"", "Selu", 6, &fovea_op_selu},
    {"", "Shape", 1, &fovea_op_shape},
    {"", "Shrink", 9, &fovea_op_shrink},
    {"", "Sigmoid", 6, &fovea_op_unary},
    {"", "Sign", 9, &fovea_op_unary},
    {"", "Sin", 7, &fovea_op_unary},
    {"", "Sinh", 9, &fovea_op_unary},
    {"", "Size", 1, &fovea_op_size},
    {"", "Slice", 1, &fovea_op_slice_1},
    {"", "Slice", 10, &fovea_op_slice_10},
    {"", "Softmax", 1, &fovea_op_softmax_flat},
    {"", "Softmax", 13, &fovea_op_softmax},
    {"", "Softplus", 1, &fovea_op_unary},
    {"", "Softsign", 1, &fovea_op_unary},
    {"", "SpaceToDepth", 1, &fovea_op_space_to_depth},
    {"", "Split", 2, &fovea_op_split_2},
    {"", "Split", 13, &fovea_op_split_13},
    {"", "Sqrt", 6, &fovea_op_unary},
    {"", "Squeeze", 1, &fovea_op_squeeze_1},
    {"", "Squeeze", 13, &fovea_op_squeeze_13},
    {"", "Sub", 7, &fovea_op_binary},
    {"", "Sum", 6, &fovea_op_variadic},
    {"", "Swish", 24, &fovea_op_unary_alpha},
    {"", "Tan", 7, &fovea_op_unary},
    {"", "Tanh", 6, &fovea_op_unary},
    {"", "ThresholdedRelu", 10, &fovea_op_unary_alpha},
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
    {"", "Where", 9, &fovea_op_where},
    {"", "Xor", 7, &fovea_op_binary},
    {"fovea", "Attention", 1, &fovea_op_attention},
    {"fovea", "Convert", 1, &fovea_op_convert},
    {"fovea", "Elementwise", 1, &fovea_op_elementwise},
    {"fovea", "Gelu", 1, &fovea_op_gelu},
    {"fovea", "LayerNormalization", 1, &fovea_op_layer_norm},
    {"fovea", "Linear", 1, &fovea_op_linear},
    {"fovea", "Reorder", 1, &fovea_op_reorder},
    {"fovea", "Swish", 1, &fovea_op_unary_alpha},
    {"fovea", "View", 1, &fovea_op_view},
};

const struct fovea_op_entry *fovea_op_table(size_t *count) {
    *count = sizeof(table) / sizeof(table[0]);
    return table;
}

/* Whether a row comes before or is the one asked for, in the table's order. */
static bool is_up_to(const struct fovea_op_entry *row, const char *domain, const char *type,
                     int opset) {
    int order = strcmp(row->domain, domain);
    if (order == 0) {
        order = strcmp(row->type, type);
    }
    return order < 0 || (order == 0 && row->since <= opset);
}

/* The last row up to the one asked for; a graph may have a million nodes, so by halving. */
const struct fovea_op *fovea_op_find(const char *domain, const char *type, int opset) {
    size_t below = 0, above = sizeof(table) / sizeof(table[0]);
    if (strcmp(domain, "ai.onnx") == 0) {
        domain = "";
    }
    while (below < above) {
        size_t middle = below + (above - below) / 2;
        if (is_up_to(&table[middle], domain, type, opset)) {
            below = middle + 1;
        } else {
            above = middle;
        }
    }
    const struct fovea_op_entry *row = below > 0 ? &table[below - 1] : NULL;
    bool found = row && strcmp(row->type, type) == 0 && strcmp(row->domain, domain) == 0;
    return found ? row->op : NULL;
}
