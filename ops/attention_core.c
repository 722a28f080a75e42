/*
 * The computation of attention: see attention.h.
 *
 * For each image, head and block of query rows: scores = q k^T, softmax,
 * times v. A block has as many rows as keep its scores in a core's L2, so they
 * never see memory. What the row of weights adds up to is divided out of the
 * result, which is shorter than the row.
 */
#include "ops/attention.h"
#include "ops/math_f32.h"
#include "runtime/dnn.h"
#include "runtime/parallel.h"
#include "runtime/portability.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

/* Scores of a block: a share of L2 that leaves room for k and v of the head. */
#define BLOCK_BYTES (512 * 1024)

/* f32 in the widest vector. */
#define LANES 16

struct attention_job {
    const struct fovea_attention *a;
    const struct fovea_attention_operands *operands;
    unsigned char *scratch;
    atomic_flag *failed;
    enum fovea_status status; /* written by the thread that sets `failed` */
    struct fovea_error *err;
};

static int64_t offset_of(const struct fovea_attention_view *view, int64_t batch, int64_t head,
                         int64_t token) {
    return view->offset + batch * view->batch + head * view->head + token * view->token;
}

/* ---- rows of scores ----------------------------------------------------- */

/*
 * x = e^(scale (x - max x)); the sum of that. scale > 0. The row is filled up
 * with -inf to a multiple of LANES beforehand, so that no loop has a rest.
 */
FOVEA_KERNEL static float exp_row(float *x, int64_t n, float scale) {
    float most = -INFINITY, sum = 0;
    n = (n + LANES - 1) / LANES * LANES;
#pragma omp simd reduction(max : most)
    for (int64_t i = 0; i < n; i++) {
        most = x[i] > most ? x[i] : most;
    }
    for (int64_t i = 0; i < n; i++) {
        x[i] = f32_exp_negative((x[i] - most) * scale);
    }
    /* On its own: within the loop above, gcc would keep the sum in memory. */
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) {
        sum += x[i];
    }
    return sum;
}

FOVEA_KERNEL static void scale_row(float *x, int64_t n, float factor) {
    for (int64_t i = 0; i < n; i++) {
        x[i] *= factor;
    }
}

static void cap_row(float *x, int64_t n, float cap) {
    for (int64_t i = 0; i < n; i++) {
        x[i] = cap * tanhf(x[i] / cap);
    }
}

FOVEA_KERNEL static void add_row(float *x, int64_t n, const float *mask, int64_t stride) {
    if (stride == 1) {
        for (int64_t i = 0; i < n; i++) {
            x[i] += mask[i];
        }
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        x[i] += mask[i * stride];
    }
}

static void mask_row(const struct fovea_attention *a, const void *mask, int64_t at, float *x) {
    if (!a->mask_is_bool) {
        add_row(x, a->kv_len, (const float *)mask + at, a->mask.channel);
        return;
    }
    const unsigned char *keep = (const unsigned char *)mask + at;
    for (int64_t i = 0; i < a->kv_len; i++) {
        x[i] = keep[i * a->mask.channel] ? x[i] : -INFINITY;
    }
}

/* From the product to what softmax takes, for query `row` of a head; keeps a copy if asked to. */
static void finish_scores(const struct attention_job *job, int64_t batch, int64_t head, int64_t row,
                          float *x) {
    const struct fovea_attention *a = job->a;
    int64_t n = a->kv_len;
    int64_t at = offset_of(&a->mask, batch, head, row);
    float *copy = job->operands->scores;
    if (copy) {
        copy += ((batch * a->heads + head) * a->q_len + row) * n;
    }
    scale_row(x, n, a->scale);
    if (copy && a->stage <= FOVEA_ATTENTION_MASKED) {
        memcpy(copy, x, (size_t)n * sizeof(*x));
    }
    if (copy && a->masked && a->stage == FOVEA_ATTENTION_MASKED) {
        mask_row(a, job->operands->mask, at, copy);
    }
    if (a->softcap > 0) {
        cap_row(x, n, a->softcap);
    }
    if (a->masked) {
        mask_row(a, job->operands->mask, at, x);
    }
    int64_t seen = a->causal ? a->past + row + 1 : n;
    for (int64_t i = seen; i < n; i++) {
        x[i] = -INFINITY;
        if (copy && a->stage == FOVEA_ATTENTION_MASKED) {
            copy[i] = -INFINITY;
        }
    }
    if (copy && a->stage == FOVEA_ATTENTION_CAPPED) {
        memcpy(copy, x, (size_t)n * sizeof(*x));
    }
}

