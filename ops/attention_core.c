/*
 * The computation of attention: see attention.h.
 *
 * For each image, head and block of query rows: scores = q k^T, softmax,
 * times v. A block has as many rows as keep its scores in a core's L2, so they
 * never see memory. What the row of weights adds up to is divided out of the
 * result, which is shorter than the row.
 *
 * Keys and values commonly lie in one packed projection, a token every few
 * kilobytes. A thread copies those of a head together once (keys transposed),
 * so that the products of all blocks read them from its cache, as rows.
 */
#include "ops/attention.h"
#include "ops/attention_rows.h"
#include "ops/attention_scores.h"
#include "runtime/dnn.h"
#include "runtime/parallel.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

enum {
    /* Scores of a block: a share of L2 that leaves room for k and v of the head. */
    BLOCK_BYTES = 384 * 1024,
    /* With fewer queries than this, copying keys takes longer than it saves. */
    PACK_FROM = 32,
    LANES = FOVEA_ATTENTION_LANES,
};

struct attention_job {
    const struct fovea_attention *a;
    const struct fovea_attention_operands *operands;
    unsigned char *scratch;
    atomic_flag *failed;
    enum fovea_status status; /* written by the thread that sets `failed` */
    struct fovea_error *err;
};

/* ---- one block ---------------------------------------------------------- */

/* What one thread works with: parts of its scratch memory, and what they hold now. */
struct worker {
    unsigned char *prim_scratch;
    float *scores, *sums;      /* [rows, score_stride], [rows] */
    uint16_t *weights;         /* [rows, score_stride], of scores, in bf16 */
    void *packed_k, *packed_v; /* [head_dim, score_stride], [kv_len, v_head_dim] */
    const void *k, *v;         /* of the head at hand, packed or not */
    int64_t head;              /* number of that head among all, -1: none yet */
};

static size_t round_up(size_t bytes) {
    return (bytes + FOVEA_ALIGNMENT - 1) / FOVEA_ALIGNMENT * FOVEA_ALIGNMENT;
}

/* Of q, k and v in memory. */
static size_t element_size(const struct fovea_attention *a) {
    return a->bf16 ? sizeof(uint16_t) : sizeof(float);
}

/* Bytes of the parts. In bf16 the block's result is computed where its scores were. */
static size_t score_bytes(const struct fovea_attention *a) {
    int64_t width = a->bf16 && a->v_head_dim > a->score_stride ? a->v_head_dim : a->score_stride;
    return round_up((size_t)(a->rows * width) * sizeof(float));
}

static size_t weight_bytes(const struct fovea_attention *a) {
    return a->bf16 ? round_up((size_t)(a->rows * a->score_stride) * sizeof(uint16_t)) : 0;
}

static size_t packed_k_bytes(const struct fovea_attention *a) {
    return a->pack_k ? round_up((size_t)(a->head_dim * a->score_stride) * element_size(a)) : 0;
}

static size_t packed_v_bytes(const struct fovea_attention *a) {
    return a->pack_v ? round_up((size_t)(a->kv_len * a->v_head_dim) * element_size(a)) : 0;
}

static size_t worker_bytes(const struct fovea_attention *a) {
    return a->prim_scratch + score_bytes(a) + weight_bytes(a) + packed_k_bytes(a) +
           packed_v_bytes(a) + round_up((size_t)a->rows * sizeof(float));
}

static void start_worker(const struct fovea_attention *a, unsigned char *scratch,
                         struct worker *worker) {
    worker->prim_scratch = scratch;
    scratch += a->prim_scratch;
    worker->scores = (float *)(void *)scratch;
    scratch += score_bytes(a);
    worker->weights = (uint16_t *)(void *)scratch;
    scratch += weight_bytes(a);
    worker->packed_k = scratch;
    scratch += packed_k_bytes(a);
    worker->packed_v = scratch;
    scratch += packed_v_bytes(a);
    worker->sums = (float *)(void *)scratch;
    worker->k = worker->v = NULL;
    worker->head = -1;
}

