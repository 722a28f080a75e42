/*
 * AveragePool and MaxPool, with kernels of our own: oneDNN cannot say where a
 * maximum was, nor divide a partly padded last window as ONNX does. Windows
 * have three dimensions here; missing ones come first and have size 1. bf16 is
 * what it may be stored as, sums are in f32.
 */
#include "ops/ops.h"

#include "ops/window.h"
#include "runtime/half.h"
#include "runtime/parallel.h"
#include "runtime/portability.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Channels that are done at a time where they are neighbours. */
enum { BLOCK = 64 };

struct pool {
    struct fovea_window w;
    bool average, count_pads, column_major;
    bool last; /* channels are neighbours in memory and done together */
    int64_t batch, channels;
    /* N, C, D, H, W in elements */
    int64_t x_strides[5], y_strides[5], index_strides[5];
};

static const struct fovea_attr_spec average_attrs[] = {
    FOVEA_WINDOW_ATTRS,
    {"ceil_mode", FOVEA_ATTR_INT, false},
    {"count_include_pad", FOVEA_ATTR_INT, false},
    {0},
};

static const struct fovea_attr_spec max_attrs[] = {
    FOVEA_WINDOW_ATTRS,
    {"ceil_mode", FOVEA_ATTR_INT, false},
    {"storage_order", FOVEA_ATTR_INT, false},
    {0},
};

/* ---- infer --------------------------------------------------------------- */

/* Three dimensions of the window's one to three. */
static void widen(struct fovea_window *w) {
    struct fovea_window wide = {.spatial = 3};
    int missing = 3 - w->spatial;
    for (int d = 0; d < 3; d++) {
        bool real = d >= missing;
        int from = real ? d - missing : 0;
        wide.in[d] = real ? w->in[from] : 1;
        wide.out[d] = real ? w->out[from] : 1;
        wide.kernel[d] = real ? w->kernel[from] : 1;
        wide.strides[d] = real ? w->strides[from] : 1;
        wide.dilations[d] = real ? w->dilations[from] : 1;
        wide.before[d] = real ? w->before[from] : 0;
        wide.after[d] = real ? w->after[from] : 0;
    }
    *w = wide;
}

static enum fovea_status infer_pool(struct fovea_node *node, unsigned types, bool average,
                                    struct fovea_error *err) {
    struct pool pool = {
        .average = average,
        .count_pads = average && fovea_attr_int(node, "count_include_pad", 0) != 0,
        .column_major = !average && fovea_attr_int(node, "storage_order", 0) != 0,
    };
    struct fovea_window_rules rules = {
        .ceil_mode = fovea_attr_int(node, "ceil_mode", 0) != 0,
        .within = true,
    };
    const struct fovea_tensor *x = &node->in[0]->t;
    enum fovea_status st = fovea_expect_dtype(node, 0, types, err);
    if (!st) {
        st = fovea_expect_rank(node, 0, 3, 5, err);
    }
    if (!st) {
        st = fovea_window_of(node, x, &rules, &pool.w, err);
    }
    if (st) {
        return st;
    }
    int64_t dims[5] = {x->dims[0], x->dims[1]};
    memcpy(dims + 2, pool.w.out, (size_t)pool.w.spatial * sizeof(*dims));
    widen(&pool.w);
    pool.batch = x->dims[0];
    pool.channels = x->dims[1];
    *(struct pool *)node->priv = pool;
    st = fovea_set_output(node, 0, x->dtype, x->rank, dims, err);
    return st ? st : fovea_set_output(node, 1, FOVEA_I64, x->rank, dims, err);
}

static enum fovea_status infer_average(struct fovea_node *node, struct fovea_error *err) {
    return infer_pool(node, FOVEA_DTYPE_BIT(FOVEA_F32) | FOVEA_DTYPE_BIT(FOVEA_F64), true, err);
}

static enum fovea_status infer_max(struct fovea_node *node, struct fovea_error *err) {
    return infer_pool(node,
                      FOVEA_DTYPE_BIT(FOVEA_F32) | FOVEA_DTYPE_BIT(FOVEA_F64) |
                          FOVEA_DTYPE_BIT(FOVEA_I8) | FOVEA_DTYPE_BIT(FOVEA_U8),
                      false, err);
}

