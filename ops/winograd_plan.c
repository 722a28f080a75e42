/*
 * Whether Winograd is worth it and how it is cut up: see winograd_plan.h.
 *
 * Both are decided by one estimate of time, in cycles of a core with two units
 * for multiply-adds of 16 lanes. Its constants are rounded measurements
 * (Sapphire Rapids, one thread).
 */
#include "ops/winograd_plan.h"

#include "ops/channels_last.h"
#include "ops/row_posts.h"
#include "ops/winograd.h"

#include <string.h>

enum {
    LANES = FOVEA_WINOGRAD_LANES,
    DEPTH = FOVEA_WINOGRAD_DEPTH,
    TILE = FOVEA_WINOGRAD_TILE,
    PATCH = FOVEA_WINOGRAD_PATCH,
    ELEMENTS = FOVEA_WINOGRAD_ELEMENTS,
    INPUT_CYCLES = 110,       /* of 16 channels of a tile */
    OUTPUT_CYCLES = 110,      /* of a panel of a tile */
    WEIGHT_CYCLES = 250,      /* of a channel of a panel */
    LEAST_ROWS = 8,           /* fewer rows of a product take as long */
    CALL_CYCLES = 40,         /* of a call for a product, besides those of its rows */
    BLOCK_BYTES = 900 * 1024, /* most inputs and products of a block */
    MOST_PARTS = 64,          /* that are tried */
    LEAST_TILES = 8,          /* of a block, if there are as many */
};

/* Cycles of a direct convolution for an output and a channel: 9 multiplications, 32 at once. */
#define DIRECT_CYCLES (1.2 * 9 / 32)

static size_t round_up(size_t bytes) {
    return (bytes + FOVEA_ALIGNMENT - 1) / FOVEA_ALIGNMENT * FOVEA_ALIGNMENT;
}

