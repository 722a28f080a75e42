/*
 * LayerNormalization and RMSNormalization: the axes from `axis` on, taken as
 * one row, are centred (LayerNormalization only), divided by their standard
 * deviation and scaled element by element.
 */
#include "ops/norm.h"
#include "ops/ops.h"
#include "runtime/parallel.h"
#include "runtime/portability.h"

#include <math.h>

/* Elements that are worth a thread of their own. */
#define GRAIN 8192

struct layer_norm {
    int64_t rows, n;
    float epsilon;
    bool centre;
};

struct layer_norm_job {
    const struct layer_norm *p;
    const void *x, *scale, *bias;
    void *y;
    enum fovea_dtype x_dtype, y_dtype;
    float *row_space;                        /* a row for each thread, where x or y is bf16 */
    const struct fovea_value *mean, *factor; /* outputs, or NULL */
};

static void store_statistic(const struct fovea_value *to, int64_t index, double value) {
    if (!to) {
        return;
    }
    if (to->t.dtype == FOVEA_F64) {
        ((double *)to->t.data)[index] = value;
    } else {
        ((float *)to->t.data)[index] = (float)value;
    }
}

#define T float
#define FN(name) name##_f32
#include "ops/layer_norm.inc"

#define T double
#define FN(name) name##_f64
#include "ops/layer_norm.inc"

/* ---- rows that are loaded from or stored to bf16 -------------------------- */

/* Elements whose sum is taken in f32, in one lane or another, before it goes on in double. */
#define SUM_BLOCK 512

FOVEA_KERNEL static double sum_f32(const float *x, int64_t n) {
    double sum = 0;
    for (int64_t at = 0; at < n; at += SUM_BLOCK) {
        int64_t end = at + SUM_BLOCK < n ? at + SUM_BLOCK : n;
        float part = 0;
#pragma omp simd reduction(+ : part)
        for (int64_t i = at; i < end; i++) {
            part += x[i];
        }
        sum += (double)part;
    }
    return sum;
}

/* About the mean, so that squares in f32 lose nothing to it. */
FOVEA_KERNEL static double squares_f32(const float *x, int64_t n, float mean) {
    double sum = 0;
    for (int64_t at = 0; at < n; at += SUM_BLOCK) {
        int64_t end = at + SUM_BLOCK < n ? at + SUM_BLOCK : n;
        float part = 0;
#pragma omp simd reduction(+ : part)
        for (int64_t i = at; i < end; i++) {
            float d = x[i] - mean;
            part += d * d;
        }
        sum += (double)part;
    }
    return sum;
}

static void rows_mixed(void *context, int64_t begin, int64_t end, int thread) {
    const struct layer_norm_job *job = context;
    const struct layer_norm *p = job->p;
    float *row = job->row_space + thread * p->n;
    size_t x_step = (size_t)p->n * fovea_dtype_size(job->x_dtype);
    size_t y_step = (size_t)p->n * fovea_dtype_size(job->y_dtype);
    for (int64_t i = begin; i < end; i++) {
        const void *x = (const char *)job->x + (size_t)i * x_step;
        void *y = (char *)job->y + (size_t)i * y_step;
        const float *from = x;
        if (job->x_dtype != FOVEA_F32) {
            fovea_convert(job->x_dtype, x, FOVEA_F32, row, p->n);
            from = row;
        }
        double mean = p->centre ? sum_f32(from, p->n) / (double)p->n : 0;
        double variance = squares_f32(from, p->n, (float)mean) / (double)p->n;
        double factor = 1 / sqrt(variance + (double)p->epsilon);
        float *to = job->y_dtype == FOVEA_F32 ? y : row;
        scale_row_f32(from, job->scale, job->bias, to, p->n, (float)mean, (float)factor);
        if (to == row) {
            fovea_convert(FOVEA_F32, row, job->y_dtype, y, p->n);
        }
        store_statistic(job->mean, i, mean);
        store_statistic(job->factor, i, factor);
    }
}

/* ---- the operators -------------------------------------------------------- */

/* Scale and bias have the shape of the normalised axes, leading ones of size 1 left out or not. */
static enum fovea_status check_operand(const struct fovea_node *node, int index, const char *what,
                                       int axis, struct fovea_error *err) {
    const struct fovea_value *value = fovea_node_input(node, index);
    if (!value) {
        return FOVEA_OK;
    }
    const struct fovea_tensor *x = &node->in[0]->t, *t = &value->t;
    for (int i = 0; i < t->rank || i < x->rank - axis; i++) {
        int64_t have = i < t->rank ? t->dims[t->rank - 1 - i] : 1;
        int64_t want = i < x->rank - axis ? x->dims[x->rank - 1 - i] : 1;
        if (have != want) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "%s has shape %s; it must be that of the input's axes from %d on, "
                              "of %s",
                              what, fovea_shape_text(t).text, axis, fovea_shape_text(x).text);
        }
    }
    if (t->dtype != x->dtype && !fovea_dtype_is_half(t->dtype) && !fovea_dtype_is_half(x->dtype)) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "%s is %s where the input is %s", what,
                          fovea_dtype_name(t->dtype), fovea_dtype_name(x->dtype));
    }
    return FOVEA_OK;
}

