/*
 * LRN: every element is divided by a power of the sum of squares over
 * neighbouring channels. Plain code, in double.
 */
#include "ops/ops.h"
#include "runtime/parallel.h"

#include <math.h>

struct lrn {
    int64_t batch, channels, plane;
    int64_t before, after; /* channels of the window on either side */
    double alpha, beta, bias, size;
};

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    struct lrn *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t;
    int64_t size = fovea_attr_int(node, "size", 0);
    enum fovea_status st = fovea_expect_dtype(node, 0, FOVEA_DTYPES_FLOAT, err);
    if (!st) {
        st = fovea_expect_rank(node, 0, 2, FOVEA_MAX_RANK, err);
    }
    if (!st && node->in[0]->t.dtype == FOVEA_F64) {
        st = fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "input 0 has type f64, not supported here");
    }
    if (!st && size < 1) {
        st = fovea_fail(err, FOVEA_ERR_INVALID, "size is %lld; it must be at least 1",
                        (long long)size);
    }
    if (st) {
        return st;
    }
    p->batch = x->dims[0];
    p->channels = x->dims[1];
    p->plane = fovea_dims_product(x, 2, x->rank);
    /* "max(0, c - floor((size - 1) / 2)) <= i <= min(C - 1, c + ceil((size - 1) / 2))" */
    p->before = (size - 1) / 2;
    p->after = size - 1 - p->before;
    p->before = p->before < p->channels ? p->before : p->channels;
    p->after = p->after < p->channels ? p->after : p->channels;
    p->alpha = (double)fovea_attr_float(node, "alpha", 1e-4f);
    p->beta = (double)fovea_attr_float(node, "beta", 0.75f);
    p->bias = (double)fovea_attr_float(node, "bias", 1);
    p->size = (double)size;
    return fovea_set_output_like(node, 0, node->in[0], err);
}

/* Items are positions of images; x and y point at channel 0. */
static void normalize(const struct lrn *p, const float *x, float *y) {
    for (int64_t c = 0; c < p->channels; c++) {
        int64_t first = c > p->before ? c - p->before : 0;
        int64_t last = c + p->after < p->channels ? c + p->after : p->channels - 1;
        double sum = 0;
        for (int64_t i = first; i <= last; i++) {
            sum += (double)x[i * p->plane] * (double)x[i * p->plane];
        }
        double scale = pow(p->bias + p->alpha / p->size * sum, p->beta);
        y[c * p->plane] = (float)((double)x[c * p->plane] / scale);
    }
}

static void positions(void *context, int64_t begin, int64_t end, int thread) {
    const struct fovea_node *node = context;
    const struct lrn *p = node->priv;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        int64_t at = i / p->plane * p->channels * p->plane + i % p->plane;
        normalize(p, (const float *)node->in[0]->t.data + at, (float *)node->out[0]->t.data + at);
    }
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct lrn *p = node->priv;
    fovea_parallel_for(p->batch * p->plane, 64, positions, (void *)node);
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs[] = {
    {"alpha", FOVEA_ATTR_FLOAT, false},
    {"beta", FOVEA_ATTR_FLOAT, false},
    {"bias", FOVEA_ATTR_FLOAT, false},
    {"size", FOVEA_ATTR_INT, true},
    {0},
};

const struct fovea_op fovea_op_lrn = {
    .priv_size = sizeof(struct lrn),
    .attrs = attrs,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .layout = FOVEA_LAYOUT_PLAIN_ONLY,
    .infer = infer,
    .run = run,
};
