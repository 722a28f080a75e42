/*
 * Pillow's resize of an image that comes row by row, and its normalisation,
 * with no more than a few rows of it in memory:
 *
 *     16 rows of RGB --across--> ring of planar rows --down, normalise--> planes
 *
 * Each block of rows is resized horizontally when it is full, and each output
 * row made when its last input row is there. The bytes are those of
 * fovea_resize_image in the order FOVEA_HORIZONTAL_FIRST.
 */
#ifndef FOVEA_LOADERS_RESIZE_STREAM_H
#define FOVEA_LOADERS_RESIZE_STREAM_H

#include "loaders/resize_kernels.h"

/* Where the result goes: row y of the window, plane c, at planes + c * plane + y * row. */
struct fovea_planes {
    float *planes;
    size_t plane, row;                    /* in floats */
    const struct fovea_channel *channels; /* [3] */
};

struct fovea_resize_stream {
    struct fovea_taps across, down;
    struct fovea_planes out;
    uint8_t *block;       /* rows coming in, row_stride bytes each: pixel x at 3 x */
    uint8_t *turned;      /* scratch of the horizontal pass */
    uint8_t *ring;        /* [n_ring][3][plane_stride]: rows after it */
    int32_t *line;        /* scratch of the vertical pass */
    const uint8_t **rows; /* scratch: those of one output row */
    size_t row_stride, plane_stride;
    int n_ring;
    int n_in;     /* rows of the block that are there */
    int n_across; /* input rows, from the first that counts, that are in the ring or were */
    int n_out;    /* output rows made */
};

/*
 * Begin a resize of in_width x in_height by `how`, whose filter is neither
 * nearest nor area and whose window is set. *needed is the part of the input
 * that counts.
 */
enum fovea_status fovea_resize_stream_init(struct fovea_resize_stream *stream, int in_width,
                                           int in_height, const struct fovea_resize *how,
                                           const struct fovea_planes *out,
                                           struct fovea_window *needed, struct fovea_error *err);

/*
 * Where the next row goes, pixel x of the image at 3 x, room for the whole
 * width; the rows from needed->y on, in order, are asked for. What was put
 * where the call before said is taken.
 */
uint8_t *fovea_resize_stream_row(struct fovea_resize_stream *stream);

/* Take the last row, and make what is left to make. */
void fovea_resize_stream_end(struct fovea_resize_stream *stream);

/* A zeroed one is fine. */
void fovea_resize_stream_finish(struct fovea_resize_stream *stream);

#endif
