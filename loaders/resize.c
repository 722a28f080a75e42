/* Resizing by two passes, or by picking the nearest pixel: see resize.h. */
#include "loaders/resize.h"
#include "loaders/resize_passes.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[FOVEA_N_FILTERS] = {
    [FOVEA_FILTER_NEAREST] = "nearest",   [FOVEA_FILTER_BOX] = "box",
    [FOVEA_FILTER_BILINEAR] = "bilinear", [FOVEA_FILTER_BICUBIC] = "bicubic",
    [FOVEA_FILTER_LANCZOS] = "lanczos",   [FOVEA_FILTER_AREA] = "area",
};

const char *fovea_filter_name(enum fovea_filter filter) {
    return names[filter];
}

bool fovea_filter_find(const char *name, enum fovea_filter *out) {
    for (int i = 0; i < FOVEA_N_FILTERS; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum fovea_filter)i;
            return true;
        }
    }
    return false;
}

/* ---- nearest -------------------------------------------------------------- */

/*
 * Input sample of each output sample, -1 for none. Pillow steps along by
 * adding, and the sum's rounding errors decide which sample is nearest; so the
 * steps before the window are taken too.
 */
static int *nearest_samples(int in_size, int out_size, int start, int n) {
    int *samples = malloc((size_t)n * sizeof(*samples));
    if (!samples) {
        return NULL;
    }
    double step = (double)in_size / out_size;
    double at = step * 0.5;
    for (int i = 0; i < start; i++) {
        at += step;
    }
    for (int i = 0; i < n; i++) {
        samples[i] = at < in_size ? (int)at : -1;
        at += step;
    }
    return samples;
}

static void nearest_row(const uint8_t *in, const int *columns, int n, uint8_t *out) {
    for (int x = 0; x < n; x++, out += 3) {
        if (columns[x] < 0) {
            memset(out, 0, 3);
        } else {
            memcpy(out, in + 3 * (size_t)columns[x], 3);
        }
    }
}

static enum fovea_status resize_nearest(const struct fovea_image *in,
                                        const struct fovea_resize *how, struct fovea_image *out,
                                        struct fovea_error *err) {
    const struct fovea_window *w = &how->window;
    int *columns = nearest_samples(in->width, how->width, w->x, w->width);
    int *rows = nearest_samples(in->height, how->height, w->y, w->height);
    enum fovea_status status = FOVEA_OK;
    if (!columns || !rows) {
        status = fovea_fail_memory(err, ((size_t)w->width + (size_t)w->height) * sizeof(int),
                                   "a resize");
    }
    size_t stride = (size_t)w->width * 3;
    for (int y = 0; !status && y < w->height; y++) {
        uint8_t *row = out->rgb + (size_t)y * stride;
        if (rows[y] < 0) {
            memset(row, 0, stride);
        } else {
            nearest_row(in->rgb + (size_t)rows[y] * (size_t)in->width * 3, columns, w->width, row);
        }
    }
    free(columns);
    free(rows);
    return status;
}

/* ---- two passes ------------------------------------------------------------ */

/* Part of an image: what a pass reads. */
struct view {
    const uint8_t *rgb;
    size_t stride;
    int width, height; /* of what is left to resize, in pixels */
};

static const uint8_t *pixel_at(const struct view *v, int x, int y) {
    return v->rgb + (size_t)y * v->stride + (size_t)x * 3;
}

static enum fovea_status horizontal_first(const struct view *in, const struct fovea_taps *across,
                                          const struct fovea_taps *down, struct fovea_image *out,
                                          struct fovea_error *err) {
    struct fovea_image middle;
    enum fovea_status status = fovea_image_init(&middle, across->n_out, down->in_count, err);
    if (status) {
        return status;
    }
    const uint8_t *start = pixel_at(in, across->in_first, down->in_first);
    status = fovea_resize_rows(across, start, in->stride, middle.height, middle.rgb, err);
    if (!status) {
        size_t row_size = (size_t)middle.width * 3;
        fovea_resize_columns(down, middle.rgb, row_size, row_size, out->rgb);
    }
    fovea_image_finish(&middle);
    return status;
}

static enum fovea_status vertical_first(const struct view *in, const struct fovea_taps *across,
                                        const struct fovea_taps *down, struct fovea_image *out,
                                        struct fovea_error *err) {
    struct fovea_image middle;
    enum fovea_status status = fovea_image_init(&middle, across->in_count, down->n_out, err);
    if (status) {
        return status;
    }
    const uint8_t *start = pixel_at(in, across->in_first, down->in_first);
    size_t row_size = (size_t)middle.width * 3;
    fovea_resize_columns(down, start, in->stride, row_size, middle.rgb);
    status = fovea_resize_rows(across, middle.rgb, row_size, middle.height, out->rgb, err);
    fovea_image_finish(&middle);
    return status;
}

