/*
 * Recipes from JSON: recipe files, and the configuration files that timm and
 * Hugging Face put beside a checkpoint.
 *
 * A recipe file is an object of any of these keys:
 *
 *     {
 *       "preset": "timm",            any that fovea_recipe_preset knows; the rest overrides it
 *       "resize": "squash",          squash, short or long
 *       "size": 480,                 or [height, width]
 *       "crop_pct": 0.9375,          or "margin": 32, in pixels
 *       "filter": "bicubic",         nearest, box, bilinear, bicubic, lanczos or area
 *       "mean": [0.485, 0.456, 0.406],   or one number for all channels
 *       "std": [0.229, 0.224, 0.225],
 *       "fill": [124, 116, 104],     0..255
 *       "resize_order": "horizontal",    or vertical
 *       "resampler": "pillow",       or tensorflow
 *       "pixels": "uint8",           or float
 *       "crop_rounding": "even",     up or down
 *       "dct": "accurate"            or fast
 *     }
 *
 * or an object with such an object under "recipe", as Fovea's results have it;
 * their "sources", who said what, and "sha256" are passed over.
 */
#ifndef FOVEA_LOADERS_RECIPE_FILE_H
#define FOVEA_LOADERS_RECIPE_FILE_H

#include "loaders/recipe.h"

/*
 * Parse a recipe file held in memory; the fields it sets get `source`.
 *
 * FOVEA_ERR_FORMAT with line and column for what is not JSON, FOVEA_ERR_LIMIT
 * for JSON over its limits (runtime/limits.h);
 * FOVEA_ERR_INVALID for an unknown key, a wrong type or a value out of range,
 * and what fovea_recipe_preset says.
 */
enum fovea_status fovea_recipe_parse(const char *text, size_t size, enum fovea_recipe_source source,
                                     struct fovea_recipe *out, struct fovea_error *err);

/*
 * Parse timm's config.json ("pretrained_cfg", or its keys by themselves) or
 * Hugging Face's preprocessor_config.json; the fields it sets get `source`.
 * What only follows from timm's "architecture", where that is known, gets
 * FOVEA_FROM_ARCHITECTURE. Keys that are not
 * about preprocessing are skipped, so an unrelated object sets nothing.
 *
 * FOVEA_ERR_UNSUPPORTED for a step that no recipe expresses.
 */
enum fovea_status fovea_recipe_parse_config(const char *text, size_t size,
                                            enum fovea_recipe_source source,
                                            struct fovea_recipe *out, struct fovea_error *err);

/* Read and parse the recipe file at `path`; also FOVEA_ERR_IO. */
enum fovea_status fovea_recipe_load(const char *path, enum fovea_recipe_source source,
                                    struct fovea_recipe *out, struct fovea_error *err);

#endif
