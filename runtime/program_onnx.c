/* What ONNX's elementwise operators compute, as instructions. See program.h. */
#include "runtime/op.h"
#include "runtime/program.h"

#include <string.h>

/* How the inputs of a node become arguments. */
enum form {
    DIRECT,   /* argument i is input i */
    VARIADIC, /* a chain over any number of inputs */
    MEAN,
    POW,
    MOD,
    CLIP,
    GELU,
    SHIFT,
    IS_INF,
};

/* alpha and beta: the attributes behind those parameters, and their defaults. */
struct mapping {
    const char *type;
    enum fovea_opcode op;
    enum form form;
    const char *alpha, *beta;
    float alpha_default, beta_default;
};

static const struct mapping mappings[] = {
    {.type = "Abs", .op = FOVEA_DO_ABS},
    {.type = "Acos", .op = FOVEA_DO_ACOS},
    {.type = "Acosh", .op = FOVEA_DO_ACOSH},
    {.type = "Add", .op = FOVEA_DO_ADD},
    {.type = "And", .op = FOVEA_DO_AND},
    {.type = "Asin", .op = FOVEA_DO_ASIN},
    {.type = "Asinh", .op = FOVEA_DO_ASINH},
    {.type = "Atan", .op = FOVEA_DO_ATAN},
    {.type = "Atanh", .op = FOVEA_DO_ATANH},
    {.type = "BitShift", .form = SHIFT},
    {.type = "BitwiseAnd", .op = FOVEA_DO_BIT_AND},
    {.type = "BitwiseNot", .op = FOVEA_DO_BIT_NOT},
    {.type = "BitwiseOr", .op = FOVEA_DO_BIT_OR},
    {.type = "BitwiseXor", .op = FOVEA_DO_BIT_XOR},
    {.type = "Ceil", .op = FOVEA_DO_CEIL},
    {.type = "Celu", .op = FOVEA_DO_CELU, .alpha = "alpha", .alpha_default = 1},
    {.type = "Clip", .op = FOVEA_DO_CLIP, .form = CLIP},
    {.type = "Cos", .op = FOVEA_DO_COS},
    {.type = "Cosh", .op = FOVEA_DO_COSH},
    {.type = "Div", .op = FOVEA_DO_DIV},
    {.type = "Elu", .op = FOVEA_DO_ELU, .alpha = "alpha", .alpha_default = 1},
    {.type = "Equal", .op = FOVEA_DO_EQUAL},
    {.type = "Erf", .op = FOVEA_DO_ERF},
    {.type = "Exp", .op = FOVEA_DO_EXP},
    {.type = "Floor", .op = FOVEA_DO_FLOOR},
    {.type = "Gelu", .form = GELU},
    {.type = "Greater", .op = FOVEA_DO_GREATER},
    {.type = "GreaterOrEqual", .op = FOVEA_DO_GREATER_EQUAL},
    {.type = "HardSigmoid",
     .op = FOVEA_DO_HARD_SIGMOID,
     .alpha = "alpha",
     .alpha_default = 0.2f,
     .beta = "beta",
     .beta_default = 0.5f},
    {.type = "HardSwish", .op = FOVEA_DO_HARD_SWISH},
    {.type = "IsInf", .op = FOVEA_DO_IS_INF, .form = IS_INF},
    {.type = "IsNaN", .op = FOVEA_DO_IS_NAN},
    {.type = "LeakyRelu", .op = FOVEA_DO_LEAKY_RELU, .alpha = "alpha", .alpha_default = 0.01f},
    {.type = "Less", .op = FOVEA_DO_LESS},
    {.type = "LessOrEqual", .op = FOVEA_DO_LESS_EQUAL},
    {.type = "Log", .op = FOVEA_DO_LOG},
    {.type = "Max", .op = FOVEA_DO_MAX, .form = VARIADIC},
    {.type = "Mean", .op = FOVEA_DO_ADD, .form = MEAN},
    {.type = "Min", .op = FOVEA_DO_MIN, .form = VARIADIC},
    {.type = "Mish", .op = FOVEA_DO_MISH},
    {.type = "Mod", .form = MOD},
    {.type = "Mul", .op = FOVEA_DO_MUL},
    {.type = "Neg", .op = FOVEA_DO_NEG},
    {.type = "Not", .op = FOVEA_DO_NOT},
    {.type = "Or", .op = FOVEA_DO_OR},
    {.type = "PRelu", .op = FOVEA_DO_PRELU},
    {.type = "Pow", .op = FOVEA_DO_POW, .form = POW},
    {.type = "Reciprocal", .op = FOVEA_DO_RECIPROCAL},
    {.type = "Relu", .op = FOVEA_DO_RELU},
    {.type = "Round", .op = FOVEA_DO_ROUND},
    {.type = "Selu",
     .op = FOVEA_DO_SELU,
     .alpha = "alpha",
     .alpha_default = 1.67326319217681884765625f,
     .beta = "gamma",
     .beta_default = 1.05070102214813232421875f},
    {.type = "Shrink",
     .op = FOVEA_DO_SHRINK,
     .alpha = "lambd",
     .alpha_default = 0.5f,
     .beta = "bias"},
    {.type = "Sigmoid", .op = FOVEA_DO_SIGMOID},
    {.type = "Sign", .op = FOVEA_DO_SIGN},
    {.type = "Sin", .op = FOVEA_DO_SIN},
    {.type = "Sinh", .op = FOVEA_DO_SINH},
    {.type = "Softplus", .op = FOVEA_DO_SOFTPLUS},
    {.type = "Softsign", .op = FOVEA_DO_SOFTSIGN},
    {.type = "Sqrt", .op = FOVEA_DO_SQRT},
    {.type = "Sub", .op = FOVEA_DO_SUB},
    {.type = "Sum", .op = FOVEA_DO_ADD, .form = VARIADIC},
    {.type = "Swish", .op = FOVEA_DO_SWISH, .alpha = "alpha", .alpha_default = 1},
    {.type = "Tan", .op = FOVEA_DO_TAN},
    {.type = "Tanh", .op = FOVEA_DO_TANH},
    {.type = "ThresholdedRelu",
     .op = FOVEA_DO_THRESHOLDED_RELU,
     .alpha = "alpha",
     .alpha_default = 1},
    {.type = "Where", .op = FOVEA_DO_WHERE},
    {.type = "Xor", .op = FOVEA_DO_XOR},
};

