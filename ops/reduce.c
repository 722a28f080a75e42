/*
 * ReduceSum, ReduceMean, ReduceMax and the rest of the family: one function of
 * the elements along some axes.
 *
 * The axes came as an attribute until opset 17 (ReduceSum: 12) and as an
 * optional constant input afterwards; hence two operators, which differ in
 * nothing else. Both the input and the output are walked by strides, so either
 * may be channels-last whatever the other is.
 */
#include "ops/reduce.h"
#include "ops/ops.h"

#include <string.h>

static const struct {
    const char *type;
    enum fovea_reduce_kind kind;
} kinds[] = {
    {"ReduceL1", FOVEA_REDUCE_L1},          {"ReduceL2", FOVEA_REDUCE_L2},
    {"ReduceLogSum", FOVEA_REDUCE_LOG_SUM}, {"ReduceLogSumExp", FOVEA_REDUCE_LOG_SUM_EXP},
    {"ReduceMax", FOVEA_REDUCE_MAX},        {"ReduceMean", FOVEA_REDUCE_MEAN},
    {"ReduceMin", FOVEA_REDUCE_MIN},        {"ReduceProd", FOVEA_REDUCE_PROD},
    {"ReduceSum", FOVEA_REDUCE_SUM},        {"ReduceSumSquare", FOVEA_REDUCE_SUM_SQUARE},
};

struct reduce {
    enum fovea_reduce_kind kind;
    bool reduced[FOVEA_MAX_RANK];
};

static enum fovea_status check_type(const struct fovea_node *node, enum fovea_reduce_kind kind,
                                    struct fovea_error *err) {
    const unsigned wide =
        FOVEA_DTYPE_BIT(FOVEA_I32) | FOVEA_DTYPE_BIT(FOVEA_U32) | FOVEA_DTYPE_BIT(FOVEA_I64);
    const unsigned narrow = FOVEA_DTYPE_BIT(FOVEA_I8) | FOVEA_DTYPE_BIT(FOVEA_U8);
    switch (kind) {
    case FOVEA_REDUCE_MAX:
    case FOVEA_REDUCE_MIN:
        return fovea_expect_dtype(
            node, 0, FOVEA_DTYPES_FLOAT | wide | narrow | FOVEA_DTYPE_BIT(FOVEA_BOOL), err);
    case FOVEA_REDUCE_L2:
    case FOVEA_REDUCE_LOG_SUM:
    case FOVEA_REDUCE_LOG_SUM_EXP:
        return fovea_expect_dtype(node, 0, FOVEA_DTYPES_FLOAT, err);
    default:
        return fovea_expect_dtype(node, 0, FOVEA_DTYPES_FLOAT | wide, err);
    }
}

static enum fovea_status mark_axes(struct reduce *p, int rank, const int64_t *axes, size_t count,
                                   struct fovea_error *err) {
    for (size_t i = 0; i < count; i++) {
        int axis;
        enum fovea_status st = fovea_resolve_axis(axes[i], rank, &axis, err);
        if (st) {
            return st;
        }
        if (p->reduced[axis]) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "axis %d is listed twice", axis);
        }
        p->reduced[axis] = true;
    }
    return FOVEA_OK;
}

static enum fovea_status set_shape(struct fovea_node *node, struct fovea_error *err) {
    const struct reduce *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t;
    bool keep = fovea_attr_int(node, "keepdims", 1) != 0;
    int64_t dims[FOVEA_MAX_RANK];
    int rank = 0;
    for (int i = 0; i < x->rank; i++) {
        if (!p->reduced[i]) {
            dims[rank++] = x->dims[i];
        } else if (keep) {
            dims[rank++] = 1;
        }
    }
    return fovea_set_output(node, 0, x->dtype, rank, dims, err);
}

static enum fovea_status infer_axes(struct fovea_node *node, const int64_t *axes, size_t count,
                                    struct fovea_error *err) {
    struct reduce *p = node->priv;
    memset(p, 0, sizeof(*p));
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].type, node->type) == 0) {
            p->kind = kinds[i].kind;
        }
    }
    enum fovea_status st = check_type(node, p->kind, err);
    if (!st) {
        st = mark_axes(p, node->in[0]->t.rank, axes, count, err);
    }
    if (st) {
        return st;
    }
    if (count == 0 && fovea_attr_int(node, "noop_with_empty_axes", 0) != 0) {
        /* "input tensor will not be reduced, and the output tensor would be equivalent" */
        p->kind = FOVEA_REDUCE_SUM;
    } else if (count == 0) {
        memset(p->reduced, true, sizeof(p->reduced));
    }
    return set_shape(node, err);
}

