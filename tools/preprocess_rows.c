/* See preprocess_rows.h. */
#include "tools/preprocess_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ---------------------------------------------------------------- */

static enum fovea_status fail_value(const char *text, const char *wanted, struct fovea_error *err) {
    return fovea_fail(err, FOVEA_ERR_INVALID, "'%s': must be %s", fovea_quote(text).text, wanted);
}

/* A number and nothing else. */
static bool parse_number(const char *text, double *out) {
    char *end;
    *out = strtod(text, &end);
    return end != text && *end == 0;
}

/* "R,G,B", or one number for all three. */
static bool parse_three(const char *text, double out[3]) {
    if (parse_number(text, &out[0])) {
        out[1] = out[2] = out[0];
        return true;
    }
    for (int c = 0; c < 3; c++) {
        char *end;
        out[c] = strtod(text, &end);
        if (end == text || *end != (c < 2 ? ',' : 0)) {
            return false;
        }
        text = end + 1;
    }
    return true;
}

/* Digits only: no sign, no space. */
static bool parse_whole(const char *text, char stop, unsigned long long *out, const char **rest) {
    char *end;
    if (*text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    *out = strtoull(text, &end, 10);
    if (rest) {
        *rest = end;
    }
    return errno == 0 && (*end == 0 || *end == stop);
}

static enum fovea_status parse_size(const char *text, void *target, struct fovea_error *err) {
    struct fovea_recipe *flags = target;
    unsigned long long height, width;
    const char *rest;
    if (!parse_whole(text, 'x', &height, &rest)) {
        return fail_value(text, "a number of pixels, or HEIGHTxWIDTH", err);
    }
    width = height;
    if (*rest == 'x' && !parse_whole(rest + 1, 0, &width, NULL)) {
        return fail_value(text, "a number of pixels, or HEIGHTxWIDTH", err);
    }
    unsigned long long most = height > width ? height : width;
    unsigned long long least = height < width ? height : width;
    if (least < 1 || most > FOVEA_RECIPE_SIZE_MAX) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "'%s': sides must be in 1..%d",
                          fovea_quote(text).text, FOVEA_RECIPE_SIZE_MAX);
    }
    flags->height = (int)height;
    flags->width = (int)width;
    flags->source[FOVEA_RECIPE_SIZE] = FOVEA_FROM_FLAG;
    return FOVEA_OK;
}

static enum fovea_status parse_crop_pct(const char *text, void *target, struct fovea_error *err) {
    struct fovea_recipe *flags = target;
    if (!parse_number(text, &flags->crop_pct)) {
        return fail_value(text, "a number such as 0.875", err);
    }
    flags->source[FOVEA_RECIPE_CROP_PCT] = FOVEA_FROM_FLAG;
    return fovea_recipe_check_crop_pct(flags->crop_pct, err);
}

static enum fovea_status parse_mean(const char *text, void *target, struct fovea_error *err) {
    struct fovea_recipe *flags = target;
    if (!parse_three(text, flags->mean)) {
        return fail_value(text, "R,G,B on the scale of 0..1", err);
    }
    flags->source[FOVEA_RECIPE_MEAN] = FOVEA_FROM_FLAG;
    enum fovea_status status = FOVEA_OK;
    for (int c = 0; c < 3 && !status; c++) {
        status = fovea_recipe_check_mean(flags->mean[c], err);
    }
    return status;
}

static enum fovea_status parse_std(const char *text, void *target, struct fovea_error *err) {
    struct fovea_recipe *flags = target;
    if (!parse_three(text, flags->std)) {
        return fail_value(text, "R,G,B on the scale of 0..1", err);
    }
    flags->source[FOVEA_RECIPE_STD] = FOVEA_FROM_FLAG;
    enum fovea_status status = FOVEA_OK;
    for (int c = 0; c < 3 && !status; c++) {
        status = fovea_recipe_check_std(flags->std[c], err);
    }
    return status;
}

static enum fovea_status parse_fill(const char *text, void *target, struct fovea_error *err) {
    struct fovea_recipe *flags = target;
    double fill[3];
    bool good = parse_three(text, fill);
    for (int c = 0; c < 3 && good; c++) {
        good = fill[c] >= 0 && fill[c] <= 255 && fill[c] == (uint8_t)fill[c];
        if (good) {
            flags->fill[c] = (uint8_t)fill[c];
        }
    }
    if (!good) {
        return fail_value(text, "R,G,B, whole numbers in 0..255", err);
    }
    flags->source[FOVEA_RECIPE_FILL] = FOVEA_FROM_FLAG;
    return FOVEA_OK;
}

static enum fovea_status parse_resize(const char *text, void *target, struct fovea_error *err) {
    struct fovea_recipe *flags = target;
    flags->source[FOVEA_RECIPE_RESIZE] = FOVEA_FROM_FLAG;
    return fovea_resize_mode_find(text, &flags->resize)
               ? FOVEA_OK
               : fail_value(text, "squash, short or long", err);
}

