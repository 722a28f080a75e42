/*
 * QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear, per tensor and
 * per axis. The first two are elementwise programs:
 *
 *   quantize     y = saturate(round(x / scale) + zero)    ties to even
 *   dequantize   y = (x - zero) scale
 *
 * Quantised types of up to 16 bits are exact in f32, in which the arithmetic
 * is done; the difference of 32-bit integers is taken as such.
 */
#include "ops/elementwise.h"
#include "ops/ops.h"

#include <math.h>
#include <string.h>

struct priv {
    struct fovea_elementwise_priv elementwise; /* first: shared run and release */
    int axis;                                  /* of scale and zero point; -1: per tensor */
};

#define TYPES_8                                                                                    \
    (FOVEA_DTYPE_BIT(FOVEA_U8) | FOVEA_DTYPE_BIT(FOVEA_I8) | FOVEA_DTYPE_BIT(FOVEA_U16) |          \
     FOVEA_DTYPE_BIT(FOVEA_I16))
#define TYPE_32 FOVEA_DTYPE_BIT(FOVEA_I32)

/* ---- checks --------------------------------------------------------------- */

/* Scale and zero point: scalars, or one element for each index of the axis. */
static enum fovea_status check_axis(const struct fovea_node *node, int *axis,
                                    struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t, *scale = &node->in[1]->t;
    const struct fovea_value *zero = fovea_node_input(node, 2);
    if (fovea_attr_int(node, "block_size", 0) != 0 || scale->rank > 1) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "scale has shape %s and block_size is %lld: blocks are not supported",
                          fovea_shape_text(scale).text,
                          (long long)fovea_attr_int(node, "block_size", 0));
    }
    if (zero && !fovea_tensor_same_shape(&zero->t, scale)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "zero point has shape %s, scale %s",
                          fovea_shape_text(&zero->t).text, fovea_shape_text(scale).text);
    }
    *axis = -1;
    if (fovea_tensor_count(scale) == 1) {
        return FOVEA_OK;
    }
    enum fovea_status st = fovea_resolve_axis(fovea_attr_int(node, "axis", 1), x->rank, axis, err);
    if (!st && x->dims[*axis] != scale->dims[0]) {
        st = fovea_fail(err, FOVEA_ERR_INVALID, "scale has %lld elements; axis %d of %s has %lld",
                        (long long)scale->dims[0], *axis, fovea_shape_text(x).text,
                        (long long)x->dims[*axis]);
    }
    return st;
}

/* The quantised type of QuantizeLinear: the zero point's, output_dtype's, or u8. */
static enum fovea_status quantized_type(const struct fovea_node *node, enum fovea_dtype *out,
                                        struct fovea_error *err) {
    static const enum fovea_dtype by_onnx[] = {[2] = FOVEA_U8, FOVEA_I8, FOVEA_U16, FOVEA_I16};
    int64_t asked = fovea_attr_int(node, "output_dtype", 0);
    const struct fovea_value *zero = fovea_node_input(node, 2);
    if (asked != 0 && (asked < 2 || asked > 5)) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "output_dtype is %lld; 8 and 16-bit integers are supported",
                          (long long)asked);
    }
    enum fovea_dtype dtype = asked ? by_onnx[asked] : (zero ? zero->t.dtype : FOVEA_U8);
    if (zero && zero->t.dtype != dtype) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "zero point has type %s, output_dtype is %s",
                          fovea_dtype_name(zero->t.dtype), fovea_dtype_name(dtype));
    }
    *out = dtype;
    return FOVEA_OK;
}

static enum fovea_status infer_quantize(struct fovea_node *node, struct fovea_error *err) {
    struct priv *priv = node->priv;
    enum fovea_dtype dtype = FOVEA_U8;
    unsigned source = FOVEA_DTYPE_BIT(FOVEA_F32) | TYPE_32;
    enum fovea_status st = fovea_expect_dtype(node, 0, source, err);
    if (!st) {
        st = fovea_expect_dtype(node, 1, source, err);
    }
    if (!st && fovea_node_input(node, 2)) {
        st = fovea_expect_dtype(node, 2, TYPES_8, err);
    }
    if (!st) {
        st = check_axis(node, &priv->axis, err);
    }
    if (!st) {
        st = quantized_type(node, &dtype, err);
    }
    const struct fovea_tensor *x = &node->in[0]->t;
    return st ? st : fovea_set_output(node, 0, dtype, x->rank, x->dims, err);
}

