/*
 * ONNX's elementwise operators, and "fovea"."Elementwise" for what passes make
 * of chains of them. What they compute is in runtime/program_onnx.c; here is
 * what they accept.
 */
#include "ops/elementwise.h"
#include "ops/ops.h"

#include <stdlib.h>
#include <string.h>

/* ---- what the types and broadcasting do not say --------------------------- */

static bool is(const struct fovea_node *node, const char *type) {
    return strcmp(node->type, type) == 0;
}

/* An attribute must be one of two words. */
static enum fovea_status check_word(const struct fovea_node *node, const char *name,
                                    const char *either, const char * or, const char *otherwise,
                                    struct fovea_error *err) {
    const char *word = fovea_attr_string(node, name, otherwise);
    if (strcmp(word, either) == 0 || strcmp(word, or) == 0) {
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_INVALID, "%s is '%s'; it must be %s or %s", name,
                      fovea_quote(word).text, either, or);
}

/* "max(x, 0) + slope * min(0, x)", slope unidirectionally broadcastable to x. */
static enum fovea_status check_slope(const struct fovea_node *node, struct fovea_error *err) {
    struct fovea_tensor shape = {.rank = 0};
    const struct fovea_tensor *x = &node->in[0]->t, *slope = &node->in[1]->t;
    enum fovea_status st = fovea_broadcast_shape(x, slope, &shape.rank, shape.dims, err);
    if (!st && !fovea_tensor_same_shape(&shape, x)) {
        st = fovea_fail(err, FOVEA_ERR_INVALID, "slope of shape %s does not broadcast to %s",
                        fovea_shape_text(slope).text, fovea_shape_text(x).text);
    }
    return st;
}

static enum fovea_status check_bounds(const struct fovea_node *node, struct fovea_error *err) {
    for (int i = 1; i < node->n_in; i++) {
        if (node->in[i] && (node->in[i]->t.rank > 1 || fovea_tensor_count(&node->in[i]->t) != 1)) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "bound %d has shape %s; it must be a scalar",
                              i, fovea_shape_text(&node->in[i]->t).text);
        }
    }
    return FOVEA_OK;
}

static enum fovea_status check_mod(const struct fovea_node *node, struct fovea_error *err) {
    int64_t fmod = fovea_attr_int(node, "fmod", 0);
    if (fmod != 0 && fmod != 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "fmod is %lld; it must be 0 or 1",
                          (long long)fmod);
    }
    if (!fmod && fovea_dtype_is_float(node->in[0]->t.dtype)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "fmod is 0; it must be 1 for %s",
                          fovea_dtype_name(node->in[0]->t.dtype));
    }
    return FOVEA_OK;
}

static enum fovea_status check_present(const struct fovea_node *node, struct fovea_error *err) {
    for (int i = 0; i < node->n_in; i++) {
        if (!node->in[i]) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "input %d is absent", i);
        }
    }
    return FOVEA_OK;
}

static enum fovea_status check_special(const struct fovea_node *node, struct fovea_error *err) {
    if (is(node, "Clip")) {
        return check_bounds(node, err);
    }
    enum fovea_status st = check_present(node, err);
    if (st) {
        return st;
    }
    if (is(node, "BitShift")) {
        unsigned words = FOVEA_DTYPE_BIT(FOVEA_U8) | FOVEA_DTYPE_BIT(FOVEA_U16) |
                         FOVEA_DTYPE_BIT(FOVEA_U32) | FOVEA_DTYPE_BIT(FOVEA_U64);
        st = fovea_expect_dtype(node, 0, words, err);
        return st ? st : check_word(node, "direction", "LEFT", "RIGHT", "", err);
    }
    if (is(node, "Gelu")) {
        return check_word(node, "approximate", "none", "tanh", "none", err);
    }
    if (is(node, "Mod")) {
        return check_mod(node, err);
    }
    return is(node, "PRelu") ? check_slope(node, err) : FOVEA_OK;
}

/* ---- the operator --------------------------------------------------------- */

/* The program of an ONNX node: its inputs in order, one result. */
static enum fovea_status node_program(const struct fovea_node *node, struct fovea_program *program,
                                      int *value, struct fovea_error *err) {
    int *args = malloc(((size_t)node->n_in + 3) * sizeof(*args));
    if (!args) {
        return fovea_fail_memory(err, (size_t)node->n_in * sizeof(*args), "arguments");
    }
    for (int i = 0; i < node->n_in + 3; i++) {
        args[i] = i < node->n_in && node->in[i] ? i : -1;
    }
    fovea_program_init(program, node->n_in);
    enum fovea_status st = fovea_program_append_node(program, node, args, value, err);
    free(args);
    if (st) {
        fovea_program_finish(program);
    }
    return st;
}

