/*
 * How a Winograd convolution (winograd.h) is cut into units of work: parts of
 * the outputs of a group, times blocks of tiles. A unit transforms its inputs
 * once, then goes through its panels of 16 outputs, four at a time. Inputs and
 * products of a unit stay in a core's second cache; weights are transformed for
 * 64 channels of a panel, a row of the 6x6 elements, and never leave the first.
 *
 * Where each is, elements first:
 *
 *     inputs    [36][channels / 64][tiles][64]
 *     weights   [6][64][16]
 *     products  [panels][36][tiles][16]
 *
 * From one element to the next it is an odd number of lines of cache: the
 * elements of a tile are written one after the other, and at distances of a
 * power of two they would drive each other from the first cache.
 */
#ifndef FOVEA_OPS_WINOGRAD_PLAN_H
#define FOVEA_OPS_WINOGRAD_PLAN_H

#include "ops/winograd_kernels.h"
#include "runtime/dnn.h"

enum {
    FOVEA_WINOGRAD_TILE = 4,      /* outputs of a tile, down and across */
    FOVEA_WINOGRAD_PATCH = 6,     /* inputs it takes */
    FOVEA_WINOGRAD_ELEMENTS = 36, /* of a transformed patch */
};

struct fovea_winograd_plan {
    int64_t images, groups;
    int64_t channels, outputs;        /* of a group */
    int64_t height, width;            /* of the input */
    int64_t out_height, out_width;    /* of the output */
    int64_t top, left;                /* pads */
    int64_t tiles_down, tiles_across; /* of an image */
    int64_t tiles;                    /* of all images */
    int64_t panels, parts;            /* panels of a group; parts that they are divided into */
    int64_t block, blocks;            /* tiles of a block; blocks */
    int64_t input_step, product_step; /* values from one element to the next */
    int64_t panel_step;               /* and from one panel's products to the next's */
    size_t inputs_bytes, weights_bytes, products_bytes;
    size_t tile_bytes;  /* outputs of a tile, of four panels */
    size_t patch_bytes; /* inputs of a tile at the image's edge */
};

enum {
    FOVEA_WINOGRAD_PANELS = 4, /* taken together */
    FOVEA_WINOGRAD_WEIGHT_STEP = FOVEA_WINOGRAD_DEPTH * FOVEA_WINOGRAD_LANES + FOVEA_ALIGNMENT / 4,
};

/* The plan for `threads` threads of a convolution that winograd.h says fits. */
void fovea_winograd_plan(const struct fovea_dnn_conv *desc, int threads,
                         struct fovea_winograd_plan *out);

/* Bytes that each thread needs, a multiple of FOVEA_ALIGNMENT. */
size_t fovea_winograd_plan_bytes(const struct fovea_winograd_plan *plan);

#endif