/* ---- prepare ------------------------------------------------------------- */

static void wide_strides(const struct fovea_value *value, int64_t *out) {
    int64_t strides[FOVEA_MAX_RANK];
    int missing = 5 - value->t.rank;
    fovea_value_strides(value, strides);
    out[0] = strides[0];
    out[1] = strides[1];
    for (int d = 2; d < 5; d++) {
        out[d] = d - missing >= 2 ? strides[d - missing] : 0;
    }
}

static enum fovea_status prepare(struct fovea_node *node, struct fovea_engine *engine,
                                 struct fovea_error *err) {
    struct pool *pool = node->priv;
    bool indices = node->n_out > 1 && node->out[1];
    (void)engine;
    (void)err;
    wide_strides(node->in[0], pool->x_strides);
    wide_strides(node->out[0], pool->y_strides);
    if (indices) {
        wide_strides(node->out[1], pool->index_strides);
    }
    pool->last =
        !indices && node->in[0]->t.rank == 4 && pool->x_strides[1] == 1 && pool->y_strides[1] == 1;
    return FOVEA_OK;
}

/* ---- run ----------------------------------------------------------------- */

/* The input positions [first, end) that a window covers per dimension, pads left out. */
struct taps {
    int64_t first[3], end[3];
    int64_t counted[3]; /* what an average divides by, per dimension */
};

/* One row of windows: offsets of its start in elements. */
struct row {
    int64_t x, y, index;
    int64_t plane; /* number of the first element of the channel's plane, for indices */
    struct taps taps;
};

