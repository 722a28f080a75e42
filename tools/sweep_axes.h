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

/* Whether `axes` are words as eval_sweep_run has them. FOVEA_ERR_INVALID names one that is none. */
enum fovea_status sweep_check_axes(const char *axes, struct fovea_error *err);

/* Of axes that are. FOVEA_ERR_INVALID is a recipe that cannot be, such as a filter that this
 * recipe's kind of resize does not have. */
enum fovea_status sweep_init(struct sweep *sweep, const char *axes,
                             const struct fovea_recipe *recipe, size_t n_images,
                             struct fovea_error *err);

/* A zeroed one is fine. */
void sweep_finish(struct sweep *sweep);

#endif
