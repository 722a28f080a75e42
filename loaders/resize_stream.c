/* See resize_stream.h. */
#include "loaders/resize_stream.h"

#include <stdlib.h>

/* Weights of one axis. At the same size any filter copies, and box says so exactly. */
static enum fovea_status axis_init(struct fovea_taps *taps, enum fovea_filter filter, int in_size,
                                   int out_size, int start, int n_out, struct fovea_error *err) {
    enum fovea_filter used = in_size == out_size ? FOVEA_FILTER_BOX : filter;
    return fovea_taps_init(taps, used, in_size, out_size, start, n_out, err);
}

static void *allocate(size_t n, size_t bytes, enum fovea_status *status, struct fovea_error *err) {
    void *room = *status ? NULL : calloc(n, bytes);
    if (!room && !*status) {
        *status = fovea_fail_memory(err, n * bytes, "rows of a resize");
    }
    return room;
}

static enum fovea_status make_room(struct fovea_resize_stream *s, int in_width,
                                   struct fovea_error *err) {
    enum fovea_status status = FOVEA_OK;
    size_t turned = fovea_whole_lanes(3 * (size_t)s->across.in_count);
    /* An output row waits for at most n_weights rows, while another block comes in. */
    s->n_ring = (int)fovea_whole_lanes((size_t)s->down.n_weights) + FOVEA_LANES;
    s->row_stride = fovea_whole_lanes(3 * (size_t)in_width) + FOVEA_LANES;
    s->plane_stride = 2 * fovea_whole_lanes(((size_t)s->across.n_out + 1) / 2);
    s->block = allocate(FOVEA_LANES, s->row_stride, &status, err);
    s->turned = allocate(FOVEA_LANES, turned, &status, err);
    s->ring = allocate((size_t)s->n_ring, 3 * s->plane_stride, &status, err);
    s->line = allocate(s->plane_stride, sizeof(*s->line), &status, err);
    s->rows = allocate((size_t)s->down.n_weights, sizeof(*s->rows), &status, err);
    return status;
}

enum fovea_status fovea_resize_stream_init(struct fovea_resize_stream *stream, int in_width,
                                           int in_height, const struct fovea_resize *how,
                                           const struct fovea_planes *out,
                                           struct fovea_window *needed, struct fovea_error *err) {
    struct fovea_resize_stream s = {.out = *out};
    const struct fovea_window *w = &how->window;
    enum fovea_status status =
        axis_init(&s.across, how->filter, in_width, how->width, w->x, w->width, err);
    if (!status) {
        status = axis_init(&s.down, how->filter, in_height, how->height, w->y, w->height, err);
    }
    if (!status) {
        status = make_room(&s, in_width, err);
    }
    if (status) {
        fovea_resize_stream_finish(&s);
        return status;
    }
    *needed = (struct fovea_window){s.across.in_first, s.down.in_first, s.across.in_count,
                                    s.down.in_count};
    *stream = s;
    return FOVEA_OK;
}

/* Output rows whose input is all there. */
static void make_rows(struct fovea_resize_stream *s) {
    const struct fovea_taps *down = &s->down;
    for (; s->n_out < down->n_out; s->n_out++) {
        int first = down->first[s->n_out] - down->in_first, count = down->count[s->n_out];
        if (first + count > s->n_across) {
            return;
        }
        for (size_t c = 0; c < 3; c++) {
            for (int t = 0; t < count; t++) {
                size_t slot = (size_t)((first + t) % s->n_ring);
                s->rows[t] = s->ring + (3 * slot + c) * s->plane_stride;
            }
            fovea_resize_down(s->rows, down->weights + (size_t)s->n_out * (size_t)down->n_weights,
                              count, (size_t)s->across.n_out, &s->out.channels[c], s->line,
                              s->out.planes + c * s->out.plane + (size_t)s->n_out * s->out.row);
        }
    }
}

static void take_block(struct fovea_resize_stream *s) {
    size_t slot = (size_t)(s->n_across % s->n_ring);
    fovea_resize_across(&s->across, s->block + 3 * (size_t)s->across.in_first, s->row_stride,
                        s->turned, s->ring + 3 * slot * s->plane_stride, s->plane_stride);
    s->n_across += s->n_in;
    s->n_in = 0;
    make_rows(s);
}

uint8_t *fovea_resize_stream_row(struct fovea_resize_stream *stream) {
    if (stream->n_in == FOVEA_LANES) {
        take_block(stream);
    }
    return stream->block + (size_t)stream->n_in++ * stream->row_stride;
}

void fovea_resize_stream_end(struct fovea_resize_stream *stream) {
    take_block(stream);
}

void fovea_resize_stream_finish(struct fovea_resize_stream *stream) {
    fovea_taps_finish(&stream->across);
    fovea_taps_finish(&stream->down);
    free(stream->block);
    free(stream->turned);
    free(stream->ring);
    free(stream->line);
    free(stream->rows);
    *stream = (struct fovea_resize_stream){0};
}
