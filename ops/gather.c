/* Gather, GatherElements, GatherND: elements picked by indices. */
#include "ops/indices.h"
#include "ops/ops.h"
#include "runtime/parallel.h"

#include <string.h>

struct gather {
    int axis;  /* of GatherND: its batch_dims */
    int depth; /* of GatherND: length of an index */
};

/* What the picking loops share. Sizes in elements. */
struct pick {
    const struct fovea_node *node;
    size_t size;
};

/* Constant indices are checked with the model, others when they are there. */
static enum fovea_status check_if_constant(const struct fovea_node *node, const int64_t *bounds,
                                           int n, struct fovea_error *err) {
    const struct fovea_value *indices = node->in[1];
    return indices->constant ? fovea_check_indices(&indices->t, bounds, n, err) : FOVEA_OK;
}

static int64_t grain_of(size_t bytes) {
    return 1 + (64 << 10) / (int64_t)(bytes + 1);
}

/* ---- Gather ------------------------------------------------------------- */

static enum fovea_status infer_gather(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t, *indices = &node->in[1]->t;
    struct gather *p = node->priv;
    int64_t dims[2 * FOVEA_MAX_RANK];
    int rank = 0;
    enum fovea_status st =
        fovea_resolve_axis(fovea_attr_int(node, "axis", 0), x->rank, &p->axis, err);
    if (!st) {
        st = fovea_expect_indices(node, 1, err);
    }
    if (st) {
        return st;
    }
    for (int i = 0; i < x->rank; i++) {
        if (i != p->axis) {
            dims[rank++] = x->dims[i];
            continue;
        }
        for (int j = 0; j < indices->rank; j++) {
            dims[rank++] = indices->dims[j];
        }
    }
    st = fovea_set_output(node, 0, x->dtype, rank, dims, err);
    return st ? st : check_if_constant(node, &x->dims[p->axis], 1, err);
}

/* Items are (outer position, index) pairs; each is one run of the inner dimensions. */
static void gather_range(void *context, int64_t begin, int64_t end, int thread) {
    const struct pick *pick = context;
    const struct gather *p = pick->node->priv;
    const struct fovea_tensor *x = &pick->node->in[0]->t, *indices = &pick->node->in[1]->t;
    int64_t n = fovea_tensor_count(indices), dim = x->dims[p->axis];
    size_t bytes = (size_t)fovea_dims_product(x, p->axis + 1, x->rank) * pick->size;
    const unsigned char *from = x->data;
    unsigned char *to = pick->node->out[0]->t.data;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        int64_t row = i / n * dim + fovea_get_index(indices, i % n, dim);
        memcpy(to + (size_t)i * bytes, from + (size_t)row * bytes, bytes);
    }
}

static enum fovea_status run_gather(const struct fovea_node *node, const struct fovea_run *run,
                                    struct fovea_error *err) {
    (void)run;
    const struct gather *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t, *indices = &node->in[1]->t;
    struct pick pick = {node, fovea_dtype_size(x->dtype)};
    enum fovea_status st = fovea_check_indices(indices, &x->dims[p->axis], 1, err);
    if (st || fovea_tensor_count(&node->out[0]->t) == 0) {
        return st;
    }
    int64_t items = fovea_dims_product(x, 0, p->axis) * fovea_tensor_count(indices);
    size_t bytes = (size_t)fovea_dims_product(x, p->axis + 1, x->rank) * pick.size;
    fovea_parallel_for(items, grain_of(bytes), gather_range, &pick);
    return FOVEA_OK;
}

/* ---- GatherElements ----------------------------------------------------- */

static enum fovea_status infer_elements(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t, *indices = &node->in[1]->t;
    struct gather *p = node->priv;
    enum fovea_status st =
        fovea_resolve_axis(fovea_attr_int(node, "axis", 0), x->rank, &p->axis, err);
    if (!st) {
        st = fovea_expect_indices(node, 1, err);
    }
    if (st) {
        return st;
    }
    bool fits = indices->rank == x->rank;
    for (int i = 0; fits && i < x->rank; i++) {
        fits = i == p->axis || indices->dims[i] <= x->dims[i];
    }
    if (!fits) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "indices of shape %s do not fit in shape %s beside axis %d",
                          fovea_shape_text(indices).text, fovea_shape_text(x).text, p->axis);
    }
    st = fovea_set_output(node, 0, x->dtype, indices->rank, indices->dims, err);
    return st ? st : check_if_constant(node, &x->dims[p->axis], 1, err);
}

static void elements_range(void *context, int64_t begin, int64_t end, int thread) {
    const struct pick *pick = context;
    const struct gather *p = pick->node->priv;
    const struct fovea_tensor *x = &pick->node->in[0]->t, *indices = &pick->node->in[1]->t;
    unsigned char *to = pick->node->out[0]->t.data;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        int64_t at = 0, rest = i, stride = 1;
        for (int d = x->rank - 1; d >= 0; d--) {
            int64_t here =
                d == p->axis ? fovea_get_index(indices, i, x->dims[d]) : rest % indices->dims[d];
            at += here * stride;
            stride *= x->dims[d];
            rest /= indices->dims[d];
        }
        memcpy(to + (size_t)i * pick->size,
               (const unsigned char *)x->data + (size_t)at * pick->size, pick->size);
    }
}

