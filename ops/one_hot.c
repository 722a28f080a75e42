/* OneHot: each index becomes a row that is "on" at its place and "off" elsewhere. */
#include "ops/copy.h"
#include "ops/ops.h"

#include <string.h>

struct one_hot {
    int axis; /* of the output */
};

static enum fovea_status check_inputs(const struct fovea_node *node, int64_t *depth,
                                      struct fovea_error *err) {
    const struct fovea_tensor *count = &node->in[1]->t, *values = &node->in[2]->t;
    if (fovea_tensor_count(count) != 1 || count->dtype == FOVEA_BOOL) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "depth is %s%s; it must be one number",
                          fovea_dtype_name(count->dtype), fovea_shape_text(count).text);
    }
    if (values->rank != 1 || values->dims[0] != 2) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "values have shape %s; it must be [2]",
                          fovea_shape_text(values).text);
    }
    fovea_convert(count->dtype, count->data, FOVEA_I64, depth, 1);
    return fovea_expect_dtype(node, 0, FOVEA_DTYPES_NUMBER, err);
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *indices = &node->in[0]->t;
    struct one_hot *p = node->priv;
    int64_t depth, dims[FOVEA_MAX_RANK + 1];
    enum fovea_status st = check_inputs(node, &depth, err);
    if (!st) {
        st = fovea_resolve_axis(fovea_attr_int(node, "axis", -1), indices->rank + 1, &p->axis, err);
    }
    if (st) {
        return st;
    }
    for (int i = 0, from = 0; i <= indices->rank; i++) {
        dims[i] = i == p->axis ? depth : indices->dims[from++];
    }
    return fovea_set_output(node, 0, node->in[2]->t.dtype, indices->rank + 1, dims, err);
}

static int64_t index_at(const struct fovea_tensor *indices, int64_t i) {
    int64_t value;
    size_t size = fovea_dtype_size(indices->dtype);
    fovea_convert(indices->dtype, (unsigned char *)indices->data + (size_t)i * size, FOVEA_I64,
                  &value, 1);
    return value;
}

/* "Values outside the range [-depth, depth-1] will result in ... all 'off_value'". */
static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct one_hot *p = node->priv;
    const struct fovea_tensor *indices = &node->in[0]->t, *y = &node->out[0]->t;
    size_t size = fovea_dtype_size(y->dtype);
    const unsigned char *off = node->in[2]->t.data, *on = off + size;
    int64_t depth = y->dims[p->axis], inner = fovea_dims_product(y, p->axis + 1, y->rank);
    int64_t count = fovea_tensor_count(indices);
    fovea_fill(y->data, fovea_tensor_count(y), size, off);
    for (int64_t i = 0; i < count; i++) {
        int64_t at = index_at(indices, i);
        if (at >= -depth && at < depth) {
            int64_t row = i / inner * depth + (at < 0 ? at + depth : at);
            memcpy((unsigned char *)y->data + (size_t)(row * inner + i % inner) * size, on, size);
        }
    }
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs[] = {{"axis", FOVEA_ATTR_INT, false}, {0}};

const struct fovea_op fovea_op_one_hot = {
    .priv_size = sizeof(struct one_hot),
    .attrs = attrs,
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .value_inputs = 1u << 1,
    .infer = infer,
    .run = run,
};