static enum fovea_status infer_dequantize(struct fovea_node *node, struct fovea_error *err) {
    struct priv *priv = node->priv;
    enum fovea_status st = fovea_expect_dtype(node, 0, TYPES_8 | TYPE_32, err);
    if (!st) {
        st = fovea_expect_dtype(node, 1, FOVEA_DTYPE_BIT(FOVEA_F32), err);
    }
    if (!st) {
        st = check_axis(node, &priv->axis, err);
    }
    const struct fovea_value *zero = fovea_node_input(node, 2);
    const struct fovea_tensor *x = &node->in[0]->t;
    if (!st && zero && zero->t.dtype != x->dtype) {
        st = fovea_fail(err, FOVEA_ERR_INVALID, "zero point has type %s, the input %s",
                        fovea_dtype_name(zero->t.dtype), fovea_dtype_name(x->dtype));
    }
    return st ? st : fovea_set_output(node, 0, FOVEA_F32, x->rank, x->dims, err);
}

/* ---- programs ------------------------------------------------------------- */

/* Append an instruction on *value (and `b`), whose result becomes *value. */
static enum fovea_status then(struct fovea_program *program, struct fovea_instr instr, int b,
                              int *value, struct fovea_error *err) {
    instr.arg[0] = *value;
    instr.arg[1] = b;
    return fovea_program_add(program, &instr, value, err);
}

static enum fovea_status quantize_program(const struct fovea_node *node,
                                          struct fovea_program *program, int *value,
                                          struct fovea_error *err) {
    const struct fovea_instr to_f32 = {.op = FOVEA_DO_CAST, .type = FOVEA_F32};
    enum fovea_dtype type = node->out[0]->t.dtype;
    bool is_signed = type == FOVEA_I8 || type == FOVEA_I16;
    float range = ldexpf(1, 8 * (int)fovea_dtype_size(type));
    struct fovea_instr clip = {.op = FOVEA_DO_CLIP,
                               .alpha = is_signed ? -range / 2 : 0,
                               .beta = (is_signed ? range / 2 : range) - 1};
    int x = 0, scale = 1, zero = 2;
    enum fovea_status st = then(program, to_f32, -1, &x, err);
    if (!st) {
        st = then(program, to_f32, -1, &scale, err);
    }
    if (!st) {
        st = then(program, (struct fovea_instr){.op = FOVEA_DO_DIV}, scale, &x, err);
    }
    if (!st) {
        st = then(program, (struct fovea_instr){.op = FOVEA_DO_ROUND}, -1, &x, err);
    }
    if (!st && fovea_node_input(node, 2)) {
        st = then(program, to_f32, -1, &zero, err);
        if (!st) {
            st = then(program, (struct fovea_instr){.op = FOVEA_DO_ADD}, zero, &x, err);
        }
    }
    if (!st) {
        st = then(program, clip, -1, &x, err);
    }
    *value = x;
    return st ? st
              : then(program, (struct fovea_instr){.op = FOVEA_DO_CAST, .type = type}, -1, value,
                     err);
}

static enum fovea_status dequantize_program(const struct fovea_node *node,
                                            struct fovea_program *program, int *value,
                                            struct fovea_error *err) {
    const struct fovea_instr to_i32 = {.op = FOVEA_DO_CAST, .type = FOVEA_I32};
    const struct fovea_instr to_f32 = {.op = FOVEA_DO_CAST, .type = FOVEA_F32};
    int x = 0, zero = 2;
    enum fovea_status st = then(program, to_i32, -1, &x, err);
    if (!st && fovea_node_input(node, 2)) {
        st = then(program, to_i32, -1, &zero, err);
        if (!st) {
            st = then(program, (struct fovea_instr){.op = FOVEA_DO_SUB}, zero, &x, err);
        }
    }
    if (!st) {
        st = then(program, to_f32, -1, &x, err);
    }
    *value = x;
    return st ? st : then(program, (struct fovea_instr){.op = FOVEA_DO_MUL}, 1, value, err);
}

typedef enum fovea_status (*program_fn)(const struct fovea_node *node,
                                        struct fovea_program *program, int *value,
                                        struct fovea_error *err);

