/*
 * The preprocessing options that commands share, and what becomes of them: the
 * recipe used, and where each part of it came from.
 *
 * A command puts FOVEA_PREPROCESS_LONG_OPTIONS into its getopt_long table and
 * hands codes it does not know to fovea_preprocess_options_take.
 */
#ifndef FOVEA_TOOLS_PREPROCESS_OPTIONS_H
#define FOVEA_TOOLS_PREPROCESS_OPTIONS_H

#include "loaders/jpeg.h"
#include "loaders/recipe.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>

struct fovea_preprocess_options {
    struct fovea_recipe flags;      /* the fields given as flags */
    const char *recipe_path;        /* --recipe, or NULL */
    const char *preset;             /* --preset, or NULL */
    struct fovea_jpeg_options jpeg; /* how to decode */
};

/* Codes of the long options: above every character, so a command's own do not clash. */
enum fovea_preprocess_option {
    FOVEA_OPT_RECIPE = 0x1000,
    FOVEA_OPT_PRESET,
    FOVEA_OPT_SIZE,
    FOVEA_OPT_RESIZE,
    FOVEA_OPT_CROP_PCT,
    FOVEA_OPT_FILTER,
    FOVEA_OPT_MEAN,
    FOVEA_OPT_STD,
    FOVEA_OPT_FILL,
    FOVEA_OPT_RESIZE_ORDER,
    FOVEA_OPT_ALLOW_TRUNCATED,
    FOVEA_OPT_STRICT,
    FOVEA_OPT_EXIF_ORIENTATION,
    FOVEA_OPT_MAX_PIXELS,
};

/* clang-format off */
#define FOVEA_PREPROCESS_LONG_OPTIONS                                                              \
    {"recipe", required_argument, NULL, FOVEA_OPT_RECIPE},                                         \
    {"preset", required_argument, NULL, FOVEA_OPT_PRESET},                                         \
    {"size", required_argument, NULL, FOVEA_OPT_SIZE},                                             \
    {"resize", required_argument, NULL, FOVEA_OPT_RESIZE},                                         \
    {"crop-pct", required_argument, NULL, FOVEA_OPT_CROP_PCT},                                     \
    {"filter", required_argument, NULL, FOVEA_OPT_FILTER},                                         \
    {"mean", required_argument, NULL, FOVEA_OPT_MEAN},                                             \
    {"std", required_argument, NULL, FOVEA_OPT_STD},                                               \
    {"fill", required_argument, NULL, FOVEA_OPT_FILL},                                             \
    {"resize-order", required_argument, NULL, FOVEA_OPT_RESIZE_ORDER},                             \
    {"allow-truncated", no_argument, NULL, FOVEA_OPT_ALLOW_TRUNCATED},                             \
    {"strict", no_argument, NULL, FOVEA_OPT_STRICT},                                               \
    {"exif-orientation", no_argument, NULL, FOVEA_OPT_EXIF_ORIENTATION},                           \
    {"max-pixels", required_argument, NULL, FOVEA_OPT_MAX_PIXELS}
/* clang-format on */

/* The part of a command's --help that describes these options. */
extern const char fovea_preprocess_options_help[];

void fovea_preprocess_options_init(struct fovea_preprocess_options *options);

/*
 * Take one option as getopt_long returned it. `value` is optarg; the strings
 * are kept, not copied.
 *
 * FOVEA_ERR_INVALID for a wrong value, which is the user's: exit status 2.
 */
enum fovea_status fovea_preprocess_options_take(struct fovea_preprocess_options *options, int code,
                                                const char *value, struct fovea_error *err);

/*
 * The recipe to use: flags over --preset or --recipe over `known`, which is
 * what the model and the files beside it say, or NULL. What nobody says is
 * timm's default, at 224x224, with source FOVEA_FROM_DEFAULT.
 */
enum fovea_status fovea_preprocess_options_resolve(const struct fovea_preprocess_options *options,
                                                   const struct fovea_recipe *known,
                                                   struct fovea_recipe *out,
                                                   struct fovea_error *err);

/* One line saying the recipe with its sources, and a loud one if parts are guesses. */
void fovea_preprocess_recipe_print(const struct fovea_recipe *recipe, FILE *to);

/* The recipe as recipe files have it, with "sources": {field: source}; NULL out of memory. */
json_t *fovea_preprocess_recipe_json(const struct fovea_recipe *recipe);

#endif
