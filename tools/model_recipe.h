/*
 * What a model and the files beside it say about preprocessing.
 */
#ifndef FOVEA_TOOLS_MODEL_RECIPE_H
#define FOVEA_TOOLS_MODEL_RECIPE_H

#include "loaders/recipe.h"

/*
 * The recipe known without anybody's flags, from the least to the most
 * binding: the preset of the architecture that config.json names, config.json
 * and preprocessor_config.json beside the model, the metadata key "recipe" or
 * "fovea.recipe" (JSON as in recipe files), the fixed height and width of the
 * model's input. Fields that nobody sets stay FOVEA_FROM_NOWHERE.
 *
 * A configuration file that cannot be used is no failure: `note`, of
 * note_bytes, then says why it was passed over; else it is "".
 * FOVEA_ERR_FORMAT or FOVEA_ERR_INVALID for bad metadata.
 */
enum fovea_status model_recipe_get(const struct fovea_model *model, const char *model_path,
                                   struct fovea_recipe *out, char *note, size_t note_bytes,
                                   struct fovea_error *err);

#endif
