/*
 * Resizing with the very arithmetic of Pillow's Image.resize: antialiased
 * filters with 22-bit fixed-point weights, rounded and clipped to 8 bits
 * after each of the two passes.
 */
#ifndef FOVEA_LOADERS_RESIZE_H
#define FOVEA_LOADERS_RESIZE_H

#include "loaders/image.h"

enum fovea_filter {
    FOVEA_FILTER_NEAREST,
    FOVEA_FILTER_BOX,
    FOVEA_FILTER_BILINEAR,
    FOVEA_FILTER_BICUBIC,
    FOVEA_FILTER_LANCZOS,
    FOVEA_FILTER_AREA, /* TensorFlow's: the others but bilinear and bicubic are Pillow's alone */
    FOVEA_N_FILTERS,
};

/* Which pass is first. Pillow up to 12: horizontal, always. */
enum fovea_resize_order {
    FOVEA_HORIZONTAL_FIRST,
    FOVEA_VERTICAL_FIRST,
};

/* A rectangle of pixels. */
struct fovea_window {
    int x, y;
    int width, height;
};

/* A resize to width x height, of which only `window` is computed. */
struct fovea_resize {
    int width;
    int height;
    enum fovea_filter filter; /* one of Pillow's */
    enum fovea_resize_order order;
    struct fovea_window window; /* inside width x height; all zero: everything */
};

/*
 * Resize `in`; *out has the window's size and is the caller's to finish.
 *
 * Each pixel has the value it has in the whole resized image, so a window is
 * resize-then-crop at the price of the crop.
 *
 * FOVEA_ERR_INVALID for sides below 1 or a window that is not inside;
 * FOVEA_ERR_MEMORY.
 */
enum fovea_status fovea_resize_image(const struct fovea_image *in, const struct fovea_resize *how,
                                     struct fovea_image *out, struct fovea_error *err);

/*
 * Check the sides and the window, and write the window out where it is all
 * zero. FOVEA_ERR_INVALID as above. For those who resize otherwise.
 */
enum fovea_status fovea_resize_settle(const struct fovea_resize *how, struct fovea_resize *out,
                                      struct fovea_error *err);

/* "bicubic", ...; and back: false if there is no such filter. */
const char *fovea_filter_name(enum fovea_filter filter);
bool fovea_filter_find(const char *name, enum fovea_filter *out);

#endif
