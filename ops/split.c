/* Split: a tensor cut into parts along an axis. */
#include "ops/axes.h"
#include "ops/copy.h"
#include "ops/ops.h"

#include <string.h>

struct split {
    int axis;
    int64_t even; /* size of a part where no sizes are given */
};

/*
 * The sizes of the parts, or NULL if they are to be even. There may be as many
 * as there are outputs, so they are read where they lie.
 */
static const int64_t *part_sizes(const struct fovea_node *node, size_t *count) {
    const struct fovea_value *operand = fovea_node_input(node, 1);
    if (operand) {
        *count = (size_t)fovea_tensor_count(&operand->t);
        return operand->t.data;
    }
    return fovea_attr_ints(node, "split", count);
}

/* Even parts are of one size, but for the last, which is what is left. */
static int64_t part_size(const struct fovea_node *node, const int64_t *sizes, int64_t left,
                         int index) {
    const struct split *p = node->priv;
    if (sizes) {
        return sizes[index];
    }
    return index == node->n_out - 1 ? left : p->even;
}

static enum fovea_status set_parts(struct fovea_node *node, const int64_t *sizes,
                                   struct fovea_error *err) {
    struct split *p = node->priv;
    struct fovea_tensor part = node->in[0]->t;
    int64_t dim = part.dims[p->axis], left = dim;
    for (int i = 0; i < node->n_out; i++) {
        int64_t size = part_size(node, sizes, left, i);
        if (size < 0 || size > left) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "part %d has size %lld; %lld of dimension %lld are left", i,
                              (long long)size, (long long)left, (long long)dim);
        }
        left -= size;
        part.dims[p->axis] = size;
        enum fovea_status st = fovea_set_output(node, i, part.dtype, part.rank, part.dims, err);
        if (st) {
            return st;
        }
    }
    if (left != 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "the parts leave %lld of dimension %lld",
                          (long long)left, (long long)dim);
    }
    return FOVEA_OK;
}

/* Until opset 18 equal parts must be equal; since then the last may be smaller. */
static enum fovea_status infer_even(struct fovea_node *node, struct fovea_error *err) {
    struct split *p = node->priv;
    int64_t dim = node->in[0]->t.dims[p->axis], count = node->n_out;
    int64_t number = fovea_attr_int(node, "num_outputs", count);
    if (number != count) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "num_outputs is %lld, but there are %lld outputs",
                          (long long)number, (long long)count);
    }
    if (node->opset < 18 && dim % count != 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "dimension %lld does not split into %lld equal parts", (long long)dim,
                          (long long)count);
    }
    p->even = dim / count + (dim % count != 0);
    return set_parts(node, NULL, err);
}

static enum fovea_status check_operand(const struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_value *operand = fovea_node_input(node, 1);
    if (operand && (operand->t.dtype != FOVEA_I64 || operand->t.rank != 1)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "split is %s%s; it must be a list of i64",
                          fovea_dtype_name(operand->t.dtype), fovea_shape_text(&operand->t).text);
    }
    return FOVEA_OK;
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    struct split *p = node->priv;
    enum fovea_status st =
        fovea_resolve_axis(fovea_attr_int(node, "axis", 0), node->in[0]->t.rank, &p->axis, err);
    if (!st) {
        st = check_operand(node, err);
    }
    if (st) {
        return st;
    }
    if (!fovea_has_list(node, "split", 1)) {
        return infer_even(node, err);
    }
    size_t n;
    const int64_t *sizes = part_sizes(node, &n);
    if (n != (size_t)node->n_out) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "%zu sizes are given for %d outputs", n,
                          node->n_out);
    }
    return set_parts(node, sizes, err);
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct split *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t;
    size_t n, size = fovea_dtype_size(x->dtype);
    const int64_t *sizes = part_sizes(node, &n);
    int64_t left = x->dims[p->axis];
    const unsigned char *from = x->data;
    struct fovea_box box = {.rank = x->rank};
    memcpy(box.dims, x->dims, sizeof(x->dims));
    fovea_value_strides(node->in[0], box.src);
    for (int i = 0; i < node->n_out; i++) {
        box.dims[p->axis] = part_size(node, n > 0 ? sizes : NULL, left, i);
        if (node->out[i] && node->out[i]->t.data != from) {
            fovea_value_strides(node->out[i], box.dst);
            fovea_copy_box(&box, size, from, node->out[i]->t.data);
        }
        from += (size_t)(box.dims[p->axis] * box.src[p->axis]) * size;
        left -= box.dims[p->axis];
    }
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs_2[] = {
    {"axis", FOVEA_ATTR_INT, false}, {"split", FOVEA_ATTR_INTS, false}, {0}};
static const struct fovea_attr_spec attrs_13[] = {
    {"axis", FOVEA_ATTR_INT, false}, {"num_outputs", FOVEA_ATTR_INT, false}, {0}};

/* The opset decides whether the sizes are an attribute or an operand. */
const struct fovea_op fovea_op_split_2 = {
    .priv_size = sizeof(struct split),
    .attrs = attrs_2,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = FOVEA_VARIADIC,
    .flags = FOVEA_OP_CUTS,
    .layout = FOVEA_LAYOUT_ANY,
    .bf16 = FOVEA_BF16_MOVES,
    .bf16_in = 1,
    .bf16_out = ~0u,
    .infer = infer,
    .run = run,
};

const struct fovea_op fovea_op_split_13 = {
    .priv_size = sizeof(struct split),
    .attrs = attrs_13,
    .min_in = 1,
    .max_in = 2,
    .min_out = 1,
    .max_out = FOVEA_VARIADIC,
    .flags = FOVEA_OP_CUTS,
    .layout = FOVEA_LAYOUT_ANY,
    .value_inputs = 1u << 1,
    .bf16 = FOVEA_BF16_MOVES,
    .bf16_in = 1,
    .bf16_out = ~0u,
    .infer = infer,
    .run = run,
};
