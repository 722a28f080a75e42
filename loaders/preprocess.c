/* Resize, crop, pad and normalise as timm's evaluation does: see preprocess.h. */
#include "loaders/preprocess.h"
#include "loaders/preprocess_stream.h"
#include "loaders/resize_tf.h"

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

/*
 * Big Vision's resize_small and resize_long: one factor in f32, each side
 * times it rounded half to even, as tf.round does.
 */
static void resize_by_factor(enum fovea_resize_mode mode, double scale, int width, int height,
                             double *to_width, double *to_height) {
    bool by_width = mode == FOVEA_RESIZE_SHORT ? width <= height : width >= height;
    float factor = (float)scale / (float)(by_width ? width : height);
    *to_width = rintf((float)width * factor);
    *to_height = rintf((float)height * factor);
}

/* What a side of the model's input asks of the resized image. */
static double target_side(const struct fovea_recipe *recipe, int side) {
    return recipe->crop_pct == 0 ? side + recipe->margin : floor(side / recipe->crop_pct);
}

static enum fovea_status resized_sides(struct fovea_geometry *g, const struct fovea_recipe *recipe,
                                       int width, int height, struct fovea_error *err) {
    double scale_width = target_side(recipe, recipe->width);
    double scale_height = target_side(recipe, recipe->height);
    double to_width = scale_width, to_height = scale_height;
    bool tensorflow = recipe->resampler == FOVEA_RESAMPLER_TENSORFLOW;

    if (recipe->resize != FOVEA_RESIZE_SQUASH && tensorflow) {
        resize_by_factor(recipe->resize, scale_width, width, height, &to_width, &to_height);
    } else if (recipe->resize == FOVEA_RESIZE_SHORT && scale_width == scale_height) {
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
 * Centre `want` of `have` samples: what is missing is padded with its smaller
 * half before, as torchvision's CenterCrop does; what is over is cut from
 * over / 2, rounded as the recipe says.
 */
static void center(enum fovea_crop_rounding rounding, int have, int want, int *start, int *kept,
                   int *padding) {
    int over = have - want;
    if (want > have) {
        *start = 0;
        *kept = have;
        *padding = (want - have) / 2;
    } else {
        *start = rounding == FOVEA_CROP_EVEN ? (int)rint(over / 2.0)
                 : rounding == FOVEA_CROP_UP ? over - over / 2
                                             : over / 2;
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
    center(recipe->crop_rounding, g.resized_width, recipe->width, &g.kept.x, &g.kept.width,
           &g.left);
    center(recipe->crop_rounding, g.resized_height, recipe->height, &g.kept.y, &g.kept.height,
           &g.top);
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

static enum fovea_status resize(const struct fovea_recipe *recipe, const struct fovea_image *in,
                                const struct fovea_resize *how, struct fovea_image *out,
                                struct fovea_error *err) {
    if (recipe->resampler == FOVEA_RESAMPLER_PILLOW) {
        return fovea_resize_image(in, how, out, err);
    }
    return fovea_resize_tf(in, how, recipe->pixels == FOVEA_PIXELS_FLOAT, out, err);
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
    return resize(recipe, decoded, &how, out, err);
}

static void fill_image(const struct fovea_recipe *recipe, struct fovea_image *image) {
    uint8_t fill[3];
    fovea_recipe_get_fill(recipe, fill);
    size_t n = (size_t)image->width * (size_t)image->height * 3;
    for (size_t i = 0; i < n; i++) {
        if (image->rgb) {
            image->rgb[i] = fill[i % 3];
        } else {
            image->floats[i] = fill[i % 3];
        }
    }
}

/* Copy `from`, of g->kept's size at from_x, from_y, to where it lies in `to`. */
static void copy_kept(const struct fovea_geometry *g, const struct fovea_image *from, int from_x,
                      int from_y, struct fovea_image *to) {
    size_t pixel = 3 * (from->floats ? sizeof(float) : sizeof(uint8_t));
    const char *source = fovea_image_data(from);
    char *target = to->rgb ? (char *)to->rgb : (char *)to->floats;
    for (int y = 0; y < g->kept.height; y++) {
        size_t at = (size_t)(from_y + y) * (size_t)from->width + (size_t)from_x;
        size_t into = (size_t)(g->top + y) * (size_t)to->width + (size_t)g->left;
        memcpy(target + into * pixel, source + at * pixel, (size_t)g->kept.width * pixel);
    }
}

/* Lay the window `from` of `image` into a new image of the recipe's size. */
static enum fovea_status place(const struct fovea_recipe *recipe, const struct fovea_geometry *g,
                               const struct fovea_image *image, int from_x, int from_y,
                               struct fovea_image *out, struct fovea_error *err) {
    struct fovea_image made;
    enum fovea_status status =
        image->floats ? fovea_image_init_floats(&made, recipe->width, recipe->height, err)
                      : fovea_image_init(&made, recipe->width, recipe->height, err);
    if (status) {
        return status;
    }
    if (g->kept.width < recipe->width || g->kept.height < recipe->height) {
        fill_image(recipe, &made);
    }
    copy_kept(g, image, from_x, from_y, &made);
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
    status = resize(recipe, decoded, &how, &window, err);
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

void fovea_preprocess_values(const struct fovea_recipe *recipe, float values[3][256]) {
    for (int c = 0; c < 3; c++) {
        for (int v = 0; v < 256; v++) {
            float unit = (float)v / 255.0f;
            float centred = unit - (float)recipe->mean[c];
            values[c][v] = centred / (float)recipe->std[c];
        }
    }
}

/* DeepMind's: constants on the scale of 0..255, made in doubles and rounded once. */
static void normalize_floats(const struct fovea_recipe *recipe, const struct fovea_image *cropped,
                             float *out) {
    size_t n_pixels = (size_t)cropped->width * (size_t)cropped->height;
    for (size_t c = 0; c < 3; c++) {
        float mean = (float)(recipe->mean[c] * 255), std = (float)(recipe->std[c] * 255);
        for (size_t i = 0; i < n_pixels; i++) {
            out[c * n_pixels + i] = (cropped->floats[3 * i + c] - mean) / std;
        }
    }
}

void fovea_preprocess_normalize(const struct fovea_recipe *recipe,
                                const struct fovea_image *cropped, float *out) {
    if (cropped->floats) {
        normalize_floats(recipe, cropped, out);
        return;
    }
    size_t n_pixels = (size_t)cropped->width * (size_t)cropped->height;
    float values[3][256];
    fovea_preprocess_values(recipe, values);
    const uint8_t *pixel = cropped->rgb;
    float *red = out, *green = out + n_pixels, *blue = out + 2 * n_pixels;
    for (size_t i = 0; i < n_pixels; i++, pixel += 3) {
        red[i] = values[0][pixel[0]];
        green[i] = values[1][pixel[1]];
        blue[i] = values[2][pixel[2]];
    }
}

void fovea_preprocess_jpeg_options(const struct fovea_recipe *recipe,
                                   const struct fovea_jpeg_options *asked,
                                   struct fovea_jpeg_options *out) {
    if (asked) {
        *out = *asked;
    } else {
        fovea_jpeg_options_default(out);
    }
    out->fast_dct = recipe->dct == FOVEA_DCT_FAST;
}

static enum fovea_status jpeg_by_stages(const struct fovea_recipe *recipe,
                                        const struct fovea_jpeg_options *options,
                                        const uint8_t *bytes, size_t size, float *out,
                                        struct fovea_jpeg_report *report, struct fovea_error *err) {
    struct fovea_image decoded, cropped;
    enum fovea_status status = fovea_jpeg_decode(bytes, size, options, &decoded, report, err);
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
    return FOVEA_OK;
}

enum fovea_status fovea_preprocess_jpeg(const struct fovea_recipe *recipe,
                                        const struct fovea_jpeg_options *jpeg, const uint8_t *bytes,
                                        size_t size, float *out, struct fovea_jpeg_report *report,
                                        struct fovea_error *err) {
    struct fovea_jpeg_report made;
    struct fovea_jpeg_options options;
    fovea_preprocess_jpeg_options(recipe, jpeg, &options);
    enum fovea_status status =
        fovea_preprocess_can_stream(recipe, &options)
            ? fovea_preprocess_stream(recipe, &options, bytes, size, out, &made, err)
            : jpeg_by_stages(recipe, &options, bytes, size, out, &made, err);
    if (!status && report) {
        *report = made;
    }
    return status;
}