/*
 * stash_type is the type for the statistics, by its number in ONNX. We take
 * them in double whatever it says, so it decides only how they are returned.
 */
static enum fovea_status statistic_type(const struct fovea_node *node, enum fovea_dtype *dtype,
                                        struct fovea_error *err) {
    int64_t stash = fovea_attr_int(node, "stash_type", 1);
    if (stash != 1 && stash != 10 && stash != 11 && stash != 16) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "stash_type is %lld; it must be 1, 10, 11 or 16 (a float type)",
                          (long long)stash);
    }
    *dtype = stash == 1    ? FOVEA_F32
             : stash == 10 ? FOVEA_F16
             : stash == 11 ? FOVEA_F64
                           : FOVEA_BF16;
    return FOVEA_OK;
}

static enum fovea_status set_outputs(struct fovea_node *node, int axis, enum fovea_dtype dtype,
                                     struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t;
    int64_t dims[FOVEA_MAX_RANK];
    for (int i = 0; i < x->rank; i++) {
        dims[i] = i < axis ? x->dims[i] : 1;
    }
    enum fovea_status st = fovea_set_output_like(node, 0, node->in[0], err);
    for (int i = 1; !st && i < node->n_out; i++) {
        st = fovea_set_output(node, i, dtype, x->rank, dims, err);
    }
    return st;
}

static enum fovea_status infer_common(struct fovea_node *node, bool centre,
                                      struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t;
    struct layer_norm *p = node->priv;
    enum fovea_dtype dtype = FOVEA_F32;
    int axis;
    enum fovea_status st = fovea_expect_dtype(node, 0, FOVEA_DTYPES_FLOAT, err);
    if (!st) {
        st = fovea_resolve_axis(fovea_attr_int(node, "axis", -1), x->rank, &axis, err);
    }
    if (!st) {
        st = fovea_norm_check_epsilon(node, 1e-5f, &p->epsilon, err);
    }
    if (!st) {
        st = statistic_type(node, &dtype, err);
    }
    if (!st) {
        st = check_operand(node, 1, "the scale", axis, err);
    }
    if (!st) {
        st = check_operand(node, 2, "the bias", axis, err);
    }
    if (st) {
        return st;
    }
    p->centre = centre;
    p->rows = fovea_dims_product(x, 0, axis);
    p->n = fovea_dims_product(x, axis, x->rank);
    return set_outputs(node, axis, dtype, err);
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    return infer_common(node, true, err);
}

static enum fovea_status infer_rms(struct fovea_node *node, struct fovea_error *err) {
    return infer_common(node, false, err);
}

static bool is_mixed(const struct fovea_node *node) {
    return fovea_dtype_is_half(node->in[0]->t.dtype) || fovea_dtype_is_half(node->out[0]->t.dtype);
}

static enum fovea_status prepare(struct fovea_node *node, struct fovea_engine *engine,
                                 struct fovea_error *err) {
    const struct layer_norm *p = node->priv;
    (void)err;
    int threads = engine->threads > 0 ? engine->threads : 1;
    node->scratch_bytes = is_mixed(node) ? (size_t)p->n * sizeof(float) * (size_t)threads : 0;
    return FOVEA_OK;
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)err;
    const struct layer_norm *p = node->priv;
    const struct fovea_value *bias = fovea_node_input(node, 2);
    struct layer_norm_job job = {
        .p = p,
        .x = node->in[0]->t.data,
        .scale = node->in[1]->t.data,
        .bias = bias ? bias->t.data : NULL,
        .y = node->out[0]->t.data,
        .x_dtype = node->in[0]->t.dtype,
        .y_dtype = node->out[0]->t.dtype,
        .row_space = run->scratch,
        .mean = node->n_out > 1 ? node->out[1] : NULL,
        .factor = node->n_out > 2 ? node->out[2] : NULL,
    };
    fovea_parallel_fn rows = is_mixed(node)                      ? rows_mixed
                             : node->in[0]->t.dtype == FOVEA_F64 ? rows_f64
                                                                 : rows_f32;
    fovea_parallel_for(p->rows, p->n > 0 ? GRAIN / p->n + 1 : GRAIN, rows, &job);
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs[] = {
    {"axis", FOVEA_ATTR_INT, false},
    {"epsilon", FOVEA_ATTR_FLOAT, false},
    {"stash_type", FOVEA_ATTR_INT, false},
    {0},
};

const struct fovea_op fovea_op_layer_norm = {
    .priv_size = sizeof(struct layer_norm),
    .attrs = attrs,
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 3,
    .flags = FOVEA_OP_IN_PLACE,
    .layout = FOVEA_LAYOUT_PLAIN_ONLY,
    .bf16 = FOVEA_BF16_FREE,
    .bf16_in = 1,
    .bf16_out = 1,
    .infer = infer,
    .prepare = prepare,
    .run = run,
};

const struct fovea_op fovea_op_rms_norm = {
    .priv_size = sizeof(struct layer_norm),
    .attrs = attrs,
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .flags = FOVEA_OP_IN_PLACE,
    .layout = FOVEA_LAYOUT_PLAIN_ONLY,
    .bf16 = FOVEA_BF16_FREE,
    .bf16_in = 1,
    .bf16_out = 1,
    .infer = infer_rms,
    .prepare = prepare,
    .run = run,
};
