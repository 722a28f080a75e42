/* Winograd convolutions: see winograd.h. */
#include "ops/winograd.h"

#include "ops/row_posts.h"
#include "ops/winograd_kernels.h"
#include "ops/winograd_plan.h"
#include "runtime/hash.h"
#include "runtime/parallel.h"
#include "runtime/portability.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    LANES = FOVEA_WINOGRAD_LANES,
    TILE = FOVEA_WINOGRAD_TILE,
    PATCH = FOVEA_WINOGRAD_PATCH,
    ELEMENTS = FOVEA_WINOGRAD_ELEMENTS,
    LINE = FOVEA_ALIGNMENT / sizeof(float),
};

struct fovea_winograd {
    struct fovea_winograd_plan plan;
    struct fovea_prim *products[2]; /* of a block, and of the last one */
    size_t prim_bytes, thread_bytes, scratch_bytes;
    float *no_bias; /* zeros, one a channel of a slice, if the convolution has no bias */
    struct fovea_dnn_post posts[FOVEA_DNN_MAX_POSTS];
    int n_posts;
};

/* ---- making ----------------------------------------------------------------- */

/* 36 dense matrices. */
static struct fovea_dnn_view matrices(int64_t rows, int64_t columns) {
    return (struct fovea_dnn_view){
        .dtype = FOVEA_F32,
        .rank = 3,
        .dims = {ELEMENTS, rows, columns},
        .strides = {rows * columns, columns, 1},
    };
}

static enum fovea_status make_products(struct fovea_winograd *w, struct fovea_dnn *dnn,
                                       struct fovea_error *err) {
    const struct fovea_winograd_plan *p = &w->plan;
    enum fovea_status st = FOVEA_OK;
    for (int i = 0; !st && i < 2; i++) {
        int64_t tiles = i == 0 ? p->block : p->last_block;
        struct fovea_dnn_matmul desc = {
            .src = matrices(tiles, p->channels),
            .weights = matrices(p->channels, p->slice),
            .dst = matrices(tiles, p->slice),
            .scale = 1,
        };
        st = fovea_dnn_matmul(dnn, &desc, &w->products[i], err);
    }
    return st;
}

static void size_scratch(struct fovea_winograd *w, int threads) {
    w->prim_bytes = 0;
    for (int i = 0; i < 2; i++) {
        size_t need = fovea_prim_scratch_bytes(w->products[i]);
        w->prim_bytes = need > w->prim_bytes ? need : w->prim_bytes;
    }
    w->prim_bytes = (w->prim_bytes + FOVEA_ALIGNMENT - 1) / FOVEA_ALIGNMENT * FOVEA_ALIGNMENT;
    w->thread_bytes = fovea_winograd_plan_bytes(&w->plan) + w->prim_bytes;
    w->scratch_bytes = w->thread_bytes * (size_t)(threads > 0 ? threads : 1);
}

enum fovea_status fovea_winograd_create(struct fovea_engine *engine,
                                        const struct fovea_dnn_conv *desc,
                                        struct fovea_winograd **out, struct fovea_error *err) {
    struct fovea_winograd *w = calloc(1, sizeof(*w));
    if (!w) {
        return fovea_fail_memory(err, sizeof(*w), "a convolution");
    }
    fovea_winograd_plan(desc, engine->threads, &w->plan);
    memcpy(w->posts, desc->posts, sizeof(w->posts));
    w->n_posts = desc->n_posts;
    /* The products run within our threads, and must be made for that. */
    int former = fovea_parallel_set_threads(1);
    enum fovea_status st = make_products(w, engine->dnn, err);
    fovea_parallel_set_threads(former);
    if (!st && !desc->bias) {
        w->no_bias = calloc((size_t)w->plan.slice, sizeof(float));
        st = w->no_bias ? FOVEA_OK
                        : fovea_fail_memory(err, (size_t)w->plan.slice * sizeof(float), "a bias");
    }
    if (st) {
        fovea_winograd_destroy(w);
        return st;
    }
    size_scratch(w, engine->threads);
    *out = w;
    return FOVEA_OK;
}

void fovea_winograd_destroy(struct fovea_winograd *winograd) {
    if (!winograd) {
        return;
    }
    fovea_prim_destroy(winograd->products[0]);
    fovea_prim_destroy(winograd->products[1]);
    free(winograd->no_bias);
    free(winograd);
}

/* ---- weights ---------------------------------------------------------------- */

/* Values of a panel of packed weights: [channels][3][3][16]. */
static int64_t panel_size(const struct fovea_winograd_plan *p) {
    return p->channels * 9 * LANES;
}

