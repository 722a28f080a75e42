/*
 * The weights of one pass of a resize, in fixed point.
 */
#ifndef FOVEA_LOADERS_RESIZE_TAPS_H
#define FOVEA_LOADERS_RESIZE_TAPS_H

#include "loaders/resize.h"

/* Bits after the point: 32, less 8 of a pixel, less 2 of sign and headroom. */
#define FOVEA_RESIZE_BITS (32 - 8 - 2)

/* Which input samples make each output sample, and with what weights. */
struct fovea_taps {
    int n_out;        /* output samples: those of the window */
    int n_weights;    /* room for weights of one output sample */
    int *first;       /* [n_out] first input sample */
    int *count;       /* [n_out] input samples, 0..n_weights */
    int32_t *weights; /* [n_out][n_weights] */
    int in_first;     /* the input samples that any output sample needs: */
    int in_count;     /*   in_first .. in_first + in_count - 1 */
};

/*
 * Weights for samples start .. start + n_out - 1 of the `out_size` that
 * `in_size` samples are resized to. `filter` is not FOVEA_FILTER_NEAREST.
 */
enum fovea_status fovea_taps_init(struct fovea_taps *taps, enum fovea_filter filter, int in_size,
                                  int out_size, int start, int n_out, struct fovea_error *err);

void fovea_taps_finish(struct fovea_taps *taps);

#endif