static const struct mapping *find(const struct fovea_node *node) {
    /* Passes write Gelu and Swish in domain "fovea", with the meaning of ai.onnx. */
    if (node->domain[0] && strcmp(node->domain, "ai.onnx") != 0 &&
        strcmp(node->domain, "fovea") != 0) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(mappings) / sizeof(mappings[0]); i++) {
        if (strcmp(mappings[i].type, node->type) == 0) {
            return &mappings[i];
        }
    }
    return NULL;
}

bool fovea_program_knows(const struct fovea_node *node) {
    return find(node) != NULL;
}

/* ---- the forms ------------------------------------------------------------ */

static enum fovea_status add2(struct fovea_program *program, enum fovea_opcode op, int a, int b,
                              int *value, struct fovea_error *err) {
    return fovea_program_add(program, &(struct fovea_instr){.op = op, .arg = {a, b}}, value, err);
}

static enum fovea_status append_chain(struct fovea_program *program, const struct mapping *mapping,
                                      const struct fovea_node *node, const int *args, int *value,
                                      struct fovea_error *err) {
    int last = args[0];
    enum fovea_status st = FOVEA_OK;
    for (int i = 1; !st && i < node->n_in; i++) {
        st = add2(program, mapping->op, last, args[i], &last, err);
    }
    if (!st && (mapping->form == MEAN || node->n_in == 1)) {
        struct fovea_instr over = {.op = FOVEA_DO_OVER, .arg = {last}, .alpha = (float)node->n_in};
        if (mapping->form != MEAN) { /* one input: the result must be an instruction's */
            over.op = FOVEA_DO_CAST;
            over.type = node->in[0]->t.dtype;
        }
        st = fovea_program_add(program, &over, &last, err);
    }
    if (!st) {
        *value = last;
    }
    return st;
}

static enum fovea_status add_cast(struct fovea_program *program, enum fovea_dtype from,
                                  enum fovea_dtype to, int *value, struct fovea_error *err) {
    if (from == to) {
        return FOVEA_OK;
    }
    struct fovea_instr cast = {.op = FOVEA_DO_CAST, .arg = {*value}, .type = to};
    return fovea_program_add(program, &cast, value, err);
}

