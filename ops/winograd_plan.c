/*
 * Whether Winograd is worth it and how it is cut up: see winograd_plan.h.
 *
 * Both are decided by one estimate of time, in multiplications of a matrix
 * product at full speed. Its constants are rounded measurements (Sapphire
 * Rapids, one thread): a product of T rows runs at about T / (T + 4) of the
 * speed of a long one; a transform takes some 12 ns for 16 channels, most of
 * it spent on stores, and half of that where its results stay in cache.
 */
#include "ops/winograd_plan.h"

#include "ops/winograd.h"

#include <string.h>

enum {
    LANES = 16,
    TILE = FOVEA_WINOGRAD_TILE,
    ELEMENTS = FOVEA_WINOGRAD_ELEMENTS,
    TRANSFORM_COST = 600,      /* of a channel of a tile, or of a pair of channels */
    NEAR_COST = 300,           /* the same for weights of a slice that stays in cache */
    DIRECT_COST = 9,           /* of an output of a direct convolution, a pair of channels */
    SLICE_BYTES = 2400 * 1024, /* most transformed weights of a slice */
    NEAR_BYTES = 600 * 1024,   /* of one that stays in cache */
    BLOCK_BYTES = 2300 * 1024, /* most inputs and products of a block */
    LEAST_TILES = 8,           /* of a block, if there are as many */
};

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

static bool is_channels_last(const struct fovea_dnn_view *view) {
    const int64_t *dims = view->dims, *strides = view->strides;
    return view->dtype == FOVEA_F32 && view->rank == 4 && strides[1] == 1 &&
           strides[3] == dims[1] && strides[2] == dims[3] * dims[1] &&
           strides[0] == dims[2] * strides[2];
}

static bool is_empty(const struct fovea_dnn_view *view) {
    return view->dims[0] == 0 || view->dims[1] == 0 || view->dims[2] == 0 || view->dims[3] == 0;
}

bool fovea_winograd_fits(const struct fovea_dnn_conv *desc) {
    if (!is_channels_last(&desc->src) || !is_channels_last(&desc->dst) || is_empty(&desc->src) ||
        is_empty(&desc->dst) || !desc->packed_weights) {
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
static void cut(struct fovea_winograd_plan *p, int64_t slice, int64_t part, int64_t most) {
    p->slice = slice;
    p->part = part;
    p->parts = p->outputs / slice / part;
    p->blocks = divide_up(p->tiles, most);
    p->block = divide_up(p->tiles, p->blocks);
    p->blocks = divide_up(p->tiles, p->block);
    p->last_block = p->tiles - (p->blocks - 1) * p->block;
}

static int64_t slice_bytes(const struct fovea_winograd_plan *p, int64_t slice) {
    return ELEMENTS * p->channels * slice * (int64_t)sizeof(float);
}

/* Estimated time of the thread that does most. */
static double cost(const struct fovea_winograd_plan *p, int threads) {
    int64_t units = divide_up(p->groups * p->parts * p->blocks, threads);
    int64_t slices = units * p->part; /* whose weights are transformed */
    if (p->part == 1) {
        slices = at_most(divide_up(units - 1, p->blocks) + 1, units);
    }
    double channels = (double)p->channels, slice = (double)p->slice, block = (double)p->block;
    double outputs = slice * (double)p->part;
    double products = ELEMENTS * channels * outputs * (block + 4) * (slice + 2) / slice;
    double transforms = TRANSFORM_COST * block * (channels + outputs);
    double weights = slice_bytes(p, p->slice) <= NEAR_BYTES ? NEAR_COST : TRANSFORM_COST;
    return (double)units * (products + transforms) + (double)slices * weights * channels * slice;
}

/* The most tiles whose inputs and products stay in cache. */
static int64_t most_tiles(const struct fovea_winograd_plan *p, int64_t slice) {
    int64_t tile_bytes = ELEMENTS * (p->channels + slice) * (int64_t)sizeof(float);
    int64_t most = BLOCK_BYTES / tile_bytes;
    return most < LEAST_TILES ? LEAST_TILES : most;
}

/* The cheapest cut into slices of `slice` outputs, if it is cheaper than `least`. */
static void try_slice(struct fovea_winograd_plan *p, int threads, int64_t slice,
                      struct fovea_winograd_plan *best, double *least) {
    int64_t slices = p->outputs / slice;
    for (int64_t part = 1; part <= slices; part++) {
        if (slices % part != 0) {
            continue;
        }
        for (int64_t most = most_tiles(p, slice); most >= LEAST_TILES; most /= 2) {
            cut(p, slice, part, most);
            double c = cost(p, threads);
            if (*least < 0 || c < *least) {
                *least = c;
                *best = *p;
            }
        }
    }
}

static void choose_cut(struct fovea_winograd_plan *p, int threads) {
    struct fovea_winograd_plan best = *p;
    double least = -1;
    for (int64_t slice = LANES; slice <= p->outputs; slice += LANES) {
        bool fits = slice == LANES || slice_bytes(p, slice) <= SLICE_BYTES;
        if (fits && p->outputs % slice == 0) {
            try_slice(p, threads, slice, &best, &least);
        }
    }
    *p = best;
}

void fovea_winograd_plan(const struct fovea_dnn_conv *desc, int threads,
                         struct fovea_winograd_plan *out) {
    take_shape(desc, out);
    choose_cut(out, threads > 0 ? threads : 1);
    size_t element = ELEMENTS * sizeof(float), patch = 36 * sizeof(float);
    out->weights_bytes = round_up(element * (size_t)(out->channels * out->slice));
    out->inputs_bytes = round_up(element * (size_t)(out->channels * out->block));
    out->products_bytes = round_up(element * (size_t)(out->slice * out->block));
    out->tile_bytes = round_up(TILE * TILE * sizeof(float) * (size_t)out->slice);
    out->patch_bytes = round_up(patch * (size_t)out->channels);
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
    return cost(&p, 1) < DIRECT_COST * pixels * pairs;
}
