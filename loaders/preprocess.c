/* Resize, crop, pad and normalise as timm's evaluation does: see preprocess.h. */
#include "loaders/preprocess.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* ---- geometry -------------------------------------------------------------- */

/*
 * torchvision's Resize to one number: the shorter side is `scale`, the longer
 * int(scale * long / short), a division of doubles cut to an integer.
 */
static void resize_short_side(double scale, int width, int height, double *to_width,
                              double *to_height) {
    *to_width = width <= height ? scale : trunc(scale * width / height);
    *to_height = width <= height ? trunc(scale * height / width) : scale;
}

/*
 * timm's ResizeKeepRatio: divide by the larger (long) or smaller (short) of the
 * ratios to the target; sides are rounded half to even, as Python does.
 */
static void resize_keep_ratio(const struct fovea_recipe *recipe, double scale_width,
                              double scale_height, int width, int height, double *to_width,
                              double *to_height) {
    double across = width / scale_width, down = height / scale_height;
    double ratio = recipe->resize == FOVEA_RESIZE_LONG ? fmax(across, down) : fmin(across, down);
    *to_width = rint(width / ratio);
    *to_height = rint(height / ratio);
}

static enum fovea_status resized_sides(struct fovea_geometry *g, const struct fovea_recipe *recipe,
                                       int width, int height, struct fovea_error *err) {
    double scale_width = floor(recipe->width / recipe->crop_pct);
    double scale_height = floor(recipe->height / recipe->crop_pct);
    double to_width = scale_width, to_height = scale_height;

    if (recipe->resize == FOVEA_RESIZE_SHORT && scale_width == scale_height) {
        resize_short_side(scale_width, width, height, &to_width, &to_height);
    } else if (recipe->resize != FOVEA_RESIZE_SQUASH) {
        resize_keep_ratio(recipe, scale_width, scale_height, width, height, &to_width, &to_height);
    }
    if (to_width < 1 || to_height < 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "resizing %dx%d to %.0fx%.0f: a side of less than a pixel", width, height,
                          to_width, to_height);
    }
    if (to_width > INT_MAX || to_height > INT_MAX) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "resizing %dx%d to %.0fx%.0f: too large", width,
                          height, to_width, to_height);
    }
    g->resized_width = (int)to_width;
    g->resized_height = (int)to_height;
    return FOVEA_OK;
}

/*
 * Centre `want` of `have` samples, as torchvision's CenterCrop: what is missing
 * is padded with its smaller half before, what is over is cut from
 * round(over / 2), half to even.
 */
static void center(int have, int want, int *start, int *kept, int *padding) {
    if (want > have) {
        *start = 0;
        *kept = have;
        *padding = (want - have) / 2;
    } else {
        *start = (int)rint((have - want) / 2.0);
        *kept = want;
        *padding = 0;
    }
}

enum fovea_status fovea_geometry_init(struct fovea_geometry *geometry,
                                      const struct fovea_recipe *recipe, int width, int height,
                                      struct fovea_error *err) {
    struct fovea_geometry g;
    enum fovea_status status = resized_sides(&g, recipe, width, height, err);
    if (status) {
        return status;
    }
    center(g.resized_width, recipe->width, &g.kept.x, &g.kept.width, &g.left);
    center(g.resized_height, recipe->height, &g.kept.y, &g.kept.height, &g.top);
    *geometry = g;
    return FOVEA_OK;
}

/* ---- stages ---------------------------------------------------------------- */

static struct fovea_resize resize_of(const struct fovea_recipe *recipe,
                                     const struct fovea_geometry *g) {
    return (struct fovea_resize){
        .width = g->resized_width,
        .height = g->resized_height,
        .filter = recipe->filter,
        .order = recipe->order,
    };
}

enum fovea_status fovea_preprocess_resize(const struct fovea_recipe *recipe,
                                          const struct fovea_image *decoded,
                                          struct fovea_image *out, struct fovea_error *err) {
    struct fovea_geometry g;
    enum fovea_status status =
        fovea_geometry_init(&g, recipe, decoded->width, decoded->height, err);
    if (status) {
        return status;
    }
    struct fovea_resize how = resize_of(recipe, &g);
    return fovea_resize_image(decoded, &how, out, err);
}

