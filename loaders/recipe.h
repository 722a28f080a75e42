/*
 * A recipe: how an image becomes a model's input, and where each part of that
 * knowledge came from.
 *
 * Recipes are put together by laying one over another, from the least to the
 * most binding: preset by architecture, config.json, the model's metadata,
 * recipe file, flags. A part that nobody set has the source FOVEA_FROM_NOWHERE.
 */
#ifndef FOVEA_LOADERS_RECIPE_H
#define FOVEA_LOADERS_RECIPE_H

#include "loaders/resize.h"

/* How the sides of the resized image follow from the recipe's size / crop_pct. */
enum fovea_resize_mode {
    FOVEA_RESIZE_SQUASH, /* both sides set, aspect ratio lost (timm: squash) */
    FOVEA_RESIZE_SHORT,  /* the shorter side set, aspect kept (timm: center) */
    FOVEA_RESIZE_LONG,   /* the longer side set, aspect kept, padded (timm: border) */
    FOVEA_N_RESIZE_MODES,
};

enum fovea_recipe_field {
    FOVEA_RECIPE_RESIZE,
    FOVEA_RECIPE_SIZE,
    FOVEA_RECIPE_CROP_PCT,
    FOVEA_RECIPE_FILTER,
    FOVEA_RECIPE_MEAN,
    FOVEA_RECIPE_STD,
    FOVEA_RECIPE_FILL,
    FOVEA_RECIPE_ORDER,
    FOVEA_RECIPE_N_FIELDS,
};

enum fovea_recipe_source {
    FOVEA_FROM_NOWHERE,
    FOVEA_FROM_DEFAULT,      /* nothing was known; said loudly */
    FOVEA_FROM_ARCHITECTURE, /* the preset of the model's architecture */
    FOVEA_FROM_CONFIG,       /* config.json or preprocessor_config.json beside the model */
    FOVEA_FROM_METADATA,     /* the model's own metadata, or the shape of its input */
    FOVEA_FROM_FILE,         /* --recipe FILE */
    FOVEA_FROM_PRESET,       /* --preset NAME */
    FOVEA_FROM_FLAG,
};

struct fovea_recipe {
    enum fovea_resize_mode resize;
    int height, width; /* of the model's input, 1..FOVEA_RECIPE_SIZE_MAX */
    double crop_pct;   /* share of the resized side that the crop keeps */
    enum fovea_filter filter;
    double mean[3]; /* of R, G, B on the scale of 0..1 */
    double std[3];
    uint8_t fill[3]; /* padding; not set: round(255 * mean) for long, 0 else, as timm */
    enum fovea_resize_order order;
    enum fovea_recipe_source source[FOVEA_RECIPE_N_FIELDS];
};

#define FOVEA_RECIPE_SIZE_MAX 16384

/* Replace the fields of `recipe` that `over` has set, and their sources. */
void fovea_recipe_overlay(struct fovea_recipe *recipe, const struct fovea_recipe *over);

/*
 * The recipe of a preset, all its fields from `source`; it sets no size.
 *
 * FOVEA_ERR_INVALID for a name that is none; FOVEA_ERR_UNSUPPORTED for
 * deepmind and big-vision, whose pixels TensorFlow's resize makes.
 */
enum fovea_status fovea_recipe_preset(const char *name, enum fovea_recipe_source source,
                                      struct fovea_recipe *out, struct fovea_error *err);

/*
 * Whether an image can be prepared by it: every field but fill and order is
 * set, and all are in range. FOVEA_ERR_INVALID names the field and its bounds.
 */
enum fovea_status fovea_recipe_check(const struct fovea_recipe *recipe, struct fovea_error *err);

/* Range checks of single fields, for whoever reads them; same errors. */
enum fovea_status fovea_recipe_check_size(int64_t size, struct fovea_error *err);
enum fovea_status fovea_recipe_check_crop_pct(double crop_pct, struct fovea_error *err);
enum fovea_status fovea_recipe_check_mean(double mean, struct fovea_error *err);
enum fovea_status fovea_recipe_check_std(double std, struct fovea_error *err);

/* The padding colour: `fill` if set, timm's otherwise. */
void fovea_recipe_get_fill(const struct fovea_recipe *recipe, uint8_t fill[3]);

/* Words of enums; find returns false for a word that is none. */
const char *fovea_recipe_field_name(enum fovea_recipe_field field);
const char *fovea_recipe_source_name(enum fovea_recipe_source source);
const char *fovea_resize_mode_name(enum fovea_resize_mode mode);
bool fovea_resize_mode_find(const char *name, enum fovea_resize_mode *out);
const char *fovea_resize_order_name(enum fovea_resize_order order);
bool fovea_resize_order_find(const char *name, enum fovea_resize_order *out);

#endif