void fovea_winograd_describe(const struct fovea_winograd *winograd, int weights,
                             struct fovea_node *node) {
    const struct fovea_winograd_plan *p = &winograd->plan;
    int64_t panels = p->groups * p->outputs / LANES;
    struct fovea_hash hash;
    fovea_hash_init(&hash);
    fovea_hash_text(&hash, "winograd panels of 16");
    fovea_hash_number(&hash, (uint64_t)p->channels);
    fovea_hash_number(&hash, (uint64_t)panels);
    node->scratch_bytes = winograd->scratch_bytes;
    node->packed_bytes = (size_t)(panels * panel_size(p)) * sizeof(float);
    node->packed_form = fovea_hash_finish(&hash).low;
    node->packed_input = weights;
}

/* Groups follow each other in O, so panels of 16 outputs need not know of them. */
void fovea_winograd_pack(const struct fovea_winograd *winograd, const float *plain, float *out) {
    const struct fovea_winograd_plan *p = &winograd->plan;
    int64_t taps = p->channels * 9;
    for (int64_t panel = 0; panel < p->groups * p->outputs / LANES; panel++) {
        const float *from = plain + panel * LANES * taps;
        for (int64_t i = 0; i < taps; i++) {
            for (int k = 0; k < LANES; k++) {
                *out++ = from[k * taps + i];
            }
        }
    }
}

/* ---- running ---------------------------------------------------------------- */

struct job {
    const struct fovea_winograd *w;
    const struct fovea_prim_args *args;
    atomic_flag *failed;
    enum fovea_status status; /* written by the thread that sets `failed` */
    struct fovea_error *err;
};

/* A thread's scratch memory. */
struct bench {
    float *weights, *inputs, *products, *tile, *patch;
    void *prim;
    int64_t slice; /* whose weights are there, counted through the groups; -1: none */
};

/* A tile: its image and its first output. */
struct place {
    int64_t image, y, x;
};

static void divide_scratch(const struct job *job, int thread, struct bench *out) {
    const struct fovea_winograd_plan *p = &job->w->plan;
    unsigned char *at = (unsigned char *)job->args->scratch + (size_t)thread * job->w->thread_bytes;
    out->weights = (float *)at;
    at += p->weights_bytes;
    out->inputs = (float *)at;
    at += p->inputs_bytes;
    out->products = (float *)at;
    at += p->products_bytes;
    out->tile = (float *)at;
    at += p->tile_bytes;
    out->patch = (float *)at;
    at += p->patch_bytes;
    out->prim = at;
    out->slice = -1;
}

static struct place place_of(const struct fovea_winograd_plan *p, int64_t tile) {
    int64_t row = tile / p->tiles_across;
    return (struct place){
        .image = row / p->tiles_down,
        .y = row % p->tiles_down * TILE,
        .x = tile % p->tiles_across * TILE,
    };
}

static void transform_weights(const struct job *job, int64_t slice, struct bench *bench) {
    const struct fovea_winograd_plan *p = &job->w->plan;
    int64_t panels = p->slice / LANES;
    const float *from = (const float *)job->args->weights + slice * panels * panel_size(p);
    for (int64_t i = 0; i < panels; i++) {
        fovea_winograd_weights(from + i * panel_size(p), p->channels, bench->weights + i * LANES,
                               p->slice, p->channels * p->slice);
    }
    bench->slice = slice;
}

/* The patch whose first input is (y, x), zeros where it is outside the image. `x` at channel 0. */
static void copy_patch(const struct fovea_winograd_plan *p, const float *image, int64_t y,
                       int64_t x, float *out) {
    int64_t pixel = p->groups * p->channels;
    size_t bytes = (size_t)p->channels * sizeof(float);
    for (int64_t i = y; i < y + PATCH; i++) {
        for (int64_t j = x; j < x + PATCH; j++, out += p->channels) {
            if (i >= 0 && i < p->height && j >= 0 && j < p->width) {
                memcpy(out, image + (i * p->width + j) * pixel, bytes);
            } else {
                memset(out, 0, bytes);
            }
        }
    }
}

static void transform_inputs(const struct job *job, int64_t group, int64_t first, int64_t tiles,
                             struct bench *bench) {
    const struct fovea_winograd_plan *p = &job->w->plan;
    int64_t pixel = p->groups * p->channels, row = p->width * pixel;
    int64_t step = tiles * p->channels;
    for (int64_t t = 0; t < tiles; t++) {
        struct place at = place_of(p, first + t);
        const float *image =
            (const float *)job->args->src + at.image * p->height * row + group * p->channels;
        float *to = bench->inputs + t * p->channels;
        int64_t y = at.y - p->top, x = at.x - p->left;
        if (y >= 0 && x >= 0 && y + PATCH <= p->height && x + PATCH <= p->width) {
            fovea_winograd_input(image + y * row + x * pixel, pixel, row, p->channels, to, step);
            continue;
        }
        copy_patch(p, image, y, x, bench->patch);
        fovea_winograd_input(bench->patch, p->channels, PATCH * p->channels, p->channels, to, step);
    }
}