static void copy_window(const struct view *in, const struct fovea_window *w,
                        struct fovea_image *out) {
    size_t row_size = (size_t)w->width * 3;
    for (int y = 0; y < w->height; y++) {
        memcpy(out->rgb + (size_t)y * row_size, pixel_at(in, w->x, w->y + y), row_size);
    }
}

/*
 * A pass that would keep the size of its axis is not run: Pillow skips it too,
 * and its weights are all one.
 */
static enum fovea_status run_passes(const struct view *in, const struct fovea_resize *how,
                                    const struct fovea_taps *across, const struct fovea_taps *down,
                                    struct fovea_image *out, struct fovea_error *err) {
    const struct fovea_window *w = &how->window;
    bool resize_width = how->width != in->width, resize_height = how->height != in->height;

    if (!resize_width && !resize_height) {
        copy_window(in, w, out);
        return FOVEA_OK;
    }
    if (!resize_height) {
        return fovea_resize_rows(across, pixel_at(in, across->in_first, w->y), in->stride,
                                 w->height, out->rgb, err);
    }
    if (!resize_width) {
        fovea_resize_columns(down, pixel_at(in, w->x, down->in_first), in->stride,
                             (size_t)w->width * 3, out->rgb);
        return FOVEA_OK;
    }
    if (how->order == FOVEA_VERTICAL_FIRST) {
        return vertical_first(in, across, down, out, err);
    }
    return horizontal_first(in, across, down, out, err);
}

static enum fovea_status resize_filtered(const struct fovea_image *in,
                                         const struct fovea_resize *how, struct fovea_image *out,
                                         struct fovea_error *err) {
    const struct fovea_window *w = &how->window;
    const struct view view = {in->rgb, (size_t)in->width * 3, in->width, in->height};
    struct fovea_taps across = {0}, down = {0};

    enum fovea_status status =
        fovea_taps_init(&across, how->filter, in->width, how->width, w->x, w->width, err);
    if (!status) {
        status = fovea_taps_init(&down, how->filter, in->height, how->height, w->y, w->height, err);
    }
    if (!status) {
        status = run_passes(&view, how, &across, &down, out, err);
    }
    fovea_taps_finish(&across);
    fovea_taps_finish(&down);
    return status;
}

/* ---- the public side -------------------------------------------------------- */

static bool is_inside(const struct fovea_window *w, int width, int height) {
    return w->x >= 0 && w->y >= 0 && w->width >= 1 && w->height >= 1 && w->x <= width - w->width &&
           w->y <= height - w->height;
}

enum fovea_status fovea_resize_settle(const struct fovea_resize *how, struct fovea_resize *out,
                                      struct fovea_error *err) {
    struct fovea_resize whole = *how;
    struct fovea_window *w = &whole.window;
    if (how->width < 1 || how->height < 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "resizing to %dx%d: sides must be at least 1",
                          how->width, how->height);
    }
    if (w->x == 0 && w->y == 0 && w->width == 0 && w->height == 0) {
        *w = (struct fovea_window){0, 0, how->width, how->height};
    }
    if (!is_inside(w, how->width, how->height)) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "a window of %dx%d at (%d, %d) is not inside a resized image of %dx%d",
                          w->width, w->height, w->x, w->y, how->width, how->height);
    }
    *out = whole;
    return FOVEA_OK;
}

enum fovea_status fovea_resize_image(const struct fovea_image *in, const struct fovea_resize *how,
                                     struct fovea_image *out, struct fovea_error *err) {
    struct fovea_resize whole;
    enum fovea_status status = fovea_resize_settle(how, &whole, err);
    if (status) {
        return status;
    }
    if (how->filter == FOVEA_FILTER_AREA) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "Pillow's resize has no filter area");
    }
    struct fovea_image made;
    status = fovea_image_init(&made, whole.window.width, whole.window.height, err);
    if (status) {
        return status;
    }
    bool same_size = in->width == how->width && in->height == how->height;
    if (how->filter == FOVEA_FILTER_NEAREST && !same_size) {
        status = resize_nearest(in, &whole, &made, err);
    } else {
        /* At the same size any filter is a copy. */
        whole.filter = same_size ? FOVEA_FILTER_BOX : how->filter;
        status = resize_filtered(in, &whole, &made, err);
    }
    if (status) {
        fovea_image_finish(&made);
        return status;
    }
    *out = made;
    return FOVEA_OK;
}
