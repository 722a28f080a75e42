/*
 * The recipes of a sweep.
 */
#ifndef FOVEA_TOOLS_SWEEP_AXES_H
#define FOVEA_TOOLS_SWEEP_AXES_H

#include "loaders/recipe.h"

struct sweep_variant {
    struct fovea_recipe recipe;
    bool *right; /* [images]: whether its best class is */
    size_t top1, top5;
};

struct sweep {
    struct sweep_variant *variants; /* the first is the recipe itself */
    size_t n_variants;
};

/* `axes` as eval_sweep_run has it. FOVEA_ERR_INVALID names a word that is none, or a recipe that
 * cannot be. */
enum fovea_status sweep_init(struct sweep *sweep, const char *axes,
                             const struct fovea_recipe *recipe, size_t n_images,
                             struct fovea_error *err);

/* A zeroed one is fine. */
void sweep_finish(struct sweep *sweep);

#endif
