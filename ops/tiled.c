/* Tiled convolutions: see tiled.h. */
#include "ops/tiled.h"

#include "ops/channels_last.h"
#include "ops/row_posts.h"
#include "ops/tiled_kernels.h"
#include "runtime/hash.h"
#include "runtime/parallel.h"
#include "runtime/portability.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS = FOVEA_TILED_ROWS,
    COLUMNS = FOVEA_TILED_COLUMNS,
    LINE = FOVEA_ALIGNMENT / sizeof(float),
    DEPTH = 128,              /* weights of a step of the sums: 32 KiB, less than the first cache */
    BLOCK_BYTES = 512 * 1024, /* inputs of a block of rows, to stay in the second */
    LEAST_BLOCK = 48,         /* rows of a block; as MOST_BLOCK a multiple of ROWS */
    MOST_BLOCK = 240,
    MOST_KERNEL = 7,
    LEAST_ROWS = 6, /* where it is the faster: pixels, and products of a sum */
    MOST_ROWS = 240,
    LEAST_DEPTH = 256,
};

struct fovea_tiled {
    int64_t groups, channels, outputs; /* the latter of a group */
    int64_t height, width, out_height, out_width;
    int64_t kernel[2], strides[2], dilations[2], pads[2];
    int64_t taps, panels; /* panels of a group */
    int64_t rows;         /* pixels of all outputs */
    int64_t block, blocks;
    size_t places_bytes, thread_bytes, scratch_bytes;
    float *zeros; /* a pixel outside the image, and a bias, where there is none */
    bool bias;
    bool plain_end; /* the posts are: add operand `added` if that is not -1, then max(y, least) */
    int added;
    float least;
    struct fovea_dnn_post posts[FOVEA_DNN_MAX_POSTS];
    int n_posts;
};

/* ---- whether it fits -------------------------------------------------------- */

bool fovea_tiled_fits(const struct fovea_dnn_conv *desc) {
    if (!fovea_cpu_has_v4() || !desc->packed_weights || !fovea_is_channels_last(&desc->src) ||
        !fovea_is_channels_last(&desc->dst)) {
        return false;
    }
    bool small = desc->kernel[0] <= MOST_KERNEL && desc->kernel[1] <= MOST_KERNEL;
    return small && fovea_row_posts_fit(desc->posts, desc->n_posts) &&
           desc->dst.dims[1] % (desc->groups * COLUMNS) == 0 && desc->weights_dtype == FOVEA_F32;
}

bool fovea_tiled_pays(const struct fovea_dnn_conv *desc) {
    int64_t rows = desc->dst.dims[0] * desc->dst.dims[2] * desc->dst.dims[3];
    int64_t depth = desc->src.dims[1] / desc->groups * desc->kernel[0] * desc->kernel[1];
    return rows >= LEAST_ROWS && rows <= MOST_ROWS && depth >= LEAST_DEPTH;
}

/* ---- making ------------------------------------------------------------------ */

