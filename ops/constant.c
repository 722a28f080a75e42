/* Constant, ConstantOfShape, Shape, Size: tensors that no input's contents decide. */
#include "ops/copy.h"
#include "ops/ops.h"

/* ---- Constant ----------------------------------------------------------- */

/* The attribute as a tensor that borrows its contents. */
static void attr_tensor(const struct fovea_attr *attr, struct fovea_tensor *out) {
    bool floats = attr->kind == FOVEA_ATTR_FLOAT || attr->kind == FOVEA_ATTR_FLOATS;
    bool list = attr->kind == FOVEA_ATTR_FLOATS || attr->kind == FOVEA_ATTR_INTS;
    if (attr->kind == FOVEA_ATTR_TENSOR) {
        *out = attr->t;
        return;
    }
    int64_t count = (int64_t)attr->count;
    fovea_tensor_set_shape(out, floats ? FOVEA_F32 : FOVEA_I64, list ? 1 : 0, &count);
    if (list) {
        out->data = floats ? (void *)attr->floats : (void *)attr->ints;
    } else {
        out->data = floats ? (void *)&attr->f : (void *)&attr->i;
    }
}

static enum fovea_status infer_constant(struct fovea_node *node, struct fovea_error *err) {
    if (node->n_attrs != 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "%zu attributes hold a value; one must",
                          node->n_attrs);
    }
    struct fovea_tensor value;
    attr_tensor(&node->attrs[0], &value);
    return fovea_set_output(node, 0, value.dtype, value.rank, value.dims, err);
}

/* The runtime may have widened the output's type. */
static enum fovea_status run_constant(const struct fovea_node *node, const struct fovea_run *run,
                                      struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct fovea_tensor *y = &node->out[0]->t;
    int64_t count = fovea_tensor_count(y);
    struct fovea_tensor value;
    attr_tensor(&node->attrs[0], &value);
    if (count > 0) {
        fovea_convert(value.dtype, value.data, y->dtype, y->data, count);
    }
    return FOVEA_OK;
}

static const struct fovea_attr_spec constant_attrs[] = {
    {"value", FOVEA_ATTR_TENSOR, false},        {"value_float", FOVEA_ATTR_FLOAT, false},
    {"value_floats", FOVEA_ATTR_FLOATS, false}, {"value_int", FOVEA_ATTR_INT, false},
    {"value_ints", FOVEA_ATTR_INTS, false},     {0}};

const struct fovea_op fovea_op_constant = {
    .attrs = constant_attrs,
    .min_out = 1,
    .max_out = 1,
    .infer = infer_constant,
    .run = run_constant,
};

/* ---- ConstantOfShape ---------------------------------------------------- */

static enum fovea_status infer_of_shape(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_attr *value = fovea_node_attr(node, "value");
    int64_t dims[FOVEA_MAX_RANK];
    size_t rank;
    enum fovea_status st = fovea_input_ints(node, 0, dims, FOVEA_MAX_RANK, &rank, err);
    if (st) {
        return st;
    }
    if (node->in[0]->t.rank != 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "the shape is a scalar; it must be a list");
    }
    if (value && fovea_tensor_count(&value->t) != 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "value has shape %s; it must hold one element",
                          fovea_shape_text(&value->t).text);
    }
    return fovea_set_output(node, 0, value ? value->t.dtype : FOVEA_F32, (int)rank, dims, err);
}

static enum fovea_status run_of_shape(const struct fovea_node *node, const struct fovea_run *run,
                                      struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct fovea_attr *value = fovea_node_attr(node, "value");
    const struct fovea_tensor *y = &node->out[0]->t;
    uint64_t element = 0;
    if (value) {
        fovea_convert(value->t.dtype, value->t.data, y->dtype, &element, 1);
    }
    fovea_fill(y->data, fovea_tensor_count(y), fovea_dtype_size(y->dtype), &element);
    return FOVEA_OK;
}

static const struct fovea_attr_spec of_shape_attrs[] = {{"value", FOVEA_ATTR_TENSOR, false}, {0}};

const struct fovea_op fovea_op_constant_of_shape = {
    .attrs = of_shape_attrs,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .value_inputs = 1u << 0,
    .infer = infer_of_shape,
    .run = run_of_shape,
};

/* ---- Shape -------------------------------------------------------------- */

/* "Negative value means counting dimensions from the back"; out of range is clamped. */
static int clamp_axis(int64_t axis, int rank) {
    if (axis < 0) {
        return axis < -rank ? 0 : (int)(axis + rank);
    }
    return axis > rank ? rank : (int)axis;
}

static void shape_range(const struct fovea_node *node, int *start, int *end) {
    int rank = node->in[0]->t.rank;
    *start = clamp_axis(fovea_attr_int(node, "start", 0), rank);
    *end = clamp_axis(fovea_attr_int(node, "end", rank), rank);
    *end = *end < *start ? *start : *end;
}

static enum fovea_status infer_shape(struct fovea_node *node, struct fovea_error *err) {
    int start, end;
    shape_range(node, &start, &end);
    return fovea_set_output(node, 0, FOVEA_I64, 1, (int64_t[]){end - start}, err);
}

static enum fovea_status run_shape(const struct fovea_node *node, const struct fovea_run *run,
                                   struct fovea_error *err) {
    (void)run;
    (void)err;
    int start, end;
    shape_range(node, &start, &end);
    int64_t *y = node->out[0]->t.data;
    for (int i = start; i < end; i++) {
        y[i - start] = node->in[0]->t.dims[i];
    }
    return FOVEA_OK;
}

static const struct fovea_attr_spec shape_attrs[] = {
    {"end", FOVEA_ATTR_INT, false}, {"start", FOVEA_ATTR_INT, false}, {0}};

const struct fovea_op fovea_op_shape = {
    .attrs = shape_attrs,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .flags = FOVEA_OP_SHAPE_ONLY,
    .infer = infer_shape,
    .run = run_shape,
};

/* ---- Size --------------------------------------------------------------- */

static enum fovea_status infer_size(struct fovea_node *node, struct fovea_error *err) {
    return fovea_set_output(node, 0, FOVEA_I64, 0, NULL, err);
}

static enum fovea_status run_size(const struct fovea_node *node, const struct fovea_run *run,
                                  struct fovea_error *err) {
    (void)run;
    (void)err;
    *(int64_t *)node->out[0]->t.data = fovea_tensor_count(&node->in[0]->t);
    return FOVEA_OK;
}

const struct fovea_op fovea_op_size = {
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .flags = FOVEA_OP_SHAPE_ONLY,
    .infer = infer_size,
    .run = run_size,
};