static enum fovea_status result_type(const struct fovea_node *node, enum fovea_dtype *out,
                                     struct fovea_error *err) {
    struct fovea_program program;
    int value;
    enum fovea_status st = node_program(node, &program, &value, err);
    if (st) {
        return st;
    }
    size_t n = (size_t)program.n_inputs + (size_t)program.n_instrs;
    enum fovea_dtype *types = calloc(n, sizeof(*types));
    st = types ? fovea_elementwise_check(&program, node, types, err)
               : fovea_fail_memory(err, n * sizeof(*types), "types");
    if (!st) {
        *out = types[value];
    }
    free(types);
    fovea_program_finish(&program);
    return st;
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    enum fovea_dtype type;
    int rank;
    int64_t dims[FOVEA_MAX_RANK];
    enum fovea_status st = check_special(node, err);
    if (!st) {
        st = result_type(node, &type, err);
    }
    if (!st && is(node, "Clip")) {
        return fovea_set_output_like(node, 0, node->in[0], err);
    }
    if (!st) {
        st = fovea_elementwise_shape(node, &rank, dims, err);
    }
    return st ? st : fovea_set_output(node, 0, type, rank, dims, err);
}

static enum fovea_status prepare(struct fovea_node *node, struct fovea_engine *engine,
                                 struct fovea_error *err) {
    struct fovea_elementwise_priv *priv = node->priv;
    struct fovea_program program;
    int value;
    enum fovea_status st = node_program(node, &program, &value, err);
    if (st) {
        return st;
    }
    st = fovea_elementwise_create(&program, &value, NULL, node, engine, &priv->elementwise, err);
    fovea_program_finish(&program);
    return st;
}

#define ELEMENTWISE_OP(least, most, table)                                                         \
    {                                                                                              \
        .priv_size = sizeof(struct fovea_elementwise_priv), .attrs = (table), .min_in = (least),   \
        .max_in = (most), .min_out = 1, .max_out = 1,                                              \
        .flags = FOVEA_OP_IN_PLACE | FOVEA_OP_BY_ROWS, .layout = FOVEA_LAYOUT_ANY,                 \
        .bf16 = FOVEA_BF16_FREE, .bf16_in = ~0u, .bf16_out = ~0u, .infer = infer,                  \
        .prepare = prepare, .run = fovea_elementwise_op_run,                                       \
        .release = fovea_elementwise_op_release,                                                   \
    }

static const struct fovea_attr_spec attrs_alpha[] = {
    {"alpha", FOVEA_ATTR_FLOAT, false},
    {0},
};
static const struct fovea_attr_spec attrs_alpha_beta[] = {
    {"alpha", FOVEA_ATTR_FLOAT, false},
    {"beta", FOVEA_ATTR_FLOAT, false},
    {0},
};
static const struct fovea_attr_spec attrs_bit_shift[] = {
    {"direction", FOVEA_ATTR_STRING, true},
    {0},
};
static const struct fovea_attr_spec attrs_clip_6[] = {
    {"max", FOVEA_ATTR_FLOAT, false},
    {"min", FOVEA_ATTR_FLOAT, false},
    {0},
};
static const struct fovea_attr_spec attrs_gelu[] = {
    {"approximate", FOVEA_ATTR_STRING, false},
    {0},
};
static const struct fovea_attr_spec attrs_is_inf[] = {
    {"detect_negative", FOVEA_ATTR_INT, false},
    {"detect_positive", FOVEA_ATTR_INT, false},
    {0},
};
static const struct fovea_attr_spec attrs_mod[] = {
    {"fmod", FOVEA_ATTR_INT, false},
    {0},
};
static const struct fovea_attr_spec attrs_selu[] = {
    {"alpha", FOVEA_ATTR_FLOAT, false},
    {"gamma", FOVEA_ATTR_FLOAT, false},
    {0},
};
static const struct fovea_attr_spec attrs_shrink[] = {
    {"bias", FOVEA_ATTR_FLOAT, false},
    {"lambd", FOVEA_ATTR_FLOAT, false},
    {0},
};

