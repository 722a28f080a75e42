/*
 * What can be said about a model and the session made of it.
 */
#ifndef FOVEA_TOOLS_INSPECTION_H
#define FOVEA_TOOLS_INSPECTION_H

#include "loaders/recipe.h"
#include "runtime/session.h"
#include "tools/json_out.h"

struct inspection {
    const struct fovea_model *model;
    const struct fovea_session *session; /* NULL if none could be made */
    const struct fovea_tensor *inputs;   /* the shapes it was made for */
    const struct fovea_recipe *recipe;   /* NULL if the model takes no images */
};

/* Everything in order; `fusions` and `plan` add what passes did or nearly did, and every step. */
void inspection_print(const struct inspection *i, bool fusions, bool plan);

/* The object that scripts rely on, `fusions` with "fusion_log"; NULL if out of memory. */
json_t *inspection_json(const struct inspection *i, bool fusions);

#endif