static enum fovea_status infer_attr(struct fovea_node *node, struct fovea_error *err) {
    size_t count;
    const int64_t *axes = fovea_attr_ints(node, "axes", &count);
    return infer_axes(node, axes, count, err);
}

static enum fovea_status infer_input(struct fovea_node *node, struct fovea_error *err) {
    int64_t axes[FOVEA_MAX_RANK];
    size_t count;
    enum fovea_status st = fovea_input_ints(node, 1, axes, FOVEA_MAX_RANK, &count, err);
    return st ? st : infer_axes(node, axes, count, err);
}

/* The axes of x in the order of its memory, outermost first. */
static void sort_by_stride(int rank, const int64_t *strides, int *order) {
    for (int i = 0; i < rank; i++) {
        int at = i;
        for (; at > 0 && strides[order[at - 1]] < strides[i]; at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
}

static void add_kept(struct fovea_reduction *r, int64_t dim, int64_t in, int64_t out) {
    int last = r->n_kept - 1;
    if (last >= 0 && r->kept_in[last] == dim * in && r->kept_out[last] == dim * out) {
        r->kept[last] *= dim;
    } else {
        r->kept[++last] = dim;
        r->n_kept++;
    }
    r->kept_in[last] = in;
    r->kept_out[last] = out;
}

static void add_reduced(struct fovea_reduction *r, int64_t dim, int64_t in) {
    int last = r->n_reduced - 1;
    if (last >= 0 && r->reduced_in[last] == dim * in) {
        r->reduced[last] *= dim;
    } else {
        r->reduced[++last] = dim;
        r->n_reduced++;
    }
    r->reduced_in[last] = in;
}

static void plan(const struct fovea_node *node, struct fovea_reduction *r) {
    const struct reduce *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t;
    int64_t in[FOVEA_MAX_RANK], dense_out[FOVEA_MAX_RANK] = {0}, out[FOVEA_MAX_RANK];
    int order[FOVEA_MAX_RANK];
    fovea_value_strides(node->in[0], in);
    fovea_value_strides(node->out[0], dense_out);
    bool keep = node->out[0]->t.rank == x->rank;
    for (int i = 0, o = 0; i < x->rank; i++) {
        out[i] = dense_out[o];
        o += keep || !p->reduced[i];
        o = o < node->out[0]->t.rank ? o : 0;
    }
    sort_by_stride(x->rank, in, order);
    *r = (struct fovea_reduction){.kind = p->kind, .outputs = 1, .per_output = 1};
    for (int i = 0; i < x->rank; i++) {
        int axis = order[i];
        int64_t dim = x->dims[axis];
        *(p->reduced[axis] ? &r->per_output : &r->outputs) *= dim;
        if (dim == 1) {
            continue;
        }
        if (p->reduced[axis]) {
            add_reduced(r, dim, in[axis]);
        } else {
            add_kept(r, dim, in[axis], out[axis]);
        }
    }
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    struct fovea_reduction r;
    plan(node, &r);
    fovea_reduce_run(&r, node->in[0]->t.dtype, node->in[0]->t.data, node->out[0]->t.data);
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs_with_axes[] = {
    {"axes", FOVEA_ATTR_INTS, false},
    {"keepdims", FOVEA_ATTR_INT, false},
    {0},
};

static const struct fovea_attr_spec attrs[] = {
    {"keepdims", FOVEA_ATTR_INT, false},
    {"noop_with_empty_axes", FOVEA_ATTR_INT, false},
    {0},
};

const struct fovea_op fovea_op_reduce = {
    .priv_size = sizeof(struct reduce),
    .attrs = attrs,
    .min_in = 1,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .flags = FOVEA_OP_BY_ROWS,
    .value_inputs = 1u << 1,
    .layout = FOVEA_LAYOUT_IMAGE,
    .infer = infer_input,
    .run = run,
};

const struct fovea_op fovea_op_reduce_axes_attr = {
    .priv_size = sizeof(struct reduce),
    .attrs = attrs_with_axes,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .flags = FOVEA_OP_BY_ROWS,
    .layout = FOVEA_LAYOUT_IMAGE,
    .infer = infer_attr,
    .run = run,
};
