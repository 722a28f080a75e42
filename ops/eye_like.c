/* EyeLike: ones on a diagonal of a matrix of the input's shape, zeros elsewhere. */
#include "ops/onnx_type.h"
#include "ops/ops.h"

#include <string.h>

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    enum fovea_dtype dtype = node->in[0]->t.dtype;
    const struct fovea_attr *type = fovea_node_attr(node, "dtype");
    enum fovea_status st = fovea_expect_rank(node, 0, 2, 2, err);
    if (st) {
        return st;
    }
    if (type && !fovea_dtype_of_onnx(type->i, &dtype)) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "dtype is data type %lld, not supported here",
                          (long long)type->i);
    }
    return fovea_set_output(node, 0, dtype, 2, node->in[0]->t.dims, err);
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct fovea_tensor *y = &node->out[0]->t;
    int64_t k = fovea_attr_int(node, "k", 0), height = y->dims[0], width = y->dims[1];
    size_t size = fovea_dtype_size(y->dtype);
    float one = 1;
    memset(y->data, 0, fovea_tensor_bytes(y));
    if (k <= -height || k >= width) {
        return FOVEA_OK;
    }
    for (int64_t row = k < 0 ? -k : 0; row < height && row + k < width; row++) {
        size_t at = (size_t)(row * width + row + k) * size;
        fovea_convert(FOVEA_F32, &one, y->dtype, (unsigned char *)y->data + at, 1);
    }
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs[] = {
    {"dtype", FOVEA_ATTR_INT, false}, {"k", FOVEA_ATTR_INT, false}, {0}};

const struct fovea_op fovea_op_eye_like = {
    .attrs = attrs,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .flags = FOVEA_OP_SHAPE_ONLY,
    .infer = infer,
    .run = run,
};