static const void *element_of(const struct fovea_attention *a, const void *data,
                              const struct fovea_attention_view *view, int64_t batch, int64_t head,
                              int64_t token) {
    return (const char *)data +
           (size_t)fovea_attention_offset(view, batch, head, token) * element_size(a);
}

/* Bring keys and values of a head into the form the products read. */
static void take_head(const struct attention_job *job, int64_t batch, int64_t kv_head,
                      struct worker *worker) {
    const struct fovea_attention *a = job->a;
    int64_t number = batch * a->kv_heads + kv_head;
    if (worker->head == number) {
        return;
    }
    worker->head = number;
    worker->k = element_of(a, job->operands->k, &a->k, batch, kv_head, 0);
    worker->v = element_of(a, job->operands->v, &a->v, batch, kv_head, 0);
    if (a->pack_k && a->bf16) {
        fovea_attention_transpose_bf16(worker->k, a->k.token, a->kv_len, a->head_dim,
                                       worker->packed_k, a->score_stride);
        worker->k = worker->packed_k;
    } else if (a->pack_k) {
        fovea_attention_transpose(worker->k, a->k.token, a->kv_len, a->head_dim, worker->packed_k,
                                  a->score_stride);
        worker->k = worker->packed_k;
    }
    if (a->pack_v) {
        fovea_attention_gather(worker->v, a->v.token, a->kv_len, a->v_head_dim, element_size(a),
                               worker->packed_v);
        worker->v = worker->packed_v;
    }
}

/* Scores of the block to weights whose sums are in worker->sums. */
static void run_softmax(const struct attention_job *job, int64_t batch, int64_t head, int64_t first,
                        int64_t rows, struct worker *worker) {
    const struct fovea_attention *a = job->a;
    bool plain = fovea_attention_is_plain(a, job->operands);
    for (int64_t i = 0; i < rows; i++) {
        float *x = worker->scores + i * a->score_stride;
        if (!plain) {
            fovea_attention_finish_scores(a, job->operands, batch, head, first + i, x);
        }
        for (int64_t j = a->kv_len; j < a->score_stride; j++) {
            x[j] = -INFINITY;
        }
        if (a->bf16) {
            worker->sums[i] = fovea_attention_exp_row_bf16(x, a->kv_len, plain ? a->scale : 1,
                                                           worker->weights + i * a->score_stride);
            continue;
        }
        worker->sums[i] = fovea_attention_exp_row(x, a->kv_len, plain ? a->scale : 1);
        fovea_attention_keep_weights(a, job->operands, batch, head, first + i, x,
                                     1 / worker->sums[i]);
    }
}

/* The block's result, rows `stride` apart, to y, over the sums. */
static void store_rows(const struct attention_job *job, int64_t batch, int64_t head, int64_t first,
                       int64_t rows, float *from, int64_t stride, const float *sums) {
    const struct fovea_attention *a = job->a;
    int64_t at = fovea_attention_offset(&a->y, batch, head, first);
    for (int64_t i = 0; i < rows; i++, at += a->y.token) {
        float *row = from + i * stride;
        if (a->y_bf16) {
            fovea_attention_store_row(row, a->v_head_dim, 1 / sums[i],
                                      (uint16_t *)job->operands->y + at);
            continue;
        }
        fovea_attention_scale_row(row, a->v_head_dim, 1 / sums[i]);
        if (row != (float *)job->operands->y + at) {
            memcpy((float *)job->operands->y + at, row, (size_t)a->v_head_dim * sizeof(*row));
        }
    }
}

