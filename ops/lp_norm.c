/*
 * LpNormalization, MeanVarianceNormalization and LRN: normalisations that are
 * rare in what we run. Plain code, in double.
 */
#include "ops/ops.h"
#include "runtime/parallel.h"

#include <math.h>
#include <string.h>

static double get(const struct fovea_tensor *t, int64_t at) {
    return t->dtype == FOVEA_F64 ? ((const double *)t->data)[at]
                                 : (double)((const float *)t->data)[at];
}

static void set(const struct fovea_tensor *t, int64_t at, double value) {
    if (t->dtype == FOVEA_F64) {
        ((double *)t->data)[at] = value;
    } else {
        ((float *)t->data)[at] = (float)value;
    }
}

/* ---- LpNormalization ----------------------------------------------------- */

struct lp_norm {
    int64_t outer, n, inner;
    int64_t p; /* 1 or 2 */
};

static enum fovea_status lp_infer(struct fovea_node *node, struct fovea_error *err) {
    struct lp_norm *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t;
    int axis = 0;
    enum fovea_status st = fovea_expect_dtype(node, 0, FOVEA_DTYPES_FLOAT, err);
    if (!st) {
        st = fovea_resolve_axis(fovea_attr_int(node, "axis", -1), x->rank, &axis, err);
    }
    if (st) {
        return st;
    }
    p->p = fovea_attr_int(node, "p", 2);
    if (p->p != 1 && p->p != 2) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "p is %lld; it must be 1 or 2", (long long)p->p);
    }
    p->outer = fovea_dims_product(x, 0, axis);
    p->n = x->dims[axis];
    p->inner = fovea_dims_product(x, axis + 1, x->rank);
    return fovea_set_output_like(node, 0, node->in[0], err);
}

/* Items are the lines along the axis. A line of zeros stays zero. */
static void lp_lines(void *context, int64_t begin, int64_t end, int thread) {
    const struct fovea_node *node = context;
    const struct lp_norm *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t, *y = &node->out[0]->t;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        int64_t first = i / p->inner * p->n * p->inner + i % p->inner;
        double sum = 0;
        for (int64_t j = 0; j < p->n; j++) {
            double v = get(x, first + j * p->inner);
            sum += p->p == 1 ? fabs(v) : v * v;
        }
        double norm = p->p == 1 ? sum : sqrt(sum);
        for (int64_t j = 0; j < p->n; j++) {
            int64_t at = first + j * p->inner;
            set(y, at, norm == 0 ? 0 : get(x, at) / norm);
        }
    }
}

static enum fovea_status lp_run(const struct fovea_node *node, const struct fovea_run *run,
                                struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct lp_norm *p = node->priv;
    fovea_parallel_for(p->outer * p->inner, 1024, lp_lines, (void *)node);
    return FOVEA_OK;
}

static const struct fovea_attr_spec lp_attrs[] = {
    {"axis", FOVEA_ATTR_INT, false},
    {"p", FOVEA_ATTR_INT, false},
    {0},
};

const struct fovea_op fovea_op_lp_norm = {
    .priv_size = sizeof(struct lp_norm),
    .attrs = lp_attrs,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .layout = FOVEA_LAYOUT_PLAIN_ONLY,
    .infer = lp_infer,
    .run = lp_run,
};

/* ---- MeanVarianceNormalization -------------------------------------------- */

struct mean_variance {
    int n[2]; /* axes kept, axes normalised over */
    int64_t dims[2][FOVEA_MAX_RANK], strides[2][FOVEA_MAX_RANK];
    int64_t counts[2];
};

static enum fovea_status mvn_infer(struct fovea_node *node, struct fovea_error *err) {
    static const int64_t default_axes[] = {0, 2, 3};
    struct mean_variance *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t;
    bool over[FOVEA_MAX_RANK] = {false};
    size_t count = 0;
    const int64_t *axes = fovea_attr_ints(node, "axes", &count);
    enum fovea_status st = fovea_expect_dtype(node, 0, FOVEA_DTYPES_FLOAT, err);
    if (!fovea_node_attr(node, "axes")) {
        axes = default_axes;
        count = 3;
    }
    for (size_t i = 0; !st && i < count; i++) {
        int axis = 0;
        st = fovea_resolve_axis(axes[i], x->rank, &axis, err);
        over[axis] = true;
    }
    if (st) {
        return st;
    }
    memset(p, 0, sizeof(*p));
    p->counts[0] = p->counts[1] = 1;
    for (int i = 0; i < x->rank; i++) {
        int list = over[i];
        p->dims[list][p->n[list]] = x->dims[i];
        p->strides[list][p->n[list]++] = fovea_dims_product(x, i + 1, x->rank);
        p->counts[list] *= x->dims[i];
    }
    return fovea_set_output_like(node, 0, node->in[0], err);
}

static int64_t mvn_offset(const struct mean_variance *p, int list, int64_t index) {
    int64_t offset = 0;
    for (int i = p->n[list] - 1; i >= 0; i--) {
        offset += index % p->dims[list][i] * p->strides[list][i];
        index /= p->dims[list][i];
    }
    return offset;
}

static enum fovea_status mvn_run(const struct fovea_node *node, const struct fovea_run *run,
                                 struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct mean_variance *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t, *y = &node->out[0]->t;
    for (int64_t i = 0; i < p->counts[0]; i++) {
        int64_t first = mvn_offset(p, 0, i);
        double mean = 0, variance = 0;
        for (int64_t j = 0; j < p->counts[1]; j++) {
            mean += get(x, first + mvn_offset(p, 1, j)) / (double)p->counts[1];
        }
        for (int64_t j = 0; j < p->counts[1]; j++) {
            double d = get(x, first + mvn_offset(p, 1, j)) - mean;
            variance += d * d / (double)p->counts[1];
        }
        for (int64_t j = 0; j < p->counts[1]; j++) {
            int64_t at = first + mvn_offset(p, 1, j);
            /* The function body in the specification adds 1e-9 to the deviation. */
            set(y, at, (get(x, at) - mean) / (sqrt(variance) + 1e-9));
        }
    }
    return FOVEA_OK;
}

static const struct fovea_attr_spec mvn_attrs[] = {
    {"axes", FOVEA_ATTR_INTS, false},
    {0},
};

const struct fovea_op fovea_op_mean_variance_norm = {
    .priv_size = sizeof(struct mean_variance),
    .attrs = mvn_attrs,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .layout = FOVEA_LAYOUT_PLAIN_ONLY,
    .infer = mvn_infer,
    .run = mvn_run,
};