/* The part of a tile that is inside the image, from channel `channel` of output 0 on. */
static void finish_tile(const struct job *job, const struct place *at, int64_t channel,
                        float *tile) {
    const struct fovea_winograd *w = job->w;
    const struct fovea_winograd_plan *p = &w->plan;
    int64_t pixel = p->groups * p->outputs;
    float *image = (float *)job->args->dst + at->image * p->out_height * p->out_width * pixel;
    struct fovea_row row = {.index = {at->image, channel}, .count = p->slice};
    for (int64_t i = 0; i < TILE && at->y + i < p->out_height; i++) {
        for (int64_t j = 0; j < TILE && at->x + j < p->out_width; j++) {
            row.index[2] = at->y + i;
            row.index[3] = at->x + j;
            row.values = tile + (TILE * i + j) * p->slice;
            fovea_row_posts(w->posts, w->n_posts, job->args->posts, &row);
            memcpy(image + (row.index[2] * p->out_width + row.index[3]) * pixel + channel,
                   row.values, (size_t)p->slice * sizeof(float));
        }
    }
}

/* Lines of a tile's outputs on their way into the cache while it is computed. */
static void fetch_outputs(const struct job *job, const struct place *at, int64_t channel) {
    const struct fovea_winograd_plan *p = &job->w->plan;
    int64_t pixel = p->groups * p->outputs;
    float *image = (float *)job->args->dst + at->image * p->out_height * p->out_width * pixel;
    for (int64_t i = at->y; i < at->y + TILE && i < p->out_height; i++) {
        for (int64_t j = at->x; j < at->x + TILE && j < p->out_width; j++) {
            float *to = image + (i * p->out_width + j) * pixel + channel;
            for (int64_t k = 0; k < p->slice; k += LINE) {
                FOVEA_PREFETCH_WRITE(to + k);
            }
        }
    }
}

static void transform_outputs(const struct job *job, int64_t slice, int64_t first, int64_t tiles,
                              struct bench *bench) {
    const struct fovea_winograd_plan *p = &job->w->plan;
    int64_t channel = slice * p->slice, step = tiles * p->slice;
    const float *bias =
        job->w->no_bias ? job->w->no_bias : (const float *)job->args->bias + channel;
    for (int64_t t = 0; t < tiles; t++) {
        struct place at = place_of(p, first + t);
        fetch_outputs(job, &at, channel);
        fovea_winograd_output(bench->products + t * p->slice, step, p->slice, bias, bench->tile);
        finish_tile(job, &at, channel, bench->tile);
    }
}

/* Block `block` of tiles for the slices of part `part`, counted through the groups. */
static enum fovea_status run_unit(const struct job *job, int64_t part, int64_t block,
                                  struct bench *bench, struct fovea_error *err) {
    const struct fovea_winograd_plan *p = &job->w->plan;
    bool last = block == p->blocks - 1;
    int64_t first = block * p->block, tiles = last ? p->last_block : p->block;
    struct fovea_prim_args args = {
        .src = bench->inputs,
        .weights = bench->weights,
        .dst = bench->products,
        .scratch = bench->prim,
    };
    transform_inputs(job, part / p->parts, first, tiles, bench);
    for (int64_t slice = part * p->part; slice < (part + 1) * p->part; slice++) {
        if (slice != bench->slice) {
            transform_weights(job, slice, bench);
        }
        enum fovea_status st = fovea_prim_run(job->w->products[last], &args, err);
        if (st) {
            return st;
        }
        transform_outputs(job, slice, first, tiles, bench);
    }
    return FOVEA_OK;
}

static void fail(struct job *job, enum fovea_status status, const struct fovea_error *error) {
    if (atomic_flag_test_and_set(job->failed)) {
        return;
    }
    job->status = status;
    if (job->err) {
        *job->err = *error;
    }
}

/* Units are the blocks of a part, part by part. */
static void run_units(void *context, int64_t begin, int64_t end, int thread) {
    struct job *job = context;
    struct bench bench;
    int64_t blocks = job->w->plan.blocks;
    divide_scratch(job, thread, &bench);
    for (int64_t i = begin; i < end; i++) {
        struct fovea_error error;
        enum fovea_status st = run_unit(job, i / blocks, i % blocks, &bench, &error);
        if (st) {
            fail(job, st, &error);
            return;
        }
    }
}

enum fovea_status fovea_winograd_run(const struct fovea_winograd *winograd,
                                     const struct fovea_prim_args *args, struct fovea_error *err) {
    const struct fovea_winograd_plan *p = &winograd->plan;
    atomic_flag failed = ATOMIC_FLAG_INIT;
    struct job job = {.w = winograd, .args = args, .failed = &failed, .err = err};
    fovea_parallel_for(p->groups * p->parts * p->blocks, 1, run_units, &job);
    return job.status;
}
