/* Winograd convolutions: see winograd.h. */
#include "ops/winograd.h"

#include "ops/row_posts.h"
#include "ops/winograd_kernels.h"
#include "ops/winograd_plan.h"
#include "runtime/hash.h"
#include "runtime/parallel.h"
#include "runtime/portability.h"

#include <stdlib.h>
#include <string.h>

enum {
    LANES = FOVEA_WINOGRAD_LANES,
    DEPTH = FOVEA_WINOGRAD_DEPTH,
    PANELS = FOVEA_WINOGRAD_PANELS,
    TILE = FOVEA_WINOGRAD_TILE,
    PATCH = FOVEA_WINOGRAD_PATCH,
    LINE = FOVEA_ALIGNMENT / sizeof(float),
};

struct fovea_winograd {
    struct fovea_winograd_plan plan;
    size_t thread_bytes, scratch_bytes;
    bool bias;
    struct fovea_dnn_post posts[FOVEA_DNN_MAX_POSTS];
    int n_posts;
};

/* ---- making ----------------------------------------------------------------- */

enum fovea_status fovea_winograd_create(const struct fovea_engine *engine,
                                        const struct fovea_dnn_conv *desc,
                                        struct fovea_winograd **out, struct fovea_error *err) {
    struct fovea_winograd *w = calloc(1, sizeof(*w));
    if (!w) {
        return fovea_fail_memory(err, sizeof(*w), "a convolution");
    }
    fovea_winograd_plan(desc, engine->threads, &w->plan);
    memcpy(w->posts, desc->posts, sizeof(w->posts));
    w->n_posts = desc->n_posts;
    w->bias = desc->bias;
    w->thread_bytes = fovea_winograd_plan_bytes(&w->plan);
    w->scratch_bytes = w->thread_bytes * (size_t)(engine->threads > 0 ? engine->threads : 1);
    *out = w;
    return FOVEA_OK;
}

void fovea_winograd_destroy(struct fovea_winograd *winograd) {
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
};

/* A thread's scratch memory. */
struct bench {
    float *inputs, *weights, *products, *tile, *patch;
};

/* A tile: its image and its first output. */
struct place {
    int64_t image, y, x;
};

static void divide_scratch(const struct job *job, int thread, struct bench *out) {
    const struct fovea_winograd_plan *p = &job->w->plan;
    unsigned char *at = (unsigned char *)job->args->scratch + (size_t)thread * job->w->thread_bytes;
    out->inputs = (float *)(void *)at;
    at += p->inputs_bytes;
    out->weights = (float *)(void *)at;
    at += p->weights_bytes;
    out->products = (float *)(void *)at;
    at += p->products_bytes;
    out->tile = (float *)(void *)at;
    at += p->tile_bytes;
    out->patch = (float *)(void *)at;
}