static int64_t divide_up(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

static size_t round_up(size_t bytes) {
    return (bytes + FOVEA_ALIGNMENT - 1) / FOVEA_ALIGNMENT * FOVEA_ALIGNMENT;
}

static void take_shape(const struct fovea_dnn_conv *desc, struct fovea_tiled *t) {
    t->groups = desc->groups;
    t->channels = desc->src.dims[1] / desc->groups;
    t->outputs = desc->dst.dims[1] / desc->groups;
    t->height = desc->src.dims[2];
    t->width = desc->src.dims[3];
    t->out_height = desc->dst.dims[2];
    t->out_width = desc->dst.dims[3];
    for (int i = 0; i < 2; i++) {
        t->kernel[i] = desc->kernel[i];
        t->strides[i] = desc->strides[i];
        t->dilations[i] = desc->dilations[i];
        t->pads[i] = desc->pads_before[i];
    }
    t->taps = t->kernel[0] * t->kernel[1];
    t->panels = t->outputs / COLUMNS;
    t->rows = desc->dst.dims[0] * t->out_height * t->out_width;
    t->bias = desc->bias;
}

static bool is_like(const struct fovea_dnn_view *a, const struct fovea_dnn_view *b) {
    return memcmp(a->dims, b->dims, 4 * sizeof(*a->dims)) == 0 && fovea_is_channels_last(a);
}

/* Whether the kernels can do the posts themselves. */
static void take_posts(const struct fovea_dnn_conv *desc, struct fovea_tiled *t) {
    memcpy(t->posts, desc->posts, sizeof(t->posts));
    t->n_posts = desc->n_posts;
    t->added = -1;
    t->least = -INFINITY;
    int i = 0;
    if (i < desc->n_posts && desc->posts[i].kind == FOVEA_EPILOGUE_ADD &&
        is_like(&desc->posts[i].operand, &desc->dst)) {
        t->added = i++;
    }
    if (i < desc->n_posts && desc->posts[i].kind == FOVEA_EPILOGUE_ACT &&
        desc->posts[i].act == FOVEA_ACT_RELU && desc->posts[i].scale == 1) {
        t->least = 0;
        i++;
    }
    t->plain_end = i == desc->n_posts;
}

/* Blocks of rows of nearly one size, whose inputs stay in cache. */
static void cut(struct fovea_tiled *t, int threads) {
    int64_t row_bytes = t->channels * (int64_t)sizeof(float);
    int64_t most = BLOCK_BYTES / row_bytes;
    most = most < LEAST_BLOCK ? LEAST_BLOCK : most > MOST_BLOCK ? MOST_BLOCK : most;
    t->blocks = divide_up(t->rows, most);
    t->block = divide_up(divide_up(t->rows, t->blocks), ROWS) * ROWS;
    t->blocks = divide_up(t->rows, t->block);
    t->places_bytes = round_up((size_t)(t->taps * t->block) * sizeof(float *));
    t->thread_bytes = t->places_bytes + (size_t)(t->block * COLUMNS) * sizeof(float);
    t->scratch_bytes = t->thread_bytes * (size_t)(threads > 0 ? threads : 1);
}

enum fovea_status fovea_tiled_create(const struct fovea_engine *engine,
                                     const struct fovea_dnn_conv *desc, struct fovea_tiled **out,
                                     struct fovea_error *err) {
    struct fovea_tiled *t = calloc(1, sizeof(*t));
    if (!t) {
        return fovea_fail_memory(err, sizeof(*t), "a convolution");
    }
    take_shape(desc, t);
    take_posts(desc, t);
    cut(t, engine->threads);
    size_t zeros = (size_t)(t->channels > COLUMNS ? t->channels : COLUMNS);
    t->zeros = calloc(zeros, sizeof(float));
    if (!t->zeros) {
        fovea_tiled_destroy(t);
        return fovea_fail_memory(err, zeros * sizeof(float), "a convolution");
    }
    *out = t;
    return FOVEA_OK;
}

void fovea_tiled_destroy(struct fovea_tiled *tiled) {
    if (tiled) {
        free(tiled->zeros);
        free(tiled);
    }
}

/* ---- weights ----------------------------------------------------------------- */

void fovea_tiled_describe(const struct fovea_tiled *t, int weights, struct fovea_node *node) {
    int64_t panels = t->groups * t->panels;
    struct fovea_hash hash;
    fovea_hash_init(&hash);
    fovea_hash_text(&hash, "panels of 64");
    fovea_hash_number(&hash, (uint64_t)t->channels);
    fovea_hash_number(&hash, (uint64_t)t->taps);
    fovea_hash_number(&hash, (uint64_t)panels);
    node->scratch_bytes = t->scratch_bytes;
    node->packed_bytes = (size_t)(panels * t->taps * t->channels * COLUMNS) * sizeof(float);
    node->packed_form = fovea_hash_finish(&hash).low;
    node->packed_input = weights;
    node->overwritten_input = t->plain_end && t->added >= 0 ? node->epilogue[t->added].input : 0;
}

/* [O/64][taps][C][64]. Groups follow each other in O, so panels need not know of them. */
void fovea_tiled_pack(const struct fovea_tiled *t, const float *plain, float *out) {
    int64_t filter = t->channels * t->taps;
    for (int64_t panel = 0; panel < t->groups * t->panels; panel++) {
        const float *from = plain + panel * COLUMNS * filter;
        for (int64_t tap = 0; tap < t->taps; tap++) {
            for (int64_t c = 0; c < t->channels; c++, out += COLUMNS) {
                for (int64_t k = 0; k < COLUMNS; k++) {
                    out[k] = from[k * filter + c * t->taps + tap];
                }
            }
        }
    }
}

/* ---- running ----------------------------------------------------------------- */

struct job {
    const struct fovea_tiled *t;
    const struct fovea_prim_args *args;
};

/* A thread's scratch memory, for one block of one group. */
struct bench {
    const float **places; /* [taps][block]: the input pixels that a tap meets */
    float *sums;          /* [block][64] */
    int64_t group, block; /* that places are of; -1: none */
    int64_t first, rows;  /* outputs of the block */
};

/* Input pixels of output pixel `row`, one for each tap. */
static void place_row(const struct job *job, int64_t group, int64_t row, const float **places) {
    const struct fovea_tiled *t = job->t;
    int64_t x = row % t->out_width, rest = row / t->out_width, y = rest % t->out_height;
    int64_t pixel = t->groups * t->channels;
    const float *image = (const float *)job->args->src + group * t->channels +
                         rest / t->out_height * t->height * t->width * pixel;
    for (int64_t i = 0; i < t->kernel[0]; i++) {
        int64_t at_y = y * t->strides[0] + i * t->dilations[0] - t->pads[0];
        for (int64_t j = 0; j < t->kernel[1]; j++, places += t->block) {
            int64_t at_x = x * t->strides[1] + j * t->dilations[1] - t->pads[1];
            bool inside = at_y >= 0 && at_y < t->height && at_x >= 0 && at_x < t->width;
            *places = inside ? image + (at_y * t->width + at_x) * pixel : t->zeros;
        }
    }
}

static void enter_block(const struct job *job, int64_t group, int64_t block, struct bench *bench) {
    const struct fovea_tiled *t = job->t;
    if (group == bench->group && block == bench->block) {
        return;
    }
    bench->group = group;
    bench->block = block;
    bench->first = block * t->block;
    bench->rows = t->rows - bench->first < t->block ? t->rows - bench->first : t->block;
    for (int64_t i = 0; i < bench->rows; i++) {
        place_row(job, group, bench->first + i, bench->places + i);
    }
}

/* Posts on finished sums of rows [first, first + n) of the block, and to dst with them. */
static void finish_rows(const struct job *job, const struct bench *bench, int64_t channel,
                        int64_t first, int64_t n) {
    const struct fovea_tiled *t = job->t;
    for (int64_t i = first; i < first + n; i++) {
        int64_t row = bench->first + i, rest = row / t->out_width;
        struct fovea_row values = {
            .index = {rest / t->out_height, channel, rest % t->out_height, row % t->out_width},
            .values = bench->sums + i * COLUMNS,
            .count = COLUMNS,
        };
        fovea_row_posts(t->posts, t->n_posts, job->args->posts, &values);
        memcpy((float *)job->args->dst + row * t->groups * t->outputs + channel, values.values,
               COLUMNS * sizeof(float));
    }
}

/* The last step of the sums of `n` rows from `first` on. */
static void finish_tile(const struct job *job, const struct bench *bench, int64_t channel,
                        int64_t first, int n, struct fovea_tile *tile) {
    const struct fovea_tiled *t = job->t;
    if (!t->plain_end) {
        fovea_tiled_sum(tile, n);
        finish_rows(job, bench, channel, first, n);
        return;
    }
    int64_t step = t->groups * t->outputs, at = (bench->first + first) * step + channel;
    tile->to = (float *)job->args->dst + at;
    tile->to_step = step;
    const float *add = t->added >= 0 ? (const float *)job->args->posts[t->added] + at : NULL;
    fovea_tiled_finish(tile, n, add, t->least);
}

/* A step of the sums: channels [offset, offset + depth) of a tap, for all rows of the block. */
static void take_step(const struct job *job, const struct bench *bench, int64_t panel, int64_t tap,
                      int64_t offset, int64_t depth) {
    const struct fovea_tiled *t = job->t;
    int64_t step = tap * t->channels + offset, channel = panel * COLUMNS;
    bool begin = step == 0, end = step + depth == t->taps * t->channels;
    const float *bias = t->bias ? (const float *)job->args->bias + channel : t->zeros;
    struct fovea_tile tile = {
        .offset = offset,
        .depth = depth,
        .weights =
            (const float *)job->args->weights + (panel * t->taps * t->channels + step) * COLUMNS,
    };
    tile.next = tile.weights + depth * COLUMNS; /* the first four tiles fetch all of them */
    int64_t tiles = divide_up(bench->rows, ROWS);
    for (int64_t i = 0; i < tiles; i++) {
        int64_t first = bench->rows * i / tiles;
        int n = (int)(bench->rows * (i + 1) / tiles - first);
        tile.rows = bench->places + tap * t->block + first;
        tile.to = bench->sums + first * COLUMNS;
        tile.to_step = COLUMNS;
        tile.from = begin ? bias : tile.to;
        tile.from_step = begin ? 0 : COLUMNS;
        if (end) {
            finish_tile(job, bench, channel, first, n, &tile);
        } else {
            fovea_tiled_sum(&tile, n);
        }
        tile.next += i < 3 ? depth * LINE : 0;
    }
}

/* Units are the panels of a group for a block of rows, block by block. */
static void run_units(void *context, int64_t begin, int64_t end, int thread) {
    const struct job *job = context;
    const struct fovea_tiled *t = job->t;
    unsigned char *scratch = (unsigned char *)job->args->scratch + (size_t)thread * t->thread_bytes;
    struct bench bench = {
        .places = (const float **)(void *)scratch,
        .sums = (float *)(void *)(scratch + t->places_bytes),
        .group = -1,
        .block = -1,
    };
    for (int64_t unit = begin; unit < end; unit++) {
        int64_t panel = unit % t->panels, rest = unit / t->panels, group = rest % t->groups;
        enter_block(job, group, rest / t->groups, &bench);
        for (int64_t tap = 0; tap < t->taps; tap++) {
            for (int64_t c = 0; c < t->channels; c += DEPTH) {
                int64_t depth = t->channels - c < DEPTH ? t->channels - c : DEPTH;
                take_step(job, &bench, group * t->panels + panel, tap, c, depth);
            }
        }
    }
}

void fovea_tiled_run(const struct fovea_tiled *tiled, const struct fovea_prim_args *args) {
    struct job job = {.t = tiled, .args = args};
    fovea_parallel_for(tiled->blocks * tiled->groups * tiled->panels, 1, run_units, &job);
}