const struct fovea_op fovea_op_binary = ELEMENTWISE_OP(2, 2, NULL);
const struct fovea_op fovea_op_bit_shift = ELEMENTWISE_OP(2, 2, attrs_bit_shift);
const struct fovea_op fovea_op_clip = ELEMENTWISE_OP(1, 3, NULL);
const struct fovea_op fovea_op_clip_6 = ELEMENTWISE_OP(1, 1, attrs_clip_6);
const struct fovea_op fovea_op_gelu = ELEMENTWISE_OP(1, 1, attrs_gelu);
const struct fovea_op fovea_op_is_inf = ELEMENTWISE_OP(1, 1, attrs_is_inf);
const struct fovea_op fovea_op_mod = ELEMENTWISE_OP(2, 2, attrs_mod);
const struct fovea_op fovea_op_selu = ELEMENTWISE_OP(1, 1, attrs_selu);
const struct fovea_op fovea_op_shrink = ELEMENTWISE_OP(1, 1, attrs_shrink);
const struct fovea_op fovea_op_unary = ELEMENTWISE_OP(1, 1, NULL);
const struct fovea_op fovea_op_unary_alpha = ELEMENTWISE_OP(1, 1, attrs_alpha);
const struct fovea_op fovea_op_unary_alpha_beta = ELEMENTWISE_OP(1, 1, attrs_alpha_beta);
const struct fovea_op fovea_op_variadic = ELEMENTWISE_OP(1, FOVEA_VARIADIC, NULL);
const struct fovea_op fovea_op_where = ELEMENTWISE_OP(3, 3, NULL);

/* ---- fovea.Elementwise ---------------------------------------------------- */

static enum fovea_status infer_fused(struct fovea_node *node, struct fovea_error *err) {
    struct fovea_program program;
    int rank;
    int64_t dims[FOVEA_MAX_RANK];
    enum fovea_status st = check_present(node, err);
    if (!st) {
        st = fovea_program_load(node, &program, err);
    }
    if (st) {
        return st;
    }
    size_t n = (size_t)program.n_inputs + (size_t)program.n_instrs;
    enum fovea_dtype *types = calloc(n, sizeof(*types));
    st = types ? fovea_elementwise_check(&program, node, types, err)
               : fovea_fail_memory(err, n * sizeof(*types), "types");
    if (!st) {
        st = fovea_elementwise_shape(node, &rank, dims, err);
    }
    size_t count;
    const int64_t *outputs = fovea_attr_ints(node, "outputs", &count);
    for (int i = 0; !st && i < node->n_out; i++) {
        st = fovea_set_output(node, i, types[outputs[i]], rank, dims, err);
    }
    free(types);
    fovea_program_finish(&program);
    return st;
}

static enum fovea_status prepare_fused(struct fovea_node *node, struct fovea_engine *engine,
                                       struct fovea_error *err) {
    struct fovea_elementwise_priv *priv = node->priv;
    struct fovea_program program;
    size_t count;
    const int64_t *outputs = fovea_attr_ints(node, "outputs", &count);
    enum fovea_status st = fovea_program_load(node, &program, err);
    if (st) {
        return st;
    }
    int *values = malloc((count + 1) * sizeof(*values));
    if (!values) {
        st = fovea_fail_memory(err, count * sizeof(*values), "outputs");
    } else {
        for (size_t i = 0; i < count; i++) {
            values[i] = (int)outputs[i];
        }
        st =
            fovea_elementwise_create(&program, values, NULL, node, engine, &priv->elementwise, err);
    }
    free(values);
    fovea_program_finish(&program);
    return st;
}

static const struct fovea_attr_spec attrs_fused[] = {
    {"code", FOVEA_ATTR_INTS, true},
    {"params", FOVEA_ATTR_FLOATS, true},
    {"outputs", FOVEA_ATTR_INTS, true},
    {0},
};

const struct fovea_op fovea_op_elementwise = {
    .priv_size = sizeof(struct fovea_elementwise_priv),
    .attrs = attrs_fused,
    .min_in = 1,
    .max_in = FOVEA_VARIADIC,
    .min_out = 1,
    .max_out = FOVEA_VARIADIC,
    .flags = FOVEA_OP_IN_PLACE,
    .layout = FOVEA_LAYOUT_ANY,
    .bf16 = FOVEA_BF16_FREE,
    .bf16_in = ~0u,
    .bf16_out = ~0u,
    .infer = infer_fused,
    .prepare = prepare_fused,
    .run = fovea_elementwise_op_run,
    .release = fovea_elementwise_op_release,
};