/* Base and exponent may differ in type; the result has the base's. */
static enum fovea_status append_pow(struct fovea_program *program, const struct fovea_node *node,
                                    const int *args, int *value, struct fovea_error *err) {
    const struct fovea_value *exponent = node->in[1];
    enum fovea_dtype base = node->in[0]->t.dtype, common = base;
    int a = args[0], b = args[1];
    if (exponent->constant && exponent->t.data && fovea_tensor_count(&exponent->t) == 1 &&
        fovea_dtype_is_float(base)) {
        double power = fovea_tensor_get_float(&exponent->t, 0);
        if (power == 2 || power == 3) {
            enum fovea_status st = add2(program, FOVEA_DO_MUL, a, a, value, err);
            return st || power == 2 ? st : add2(program, FOVEA_DO_MUL, *value, a, value, err);
        }
    }
    if (exponent->t.dtype != base) {
        bool any_float = fovea_dtype_is_float(base) || fovea_dtype_is_float(exponent->t.dtype);
        common = any_float ? FOVEA_F64 : FOVEA_I64;
    }
    enum fovea_status st = add_cast(program, base, common, &a, err);
    if (!st) {
        st = add_cast(program, exponent->t.dtype, common, &b, err);
    }
    if (!st) {
        st = add2(program, FOVEA_DO_POW, a, b, &a, err);
    }
    if (!st) {
        st = add_cast(program, common, base, &a, err);
    }
    if (!st) {
        *value = a;
    }
    return st;
}

/* Bounds are attributes before opset 11, optional inputs since. */
static enum fovea_status append_clip(struct fovea_program *program, const struct fovea_node *node,
                                     const int *args, int *value, struct fovea_error *err) {
    if (node->opset < 11) {
        struct fovea_instr clip = {.op = FOVEA_DO_CLIP,
                                   .arg = {args[0]},
                                   .alpha = fovea_attr_float(node, "min", -3.4028234663852886e+38f),
                                   .beta = fovea_attr_float(node, "max", 3.4028234663852886e+38f)};
        return fovea_program_add(program, &clip, value, err);
    }
    enum fovea_opcode ops[2] = {FOVEA_DO_MAX, FOVEA_DO_MIN};
    int last = args[0];
    enum fovea_status st = FOVEA_OK;
    for (int i = 1; !st && i <= 2; i++) {
        if (fovea_node_input(node, i)) {
            st = add2(program, ops[i - 1], last, args[i], &last, err);
        }
    }
    if (!st && last == args[0]) {
        struct fovea_instr copy = {
            .op = FOVEA_DO_CAST, .arg = {last}, .type = node->in[0]->t.dtype};
        st = fovea_program_add(program, &copy, &last, err);
    }
    if (!st) {
        *value = last;
    }
    return st;
}

static enum fovea_status append_direct(struct fovea_program *program, const struct mapping *mapping,
                                       const struct fovea_node *node, const int *args, int *value,
                                       struct fovea_error *err) {
    struct fovea_instr instr = {.op = mapping->op};
    if (mapping->form == MOD) {
        instr.op = fovea_attr_int(node, "fmod", 0) ? FOVEA_DO_FMOD : FOVEA_DO_MOD;
    } else if (mapping->form == SHIFT) {
        bool left = strcmp(fovea_attr_string(node, "direction", "LEFT"), "LEFT") == 0;
        instr.op = left ? FOVEA_DO_SHIFT_LEFT : FOVEA_DO_SHIFT_RIGHT;
    } else if (mapping->form == GELU) {
        bool tanh = strcmp(fovea_attr_string(node, "approximate", "none"), "tanh") == 0;
        instr.op = tanh ? FOVEA_DO_GELU_TANH : FOVEA_DO_GELU;
    } else if (mapping->form == IS_INF) {
        instr.alpha = fovea_attr_int(node, "detect_negative", 1) != 0;
        instr.beta = fovea_attr_int(node, "detect_positive", 1) != 0;
    }
    if (mapping->alpha) {
        instr.alpha = fovea_attr_float(node, mapping->alpha, mapping->alpha_default);
    }
    if (mapping->beta) {
        instr.beta = fovea_attr_float(node, mapping->beta, mapping->beta_default);
    }
    for (int i = 0; i < fovea_opcode_arity(instr.op); i++) {
        instr.arg[i] = args[i];
    }
    return fovea_program_add(program, &instr, value, err);
}

enum fovea_status fovea_program_append_node(struct fovea_program *program,
                                            const struct fovea_node *node, const int *args,
                                            int *value, struct fovea_error *err) {
    const struct mapping *mapping = find(node);
    if (!mapping) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "%s is not an elementwise operator",
                          fovea_quote(node->type).text);
    }
    switch (mapping->form) {
    case VARIADIC:
    case MEAN:
        return append_chain(program, mapping, node, args, value, err);
    case POW:
        return append_pow(program, node, args, value, err);
    case CLIP:
        return append_clip(program, node, args, value, err);
    default:
        return append_direct(program, mapping, node, args, value, err);
    }
}
