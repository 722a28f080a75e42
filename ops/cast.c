/*
 * Cast, CastLike, and "fovea"."Convert", with which the runtime widens half
 * types and narrows them again. All are one conversion by the types of the
 * values: fovea_convert.
 */
#include "ops/elementwise.h"
#include "ops/onnx_type.h"
#include "ops/ops.h"

/* Once the runtime has widened a half output it stays wide, should infer be called again. */
static enum fovea_status set_type(struct fovea_node *node, enum fovea_dtype dtype,
                                  struct fovea_error *err) {
    const struct fovea_value *out = node->out[0];
    if (out && out->typed && out->t.dtype == FOVEA_F32 && fovea_dtype_is_half(dtype)) {
        dtype = FOVEA_F32;
    }
    const struct fovea_tensor *x = &node->in[0]->t;
    return fovea_set_output(node, 0, dtype, x->rank, x->dims, err);
}

static enum fovea_status infer_cast(struct fovea_node *node, struct fovea_error *err) {
    enum fovea_dtype dtype;
    int64_t to = fovea_attr_int(node, "to", 0);
    if (!fovea_dtype_of_onnx(to, &dtype)) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "to is data type %lld, which is %s",
                          (long long)to, to == 8 ? "string" : "no supported type");
    }
    return set_type(node, dtype, err);
}

static enum fovea_status infer_cast_like(struct fovea_node *node, struct fovea_error *err) {
    return set_type(node, node->in[1]->t.dtype, err);
}

/* The one op whose output type is set by who made the node. */
static enum fovea_status infer_convert(struct fovea_node *node, struct fovea_error *err) {
    if (!node->out[0] || !node->out[0]->typed) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "its output has no type");
    }
    const struct fovea_tensor *x = &node->in[0]->t;
    return fovea_set_output(node, 0, node->out[0]->t.dtype, x->rank, x->dims, err);
}

static enum fovea_status prepare(struct fovea_node *node, struct fovea_engine *engine,
                                 struct fovea_error *err) {
    struct fovea_elementwise_priv *priv = node->priv;
    enum fovea_dtype to = node->out[0]->t.dtype;
    struct fovea_instr cast = {.op = FOVEA_DO_CAST, .arg = {0}, .type = to};
    cast.type = fovea_dtype_is_half(to) ? FOVEA_F32 : to; /* rounded when it is stored */
    struct fovea_program program;
    int value;
    fovea_program_init(&program, node->n_in);
    enum fovea_status st = fovea_program_add(&program, &cast, &value, err);
    if (!st) {
        st =
            fovea_elementwise_create(&program, &value, NULL, node, engine, &priv->elementwise, err);
    }
    fovea_program_finish(&program);
    return st;
}

static const struct fovea_attr_spec attrs_cast[] = {
    {"round_mode", FOVEA_ATTR_STRING, false}, /* of opset 24, for types not supported */
    {"saturate", FOVEA_ATTR_INT, false},      /* of opset 19, likewise */
    {"to", FOVEA_ATTR_INT, true},
    {0},
};

static const struct fovea_attr_spec attrs_cast_like[] = {
    {"round_mode", FOVEA_ATTR_STRING, false},
    {"saturate", FOVEA_ATTR_INT, false},
    {0},
};

#define CONVERSION_OP(n_inputs, table, function)                                                   \
    {                                                                                              \
        .priv_size = sizeof(struct fovea_elementwise_priv), .attrs = (table),                      \
        .min_in = (n_inputs), .max_in = (n_inputs), .min_out = 1, .max_out = 1,                    \
        .flags = FOVEA_OP_IN_PLACE, .layout = FOVEA_LAYOUT_ANY, .bf16 = FOVEA_BF16_FREE,           \
        .bf16_in = 1, .bf16_out = 1, .infer = (function), .prepare = prepare,                      \
        .run = fovea_elementwise_op_run, .release = fovea_elementwise_op_release,                  \
    }

const struct fovea_op fovea_op_cast = CONVERSION_OP(1, attrs_cast, infer_cast);
const struct fovea_op fovea_op_cast_like = CONVERSION_OP(2, attrs_cast_like, infer_cast_like);
const struct fovea_op fovea_op_convert = CONVERSION_OP(1, NULL, infer_convert);
