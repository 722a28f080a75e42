/* Concat: tensors joined along an axis. */
#include "ops/copy.h"
#include "ops/ops.h"
#include "runtime/limits.h"

#include <string.h>

struct concat {
    int axis;
};

static enum fovea_status check_part(const struct fovea_node *node, int index, int axis,
                                    struct fovea_error *err) {
    const struct fovea_value *value = node->in[index];
    if (!value) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "input %d is missing", index);
    }
    const struct fovea_tensor *x = &node->in[0]->t, *part = &value->t;
    if (part->dtype != x->dtype) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "input %d is %s, input 0 is %s", index,
                          fovea_dtype_name(part->dtype), fovea_dtype_name(x->dtype));
    }
    bool same = part->rank == x->rank;
    for (int i = 0; same && i < x->rank; i++) {
        same = i == axis || part->dims[i] == x->dims[i];
    }
    if (!same) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "input %d of shape %s does not join input 0 of shape %s along axis %d",
                          index, fovea_shape_text(part).text, fovea_shape_text(x).text, axis);
    }
    return FOVEA_OK;
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t;
    struct concat *p = node->priv;
    struct fovea_tensor y = *x;
    enum fovea_status st =
        fovea_resolve_axis(fovea_attr_int(node, "axis", 0), x->rank, &p->axis, err);
    for (int i = 1; !st && i < node->n_in; i++) {
        st = check_part(node, i, p->axis, err);
        if (st) {
            return st;
        }
        int64_t dim = node->in[i]->t.dims[p->axis];
        if (dim > FOVEA_LIMIT_TENSOR_BYTES - y.dims[p->axis]) {
            return fovea_fail(err, FOVEA_ERR_LIMIT, "the joined dimension is over 2^46");
        }
        y.dims[p->axis] += dim;
    }
    return st ? st : fovea_set_output(node, 0, y.dtype, y.rank, y.dims, err);
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct concat *p = node->priv;
    const struct fovea_tensor *y = &node->out[0]->t;
    size_t size = fovea_dtype_size(y->dtype);
    unsigned char *to = y->data;
    for (int i = 0; i < node->n_in; i++) {
        const struct fovea_tensor *part = &node->in[i]->t;
        struct fovea_box box = {.rank = part->rank};
        memcpy(box.dims, part->dims, sizeof(part->dims));
        fovea_value_strides(node->in[i], box.src);
        fovea_value_strides(node->out[0], box.dst);
        if (part->data != to) {
            fovea_copy_box(&box, size, part->data, to);
        }
        to += (size_t)(part->dims[p->axis] * box.dst[p->axis]) * size;
    }
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs[] = {{"axis", FOVEA_ATTR_INT, true}, {0}};

const struct fovea_op fovea_op_concat = {
    .priv_size = sizeof(struct concat),
    .attrs = attrs,
    .min_in = 1,
    .max_in = FOVEA_VARIADIC,
    .min_out = 1,
    .max_out = 1,
    .flags = FOVEA_OP_JOINS,
    .layout = FOVEA_LAYOUT_ANY,
    .bf16 = FOVEA_BF16_MOVES,
    .bf16_in = ~0u,
    .bf16_out = 1,
    .infer = infer,
    .run = run,
};