static int64_t ceil_div(int64_t a, int64_t b) {
    return a <= 0 ? 0 : (a + b - 1) / b;
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

FOVEA_INLINE void find_taps(const struct pool *p, int d, int64_t o, struct taps *taps) {
    const struct fovea_window *w = &p->w;
    int64_t start = o * w->strides[d] - w->before[d], step = w->dilations[d];
    int64_t skipped = smaller(ceil_div(-start, step), w->kernel[d]);
    int64_t end = smaller(ceil_div(w->in[d] - start, step), w->kernel[d]);
    int64_t padded = smaller(ceil_div(w->in[d] + w->after[d] - start, step), w->kernel[d]);
    taps->first[d] = start + skipped * step;
    taps->end[d] = end > skipped ? start + (end - 1) * step + 1 : taps->first[d];
    taps->counted[d] = p->count_pads ? padded : end > skipped ? end - skipped : 0;
}

/* A window wholly in the padding averages to 0. */
FOVEA_INLINE double divisor(const struct taps *taps) {
    double count = (double)taps->counted[0] * (double)taps->counted[1] * (double)taps->counted[2];
    return count > 0 ? count : 1;
}

/* The number of a position, counted with the first dimension fastest. */
static inline int64_t column_major(const struct fovea_window *w, int64_t position) {
    int64_t c = position % w->in[2], b = position / w->in[2] % w->in[1];
    int64_t a = position / w->in[2] / w->in[1];
    return (c * w->in[1] + b) * w->in[0] + a;
}

#define POOL_TYPE float
#define POOL_NAME(x) x##_f32
#define POOL_LOWEST (-INFINITY)
#define POOL_AVERAGE
#include "ops/pool_kernels.inc"

#define POOL_TYPE double
#define POOL_NAME(x) x##_f64
#define POOL_LOWEST (-INFINITY)
#define POOL_AVERAGE
#include "ops/pool_kernels.inc"

#define POOL_TYPE uint16_t
#define POOL_NAME(x) x##_bf16
#define POOL_MATH float
#define POOL_LOAD(x) fovea_load_bf16(x)
#define POOL_STORE(x) fovea_store_bf16(x)
#define POOL_LOWEST (-INFINITY)
#define POOL_AVERAGE
#include "ops/pool_kernels.inc"

#define POOL_TYPE int8_t
#define POOL_NAME(x) x##_i8
#define POOL_LOWEST INT8_MIN
#include "ops/pool_kernels.inc"

#define POOL_TYPE uint8_t
#define POOL_NAME(x) x##_u8
#define POOL_LOWEST 0
#include "ops/pool_kernels.inc"

struct job {
    const struct pool *pool;
    enum fovea_dtype dtype;
    const void *x;
    void *y;
    int64_t *indices;
};

/* A row of windows of a type: plain has one channel, last all of them. */
struct kernels {
    void (*average_plain)(const struct pool *p, const struct row *row, const void *x, void *y);
    void (*average_last)(const struct pool *p, const struct row *row, const void *x, void *y);
    void (*max_plain)(const struct pool *p, const struct row *row, const void *x, void *y,
                      int64_t *indices);
    void (*max_last)(const struct pool *p, const struct row *row, const void *x, void *y);
};

static const struct kernels kernels[FOVEA_N_DTYPES] = {
    [FOVEA_F32] = {average_plain_f32, average_last_f32, max_plain_f32, max_last_f32},
    [FOVEA_BF16] = {average_plain_bf16, average_last_bf16, max_plain_bf16, max_last_bf16},
    [FOVEA_F64] = {average_plain_f64, average_last_f64, max_plain_f64, max_last_f64},
    [FOVEA_I8] = {NULL, NULL, max_plain_i8, max_last_i8},
    [FOVEA_U8] = {NULL, NULL, max_plain_u8, max_last_u8},
};

static void run_row(const struct job *job, const struct row *row) {
    const struct pool *p = job->pool;
    const struct kernels *k = &kernels[job->dtype];
    if (p->average) {
        (p->last ? k->average_last : k->average_plain)(p, row, job->x, job->y);
    } else if (p->last) {
        k->max_last(p, row, job->x, job->y);
    } else {
        k->max_plain(p, row, job->x, job->y, job->indices);
    }
}

/* Rows in the order n, c (unless channels are done together), d, h. */
static void run_rows(void *context, int64_t begin, int64_t end, int thread) {
    const struct job *job = context;
    const struct pool *p = job->pool;
    int64_t channels = p->last ? 1 : p->channels;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        int64_t h = i % p->w.out[1], d = i / p->w.out[1] % p->w.out[0];
        int64_t plane = i / p->w.out[1] / p->w.out[0];
        int64_t c = plane % channels, n = plane / channels;
        struct row row = {
            .x = n * p->x_strides[0] + c * p->x_strides[1],
            .y = n * p->y_strides[0] + c * p->y_strides[1] + d * p->y_strides[2] +
                 h * p->y_strides[3],
            .index = n * p->index_strides[0] + c * p->index_strides[1] + d * p->index_strides[2] +
                     h * p->index_strides[3],
            .plane = plane * p->w.in[0] * p->w.in[1] * p->w.in[2],
        };
        find_taps(p, 0, d, &row.taps);
        find_taps(p, 1, h, &row.taps);
        run_row(job, &row);
    }
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    const struct pool *p = node->priv;
    struct job job = {p, node->in[0]->t.dtype, node->in[0]->t.data, node->out[0]->t.data, NULL};
    (void)run;
    (void)err;
    if (node->n_out > 1 && node->out[1]) {
        job.indices = node->out[1]->t.data;
    }
    if (fovea_tensor_count(&node->out[0]->t) > 0) {
        int64_t planes = p->batch * (p->last ? 1 : p->channels);
        fovea_parallel_for(planes * p->w.out[0] * p->w.out[1], 1, run_rows, &job);
    }
    return FOVEA_OK;
}

const struct fovea_op fovea_op_average_pool = {
    .priv_size = sizeof(struct pool),
    .attrs = average_attrs,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .layout = FOVEA_LAYOUT_IMAGE,
    .bf16 = FOVEA_BF16_MOVES,
    .bf16_in = 1,
    .bf16_out = 1,
    .infer = infer_average,
    .prepare = prepare,
    .run = run,
};

const struct fovea_op fovea_op_max_pool = {
    .priv_size = sizeof(struct pool),
    .attrs = max_attrs,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 2,
    .layout = FOVEA_LAYOUT_IMAGE,
    .bf16 = FOVEA_BF16_MOVES,
    .bf16_in = 1,
    .bf16_out = 1,
    .infer = infer_max,
    .prepare = prepare,
    .run = run,
};
