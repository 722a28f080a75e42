/*
 * A session of a model for a command, and what there is to say about how it
 * came about.
 */
#ifndef FOVEA_TOOLS_MODEL_SESSION_H
#define FOVEA_TOOLS_MODEL_SESSION_H

#include "loaders/recipe.h"
#include "tools/model_options.h"

/*
 * fovea_session_create. What the command line leaves open is as the model's
 * compiled file has it, if it is one. Says on stderr if that was not used.
 */
enum fovea_status model_session_create(const struct model_options *options,
                                       const struct fovea_model *model,
                                       const struct fovea_tensor *inputs,
                                       struct fovea_session **out, struct fovea_error *err);

/*
 * Shapes to plan for, one for each input: what the model leaves open comes
 * from --batch, the recipe (NULL: none), the compiled file, or is 1. For the
 * caller to free.
 */
enum fovea_status model_session_shapes(const struct model_options *options,
                                       const struct fovea_model *model,
                                       const struct fovea_recipe *recipe, struct fovea_tensor **out,
                                       struct fovea_error *err);

#endif
