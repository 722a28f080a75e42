/*
 * TopK: the k greatest (or least) elements along an axis, in order, and where
 * they were. Of equal elements the one with the lower index comes first.
 */
#include "ops/ops.h"
#include "ops/order.h"

#include <string.h>

struct topk {
    int axis;
    int sign; /* 1 takes the greatest, -1 the least */
    int64_t k;
};

/* ---- infer -------------------------------------------------------------- */

/* Until opset 10, k is an attribute. */
static enum fovea_status read_k(const struct fovea_node *node, int64_t *k,
                                struct fovea_error *err) {
    if (fovea_node_attr(node, "k")) {
        *k = fovea_attr_int(node, "k", 0);
        return FOVEA_OK;
    }
    const struct fovea_tensor *t = &node->in[1]->t;
    if (t->dtype != FOVEA_I64 || fovea_tensor_count(t) != 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "k is %s%s; it must be one i64",
                          fovea_dtype_name(t->dtype), fovea_shape_text(t).text);
    }
    *k = fovea_tensor_get_int(t, 0);
    return FOVEA_OK;
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    struct topk *p = node->priv;
    struct fovea_tensor y = node->in[0]->t;
    enum fovea_status st = fovea_expect_dtype(node, 0, FOVEA_DTYPES_NUMBER, err);
    if (!st) {
        st = fovea_resolve_axis(fovea_attr_int(node, "axis", -1), y.rank, &p->axis, err);
    }
    if (!st) {
        st = read_k(node, &p->k, err);
    }
    if (st) {
        return st;
    }
    if (p->k < 0 || p->k > y.dims[p->axis]) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "k is %lld; axis %d has %lld elements",
                          (long long)p->k, p->axis, (long long)y.dims[p->axis]);
    }
    p->sign = fovea_attr_int(node, "largest", 1) != 0 ? 1 : -1;
    y.dims[p->axis] = p->k;
    st = fovea_set_output(node, 0, y.dtype, y.rank, y.dims, err);
    return st ? st : fovea_set_output(node, 1, FOVEA_I64, y.rank, y.dims, err);
}

static enum fovea_status prepare(struct fovea_node *node, struct fovea_engine *engine,
                                 struct fovea_error *err) {
    const struct topk *p = node->priv;
    (void)engine;
    (void)err;
    node->scratch_bytes = (size_t)p->k * sizeof(int64_t);
    return FOVEA_OK;
}

/* ---- a heap of the best so far, the worst of them at its root ----------- */

struct lane {
    fovea_order_fn order;
    const void *data;
    int64_t first, inner; /* place of the lane's elements */
    int sign;
    int64_t *heap; /* indices along the axis */
    int64_t size;
};

/* Whether the element at `a` goes before the one at `b`. */
static bool before(const struct lane *l, int64_t a, int64_t b) {
    int above = l->sign * l->order(l->data, l->first + a * l->inner, l->first + b * l->inner);
    return above > 0 || (above == 0 && a < b);
}

static void swap(int64_t *a, int64_t *b) {
    int64_t kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_up(struct lane *l, int64_t at) {
    while (at > 0 && before(l, l->heap[(at - 1) / 2], l->heap[at])) {
        swap(&l->heap[(at - 1) / 2], &l->heap[at]);
        at = (at - 1) / 2;
    }
}

static void sift_down(struct lane *l, int64_t at) {
    for (;;) {
        int64_t worst = at;
        for (int64_t child = 2 * at + 1; child <= 2 * at + 2 && child < l->size; child++) {
            if (before(l, l->heap[worst], l->heap[child])) {
                worst = child;
            }
        }
        if (worst == at) {
            return;
        }
        swap(&l->heap[worst], &l->heap[at]);
        at = worst;
    }
}

static void offer(struct lane *l, int64_t index, int64_t k) {
    if (l->size < k) {
        l->heap[l->size] = index;
        sift_up(l, l->size++);
    } else if (before(l, index, l->heap[0])) {
        l->heap[0] = index;
        sift_down(l, 0);
    }
}

/* The worst goes to the end, again and again: best first. */
static void sort_heap(struct lane *l) {
    while (l->size > 1) {
        swap(&l->heap[0], &l->heap[--l->size]);
        sift_down(l, 0);
    }
}

/* ---- run ---------------------------------------------------------------- */

static void store_lane(const struct fovea_node *node, const struct lane *l, int64_t to) {
    const struct topk *p = node->priv;
    size_t size = fovea_dtype_size(node->in[0]->t.dtype);
    for (int64_t i = 0; i < p->k; i++, to += l->inner) {
        int64_t from = l->first + l->heap[i] * l->inner;
        if (node->out[0]) {
            memcpy((unsigned char *)node->out[0]->t.data + (size_t)to * size,
                   (const unsigned char *)l->data + (size_t)from * size, size);
        }
        if (node->n_out > 1 && node->out[1]) {
            ((int64_t *)node->out[1]->t.data)[to] = l->heap[i];
        }
    }
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)err;
    const struct topk *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t;
    int64_t count = x->dims[p->axis], inner = fovea_dims_product(x, p->axis + 1, x->rank);
    int64_t lanes = p->k > 0 ? fovea_dims_product(x, 0, p->axis) * inner : 0;
    struct lane lane = {fovea_order_of(x->dtype), x->data, 0, inner, p->sign, run->scratch, 0};
    for (int64_t i = 0; i < lanes; i++) {
        lane.first = i / inner * count * inner + i % inner;
        lane.size = 0;
        for (int64_t at = 0; at < count; at++) {
            offer(&lane, at, p->k);
        }
        sort_heap(&lane);
        store_lane(node, &lane, i / inner * p->k * inner + i % inner);
    }
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs_1[] = {
    {"axis", FOVEA_ATTR_INT, false}, {"k", FOVEA_ATTR_INT, true}, {0}};
static const struct fovea_attr_spec attrs_10[] = {{"axis", FOVEA_ATTR_INT, false}, {0}};
static const struct fovea_attr_spec attrs_11[] = {{"axis", FOVEA_ATTR_INT, false},
                                                  {"largest", FOVEA_ATTR_INT, false},
                                                  {"sorted", FOVEA_ATTR_INT, false},
                                                  {0}};

/* `sorted` may be ignored: sorted is one of the orders that "unsorted" allows. */
#define TOPK_OP(name, attr_table, inputs)                                                          \
    const struct fovea_op name = {                                                                 \
        .priv_size = sizeof(struct topk),                                                          \
        .attrs = attr_table,                                                                       \
        .min_in = inputs,                                                                          \
        .max_in = inputs,                                                                          \
        .min_out = 2,                                                                              \
        .max_out = 2,                                                                              \
        .value_inputs = 1u << 1,                                                                   \
        .infer = infer,                                                                            \
        .prepare = prepare,                                                                        \
        .run = run,                                                                                \
    }

TOPK_OP(fovea_op_topk_1, attrs_1, 1);
TOPK_OP(fovea_op_topk_10, attrs_10, 2);
TOPK_OP(fovea_op_topk_11, attrs_11, 2);
