/* Preprocessing options: see preprocess_options.h. */
#include "tools/preprocess_options.h"
#include "loaders/recipe_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char fovea_preprocess_options_help[] =
    "Preprocessing (what is not given comes from --recipe or --preset, then from the\n"
    "model, then from timm's defaults; what was used is printed):\n"
    "      --recipe FILE         a recipe in JSON: resize, size, crop_pct, filter, mean, std,\n"
    "                            fill, resize_order, preset\n"
    "      --preset NAME         timm, imagenet or siglip\n"
    "      --size N|HxW          size of the model's input\n"
    "      --resize MODE         to size/crop-pct: squash (both sides), short or long (that\n"
    "                            side, aspect kept; long pads)\n"
    "      --crop-pct X          share of the resized side that the centre crop keeps\n"
    "      --filter NAME         bicubic, bilinear, lanczos, box or nearest, as in Pillow\n"
    "      --mean R,G,B          subtracted, on the scale of 0..1\n"
    "      --std R,G,B           divided by, on the scale of 0..1\n"
    "      --fill R,G,B          colour of padding, 0..255 (default: the mean for long, else\n"
    "                            black)\n"
    "      --resize-order ORDER  horizontal (default: Pillow up to 12) or vertical pass first\n"
    "      --allow-truncated     decode what is there of a file that ends early\n"
    "      --strict              refuse files that decode only with warnings\n"
    "      --exif-orientation    turn images as EXIF says (default: as stored, like timm)\n"
    "      --max-pixels N        refuse larger images (default 89478485)\n";

void fovea_preprocess_options_init(struct fovea_preprocess_options *options) {
    *options = (struct fovea_preprocess_options){0};
    fovea_jpeg_options_default(&options->jpeg);
}

/* ---- values ---------------------------------------------------------------- */

static enum fovea_status fail_value(const char *option, const char *value, const char *wanted,
                                    struct fovea_error *err) {
    return fovea_fail(err, FOVEA_ERR_INVALID, "%s '%s': must be %s", option,
                      fovea_quote(value).text, wanted);
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

static enum fovea_status take_size(struct fovea_recipe *flags, const char *value,
                                   struct fovea_error *err) {
    unsigned long long height, width;
    const char *rest;
    if (!parse_whole(value, 'x', &height, &rest)) {
        return fail_value("--size", value, "a number of pixels, or HEIGHTxWIDTH", err);
    }
    width = height;
    if (*rest == 'x' && !parse_whole(rest + 1, 0, &width, NULL)) {
        return fail_value("--size", value, "a number of pixels, or HEIGHTxWIDTH", err);
    }
    unsigned long long most = height > width ? height : width;
    unsigned long long least = height < width ? height : width;
    if (least < 1 || most > FOVEA_RECIPE_SIZE_MAX) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "--size '%s': sides must be in 1..%d",
                          fovea_quote(value).text, FOVEA_RECIPE_SIZE_MAX);
    }
    flags->height = (int)height;
    flags->width = (int)width;
    flags->source[FOVEA_RECIPE_SIZE] = FOVEA_FROM_FLAG;
    return FOVEA_OK;
}

static enum fovea_status take_crop_pct(struct fovea_recipe *flags, const char *value,
                                       struct fovea_error *err) {
    if (!parse_number(value, &flags->crop_pct)) {
        return fail_value("--crop-pct", value, "a number such as 0.875", err);
    }
    flags->source[FOVEA_RECIPE_CROP_PCT] = FOVEA_FROM_FLAG;
    return fovea_recipe_check_crop_pct(flags->crop_pct, err);
}

static enum fovea_status take_mean(struct fovea_recipe *flags, const char *value,
                                   struct fovea_error *err) {
    if (!parse_three(value, flags->mean)) {
        return fail_value("--mean", value, "R,G,B on the scale of 0..1", err);
    }
    flags->source[FOVEA_RECIPE_MEAN] = FOVEA_FROM_FLAG;
    enum fovea_status status = FOVEA_OK;
    for (int c = 0; c < 3 && !status; c++) {
        status = fovea_recipe_check_mean(flags->mean[c], err);
    }
    return status;
}

static enum fovea_status take_std(struct fovea_recipe *flags, const char *value,
                                  struct fovea_error *err) {
    if (!parse_three(value, flags->std)) {
        return fail_value("--std", value, "R,G,B on the scale of 0..1", err);
    }
    flags->source[FOVEA_RECIPE_STD] = FOVEA_FROM_FLAG;
    enum fovea_status status = FOVEA_OK;
    for (int c = 0; c < 3 && !status; c++) {
        status = fovea_recipe_check_std(flags->std[c], err);
    }
    return status;
}