static enum fovea_status prepare(struct fovea_node *node, const struct fovea_engine *engine,
                                 program_fn make, struct fovea_error *err) {
    struct priv *priv = node->priv;
    struct fovea_program program;
    const int axes[3] = {-1, priv->axis, priv->axis};
    int value;
    fovea_program_init(&program, node->n_in);
    enum fovea_status st = make(node, &program, &value, err);
    if (!st) {
        st = fovea_elementwise_create(&program, &value, axes, node, engine,
                                      &priv->elementwise.elementwise, err);
    }
    fovea_program_finish(&program);
    return st;
}

static enum fovea_status prepare_quantize(struct fovea_node *node, struct fovea_engine *engine,
                                          struct fovea_error *err) {
    return prepare(node, engine, quantize_program, err);
}

static enum fovea_status prepare_dequantize(struct fovea_node *node, struct fovea_engine *engine,
                                            struct fovea_error *err) {
    return prepare(node, engine, dequantize_program, err);
}

static const struct fovea_attr_spec attrs[] = {
    {"axis", FOVEA_ATTR_INT, false},         /* 13 */
    {"block_size", FOVEA_ATTR_INT, false},   /* 21 */
    {"output_dtype", FOVEA_ATTR_INT, false}, /* 21 */
    {"precision", FOVEA_ATTR_INT, false},    /* 23: of the division; f32 serves all */
    {"saturate", FOVEA_ATTR_INT, false},     /* 19: for 8-bit floats only */
    {0},
};

#define QUANTIZE(infer_function, prepare_function)                                                 \
    {                                                                                              \
        .priv_size = sizeof(struct priv), .attrs = attrs, .min_in = 2, .max_in = 3, .min_out = 1,  \
        .max_out = 1, .flags = FOVEA_OP_IN_PLACE, .layout = FOVEA_LAYOUT_ANY,                      \
        .infer = (infer_function), .prepare = (prepare_function), .run = fovea_elementwise_op_run, \
        .release = fovea_elementwise_op_release,                                                   \
    }

const struct fovea_op fovea_op_dequantize_linear = QUANTIZE(infer_dequantize, prepare_dequantize);
const struct fovea_op fovea_op_quantize_linear = QUANTIZE(infer_quantize, prepare_quantize);

/* ---- DynamicQuantizeLinear ------------------------------------------------ */

static enum fovea_status infer_dynamic(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t;
    enum fovea_status st = fovea_expect_dtype(node, 0, FOVEA_DTYPE_BIT(FOVEA_F32), err);
    if (!st) {
        st = fovea_set_output(node, 0, FOVEA_U8, x->rank, x->dims, err);
    }
    if (!st) {
        st = fovea_set_output(node, 1, FOVEA_F32, 0, NULL, err);
    }
    return st ? st : fovea_set_output(node, 2, FOVEA_U8, 0, NULL, err);
}

static float to_u8(float value) {
    value = rintf(value);
    return value >= 0 ? fminf(value, 255) : 0; /* NaN goes to 0 */
}

/* "y_scale = (maximum(0, max(x)) - minimum(0, min(x))) / (qmax - qmin)" */
static enum fovea_status run_dynamic(const struct fovea_node *node, const struct fovea_run *run,
                                     struct fovea_error *err) {
    (void)run;
    (void)err;
    const float *x = node->in[0]->t.data;
    int64_t count = fovea_tensor_count(&node->in[0]->t);
    float least = 0, most = 0;
    for (int64_t i = 0; i < count; i++) {
        least = x[i] < least ? x[i] : least;
        most = x[i] > most ? x[i] : most;
    }
    float scale = (most - least) / 255;
    float zero = scale > 0 ? to_u8(-least / scale) : 0;
    uint8_t *y = node->out[0] ? node->out[0]->t.data : NULL;
    for (int64_t i = 0; y && i < count; i++) {
        y[i] = (uint8_t)to_u8(rintf(scale > 0 ? x[i] / scale : 0) + zero);
    }
    if (node->n_out > 1 && node->out[1]) {
        *(float *)node->out[1]->t.data = scale;
    }
    if (node->n_out > 2 && node->out[2]) {
        *(uint8_t *)node->out[2]->t.data = (uint8_t)zero;
    }
    return FOVEA_OK;
}

const struct fovea_op fovea_op_dynamic_quantize_linear = {
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 3,
    .layout = FOVEA_LAYOUT_ANY,
    .infer = infer_dynamic,
    .run = run_dynamic,
};