static void keep_weights(const struct attention_job *job, int64_t batch, int64_t head, int64_t row,
                         const float *x, float factor) {
    const struct fovea_attention *a = job->a;
    if (!job->operands->scores || a->stage != FOVEA_ATTENTION_WEIGHTS) {
        return;
    }
    float *copy = job->operands->scores + ((batch * a->heads + head) * a->q_len + row) * a->kv_len;
    for (int64_t i = 0; i < a->kv_len; i++) {
        copy[i] = x[i] * factor;
    }
}

/* ---- one block ---------------------------------------------------------- */

static bool is_plain(const struct attention_job *job) {
    const struct fovea_attention *a = job->a;
    return !a->masked && !a->causal && !(a->softcap > 0) && a->scale > 0 &&
           (!job->operands->scores || a->stage == FOVEA_ATTENTION_WEIGHTS);
}

/* Block `block` of a head of an image. `scratch` holds scores, sums, the primitives' own. */
static enum fovea_status run_block(const struct attention_job *job, int64_t batch, int64_t head,
                                   int64_t block, unsigned char *scratch, struct fovea_error *err) {
    const struct fovea_attention *a = job->a;
    bool last = block == a->blocks - 1, plain = is_plain(job);
    int64_t rows = last ? a->last_rows : a->rows, first = block * a->rows;
    int64_t kv_head = head / (a->heads / a->kv_heads);
    float *scores = (float *)(scratch + a->prim_scratch),
          *sums = scores + a->rows * a->score_stride;
    float *y = job->operands->y + offset_of(&a->y, batch, head, first);
    struct fovea_prim_args args = {
        .src = job->operands->q + offset_of(&a->q, batch, head, first),
        .weights = job->operands->k + offset_of(&a->k, batch, kv_head, 0),
        .dst = scores,
        .scratch = scratch,
    };
    enum fovea_status st = fovea_prim_run(a->qk[last], &args, err);
    if (st) {
        return st;
    }
    for (int64_t i = 0; i < rows; i++) {
        float *x = scores + i * a->score_stride;
        if (!plain) {
            finish_scores(job, batch, head, first + i, x);
        }
        for (int64_t j = a->kv_len; j < a->score_stride; j++) {
            x[j] = -INFINITY;
        }
        sums[i] = exp_row(x, a->kv_len, plain ? a->scale : 1);
        keep_weights(job, batch, head, first + i, x, 1 / sums[i]);
    }
    args.src = scores;
    args.weights = job->operands->v + offset_of(&a->v, batch, kv_head, 0);
    args.dst = y;
    st = fovea_prim_run(a->pv[last], &args, err);
    for (int64_t i = 0; !st && i < rows; i++) {
        scale_row(y + i * a->y.token, a->v_head_dim, 1 / sums[i]);
    }
    return st;
}

/* Items are blocks of heads of images. */
static void run_blocks(void *context, int64_t begin, int64_t end, int thread) {
    struct attention_job *job = context;
    const struct fovea_attention *a = job->a;
    unsigned char *scratch = job->scratch + (size_t)thread * a->thread_scratch;
    for (int64_t i = begin; i < end; i++) {
        struct fovea_error error;
        int64_t head = i / a->blocks;
        enum fovea_status st =
            run_block(job, head / a->heads, head % a->heads, i % a->blocks, scratch, &error);
        if (st) {
            if (!atomic_flag_test_and_set(job->failed)) {
                job->status = st;
                if (job->err) {
                    *job->err = error;
                }
            }
            return;
        }
    }
}

/* ---- the whole ---------------------------------------------------------- */

static bool is_empty(const struct fovea_attention *a) {
    return a->batch == 0 || a->q_len == 0 || a->kv_len == 0;
}

enum fovea_status fovea_attention_run(const struct fovea_attention *a,
                                      const struct fovea_attention_operands *operands,
                                      void *scratch, struct fovea_error *err) {
    if (is_empty(a)) {
        /* No keys: a sum over nothing. (No queries: nothing to write.) */
        memset(operands->y, 0,
               (size_t)(a->batch * a->heads * a->q_len * a->v_head_dim) * sizeof(float));
        return FOVEA_OK;
    }
    atomic_flag failed = ATOMIC_FLAG_INIT;
    struct attention_job job = {
        .a = a,
        .operands = operands,
        .scratch = scratch,
        .failed = &failed,
        .err = err,
    };
    fovea_parallel_for(a->batch * a->heads * a->blocks, 1, run_blocks, &job);
    return job.status;
}