static int64_t divide_up(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

static int64_t at_most(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* ---- whether it fits ------------------------------------------------------ */

bool fovea_winograd_fits(const struct fovea_dnn_conv *desc) {
    if (!fovea_is_channels_last(&desc->src) || !fovea_is_channels_last(&desc->dst) ||
        !desc->packed_weights || !fovea_row_posts_fit(desc->posts, desc->n_posts)) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        if (desc->kernel[i] != 3 || desc->strides[i] != 1 || desc->dilations[i] != 1 ||
            desc->pads_before[i] < 0 || desc->pads_before[i] > 2 || desc->pads_after[i] < 0 ||
            desc->pads_after[i] > 2) {
            return false;
        }
    }
    int64_t step = desc->groups * LANES;
    return desc->src.dims[1] % step == 0 && desc->dst.dims[1] % step == 0;
}

/* ---- how it is cut --------------------------------------------------------- */

static void take_shape(const struct fovea_dnn_conv *desc, struct fovea_winograd_plan *p) {
    memset(p, 0, sizeof(*p));
    p->images = desc->src.dims[0];
    p->groups = desc->groups;
    p->channels = desc->src.dims[1] / desc->groups;
    p->outputs = desc->dst.dims[1] / desc->groups;
    p->panels = p->outputs / LANES;
    p->height = desc->src.dims[2];
    p->width = desc->src.dims[3];
    p->out_height = desc->dst.dims[2];
    p->out_width = desc->dst.dims[3];
    p->top = desc->pads_before[0];
    p->left = desc->pads_before[1];
    p->tiles_down = divide_up(p->out_height, TILE);
    p->tiles_across = divide_up(p->out_width, TILE);
    p->tiles = p->images * p->tiles_down * p->tiles_across;
}

/* Blocks of nearly one size, of at most `most` tiles. */
static void cut(struct fovea_winograd_plan *p, int64_t parts, int64_t most) {
    p->parts = parts;
    p->blocks = divide_up(p->tiles, most);
    p->block = divide_up(p->tiles, p->blocks);
    p->blocks = divide_up(p->tiles, p->block);
}

/* Estimated cycles of the thread that does most. */
static double cost(const struct fovea_winograd_plan *p, int threads) {
    int64_t units = divide_up(p->groups * p->parts * p->blocks, threads);
    int64_t calls = divide_up(p->block, FOVEA_WINOGRAD_MOST_ROWS), rows = p->block / calls;
    double channels = (double)p->channels, block = (double)p->block;
    double panels = (double)divide_up(p->panels, p->parts);
    double used = rows < LEAST_ROWS ? (double)calls * LEAST_ROWS : block;
    double products = ELEMENTS * (channels * used / 2 +
                                  (double)(calls * divide_up(p->channels, DEPTH)) * CALL_CYCLES);
    double inputs = INPUT_CYCLES * block * channels / LANES;
    return (double)units *
           (inputs + panels * (products + WEIGHT_CYCLES * channels + OUTPUT_CYCLES * block));
}

/* The most tiles whose inputs and products stay in cache. */
static int64_t most_tiles(const struct fovea_winograd_plan *p) {
    int64_t panels = at_most(p->panels, FOVEA_WINOGRAD_PANELS);
    int64_t channels = divide_up(p->channels, DEPTH) * DEPTH;
    int64_t tile_bytes = ELEMENTS * (channels + panels * LANES) * (int64_t)sizeof(float);
    int64_t most = BLOCK_BYTES / tile_bytes;
    return most < LEAST_TILES ? LEAST_TILES : most;
}

/* The cheapest cut into parts and blocks. */
static void choose_cut(struct fovea_winograd_plan *p, int threads) {
    struct fovea_winograd_plan best = *p;
    double least = -1;
    for (int64_t parts = 1; parts <= at_most(p->panels, MOST_PARTS); parts++) {
        for (int64_t most = most_tiles(p); most >= LEAST_TILES; most--) {
            cut(p, parts, most);
            double c = cost(p, threads);
            if (least < 0 || c < least) {
                least = c;
                best = *p;
            }
        }
    }
    *p = best;
}

/* At least `count` values: an odd number of lines of cache. */
static int64_t odd_lines(int64_t count) {
    const int64_t line = FOVEA_ALIGNMENT / (int64_t)sizeof(float);
    int64_t lines = divide_up(count, line);
    return (lines + 1 - lines % 2) * line;
}

void fovea_winograd_plan(const struct fovea_dnn_conv *desc, int threads,
                         struct fovea_winograd_plan *out) {
    take_shape(desc, out);
    choose_cut(out, threads > 0 ? threads : 1);
    int64_t panels = at_most(out->panels, FOVEA_WINOGRAD_PANELS);
    out->input_step = odd_lines(divide_up(out->channels, DEPTH) * DEPTH * out->block);
    out->product_step = odd_lines(out->block * LANES);
    out->panel_step = ELEMENTS * out->product_step;
    out->inputs_bytes = round_up((size_t)(ELEMENTS * out->input_step) * sizeof(float));
    out->weights_bytes = round_up(sizeof(float) * PATCH * FOVEA_WINOGRAD_WEIGHT_STEP);
    out->products_bytes = round_up((size_t)(panels * out->panel_step) * sizeof(float));
    out->tile_bytes = round_up((size_t)(panels * LANES * TILE * TILE) * sizeof(float));
    out->patch_bytes = round_up((size_t)(out->channels * PATCH * PATCH) * sizeof(float));
}

size_t fovea_winograd_plan_bytes(const struct fovea_winograd_plan *plan) {
    return plan->weights_bytes + plan->inputs_bytes + plan->products_bytes + plan->tile_bytes +
           plan->patch_bytes;
}

bool fovea_winograd_pays(const struct fovea_dnn_conv *desc) {
    struct fovea_winograd_plan p;
    take_shape(desc, &p);
    choose_cut(&p, 1);
    double pixels = (double)p.images * (double)p.out_height * (double)p.out_width;
    double pairs = (double)p.groups * (double)p.channels * (double)p.outputs;
    return cost(&p, 1) < DIRECT_CYCLES * pixels * pairs;
}