static enum fovea_status parse_filter(const char *text, void *target, struct fovea_error *err) {
    struct fovea_recipe *flags = target;
    flags->source[FOVEA_RECIPE_FILTER] = FOVEA_FROM_FLAG;
    return fovea_filter_find(text, &flags->filter)
               ? FOVEA_OK
               : fail_value(text, "bicubic, bilinear, lanczos, box or nearest", err);
}

static enum fovea_status parse_order(const char *text, void *target, struct fovea_error *err) {
    struct fovea_recipe *flags = target;
    flags->source[FOVEA_RECIPE_ORDER] = FOVEA_FROM_FLAG;
    return fovea_resize_order_find(text, &flags->order)
               ? FOVEA_OK
               : fail_value(text, "horizontal or vertical", err);
}

static enum fovea_status parse_max_pixels(const char *text, void *target, struct fovea_error *err) {
    struct fovea_jpeg_options *jpeg = target;
    unsigned long long n;
    if (!parse_whole(text, 0, &n, NULL) || n < 1) {
        return fail_value(text, "a number of pixels, at least 1", err);
    }
    jpeg->max_pixels = n;
    return FOVEA_OK;
}

static enum fovea_status check_exclusive(const struct fovea_preprocess_options *options,
                                         struct fovea_error *err) {
    if (options->recipe_path && options->preset) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "--recipe and --preset exclude each other");
    }
    return FOVEA_OK;
}

static enum fovea_status parse_recipe(const char *text, void *target, struct fovea_error *err) {
    struct fovea_preprocess_options *options = target;
    options->recipe_path = text;
    return check_exclusive(options, err);
}

/* A name that is none is a usage error; one that is not supported fails later. */
static enum fovea_status parse_preset(const char *text, void *target, struct fovea_error *err) {
    struct fovea_preprocess_options *options = target;
    struct fovea_recipe recipe;
    options->preset = text;
    if (fovea_recipe_preset(text, FOVEA_FROM_PRESET, &recipe, err) == FOVEA_ERR_INVALID) {
        return FOVEA_ERR_INVALID;
    }
    return check_exclusive(options, err);
}

/* ---- the table --------------------------------------------------------------- */

struct option_spec preprocess_size_row(struct fovea_preprocess_options *options) {
    return (struct option_spec){
        "size", "N|HxW", "size of the model's input", parse_size, &options->flags, 0,
    };
}

static void recipe_rows(struct fovea_preprocess_options *options, struct option_spec *specs) {
    struct fovea_recipe *flags = &options->flags;
    const struct option_spec rows[N_RECIPE_ROWS] = {
        {"recipe", "FILE",
         "a recipe in JSON: resize, size, crop_pct, filter, mean, std,\n"
         "fill, resize_order, preset",
         parse_recipe, options, 0},
        {"preset", "NAME", "timm, imagenet or siglip", parse_preset, options, 0},
        preprocess_size_row(options),
        {"resize", "MODE",
         "to size/crop-pct: squash (both sides), short or long (that\n"
         "side, aspect kept; long pads)",
         parse_resize, flags, 0},
        {"crop-pct", "X", "share of the resized side that the centre crop keeps", parse_crop_pct,
         flags, 0},
        {"filter", "NAME", "bicubic, bilinear, lanczos, box or nearest, as in Pillow", parse_filter,
         flags, 0},
        {"mean", "R,G,B", "subtracted, on the scale of 0..1", parse_mean, flags, 0},
        {"std", "R,G,B", "divided by, on the scale of 0..1", parse_std, flags, 0},
        {"fill", "R,G,B",
         "colour of padding, 0..255 (default: the mean for long, else\n"
         "black)",
         parse_fill, flags, 0},
        {"resize-order", "ORDER",
         "pass that comes first: horizontal (default: Pillow up to 12)\n"
         "or vertical",
         parse_order, flags, 0},
    };
    memcpy(specs, rows, sizeof(rows));
}

static void jpeg_rows(struct fovea_jpeg_options *jpeg, struct option_spec *specs) {
    const struct option_spec rows[N_JPEG_ROWS] = {
        {"allow-truncated", NULL, "decode what is there of a file that ends early", option_flag,
         &jpeg->allow_truncated, 0},
        {"strict", NULL, "refuse files that decode only with warnings", option_flag, &jpeg->strict,
         0},
        {"exif-orientation", NULL, "turn images as EXIF says (default: as stored, like timm)",
         option_flag, &jpeg->exif_orientation, 0},
        {"max-pixels", "N", "refuse larger images (default 89478485)", parse_max_pixels, jpeg, 0},
    };
    memcpy(specs, rows, sizeof(rows));
}

void preprocess_rows_init(struct preprocess_rows *rows, struct fovea_preprocess_options *options) {
    fovea_preprocess_options_init(options);
    *rows = (struct preprocess_rows){0};
    recipe_rows(options, rows->specs);
    jpeg_rows(&options->jpeg, rows->specs + N_RECIPE_ROWS);
}

struct option_group preprocess_rows_group(const struct preprocess_rows *rows) {
    return (struct option_group){
        "preprocessing (what is not given comes from --recipe or --preset, then from the\n"
        "model, then from timm's defaults; what was used is printed)",
        rows->specs,
    };
}
