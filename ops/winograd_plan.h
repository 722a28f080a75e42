/*
 * How a Winograd convolution (winograd.h) is cut into units of work: parts of
 * the outputs of a group, times blocks of tiles. A unit transforms its inputs
 * once, then goes through the slices of its part: weights, products, outputs.
 * Where a part is one slice, a thread keeps its weights from block to block.
 */
#ifndef FOVEA_OPS_WINOGRAD_PLAN_H
#define FOVEA_OPS_WINOGRAD_PLAN_H

#include "runtime/dnn.h"

enum {
    FOVEA_WINOGRAD_TILE = 4,      /* outputs of a tile, down and across */
    FOVEA_WINOGRAD_PATCH = 6,     /* inputs it takes */
    FOVEA_WINOGRAD_ELEMENTS = 36, /* of a transformed patch */
};

struct fovea_winograd_plan {
    int64_t images, groups;
    int64_t channels, outputs;          /* of a group */
    int64_t height, width;              /* of the input */
    int64_t out_height, out_width;      /* of the output */
    int64_t top, left;                  /* pads */
    int64_t tiles_down, tiles_across;   /* of an image */
    int64_t tiles;                      /* of all images */
    int64_t slice;                      /* outputs of a slice */
    int64_t part, parts;                /* slices of a part; parts of a group */
    int64_t block, blocks, last_block;  /* tiles of a block; blocks; tiles of the last one */
    size_t weights_bytes, inputs_bytes; /* transformed weights of a slice, inputs of a block */
    size_t products_bytes, tile_bytes;  /* products of a block, outputs of a tile */
    size_t patch_bytes;                 /* inputs of a tile at the image's edge */
};

/* The plan for `threads` threads of a convolution that winograd.h says fits. */
void fovea_winograd_plan(const struct fovea_dnn_conv *desc, int threads,
                         struct fovea_winograd_plan *out);

/* Bytes that each thread needs, a multiple of FOVEA_ALIGNMENT. */
size_t fovea_winograd_plan_bytes(const struct fovea_winograd_plan *plan);

#endif
