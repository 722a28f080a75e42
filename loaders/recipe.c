/* Recipes: names, presets, ranges, layering. See recipe.h. */
#include "loaders/recipe.h"

#include <math.h>
#include <string.h>

/* ---- names ---------------------------------------------------------------- */

static const char *const field_names[FOVEA_RECIPE_N_FIELDS] = {
    [FOVEA_RECIPE_RESIZE] = "resize",     [FOVEA_RECIPE_SIZE] = "size",
    [FOVEA_RECIPE_CROP_PCT] = "crop_pct", [FOVEA_RECIPE_FILTER] = "filter",
    [FOVEA_RECIPE_MEAN] = "mean",         [FOVEA_RECIPE_STD] = "std",
    [FOVEA_RECIPE_FILL] = "fill",         [FOVEA_RECIPE_ORDER] = "resize_order",
};

static const char *const source_names[] = {
    [FOVEA_FROM_NOWHERE] = "not set",
    [FOVEA_FROM_DEFAULT] = "default",
    [FOVEA_FROM_ARCHITECTURE] = "architecture",
    [FOVEA_FROM_CONFIG] = "config",
    [FOVEA_FROM_METADATA] = "model",
    [FOVEA_FROM_FILE] = "recipe file",
    [FOVEA_FROM_PRESET] = "preset",
    [FOVEA_FROM_FLAG] = "flag",
};

static const char *const mode_names[FOVEA_N_RESIZE_MODES] = {
    [FOVEA_RESIZE_SQUASH] = "squash",
    [FOVEA_RESIZE_SHORT] = "short",
    [FOVEA_RESIZE_LONG] = "long",
};

static const char *const order_names[] = {
    [FOVEA_HORIZONTAL_FIRST] = "horizontal",
    [FOVEA_VERTICAL_FIRST] = "vertical",
};

/* Index of `name` among `count` names, or -1. */
static int find(const char *const *names, int count, const char *name) {
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

const char *fovea_recipe_field_name(enum fovea_recipe_field field) {
    return field_names[field];
}

const char *fovea_recipe_source_name(enum fovea_recipe_source source) {
    return source_names[source];
}

const char *fovea_resize_mode_name(enum fovea_resize_mode mode) {
    return mode_names[mode];
}

bool fovea_resize_mode_find(const char *name, enum fovea_resize_mode *out) {
    int found = find(mode_names, FOVEA_N_RESIZE_MODES, name);
    if (found >= 0) {
        *out = (enum fovea_resize_mode)found;
    }
    return found >= 0;
}

const char *fovea_resize_order_name(enum fovea_resize_order order) {
    return order_names[order];
}

bool fovea_resize_order_find(const char *name, enum fovea_resize_order *out) {
    int found = find(order_names, 2, name);
    if (found >= 0) {
        *out = (enum fovea_resize_order)found;
    }
    return found >= 0;
}

/* ---- layering ------------------------------------------------------------- */

void fovea_recipe_overlay(struct fovea_recipe *recipe, const struct fovea_recipe *over) {
    struct fovea_recipe result = *over;
    const enum fovea_recipe_source *set = over->source;

    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
        result.source[i] = set[i] ? set[i] : recipe->source[i];
    }
    if (!set[FOVEA_RECIPE_RESIZE]) {
        result.resize = recipe->resize;
    }
    if (!set[FOVEA_RECIPE_SIZE]) {
        result.height = recipe->height;
        result.width = recipe->width;
    }
    if (!set[FOVEA_RECIPE_CROP_PCT]) {
        result.crop_pct = recipe->crop_pct;
    }
    if (!set[FOVEA_RECIPE_FILTER]) {
        result.filter = recipe->filter;
    }
    if (!set[FOVEA_RECIPE_MEAN]) {
        memcpy(result.mean, recipe->mean, sizeof(result.mean));
    }
    if (!set[FOVEA_RECIPE_STD]) {
        memcpy(result.std, recipe->std, sizeof(result.std));
    }
    if (!set[FOVEA_RECIPE_FILL]) {
        memcpy(result.fill, recipe->fill, sizeof(result.fill));
    }
    if (!set[FOVEA_RECIPE_ORDER]) {
        result.order = recipe->order;
    }
    *recipe = result;
}

/* ---- presets -------------------------------------------------------------- */

#define IMAGENET_MEAN                                                                              \
    { 0.485, 0.456, 0.406 }
#define IMAGENET_STD                                                                               \
    { 0.229, 0.224, 0.225 }

struct preset {
    const char *name;
    const char *missing; /* why it cannot be had, or NULL */
    struct fovea_recipe recipe;
};

