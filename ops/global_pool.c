/*
 * GlobalAveragePool and GlobalMaxPool: one value per image and channel.
 * Averages are summed in double: a plane may have 10^5 elements.
 */
#include "ops/ops.h"

#include "runtime/half.h"
#include "runtime/parallel.h"
#include "runtime/portability.h"

#include <math.h>

/* Channels done together when they are neighbours in memory, and lanes of a sum. */
enum { BLOCK = 64 };

/* Rows added up in f32. */
enum { ROWS = 16 };

struct global_pool {
    bool average;
    bool last; /* channels-last */
    int64_t channels, plane;
};

static enum fovea_status infer(struct fovea_node *node, bool average, struct fovea_error *err) {
    struct global_pool *pool = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t;
    enum fovea_status st =
        fovea_expect_dtype(node, 0, FOVEA_DTYPE_BIT(FOVEA_F32) | FOVEA_DTYPE_BIT(FOVEA_F64), err);
    if (!st) {
        st = fovea_expect_rank(node, 0, 2, FOVEA_MAX_RANK, err);
    }
    if (st) {
        return st;
    }
    int64_t dims[FOVEA_MAX_RANK];
    for (int d = 0; d < x->rank; d++) {
        dims[d] = d < 2 ? x->dims[d] : 1;
    }
    pool->average = average;
    pool->channels = x->dims[1];
    pool->plane = fovea_dims_product(x, 2, x->rank);
    return fovea_set_output(node, 0, x->dtype, x->rank, dims, err);
}

static enum fovea_status infer_average(struct fovea_node *node, struct fovea_error *err) {
    return infer(node, true, err);
}

static enum fovea_status infer_max(struct fovea_node *node, struct fovea_error *err) {
    return infer(node, false, err);
}

static enum fovea_status prepare(struct fovea_node *node, struct fovea_engine *engine,
                                 struct fovea_error *err) {
    struct global_pool *pool = node->priv;
    (void)engine;
    (void)err;
    pool->last = node->in[0]->t.rank == 4 && node->in[0]->layout == FOVEA_CHANNELS_LAST;
    return FOVEA_OK;
}

/* ---- f32 ----------------------------------------------------------------- */

/*
 * `width` channels at x, rows of `stride` elements. A few rows at a time are
 * added up in f32, which takes no conversions; their sums in double.
 */
FOVEA_INLINE void average_block(const float *x, int64_t rows, int64_t stride, int width, float *y) {
    double sums[BLOCK] = {0};
    for (int64_t r = 0; r < rows; r += ROWS) {
        int64_t n = rows - r < ROWS ? rows - r : ROWS;
        float part[BLOCK] = {0};
        for (int64_t j = 0; j < n; j++) {
            const float *from = x + (r + j) * stride;
            for (int i = 0; i < width; i++) {
                part[i] += from[i];
            }
        }
        for (int i = 0; i < width; i++) {
            sums[i] += (double)part[i];
        }
    }
    for (int i = 0; i < width; i++) {
        y[i] = (float)(sums[i] / (double)rows);
    }
}

FOVEA_KERNEL static void average_columns(const float *x, int64_t rows, int64_t stride, int width,
                                         float *y) {
    if (width == BLOCK) { /* loops of a length the compiler knows */
        average_block(x, rows, stride, BLOCK, y);
    } else {
        average_block(x, rows, stride, width, y);
    }
}

/* As average_columns, from bf16. */
FOVEA_KERNEL static void average_columns_bf16(const uint16_t *x, int64_t rows, int64_t stride,
                                              int width, float *y) {
    double sums[BLOCK] = {0};
    for (int64_t r = 0; r < rows; r += ROWS) {
        int64_t n = rows - r < ROWS ? rows - r : ROWS;
        float part[BLOCK] = {0};
        for (int64_t j = 0; j < n; j++) {
            const uint16_t *from = x + (r + j) * stride;
            for (int i = 0; i < width; i++) {
                part[i] += fovea_load_bf16(from[i]);
            }
        }
        for (int i = 0; i < width; i++) {
            sums[i] += (double)part[i];
        }
    }
    for (int i = 0; i < width; i++) {
        y[i] = (float)(sums[i] / (double)rows);
    }
}

/* The larger one; NaN if either is. */
FOVEA_INLINE float larger(float best, float x) {
    return x > best || x != x ? x : best;
}

FOVEA_KERNEL static void max_columns(const float *x, int64_t rows, int64_t stride, int width,
                                     float *y) {
    float best[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
        best[i] = -INFINITY;
    }
    for (int64_t r = 0; r < rows; r++) {
        const float *from = x + r * stride;
        for (int i = 0; i < width; i++) {
            best[i] = larger(best[i], from[i]);
        }
    }
    for (int i = 0; i < width; i++) {
        y[i] = best[i];
    }
}

/* A plane in a row: BLOCK columns of it, then the columns. */
FOVEA_KERNEL static float average_plane(const float *x, int64_t count) {
    double sums[BLOCK] = {0}, sum = 0;
    int64_t whole = count / BLOCK * BLOCK;
    for (int64_t r = 0; r < whole; r += BLOCK) {
        for (int i = 0; i < BLOCK; i++) {
            sums[i] += (double)x[r + i];
        }
    }
    for (int64_t i = whole; i < count; i++) {
        sum += (double)x[i];
    }
    for (int i = 0; i < BLOCK; i++) {
        sum += sums[i];
    }
    return (float)(sum / (double)count);
}

