/* See preprocess_rows.h. */
#include "tools/preprocess_rows.h"

#include "runtime/limits.h"

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
    if (least < 1 || most > FOVEA_LIMIT_INPUT_SIDE) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "'%s': sides must be in 1..%d",
                          fovea_quote(text).text, FOVEA_LIMIT_INPUT_SIDE);
    }
    flags->height = (int)height;
    flags->width = (int)width;
    flags->source[FOVEA_RECIPE_SIZE] = FOVEA_FROM_FLAG;
    return FOVEA_OK;
}

/* --crop-pct and --margin say the same; with both, one would be passed over. */
static enum fovea_status check_one_crop(const struct fovea_recipe *flags, bool margin,
                                        struct fovea_error *err) {
    bool given = flags->source[FOVEA_RECIPE_CROP_PCT] == FOVEA_FROM_FLAG;
    return given && margin != (flags->crop_pct == 0)
               ? fovea_fail(err, FOVEA_ERR_INVALID, "it excludes %s, which is given",
                            margin ? "--crop-pct" : "--margin")
               : FOVEA_OK;
}

static enum fovea_status parse_crop_pct(const char *text, void *target, struct fovea_error *err) {
    struct fovea_recipe *flags = target;
    enum fovea_status status = check_one_crop(flags, false, err);
    if (status) {
        return status;
    }
    if (!parse_number(text, &flags->crop_pct)) {
        return fail_value(text, "a number such as 0.875", err);
    }
    flags->source[FOVEA_RECIPE_CROP_PCT] = FOVEA_FROM_FLAG;
    return fovea_recipe_check_crop_pct(flags->crop_pct, err);
}

static enum fovea_status parse_margin(const char *text, void *target, struct fovea_error *err) {
    struct fovea_recipe *flags = target;
    unsigned long long margin;
    if (!parse_whole(text, 0, &margin, NULL) || margin > FOVEA_LIMIT_INPUT_SIDE) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "'%s': must be a number of pixels, 0..%d",
                          fovea_quote(text).text, FOVEA_LIMIT_INPUT_SIDE);
    }
    enum fovea_status status = check_one_crop(flags, true, err);
    flags->margin = (int)margin;
    flags->crop_pct = 0;
    flags->source[FOVEA_RECIPE_CROP_PCT] = FOVEA_FROM_FLAG;
    return status;
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

static enum fovea_status parse_word(const char *text, struct fovea_recipe *flags,
                                    enum fovea_recipe_field field, struct fovea_error *err) {
    flags->source[field] = FOVEA_FROM_FLAG;
    return fovea_recipe_find_word(flags, field, text)
               ? FOVEA_OK
               : fail_value(text, fovea_recipe_words(field), err);
}

static enum fovea_status parse_resize(const char *text, void *target, struct fovea_error *err) {
    return parse_word(text, target, FOVEA_RECIPE_RESIZE, err);
}

static enum fovea_status parse_filter(const char *text, void *target, struct fovea_error *err) {
    return parse_word(text, target, FOVEA_RECIPE_FILTER, err);
}

static enum fovea_status parse_order(const char *text, void *target, struct fovea_error *err) {
    return parse_word(text, target, FOVEA_RECIPE_ORDER, err);
}

static enum fovea_status parse_resampler(const char *text, void *target, struct fovea_error *err) {
    return parse_word(text, target, FOVEA_RECIPE_RESAMPLER, err);
}

static enum fovea_status parse_pixels(const char *text, void *target, struct fovea_error *err) {
    return parse_word(text, target, FOVEA_RECIPE_PIXELS, err);
}

static enum fovea_status parse_crop_rounding(const char *text, void *target,
                                             struct fovea_error *err) {
    return parse_word(text, target, FOVEA_RECIPE_CROP_ROUNDING, err);
}

static enum fovea_status parse_dct(const char *text, void *target, struct fovea_error *err) {
    return parse_word(text, target, FOVEA_RECIPE_DCT, err);
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

static enum fovea_status parse_preset(const char *text, void *target, struct fovea_error *err) {
    struct fovea_preprocess_options *options = target;
    struct fovea_recipe recipe;
    options->preset = text;
    enum fovea_status status = fovea_recipe_preset(text, FOVEA_FROM_PRESET, &recipe, err);
    return status ? status : check_exclusive(options, err);
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
         "a recipe in JSON (docs/recipes.md), as --write-recipe of\n"
         "fovea inspect and every JSON result have it",
         parse_recipe, options, 0},
        {"preset", "NAME",
         "timm, torchvision, siglip, deepmind, big-vision,\n"
         "big-vision-transfer, big-vision-squash, or timm's name of a\n"
         "model: dm_nfnet_f0",
         parse_preset, options, 0},
        preprocess_size_row(options),
        {"resize", "MODE",
         "to size/crop-pct or size+margin: squash (both sides), short\n"
         "or long (that side, aspect kept; long pads)",
         parse_resize, flags, 0},
        {"crop-pct", "X", "share of the resized side that the centre crop keeps", parse_crop_pct,
         flags, 0},
        {"margin", "N", "in place of crop-pct: pixels that the crop cuts off each axis",
         parse_margin, flags, 0},
        {"filter", "NAME",
         "bicubic, bilinear, lanczos, box or nearest, as in Pillow;\n"
         "bicubic, bilinear or area, as in TensorFlow",
         parse_filter, flags, 0},
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
        {"resampler", "NAME", "pillow (antialiased) or tensorflow (not)", parse_resampler, flags,
         0},
        {"pixels", "KIND",
         "uint8, or float: resized pixels are not rounded (tensorflow\n"
         "only)",
         parse_pixels, flags, 0},
        {"crop-rounding", "HOW",
         "where an odd remainder is cropped from: even (half to even:\n"
         "torchvision, timm), up (DeepMind) or down (Big Vision)",
         parse_crop_rounding, flags, 0},
        {"dct", "KIND", "of JPEGs: accurate (Pillow) or fast (TensorFlow)", parse_dct, flags, 0},
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
