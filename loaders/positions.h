/*
 * Position embeddings of a ViT for another grid of patches. Code bases do
 * this in four ways, which differ (by 0.2 of the table's norm on a random one);
 * the one to use is that of the code a checkpoint is from.
 */
#ifndef FOVEA_LOADERS_POSITIONS_H
#define FOVEA_LOADERS_POSITIONS_H

#include "runtime/error.h"

enum fovea_positions_rule {
    /* scipy.ndimage.zoom of order 1: linear, the corners of both grids in the same places. */
    FOVEA_POSITIONS_BIG_VISION,
    /* torch's bicubic with antialiasing (a = -0.5): timm, at load and at another size. */
    FOVEA_POSITIONS_TIMM,
    /* torch's bilinear: timm, when it reads .npz files. */
    FOVEA_POSITIONS_TIMM_NPZ,
    /* torch's bicubic without antialiasing (a = -0.75, the edge repeated): transformers. */
    FOVEA_POSITIONS_HF,
    FOVEA_N_POSITIONS_RULES,
};

/* "big-vision", "timm", "timm-npz", "hf" */
const char *fovea_positions_name(enum fovea_positions_rule rule);

/* The rule of that name; FOVEA_ERR_INVALID with those there are. */
enum fovea_status fovea_positions_find(const char *name, enum fovea_positions_rule *out,
                                       struct fovea_error *err);

/*
 * From [old_h, old_w, width] to [new_h, new_w, width], sizes of at least 1.
 * Computed in double, one axis after the other, the rows' first.
 */
enum fovea_status fovea_positions_resample(enum fovea_positions_rule rule, const float *from,
                                           int64_t old_h, int64_t old_w, int64_t new_h,
                                           int64_t new_w, int64_t width, float *to,
                                           struct fovea_error *err);

#endif