static struct place place_of(const struct fovea_winograd_plan *p, int64_t tile) {
    int64_t row = tile / p->tiles_across;
    return (struct place){
        .image = row / p->tiles_down,
        .y = row % p->tiles_down * TILE,
        .x = tile % p->tiles_across * TILE,
    };
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

/* Of all channels of a group's patch, DEPTH at a time; `to`: where the tile's first are. */
static void transform_patch(const struct fovea_winograd_plan *p, const float *x, int64_t pixel,
                            int64_t row, float *to) {
    for (int64_t c = 0; c < p->channels; c += DEPTH, to += p->block * DEPTH) {
        int64_t channels = p->channels - c < DEPTH ? p->channels - c : DEPTH;
        fovea_winograd_input(x + c, pixel, row, channels, to, p->input_step);
    }
}

static void transform_inputs(const struct job *job, int64_t group, int64_t first, int64_t tiles,
                             struct bench *bench) {
    const struct fovea_winograd_plan *p = &job->w->plan;
    int64_t pixel = p->groups * p->channels, row = p->width * pixel;
    for (int64_t t = 0; t < tiles; t++) {
        struct place at = place_of(p, first + t);
        const float *image =
            (const float *)job->args->src + at.image * p->height * row + group * p->channels;
        float *to = bench->inputs + t * DEPTH;
        int64_t y = at.y - p->top, x = at.x - p->left;
        if (y >= 0 && x >= 0 && y + PATCH <= p->height && x + PATCH <= p->width) {
            transform_patch(p, image + y * row + x * pixel, pixel, row, to);
            continue;
        }
        copy_patch(p, image, y, x, bench->patch);
        transform_patch(p, bench->patch, p->channels, PATCH * p->channels, to);
    }
}

/* The products of `tiles` tiles with a panel, counted through the groups. */
static void multiply(const struct job *job, int64_t panel, int64_t tiles, float *products,
                     struct bench *bench) {
    const struct fovea_winograd_plan *p = &job->w->plan;
    const float *from = (const float *)job->args->weights + panel * panel_size(p);
    const float *inputs = bench->inputs;
    for (int64_t c = 0; c < p->channels; c += DEPTH, inputs += p->block * DEPTH) {
        int64_t depth = p->channels - c < DEPTH ? p->channels - c : DEPTH;
        for (int row = 0; row < PATCH; row++) {
            fovea_winograd_weights(from + c * 9 * LANES, depth, row, bench->weights,
                                   FOVEA_WINOGRAD_WEIGHT_STEP);
            for (int64_t j = 0; j < PATCH; j++) {
                int64_t element = (int64_t)PATCH * row + j;
                fovea_winograd_product(inputs + element * p->input_step,
                                       bench->weights + j * FOVEA_WINOGRAD_WEIGHT_STEP, depth,
                                       tiles, c == 0, products + element * p->product_step);
            }
        }
    }
}

/* The part of a tile that is inside the image, from channel `channel` of output 0 on. */
static void finish_tile(const struct job *job, const struct place *at, int64_t channel,
                        int64_t count, float *tile) {
    const struct fovea_winograd *w = job->w;
    const struct fovea_winograd_plan *p = &w->plan;
    int64_t pixel = p->groups * p->outputs;
    float *image = (float *)job->args->dst + at->image * p->out_height * p->out_width * pixel;
    struct fovea_row row = {.index = {at->image, channel}, .count = count};
    for (int64_t i = 0; i < TILE && at->y + i < p->out_height; i++) {
        for (int64_t j = 0; j < TILE && at->x + j < p->out_width; j++) {
            row.index[2] = at->y + i;
            row.index[3] = at->x + j;
            row.values = tile + (TILE * i + j) * count;
            fovea_row_posts(w->posts, w->n_posts, job->args->posts, &row);
            memcpy(image + (row.index[2] * p->out_width + row.index[3]) * pixel + channel,
                   row.values, (size_t)count * sizeof(float));
        }
    }
}

/* Lines of a tile's outputs on their way into the cache while it is computed. */
static void fetch_outputs(const struct job *job, const struct place *at, int64_t channel,
                          int64_t count) {
    const struct fovea_winograd_plan *p = &job->w->plan;
    int64_t pixel = p->groups * p->outputs;
    float *image = (float *)job->args->dst + at->image * p->out_height * p->out_width * pixel;
    for (int64_t i = at->y; i < at->y + TILE && i < p->out_height; i++) {
        for (int64_t j = at->x; j < at->x + TILE && j < p->out_width; j++) {
            float *to = image + (i * p->out_width + j) * pixel + channel;
            for (int64_t k = 0; k < count; k += LINE) {
                FOVEA_PREFETCH_WRITE(to + k);
            }
        }
    }
}

/* Outputs of `panels` panels from `panel` on, whose products are there. */
static void transform_outputs(const struct job *job, int64_t panel, int64_t panels, int64_t first,
                              int64_t tiles, struct bench *bench) {
    static const float zeros[LANES];
    const struct fovea_winograd_plan *p = &job->w->plan;
    const float *bias = job->args->bias;
    int64_t channel = panel * LANES, count = panels * LANES;
    for (int64_t t = 0; t < tiles; t++) {
        struct place at = place_of(p, first + t);
        fetch_outputs(job, &at, channel, count);
        for (int64_t i = 0; i < panels; i++) {
            fovea_winograd_output(bench->products + i * p->panel_step + t * LANES, p->product_step,
                                  job->w->bias ? bias + channel + i * LANES : zeros,
                                  bench->tile + i * LANES, count);
        }
        finish_tile(job, &at, channel, count, bench->tile);
    }
}

/* Block `block` of tiles for part `part` of the panels of group `group`. */
static void run_unit(const struct job *job, int64_t group, int64_t part, int64_t block,
                     struct bench *bench) {
    const struct fovea_winograd_plan *p = &job->w->plan;
    int64_t first = block * p->block;
    int64_t tiles = p->tiles - first < p->block ? p->tiles - first : p->block;
    int64_t begin = group * p->panels + p->panels * part / p->parts;
    int64_t end = group * p->panels + p->panels * (part + 1) / p->parts;
    transform_inputs(job, group, first, tiles, bench);
    for (int64_t panel = begin; panel < end; panel += PANELS) {
        int64_t panels = end - panel < PANELS ? end - panel : PANELS;
        for (int64_t i = 0; i < panels; i++) {
            multiply(job, panel + i, tiles, bench->products + i * p->panel_step, bench);
        }
        transform_outputs(job, panel, panels, first, tiles, bench);
    }
}

/* Units are the blocks of a part of a group, part by part. */
static void run_units(void *context, int64_t begin, int64_t end, int thread) {
    const struct job *job = context;
    const struct fovea_winograd_plan *p = &job->w->plan;
    struct bench bench;
    divide_scratch(job, thread, &bench);
    for (int64_t i = begin; i < end; i++) {
        run_unit(job, i / p->blocks / p->parts, i / p->blocks % p->parts, i % p->blocks, &bench);
    }
}

void fovea_winograd_run(const struct fovea_winograd *winograd, const struct fovea_prim_args *args) {
    const struct fovea_winograd_plan *p = &winograd->plan;
    struct job job = {.w = winograd, .args = args};
    fovea_parallel_for(p->groups * p->parts * p->blocks, 1, run_units, &job);
}