static const struct preset presets[] = {
    /* What timm assumes of a model that says nothing (DEFAULT_CROP_PCT, bicubic). */
    {"timm",
     NULL,
     {.resize = FOVEA_RESIZE_SHORT,
      .crop_pct = 0.875,
      .filter = FOVEA_FILTER_BICUBIC,
      .mean = IMAGENET_MEAN,
      .std = IMAGENET_STD}},
    /* The evaluation of torchvision's reference scripts: short side 256, crop 224. */
    {"imagenet",
     NULL,
     {.resize = FOVEA_RESIZE_SHORT,
      .crop_pct = 0.875,
      .filter = FOVEA_FILTER_BILINEAR,
      .mean = IMAGENET_MEAN,
      .std = IMAGENET_STD}},
    /* Hugging Face's SiglipImageProcessor, and timm's SigLIP checkpoints. */
    {"siglip",
     NULL,
     {.resize = FOVEA_RESIZE_SQUASH,
      .crop_pct = 1.0,
      .filter = FOVEA_FILTER_BICUBIC,
      .mean = {0.5, 0.5, 0.5},
      .std = {0.5, 0.5, 0.5}}},
    {"deepmind",
     "TensorFlow's bicubic resize without antialiasing on unrounded pixels, and its fast DCT; "
     "near it: --resize squash --crop-pct 0.9375 --filter bicubic",
     {0}},
    {"big-vision",
     "TensorFlow's area and non-antialiased bilinear resize; "
     "near it: --resize short --crop-pct 0.875 --filter box --mean .5,.5,.5 --std .5,.5,.5",
     {0}},
};

enum fovea_status fovea_recipe_preset(const char *name, enum fovea_recipe_source source,
                                      struct fovea_recipe *out, struct fovea_error *err) {
    const struct preset *found = NULL;
    for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
        if (strcmp(presets[i].name, name) == 0) {
            found = &presets[i];
        }
    }
    if (!found) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "no preset '%s'; there are timm, imagenet, siglip, deepmind, big-vision",
                          fovea_quote(name).text);
    }
    if (found->missing) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "preset %s is not supported yet; it needs %s",
                          found->name, found->missing);
    }
    struct fovea_recipe recipe = found->recipe;
    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
        recipe.source[i] = source;
    }
    recipe.source[FOVEA_RECIPE_SIZE] = FOVEA_FROM_NOWHERE;
    recipe.source[FOVEA_RECIPE_FILL] = FOVEA_FROM_NOWHERE;
    *out = recipe;
    return FOVEA_OK;
}

/* ---- ranges --------------------------------------------------------------- */

enum fovea_status fovea_recipe_check_size(int64_t size, struct fovea_error *err) {
    if (size < 1 || size > FOVEA_RECIPE_SIZE_MAX) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "size %lld is outside 1..%d", (long long)size,
                          FOVEA_RECIPE_SIZE_MAX);
    }
    return FOVEA_OK;
}

/* Written so that NaN is out of range. */
static bool in_range(double value, double low, double high) {
    return value >= low && value <= high;
}

enum fovea_status fovea_recipe_check_crop_pct(double crop_pct, struct fovea_error *err) {
    if (!in_range(crop_pct, 0.01, 2)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "crop_pct %g is outside 0.01..2", crop_pct);
    }
    return FOVEA_OK;
}

enum fovea_status fovea_recipe_check_mean(double mean, struct fovea_error *err) {
    if (!in_range(mean, 0, 1)) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "mean %g is outside 0..1, the scale of a pixel divided by 255", mean);
    }
    return FOVEA_OK;
}

enum fovea_status fovea_recipe_check_std(double std, struct fovea_error *err) {
    if (!in_range(std, 1e-6, 1)) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "std %g is outside 1e-6..1, the scale of a pixel divided by 255", std);
    }
    return FOVEA_OK;
}

static enum fovea_status check_ranges(const struct fovea_recipe *recipe, struct fovea_error *err) {
    enum fovea_status status = fovea_recipe_check_size(recipe->height, err);
    if (!status) {
        status = fovea_recipe_check_size(recipe->width, err);
    }
    if (!status) {
        status = fovea_recipe_check_crop_pct(recipe->crop_pct, err);
    }
    for (int c = 0; c < 3 && !status; c++) {
        status = fovea_recipe_check_mean(recipe->mean[c], err);
        if (!status) {
            status = fovea_recipe_check_std(recipe->std[c], err);
        }
    }
    return status;
}

enum fovea_status fovea_recipe_check(const struct fovea_recipe *recipe, struct fovea_error *err) {
    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
        bool optional = i == FOVEA_RECIPE_FILL || i == FOVEA_RECIPE_ORDER;
        if (!optional && !recipe->source[i]) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "nothing says the recipe's %s",
                              field_names[i]);
        }
    }
    return check_ranges(recipe, err);
}

void fovea_recipe_get_fill(const struct fovea_recipe *recipe, uint8_t fill[3]) {
    for (int c = 0; c < 3; c++) {
        if (recipe->source[FOVEA_RECIPE_FILL]) {
            fill[c] = recipe->fill[c];
        } else if (recipe->resize == FOVEA_RESIZE_LONG) {
            fill[c] = (uint8_t)rint(255 * recipe->mean[c]); /* half to even, as Python rounds */
        } else {
            fill[c] = 0;
        }
    }
}