static float max_plane(const float *x, int64_t count) {
    float columns[BLOCK], best;
    int64_t rows = count / BLOCK;
    max_columns(x, rows, BLOCK, BLOCK, columns);
    max_columns(columns, BLOCK, 1, 1, &best);
    for (int64_t i = rows * BLOCK; i < count; i++) {
        best = larger(best, x[i]);
    }
    return best;
}

struct job {
    const struct global_pool *pool;
    const float *x;
    float *y;
};

/* Items are blocks of channels (channels-last) or planes. */
static void run_items(void *context, int64_t begin, int64_t end, int thread) {
    const struct job *job = context;
    const struct global_pool *p = job->pool;
    int64_t blocks = (p->channels + BLOCK - 1) / BLOCK;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        if (!p->last) {
            const float *plane = job->x + i * p->plane;
            job->y[i] = p->average ? average_plane(plane, p->plane) : max_plane(plane, p->plane);
            continue;
        }
        int64_t n = i / blocks, c = i % blocks * BLOCK;
        int width = p->channels - c < BLOCK ? (int)(p->channels - c) : BLOCK;
        const float *x = job->x + n * p->plane * p->channels + c;
        (p->average ? average_columns : max_columns)(x, p->plane, p->channels, width,
                                                     job->y + n * p->channels + c);
    }
}

/* ---- averages from or to bf16 ------------------------------------------------------ */

struct half_job {
    const struct global_pool *pool;
    const struct fovea_tensor *x, *y; /* each f32 or bf16 */
};

static void store_average(const struct fovea_tensor *y, int64_t at, const float *from, int64_t n) {
    size_t size = fovea_dtype_size(y->dtype);
    fovea_convert(FOVEA_F32, from, y->dtype, (char *)y->data + (size_t)at * size, n);
}

/* A plane is BLOCK columns, and the rest of it. */
static float average_plane_bf16(const uint16_t *x, int64_t count) {
    float columns[BLOCK] = {0}, rest = 0;
    int64_t rows = count / BLOCK;
    double sum = 0;
    if (rows > 0) {
        average_columns_bf16(x, rows, BLOCK, BLOCK, columns);
    }
    for (int i = 0; i < BLOCK; i++) {
        sum += (double)columns[i] * (double)rows;
    }
    for (int64_t i = rows * BLOCK; i < count; i++) {
        rest += fovea_load_bf16(x[i]);
    }
    return (float)((sum + (double)rest) / (double)count);
}

/* Items as run_items. */
static void run_half_items(void *context, int64_t begin, int64_t end, int thread) {
    const struct half_job *job = context;
    const struct global_pool *p = job->pool;
    bool half = job->x->dtype == FOVEA_BF16;
    const uint16_t *x16 = job->x->data;
    const float *x32 = job->x->data;
    int64_t blocks = (p->channels + BLOCK - 1) / BLOCK;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        float average[BLOCK];
        if (!p->last) {
            average[0] = half ? average_plane_bf16(x16 + i * p->plane, p->plane)
                              : average_plane(x32 + i * p->plane, p->plane);
            store_average(job->y, i, average, 1);
            continue;
        }
        int64_t n = i / blocks, c = i % blocks * BLOCK;
        int width = p->channels - c < BLOCK ? (int)(p->channels - c) : BLOCK;
        int64_t at = n * p->plane * p->channels + c;
        if (half) {
            average_columns_bf16(x16 + at, p->plane, p->channels, width, average);
        } else {
            average_columns(x32 + at, p->plane, p->channels, width, average);
        }
        store_average(job->y, n * p->channels + c, average, width);
    }
}

/* ---- f64 ----------------------------------------------------------------- */

static void run_f64(const struct global_pool *p, const double *x, double *y, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        int64_t step = p->last ? p->channels : 1;
        const double *from = p->last
                                 ? x + i / p->channels * p->plane * p->channels + i % p->channels
                                 : x + i * p->plane;
        double sum = 0, best = -INFINITY;
        for (int64_t j = 0; j < p->plane; j++) {
            sum += from[j * step];
            best = from[j * step] > best || isnan(from[j * step]) ? from[j * step] : best;
        }
        y[i] = p->average ? sum / (double)p->plane : best;
    }
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    const struct global_pool *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t, *y = &node->out[0]->t;
    int64_t count = fovea_tensor_count(y);
    (void)run;
    (void)err;
    if (count == 0) {
        return FOVEA_OK;
    }
    if (x->dtype == FOVEA_F64) {
        run_f64(p, x->data, y->data, count);
        return FOVEA_OK;
    }
    struct job job = {p, x->data, y->data};
    int64_t items = p->last ? y->dims[0] * ((p->channels + BLOCK - 1) / BLOCK) : count;
    int64_t grain = 1 + 16384 / (1 + p->plane * (p->last ? BLOCK : 1));
    if (x->dtype == FOVEA_BF16 || y->dtype == FOVEA_BF16) {
        struct half_job half = {p, x, y};
        fovea_parallel_for(items, grain, run_half_items, &half);
        return FOVEA_OK;
    }
    fovea_parallel_for(items, grain, run_items, &job);
    return FOVEA_OK;
}

const struct fovea_op fovea_op_global_average_pool = {
    .priv_size = sizeof(struct global_pool),
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .layout = FOVEA_LAYOUT_IMAGE,
    .bf16 = FOVEA_BF16_FREE,
    .bf16_in = 1,
    .bf16_out = 1,
    .infer = infer_average,
    .prepare = prepare,
    .run = run,
};

const struct fovea_op fovea_op_global_max_pool = {
    .priv_size = sizeof(struct global_pool),
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .layout = FOVEA_LAYOUT_IMAGE,
    .infer = infer_max,
    .prepare = prepare,
    .run = run,
};