static struct fovea_dnn_view matrix(int64_t rows, int64_t columns, int64_t row_stride,
                                    int64_t column_stride) {
    return (struct fovea_dnn_view){
        .dtype = FOVEA_F32,
        .rank = 2,
        .dims = {rows, columns},
        .strides = {row_stride, column_stride},
    };
}

static enum fovea_status make_prims(struct fovea_attention *a, struct fovea_dnn *dnn, int which,
                                    int64_t rows, struct fovea_error *err) {
    struct fovea_dnn_matmul qk = {
        .src = matrix(rows, a->head_dim, a->q.token, a->q.channel),
        .weights = matrix(a->head_dim, a->kv_len, a->k.channel, a->k.token),
        .dst = matrix(rows, a->kv_len, a->score_stride, 1),
        .scale = 1,
    };
    struct fovea_dnn_matmul pv = {
        .src = matrix(rows, a->kv_len, a->score_stride, 1),
        .weights = matrix(a->kv_len, a->v_head_dim, a->v.token, a->v.channel),
        .dst = matrix(rows, a->v_head_dim, a->y.token, 1),
        .scale = 1,
    };
    enum fovea_status st = fovea_dnn_matmul(dnn, &qk, &a->qk[which], err);
    if (!st) {
        st = fovea_dnn_matmul(dnn, &pv, &a->pv[which], err);
    }
    return st;
}

static size_t round_up(size_t bytes) {
    return (bytes + FOVEA_ALIGNMENT - 1) / FOVEA_ALIGNMENT * FOVEA_ALIGNMENT;
}

static void plan_blocks(struct fovea_attention *a) {
    a->score_stride = (a->kv_len + LANES - 1) / LANES * LANES;
    int64_t most = BLOCK_BYTES / (a->score_stride * (int64_t)sizeof(float));
    most = most < 1 ? 1 : most;
    int64_t blocks = (a->q_len + most - 1) / most;
    a->rows = (a->q_len + blocks - 1) / blocks; /* blocks of one size, nearly */
    a->blocks = (a->q_len + a->rows - 1) / a->rows;
    a->last_rows = a->q_len - (a->blocks - 1) * a->rows;
}

enum fovea_status fovea_attention_prepare(struct fovea_attention *a, struct fovea_engine *engine,
                                          size_t *scratch_bytes, struct fovea_error *err) {
    *scratch_bytes = 0;
    if (is_empty(a)) {
        return FOVEA_OK;
    }
    plan_blocks(a);
    /* Each primitive runs within one of our threads, and must be made for that. */
    int former = fovea_parallel_set_threads(1);
    enum fovea_status st = make_prims(a, engine->dnn, 0, a->rows, err);
    if (!st) {
        st = make_prims(a, engine->dnn, 1, a->last_rows, err);
    }
    fovea_parallel_set_threads(former);
    if (st) {
        return st;
    }
    a->prim_scratch = 0;
    for (int i = 0; i < 4; i++) {
        size_t need = fovea_prim_scratch_bytes(i < 2 ? a->qk[i] : a->pv[i - 2]);
        a->prim_scratch = need > a->prim_scratch ? need : a->prim_scratch;
    }
    a->prim_scratch = round_up(a->prim_scratch);
    a->thread_scratch =
        a->prim_scratch + round_up((size_t)a->rows * (size_t)(a->score_stride + 1) * sizeof(float));
    a->threads = engine->threads > 0 ? engine->threads : 1;
    *scratch_bytes = a->thread_scratch * (size_t)a->threads;
    return FOVEA_OK;
}

void fovea_attention_release(struct fovea_attention *a) {
    for (int i = 0; i < 2; i++) {
        fovea_prim_destroy(a->qk[i]);
        fovea_prim_destroy(a->pv[i]);
        a->qk[i] = a->pv[i] = NULL;
    }
}

int64_t fovea_attention_macs(const struct fovea_attention *a) {
    int64_t rows = fovea_count_product(a->batch * a->heads, a->q_len);
    int64_t scores = fovea_count_product(rows, a->kv_len);
    return fovea_count_product(scores, a->head_dim + a->v_head_dim);
}
