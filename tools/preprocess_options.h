/*
 * The preprocessing options that commands share, and what becomes of them: the
 * recipe used, and where each part of it came from. preprocess_rows.h parses
 * them.
 */
#ifndef FOVEA_TOOLS_PREPROCESS_OPTIONS_H
#define FOVEA_TOOLS_PREPROCESS_OPTIONS_H

#include "loaders/jpeg.h"
#include "loaders/recipe.h"

#include <stdio.h>

struct fovea_preprocess_options {
    struct fovea_recipe flags;      /* the fields given as flags */
    const char *recipe_path;        /* --recipe, or NULL */
    const char *preset;             /* --preset, or NULL */
    struct fovea_jpeg_options jpeg; /* how to decode */
};

void fovea_preprocess_options_init(struct fovea_preprocess_options *options);

/*
 * The recipe to use: flags over --preset or --recipe over `known`, which is
 * what the model and the files beside it say, or NULL. What nobody says is
 * timm's default, at 224x224, with source FOVEA_FROM_DEFAULT.
 */
enum fovea_status fovea_preprocess_options_resolve(const struct fovea_preprocess_options *options,
                                                   const struct fovea_recipe *known,
                                                   struct fovea_recipe *out,
                                                   struct fovea_error *err);

/* The same for a model: `note`, of note_bytes, as fovea_model_recipe fills it. */
enum fovea_status fovea_preprocess_options_settle(const struct fovea_preprocess_options *options,
                                                  const struct fovea_model *model,
                                                  struct fovea_recipe *out, char *note,
                                                  size_t note_bytes, struct fovea_error *err);

/* The side of the square input that --size asks for; 0 if it is not given, or not square. */
int fovea_preprocess_options_side(const struct fovea_preprocess_options *options);

/* One line saying the recipe with its sources, and a loud one if parts are guesses. */
void fovea_preprocess_recipe_print(const struct fovea_recipe *recipe, FILE *to);

#endif
