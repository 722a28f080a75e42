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
    {"", "Asin", 7, &fovea_op_unary},
    {"", "Asinh", 9, &fovea_op_unary},
    {"", "Atan", 7, &fovea_op_unary},
    {"", "Atanh", 9, &fovea_op_unary},
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
    {"", "Cos", 7, &fovea_op_unary},
    {"", "Cosh", 9, &fovea_op_unary},
    {"", "Div", 7, &fovea_op_binary},
    {"", "Elu", 6, &fovea_op_unary_alpha},
    {"", "Equal", 7, &fovea_op_binary},
    {"", "Erf", 9, &fovea_op_unary},
    {"", "Exp", 6, &fovea_op_unary},
    {"", "Floor", 6, &fovea_op_unary},
    {"", "Gelu", 20, &fovea_op_gelu},
    {"", "Greater", 7, &fovea_op_binary},
    {"", "GreaterOrEqual", 12, &fovea_op_binary},
    {"", "HardSigmoid", 6, &fovea_op_unary_alpha_beta},
    {"", "HardSwish", 14, &fovea_op_unary},
    {"", "Identity", 1, &fovea_op_identity},
    {"", "IsInf", 10, &fovea_op_is_inf},
    {"", "IsNaN", 9, &fovea_op_unary},
    {"", "LeakyRelu", 6, &fovea_op_unary_alpha},
    {"", "Less", 7, &fovea_op_binary},
    {"", "LessOrEqual", 12, &fovea_op_binary},
    {"", "Log", 6, &fovea_op_unary},
    {"", "Max", 6, &fovea_op_variadic},
    {"", "Mean", 6, &fovea_op_variadic},
    {"", "Min", 6, &fovea_op_variadic},
    {"", "Mish", 18, &fovea_op_unary},
    {"", "Mod", 10, &fovea_op_mod},
    {"", "Mul", 7, &fovea_op_binary},
    {"", "Neg", 6, &fovea_op_unary},
    {"", "Not", 1, &fovea_op_unary},
    {"", "Or", 7, &fovea_op_binary},
    {"", "PRelu", 7, &fovea_op_binary},
    {"", "Pow", 7, &fovea_op_binary},
    {"", "Reciprocal", 6, &fovea_op_unary},
    {"", "Relu", 6, &fovea_op_unary},
    {"", "Round", 11, &fovea_op_unary},
    {"", "Selu", 6, &fovea_op_selu},
    {"", "Shrink", 9, &fovea_op_shrink},
    {"", "Sigmoid", 6, &fovea_op_unary},
    {"", "Sign", 9, &fovea_op_unary},
    {"", "Sin", 7, &fovea_op_unary},
    {"", "Sinh", 9, &fovea_op_unary},
    {"", "Softplus", 1, &fovea_op_unary},
    {"", "Softsign", 1, &fovea_op_unary},
    {"", "Sqrt", 6, &fovea_op_unary},
    {"", "Sub", 7, &fovea_op_binary},
    {"", "Sum", 6, &fovea_op_variadic},
    {"", "Swish", 24, &fovea_op_unary_alpha},
    {"", "Tan", 7, &fovea_op_unary},
    {"", "Tanh", 6, &fovea_op_unary},
    {"", "ThresholdedRelu", 10, &fovea_op_unary_alpha},
    {"", "Where", 9, &fovea_op_where},
    {"", "Xor", 7, &fovea_op_binary},
    {"fovea", "Convert", 1, &fovea_op_convert},
    {"fovea", "Elementwise", 1, &fovea_op_elementwise},
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