static enum fovea_status run_elements(const struct fovea_node *node, const struct fovea_run *run,
                                      struct fovea_error *err) {
    (void)run;
    const struct gather *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t, *indices = &node->in[1]->t;
    struct pick pick = {node, fovea_dtype_size(x->dtype)};
    enum fovea_status st = fovea_check_indices(indices, &x->dims[p->axis], 1, err);
    if (!st) {
        fovea_parallel_for(fovea_tensor_count(indices), 4096, elements_range, &pick);
    }
    return st;
}

/* ---- GatherND ----------------------------------------------------------- */

static enum fovea_status check_nd(const struct fovea_node *node, int64_t batch,
                                  struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t, *indices = &node->in[1]->t;
    int least = x->rank < indices->rank ? x->rank : indices->rank;
    if (least < 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "data %s and indices %s must have dimensions",
                          fovea_shape_text(x).text, fovea_shape_text(indices).text);
    }
    if (batch < 0 || batch >= least) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "batch_dims is %lld; it must be 0 to %d",
                          (long long)batch, least - 1);
    }
    for (int i = 0; i < batch; i++) {
        if (x->dims[i] != indices->dims[i]) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "data %s and indices %s differ in batch dimension %d",
                              fovea_shape_text(x).text, fovea_shape_text(indices).text, i);
        }
    }
    int64_t depth = indices->dims[indices->rank - 1];
    if (depth < 1 || depth > x->rank - batch) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "indices of length %lld; it must be 1 to %lld",
                          (long long)depth, (long long)(x->rank - batch));
    }
    return FOVEA_OK;
}

static enum fovea_status infer_nd(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t, *indices = &node->in[1]->t;
    struct gather *p = node->priv;
    int64_t batch = fovea_attr_int(node, "batch_dims", 0), dims[2 * FOVEA_MAX_RANK];
    int rank = 0;
    enum fovea_status st = fovea_expect_indices(node, 1, err);
    if (!st) {
        st = check_nd(node, batch, err);
    }
    if (st) {
        return st;
    }
    p->axis = (int)batch;
    p->depth = (int)indices->dims[indices->rank - 1];
    for (int i = 0; i < indices->rank - 1; i++) {
        dims[rank++] = indices->dims[i];
    }
    for (int i = p->axis + p->depth; i < x->rank; i++) {
        dims[rank++] = x->dims[i];
    }
    st = fovea_set_output(node, 0, x->dtype, rank, dims, err);
    return st ? st : check_if_constant(node, &x->dims[p->axis], p->depth, err);
}

static void nd_range(void *context, int64_t begin, int64_t end, int thread) {
    const struct pick *pick = context;
    const struct gather *p = pick->node->priv;
    const struct fovea_tensor *x = &pick->node->in[0]->t, *indices = &pick->node->in[1]->t;
    int64_t per_batch = fovea_dims_product(indices, p->axis, indices->rank - 1);
    size_t bytes = (size_t)fovea_dims_product(x, p->axis + p->depth, x->rank) * pick->size;
    unsigned char *to = pick->node->out[0]->t.data;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        int64_t row = i / per_batch;
        for (int k = 0; k < p->depth; k++) {
            int64_t dim = x->dims[p->axis + k];
            row = row * dim + fovea_get_index(indices, i * p->depth + k, dim);
        }
        memcpy(to + (size_t)i * bytes, (const unsigned char *)x->data + (size_t)row * bytes, bytes);
    }
}

static enum fovea_status run_nd(const struct fovea_node *node, const struct fovea_run *run,
                                struct fovea_error *err) {
    (void)run;
    const struct gather *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t, *indices = &node->in[1]->t;
    struct pick pick = {node, fovea_dtype_size(x->dtype)};
    enum fovea_status st = fovea_check_indices(indices, &x->dims[p->axis], p->depth, err);
    if (st || fovea_tensor_count(&node->out[0]->t) == 0) {
        return st;
    }
    int64_t items = fovea_dims_product(indices, 0, indices->rank - 1);
    size_t bytes = (size_t)fovea_dims_product(x, p->axis + p->depth, x->rank) * pick.size;
    fovea_parallel_for(items, grain_of(bytes), nd_range, &pick);
    return FOVEA_OK;
}

static const struct fovea_attr_spec axis_attrs[] = {{"axis", FOVEA_ATTR_INT, false}, {0}};
static const struct fovea_attr_spec nd_attrs[] = {{"batch_dims", FOVEA_ATTR_INT, false}, {0}};

#define GATHER_OP(name, attr_table, infer_fn, run_fn)                                              \
    const struct fovea_op name = {                                                                 \
        .priv_size = sizeof(struct gather),                                                        \
        .attrs = attr_table,                                                                       \
        .min_in = 2,                                                                               \
        .max_in = 2,                                                                               \
        .min_out = 1,                                                                              \
        .max_out = 1,                                                                              \
        .bf16 = FOVEA_BF16_MOVES,                                                                  \
        .bf16_in = 1,                                                                              \
        .bf16_out = 1,                                                                             \
        .infer = infer_fn,                                                                         \
        .run = run_fn,                                                                             \
    }

GATHER_OP(fovea_op_gather, axis_attrs, infer_gather, run_gather);
GATHER_OP(fovea_op_gather_elements, axis_attrs, infer_elements, run_elements);
GATHER_OP(fovea_op_gather_nd, nd_attrs, infer_nd, run_nd);
