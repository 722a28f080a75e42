/* ArgMax, ArgMin: where along an axis the greatest or least element is. */
#include "ops/ops.h"
#include "ops/order.h"
#include "runtime/parallel.h"

#include <string.h>

struct arg {
    int axis;
    int sign; /* 1 seeks the greatest, -1 the least */
    bool last;
};

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    struct arg *p = node->priv;
    struct fovea_tensor y = node->in[0]->t;
    bool keep = fovea_attr_int(node, "keepdims", 1) != 0;
    enum fovea_status st = fovea_expect_dtype(node, 0, FOVEA_DTYPES_NUMBER, err);
    if (!st) {
        st = fovea_resolve_axis(fovea_attr_int(node, "axis", 0), y.rank, &p->axis, err);
    }
    if (st) {
        return st;
    }
    p->sign = strcmp(node->type, "ArgMax") == 0 ? 1 : -1;
    p->last = fovea_attr_int(node, "select_last_index", 0) != 0;
    y.dims[p->axis] = 1;
    if (!keep) {
        y.rank--;
        memmove(&y.dims[p->axis], &y.dims[p->axis + 1],
                (size_t)(y.rank - p->axis) * sizeof(y.dims[0]));
    }
    if (node->in[0]->t.dims[p->axis] == 0 && fovea_tensor_count(&y) > 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "axis %d of shape %s has no elements", p->axis,
                          fovea_shape_text(&node->in[0]->t).text);
    }
    return fovea_set_output(node, 0, FOVEA_I64, y.rank, y.dims, err);
}

struct lanes {
    const struct arg *p;
    const struct fovea_tensor *x;
    fovea_order_fn order;
    int64_t *out;
};

static void find_lanes(void *context, int64_t begin, int64_t end, int thread) {
    const struct lanes *l = context;
    const struct arg *p = l->p;
    int64_t count = l->x->dims[p->axis];
    int64_t inner = fovea_dims_product(l->x, p->axis + 1, l->x->rank);
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        int64_t first = i / inner * count * inner + i % inner, best = 0;
        for (int64_t at = 1; at < count; at++) {
            int above = p->sign * l->order(l->x->data, first + at * inner, first + best * inner);
            if (above > 0 || (above == 0 && p->last)) {
                best = at;
            }
        }
        l->out[i] = best;
    }
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct arg *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t, *y = &node->out[0]->t;
    struct lanes lanes = {p, x, fovea_order_of(x->dtype), y->data};
    fovea_parallel_for(fovea_tensor_count(y), 1 + 4096 / (x->dims[p->axis] + 1), find_lanes,
                       &lanes);
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs[] = {{"axis", FOVEA_ATTR_INT, false},
                                               {"keepdims", FOVEA_ATTR_INT, false},
                                               {"select_last_index", FOVEA_ATTR_INT, false},
                                               {0}};

const struct fovea_op fovea_op_arg_max = {
    .priv_size = sizeof(struct arg),
    .attrs = attrs,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .run = run,
};