static void fill_image(const struct fovea_recipe *recipe, struct fovea_image *image) {
    uint8_t fill[3];
    fovea_recipe_get_fill(recipe, fill);
    size_t size = fovea_image_size(image);
    for (size_t i = 0; i < size; i += 3) {
        memcpy(image->rgb + i, fill, 3);
    }
}

/* Lay the window `from` of `image` into a new image of the recipe's size. */
static enum fovea_status place(const struct fovea_recipe *recipe, const struct fovea_geometry *g,
                               const struct fovea_image *image, int from_x, int from_y,
                               struct fovea_image *out, struct fovea_error *err) {
    struct fovea_image made;
    enum fovea_status status = fovea_image_init(&made, recipe->width, recipe->height, err);
    if (status) {
        return status;
    }
    if (g->kept.width < recipe->width || g->kept.height < recipe->height) {
        fill_image(recipe, &made);
    }
    for (int y = 0; y < g->kept.height; y++) {
        size_t from = (size_t)(from_y + y) * (size_t)image->width + (size_t)from_x;
        size_t to = (size_t)(g->top + y) * (size_t)made.width + (size_t)g->left;
        memcpy(made.rgb + 3 * to, image->rgb + 3 * from, (size_t)g->kept.width * 3);
    }
    *out = made;
    return FOVEA_OK;
}

enum fovea_status fovea_preprocess_crop(const struct fovea_recipe *recipe,
                                        const struct fovea_image *decoded,
                                        const struct fovea_image *resized, struct fovea_image *out,
                                        struct fovea_error *err) {
    struct fovea_geometry g;
    enum fovea_status status =
        fovea_geometry_init(&g, recipe, decoded->width, decoded->height, err);
    if (status) {
        return status;
    }
    return place(recipe, &g, resized, g.kept.x, g.kept.y, out, err);
}

enum fovea_status fovea_preprocess_image(const struct fovea_recipe *recipe,
                                         const struct fovea_image *decoded, struct fovea_image *out,
                                         struct fovea_error *err) {
    struct fovea_geometry g;
    enum fovea_status status =
        fovea_geometry_init(&g, recipe, decoded->width, decoded->height, err);
    if (status) {
        return status;
    }
    struct fovea_resize how = resize_of(recipe, &g);
    how.window = g.kept;
    struct fovea_image window;
    status = fovea_resize_image(decoded, &how, &window, err);
    if (status) {
        return status;
    }
    if (window.width == recipe->width && window.height == recipe->height) {
        *out = window;
        return FOVEA_OK;
    }
    status = place(recipe, &g, &window, 0, 0, out, err);
    fovea_image_finish(&window);
    return status;
}

/* A pixel has 256 values a channel: each is computed once. */
static void normalized_values(double mean, double std, float values[256]) {
    for (int v = 0; v < 256; v++) {
        float unit = (float)v / 255.0f;
        float centred = unit - (float)mean;
        values[v] = centred / (float)std;
    }
}

void fovea_preprocess_normalize(const struct fovea_recipe *recipe,
                                const struct fovea_image *cropped, float *out) {
    size_t n_pixels = (size_t)cropped->width * (size_t)cropped->height;
    float values[3][256];
    for (int c = 0; c < 3; c++) {
        normalized_values(recipe->mean[c], recipe->std[c], values[c]);
    }
    const uint8_t *pixel = cropped->rgb;
    float *red = out, *green = out + n_pixels, *blue = out + 2 * n_pixels;
    for (size_t i = 0; i < n_pixels; i++, pixel += 3) {
        red[i] = values[0][pixel[0]];
        green[i] = values[1][pixel[1]];
        blue[i] = values[2][pixel[2]];
    }
}

enum fovea_status fovea_preprocess_jpeg(const struct fovea_recipe *recipe,
                                        const struct fovea_jpeg_options *jpeg, const uint8_t *bytes,
                                        size_t size, float *out, struct fovea_jpeg_report *report,
                                        struct fovea_error *err) {
    struct fovea_image decoded, cropped;
    struct fovea_jpeg_report made;
    enum fovea_status status = fovea_jpeg_decode(bytes, size, jpeg, &decoded, &made, err);
    if (status) {
        return status;
    }
    status = fovea_preprocess_image(recipe, &decoded, &cropped, err);
    fovea_image_finish(&decoded);
    if (status) {
        return status;
    }
    fovea_preprocess_normalize(recipe, &cropped, out);
    fovea_image_finish(&cropped);
    if (report) {
        *report = made;
    }
    return FOVEA_OK;
}
