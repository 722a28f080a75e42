/*
 * ScatterElements (once Scatter) and ScatterND: a copy of the data with
 * elements or slices of it replaced, or combined with, updates. Updates are
 * applied one after the other in their order, so that results do not depend on
 * threads where indices repeat.
 */
#include "ops/scatter.h"
#include "ops/indices.h"
#include "ops/ops.h"

#include <string.h>

struct scatter {
    int axis;  /* of ScatterElements */
    int depth; /* of ScatterND: length of an index */
    enum fovea_scatter_reduction reduction;
};

/* ---- shared ------------------------------------------------------------- */

static const char *const reductions[FOVEA_N_SCATTERS] = {"none", "add", "mul", "max", "min"};

static enum fovea_status read_reduction(const struct fovea_node *node,
                                        enum fovea_scatter_reduction *out,
                                        struct fovea_error *err) {
    const char *name = fovea_attr_string(node, "reduction", "none");
    enum fovea_dtype dtype = node->in[0]->t.dtype;
    for (int i = 0; i < FOVEA_N_SCATTERS; i++) {
        if (strcmp(name, reductions[i]) != 0) {
            continue;
        }
        if (i != FOVEA_SCATTER_NONE && dtype == FOVEA_BOOL) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "reduction '%s' is not defined for bool",
                              name);
        }
        *out = (enum fovea_scatter_reduction)i;
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "reduction '%s' is not known",
                      fovea_quote(name).text);
}

/* What both operators ask of their three inputs' types. */
static enum fovea_status infer_types(const struct fovea_node *node, struct fovea_error *err) {
    struct scatter *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t, *updates = &node->in[2]->t;
    enum fovea_status st = fovea_expect_indices(node, 1, err);
    if (st) {
        return st;
    }
    if (updates->dtype != x->dtype) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "updates are %s, data is %s",
                          fovea_dtype_name(updates->dtype), fovea_dtype_name(x->dtype));
    }
    return read_reduction(node, &p->reduction, err);
}

static enum fovea_status set_output(struct fovea_node *node, const int64_t *bounds, int n,
                                    struct fovea_error *err) {
    const struct fovea_value *indices = node->in[1];
    enum fovea_status st = fovea_set_output_like(node, 0, node->in[0], err);
    if (!st && indices->constant) {
        st = fovea_check_indices(&indices->t, bounds, n, err);
    }
    return st;
}

static void copy_data(const struct fovea_node *node) {
    const struct fovea_tensor *x = &node->in[0]->t, *y = &node->out[0]->t;
    size_t bytes = fovea_tensor_bytes(x);
    if (bytes > 0) {
        memcpy(y->data, x->data, bytes);
    }
}

/* ---- ScatterElements ---------------------------------------------------- */

static enum fovea_status infer_elements(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t, *indices = &node->in[1]->t;
    const struct fovea_tensor *updates = &node->in[2]->t;
    struct scatter *p = node->priv;
    enum fovea_status st =
        fovea_resolve_axis(fovea_attr_int(node, "axis", 0), x->rank, &p->axis, err);
    if (!st) {
        st = infer_types(node, err);
    }
    if (st) {
        return st;
    }
    bool fits = indices->rank == x->rank;
    for (int i = 0; fits && i < x->rank; i++) {
        fits = i == p->axis || indices->dims[i] <= x->dims[i];
    }
    if (!fits || !fovea_tensor_same_shape(indices, updates)) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "indices %s and updates %s do not fit data %s beside axis %d",
                          fovea_shape_text(indices).text, fovea_shape_text(updates).text,
                          fovea_shape_text(x).text, p->axis);
    }
    return set_output(node, &x->dims[p->axis], 1, err);
}

static int64_t element_target(const struct fovea_tensor *x, const struct fovea_tensor *indices,
                              int axis, int64_t i) {
    int64_t at = 0, stride = 1, rest = i;
    for (int d = x->rank - 1; d >= 0; d--) {
        int64_t here =
            d == axis ? fovea_get_index(indices, i, x->dims[d]) : rest % indices->dims[d];
        at += here * stride;
        stride *= x->dims[d];
        rest /= indices->dims[d];
    }
    return at;
}

