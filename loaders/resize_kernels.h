/*
 * Pillow's two passes by blocks of rows, planes instead of pixels, the second
 * with normalisation: what resize_stream.h is made of.
 */
#ifndef FOVEA_LOADERS_RESIZE_KERNELS_H
#define FOVEA_LOADERS_RESIZE_KERNELS_H

#include "loaders/resize_taps.h"

/* Rows of a block, and samples that kernels read and write at a time. */
enum { FOVEA_LANES = 16 };

/* `n` rounded up to whole lanes. */
static inline size_t fovea_whole_lanes(size_t n) {
    return (n + FOVEA_LANES - 1) / FOVEA_LANES * FOVEA_LANES;
}

/*
 * The horizontal pass over FOVEA_LANES rows of RGB, `stride` bytes apart; `in`
 * points at pixel taps->in_first. Up to FOVEA_LANES - 1 bytes behind the last
 * pixel needed are read.
 *
 * Row r of plane c is written at out + (3 r + c) * plane_stride, its
 * taps->n_out samples rounded up to whole lanes. `turned` has room for
 * FOVEA_LANES * whole_lanes(3 * taps->in_count) bytes.
 */
void fovea_resize_across(const struct fovea_taps *taps, const uint8_t *in, size_t stride,
                         uint8_t *turned, uint8_t *out, size_t plane_stride);

/*
 * What becomes of the bytes of one channel: ((v / 255) - mean) / std, each step
 * rounded to f32. Where the CPU multiplies and adds in one step, divisions are
 * done by reciprocals, if that gives the same for all 256 of them.
 */
struct fovea_channel {
    float values[256];
    struct fovea_divisors {
        float mean, std, inverse_std;
    } divisors;
    bool by_formula;
};

void fovea_channel_init(struct fovea_channel *channel, const float values[256], double mean,
                        double std);

/*
 * One row of the vertical pass: sums of `count` rows of n samples (readable in
 * whole pairs of lanes) by `weights`, to 8 bits, then to what the channel makes
 * of them, to `out`. `line` has room for whole pairs of lanes.
 */
void fovea_resize_down(const uint8_t *const *rows, const int32_t *weights, int count, size_t n,
                       const struct fovea_channel *channel, int32_t *line, float *out);

#endif