static enum fovea_status take_fill(struct fovea_recipe *flags, const char *value,
                                   struct fovea_error *err) {
    double fill[3];
    bool good = parse_three(value, fill);
    for (int c = 0; c < 3 && good; c++) {
        good = fill[c] >= 0 && fill[c] <= 255 && fill[c] == (uint8_t)fill[c];
        if (good) {
            flags->fill[c] = (uint8_t)fill[c];
        }
    }
    if (!good) {
        return fail_value("--fill", value, "R,G,B, whole numbers in 0..255", err);
    }
    flags->source[FOVEA_RECIPE_FILL] = FOVEA_FROM_FLAG;
    return FOVEA_OK;
}

static enum fovea_status take_word(struct fovea_recipe *flags, int code, const char *value,
                                   struct fovea_error *err) {
    if (code == FOVEA_OPT_RESIZE) {
        flags->source[FOVEA_RECIPE_RESIZE] = FOVEA_FROM_FLAG;
        return fovea_resize_mode_find(value, &flags->resize)
                   ? FOVEA_OK
                   : fail_value("--resize", value, "squash, short or long", err);
    }
    if (code == FOVEA_OPT_FILTER) {
        flags->source[FOVEA_RECIPE_FILTER] = FOVEA_FROM_FLAG;
        return fovea_filter_find(value, &flags->filter)
                   ? FOVEA_OK
                   : fail_value("--filter", value, "bicubic, bilinear, lanczos, box or nearest",
                                err);
    }
    flags->source[FOVEA_RECIPE_ORDER] = FOVEA_FROM_FLAG;
    return fovea_resize_order_find(value, &flags->order)
               ? FOVEA_OK
               : fail_value("--resize-order", value, "horizontal or vertical", err);
}

static enum fovea_status check_exclusive(const struct fovea_preprocess_options *options,
                                         struct fovea_error *err) {
    if (options->recipe_path && options->preset) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "--recipe and --preset exclude each other");
    }
    return FOVEA_OK;
}

/* A name that is none is a usage error; one that is not supported fails later. */
static enum fovea_status take_preset(const struct fovea_preprocess_options *options,
                                     const char *name, struct fovea_error *err) {
    struct fovea_recipe recipe;
    if (fovea_recipe_preset(name, FOVEA_FROM_PRESET, &recipe, err) == FOVEA_ERR_INVALID) {
        return FOVEA_ERR_INVALID;
    }
    return check_exclusive(options, err);
}

static enum fovea_status take_max_pixels(struct fovea_jpeg_options *jpeg, const char *value,
                                         struct fovea_error *err) {
    unsigned long long n;
    if (!parse_whole(value, 0, &n, NULL) || n < 1) {
        return fail_value("--max-pixels", value, "a number of pixels, at least 1", err);
    }
    jpeg->max_pixels = n;
    return FOVEA_OK;
}

enum fovea_status fovea_preprocess_options_take(struct fovea_preprocess_options *options, int code,
                                                const char *value, struct fovea_error *err) {
    switch (code) {
    case FOVEA_OPT_RECIPE:
        options->recipe_path = value;
        return check_exclusive(options, err);
    case FOVEA_OPT_PRESET:
        options->preset = value;
        return take_preset(options, value, err);
    case FOVEA_OPT_SIZE:
        return take_size(&options->flags, value, err);
    case FOVEA_OPT_CROP_PCT:
        return take_crop_pct(&options->flags, value, err);
    case FOVEA_OPT_MEAN:
        return take_mean(&options->flags, value, err);
    case FOVEA_OPT_STD:
        return take_std(&options->flags, value, err);
    case FOVEA_OPT_FILL:
        return take_fill(&options->flags, value, err);
    case FOVEA_OPT_RESIZE:
    case FOVEA_OPT_FILTER:
    case FOVEA_OPT_RESIZE_ORDER:
        return take_word(&options->flags, code, value, err);
    case FOVEA_OPT_ALLOW_TRUNCATED:
        options->jpeg.allow_truncated = true;
        return FOVEA_OK;
    case FOVEA_OPT_STRICT:
        options->jpeg.strict = true;
        return FOVEA_OK;
    case FOVEA_OPT_EXIF_ORIENTATION:
        options->jpeg.exif_orientation = true;
        return FOVEA_OK;
    case FOVEA_OPT_MAX_PIXELS:
        return take_max_pixels(&options->jpeg, value, err);
    default:
        return fovea_fail(err, FOVEA_ERR_INVALID, "option %d is no preprocessing option", code);
    }
}