static enum fovea_status run_elements(const struct fovea_node *node, const struct fovea_run *run,
                                      struct fovea_error *err) {
    (void)run;
    const struct scatter *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t, *indices = &node->in[1]->t;
    size_t size = fovea_dtype_size(x->dtype);
    fovea_combine_fn combine = fovea_scatter_combine(p->reduction, x->dtype);
    enum fovea_status st = fovea_check_indices(indices, &x->dims[p->axis], 1, err);
    if (st) {
        return st;
    }
    copy_data(node);
    int64_t count = fovea_tensor_count(indices);
    for (int64_t i = 0; i < count; i++) {
        size_t at = (size_t)element_target(x, indices, p->axis, i) * size;
        unsigned char *to = (unsigned char *)node->out[0]->t.data + at;
        const unsigned char *from = (unsigned char *)node->in[2]->t.data + (size_t)i * size;
        if (combine) {
            combine(to, from, 1);
        } else {
            memcpy(to, from, size);
        }
    }
    return FOVEA_OK;
}

/* ---- ScatterND ---------------------------------------------------------- */

/* "updates ... shape indices.shape[:-1] ++ data.shape[indices.shape[-1]:]". */
static enum fovea_status check_updates(const struct fovea_node *node, int depth,
                                       struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t, *indices = &node->in[1]->t;
    const struct fovea_tensor *updates = &node->in[2]->t;
    int outer = indices->rank - 1, inner = x->rank - depth;
    bool fits = updates->rank == outer + inner;
    for (int i = 0; fits && i < updates->rank; i++) {
        fits = updates->dims[i] == (i < outer ? indices->dims[i] : x->dims[depth + i - outer]);
    }
    if (fits) {
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_INVALID, "updates %s do not fit indices %s into data %s",
                      fovea_shape_text(updates).text, fovea_shape_text(indices).text,
                      fovea_shape_text(x).text);
}

static enum fovea_status infer_nd(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t, *indices = &node->in[1]->t;
    struct scatter *p = node->priv;
    enum fovea_status st = infer_types(node, err);
    if (st) {
        return st;
    }
    int64_t depth = indices->rank > 0 ? indices->dims[indices->rank - 1] : 0;
    if (depth < 1 || depth > x->rank) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "indices of length %lld; it must be 1 to %d",
                          (long long)depth, x->rank);
    }
    p->depth = (int)depth;
    st = check_updates(node, p->depth, err);
    return st ? st : set_output(node, x->dims, p->depth, err);
}

static enum fovea_status run_nd(const struct fovea_node *node, const struct fovea_run *run,
                                struct fovea_error *err) {
    (void)run;
    const struct scatter *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t, *indices = &node->in[1]->t;
    fovea_combine_fn combine = fovea_scatter_combine(p->reduction, x->dtype);
    enum fovea_status st = fovea_check_indices(indices, x->dims, p->depth, err);
    if (st) {
        return st;
    }
    copy_data(node);
    int64_t inner = fovea_dims_product(x, p->depth, x->rank);
    int64_t rows = fovea_dims_product(indices, 0, indices->rank - 1);
    size_t bytes = (size_t)inner * fovea_dtype_size(x->dtype);
    for (int64_t i = 0; i < rows && bytes > 0; i++) {
        int64_t row = 0;
        for (int k = 0; k < p->depth; k++) {
            row = row * x->dims[k] + fovea_get_index(indices, i * p->depth + k, x->dims[k]);
        }
        unsigned char *to = (unsigned char *)node->out[0]->t.data + (size_t)row * bytes;
        const unsigned char *from = (unsigned char *)node->in[2]->t.data + (size_t)i * bytes;
        if (combine) {
            combine(to, from, inner);
        } else {
            memcpy(to, from, bytes);
        }
    }
    return FOVEA_OK;
}

/* ---- the operators ------------------------------------------------------ */

static const struct fovea_attr_spec scatter_attrs[] = {{"axis", FOVEA_ATTR_INT, false}, {0}};
static const struct fovea_attr_spec elements_attrs[] = {
    {"axis", FOVEA_ATTR_INT, false}, {"reduction", FOVEA_ATTR_STRING, false}, {0}};
static const struct fovea_attr_spec nd_attrs[] = {{"reduction", FOVEA_ATTR_STRING, false}, {0}};

#define SCATTER_OP(name, attr_table, infer_fn, run_fn)                                             \
    const struct fovea_op name = {                                                                 \
        .priv_size = sizeof(struct scatter),                                                       \
        .attrs = attr_table,                                                                       \
        .min_in = 3,                                                                               \
        .max_in = 3,                                                                               \
        .min_out = 1,                                                                              \
        .max_out = 1,                                                                              \
        .infer = infer_fn,                                                                         \
        .run = run_fn,                                                                             \
    }

SCATTER_OP(fovea_op_scatter, scatter_attrs, infer_elements, run_elements);
SCATTER_OP(fovea_op_scatter_elements, elements_attrs, infer_elements, run_elements);
SCATTER_OP(fovea_op_scatter_nd, nd_attrs, infer_nd, run_nd);