/* Block `block` of a head of an image. */
static enum fovea_status run_block(const struct attention_job *job, int64_t batch, int64_t head,
                                   int64_t block, struct worker *worker, struct fovea_error *err) {
    const struct fovea_attention *a = job->a;
    bool last = block == a->blocks - 1;
    int64_t rows = last ? a->last_rows : a->rows, first = block * a->rows;
    take_head(job, batch, head / (a->heads / a->kv_heads), worker);
    struct fovea_prim_args args = {
        .src = element_of(a, job->operands->q, &a->q, batch, head, first),
        .weights = worker->k,
        .dst = worker->scores,
        .scratch = worker->prim_scratch,
    };
    enum fovea_status st = fovea_prim_run(a->qk[last], &args, err);
    if (st) {
        return st;
    }
    run_softmax(job, batch, head, first, rows, worker);
    float *y = worker->scores;
    args.src = worker->weights;
    if (!a->bf16) {
        y = (float *)job->operands->y + fovea_attention_offset(&a->y, batch, head, first);
        args.src = worker->scores;
    }
    args.weights = worker->v;
    args.dst = y;
    st = fovea_prim_run(a->pv[last], &args, err);
    if (!st) {
        store_rows(job, batch, head, first, rows, y, a->bf16 ? a->v_head_dim : a->y.token,
                   worker->sums);
    }
    return st;
}

/* Items are blocks of heads of images. */
static void run_blocks(void *context, int64_t begin, int64_t end, int thread) {
    struct attention_job *job = context;
    const struct fovea_attention *a = job->a;
    struct worker worker;
    start_worker(a, job->scratch + (size_t)thread * a->thread_scratch, &worker);
    for (int64_t i = begin; i < end; i++) {
        struct fovea_error error;
        int64_t head = i / a->blocks;
        enum fovea_status st =
            run_block(job, head / a->heads, head % a->heads, i % a->blocks, &worker, &error);
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
               (size_t)(a->batch * a->heads * a->q_len * a->v_head_dim) *
                   (a->y_bf16 ? sizeof(uint16_t) : sizeof(float)));
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

static struct fovea_dnn_view matrix(bool bf16, int64_t rows, int64_t columns, int64_t row_stride,
                                    int64_t column_stride) {
    return (struct fovea_dnn_view){
        .dtype = bf16 ? FOVEA_BF16 : FOVEA_F32,
        .rank = 2,
        .dims = {rows, columns},
        .strides = {row_stride, column_stride},
    };
}

static enum fovea_status make_prims(struct fovea_attention *a, struct fovea_dnn *dnn, int which,
                                    int64_t rows, struct fovea_error *err) {
    int64_t k_channel = a->pack_k ? a->score_stride : a->k.channel;
    int64_t k_token = a->pack_k ? 1 : a->k.token;
    int64_t v_token = a->pack_v ? a->v_head_dim : a->v.token;
    struct fovea_dnn_matmul qk = {
        .src = matrix(a->bf16, rows, a->head_dim, a->q.token, a->q.channel),
        .weights = matrix(a->bf16, a->head_dim, a->kv_len, k_channel, k_token),
        .dst = matrix(false, rows, a->kv_len, a->score_stride, 1),
        .scale = 1,
    };
    struct fovea_dnn_matmul pv = {
        .src = matrix(a->bf16, rows, a->kv_len, a->score_stride, 1),
        .weights = matrix(a->bf16, a->kv_len, a->v_head_dim, v_token, a->v.channel),
        .dst = matrix(false, rows, a->v_head_dim, a->bf16 ? a->v_head_dim : a->y.token, 1),
        .scale = 1,
    };
    enum fovea_status st = fovea_dnn_matmul(dnn, &qk, &a->qk[which], err);
    if (!st) {
        st = fovea_dnn_matmul(dnn, &pv, &a->pv[which], err);
    }
    return st;
}

/* Copies are for many queries, and for what is not yet as the copy would be. */
static void plan_packing(struct fovea_attention *a) {
    bool many = a->q_len >= PACK_FROM;
    a->pack_k = many && a->k.channel == 1 && a->k.token > 1;
    a->pack_v = many && a->v.channel == 1 && a->v.token > a->v_head_dim;
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
    plan_packing(a);
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
    a->thread_scratch = worker_bytes(a);
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