/* ---- the recipe used -------------------------------------------------------- */

enum fovea_status fovea_preprocess_options_resolve(const struct fovea_preprocess_options *options,
                                                   const struct fovea_recipe *known,
                                                   struct fovea_recipe *out,
                                                   struct fovea_error *err) {
    struct fovea_recipe recipe, chosen = {0};
    enum fovea_status status = FOVEA_OK;
    if (options->recipe_path) {
        status = fovea_recipe_load(options->recipe_path, FOVEA_FROM_FILE, &chosen, err);
    } else if (options->preset) {
        status = fovea_recipe_preset(options->preset, FOVEA_FROM_PRESET, &chosen, err);
    }
    if (!status) {
        status = fovea_recipe_preset("timm", FOVEA_FROM_DEFAULT, &recipe, err);
    }
    if (status) {
        return status;
    }
    recipe.height = recipe.width = 224;
    recipe.source[FOVEA_RECIPE_SIZE] = FOVEA_FROM_DEFAULT;
    if (known) {
        fovea_recipe_overlay(&recipe, known);
    }
    fovea_recipe_overlay(&recipe, &chosen);
    fovea_recipe_overlay(&recipe, &options->flags);
    status = fovea_recipe_check(&recipe, err);
    if (!status) {
        *out = recipe;
    }
    return status;
}

static const char *source_of(const struct fovea_recipe *recipe, enum fovea_recipe_field field) {
    return fovea_recipe_source_name(recipe->source[field]);
}

/* Whether the order of passes was left at the default matters to nobody. */
static bool is_guess(const struct fovea_recipe *recipe, enum fovea_recipe_field field) {
    return field != FOVEA_RECIPE_ORDER && recipe->source[field] == FOVEA_FROM_DEFAULT;
}

void fovea_preprocess_recipe_print(const struct fovea_recipe *recipe, FILE *to) {
    const double *mean = recipe->mean, *std = recipe->std;
    fprintf(to, "recipe: resize %s (%s), size %dx%d (%s), crop_pct %g (%s), filter %s (%s), ",
            fovea_resize_mode_name(recipe->resize), source_of(recipe, FOVEA_RECIPE_RESIZE),
            recipe->height, recipe->width, source_of(recipe, FOVEA_RECIPE_SIZE), recipe->crop_pct,
            source_of(recipe, FOVEA_RECIPE_CROP_PCT), fovea_filter_name(recipe->filter),
            source_of(recipe, FOVEA_RECIPE_FILTER));
    fprintf(to, "mean %g,%g,%g (%s), std %g,%g,%g (%s), %s pass first\n", mean[0], mean[1], mean[2],
            source_of(recipe, FOVEA_RECIPE_MEAN), std[0], std[1], std[2],
            source_of(recipe, FOVEA_RECIPE_STD), fovea_resize_order_name(recipe->order));

    const char *before = "warning: nothing says ";
    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
        enum fovea_recipe_field field = (enum fovea_recipe_field)i;
        if (is_guess(recipe, field)) {
            fprintf(to, "%s%s", before, fovea_recipe_field_name(field));
            before = ", ";
        }
    }
    if (before[0] == ',') {
        fprintf(to, ": timm's default is assumed, and may be wrong for your model\n");
    }
}

static json_t *sources_json(const struct fovea_recipe *recipe) {
    json_t *sources = json_object();
    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
        enum fovea_recipe_field field = (enum fovea_recipe_field)i;
        if (recipe->source[field]) {
            json_object_set_new(sources, fovea_recipe_field_name(field),
                                json_string(source_of(recipe, field)));
        }
    }
    return sources;
}

json_t *fovea_preprocess_recipe_json(const struct fovea_recipe *recipe) {
    uint8_t fill[3];
    fovea_recipe_get_fill(recipe, fill);
    return json_pack("{s:s, s:[ii], s:f, s:s, s:[fff], s:[fff], s:[iii], s:s, s:o}", "resize",
                     fovea_resize_mode_name(recipe->resize), "size", recipe->height, recipe->width,
                     "crop_pct", recipe->crop_pct, "filter", fovea_filter_name(recipe->filter),
                     "mean", recipe->mean[0], recipe->mean[1], recipe->mean[2], "std",
                     recipe->std[0], recipe->std[1], recipe->std[2], "fill", fill[0], fill[1],
                     fill[2], "resize_order", fovea_resize_order_name(recipe->order), "sources",
                     sources_json(recipe));
}
