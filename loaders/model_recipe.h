/*
 * What a model and the files beside it say about preprocessing.
 */
#ifndef FOVEA_LOADERS_MODEL_RECIPE_H
#define FOVEA_LOADERS_MODEL_RECIPE_H

#include "loaders/recipe.h"

/* Whether the model takes RGB images and nothing else: one input, [N,3,H,W]. */
bool fovea_model_takes_images(const struct fovea_model *model);

/*
 * The recipe known without anybody's options, of which fields that nobody sets
 * stay FOVEA_FROM_NOWHERE; from the least to the most binding:
 *
 *   - the preset of the architecture that config.json or the metadata key
 *     "architecture" names
 *   - config.json, then preprocessor_config.json beside the model
 *   - the metadata keys "pretrained_cfg" and "preprocessor_config" (those
 *     files' JSON), "recipe" and "fovea.recipe" (JSON as in recipe files)
 *   - the recipe file NAME.recipe.json beside the model NAME.onnx
 *   - the fixed height and width of the model's input
 *
 * A configuration file that can never be used is no failure: `note`, of
 * note_bytes, then says why it was passed over; else it is "".
 * FOVEA_ERR_FORMAT or FOVEA_ERR_INVALID for bad metadata or a bad recipe file;
 * FOVEA_ERR_MEMORY or FOVEA_ERR_IO where something only went wrong now.
 */
enum fovea_status fovea_model_recipe(const struct fovea_model *model, struct fovea_recipe *out,
                                     char *note, size_t note_bytes, struct fovea_error *err);

/*
 * The recipe to use: `flags` over `chosen` over `known` (NULL: nothing is). What
 * nobody says is timm's default, at 224x224, with source FOVEA_FROM_DEFAULT.
 */
enum fovea_status fovea_recipe_complete(const struct fovea_recipe *known,
                                        const struct fovea_recipe *chosen,
                                        const struct fovea_recipe *flags, struct fovea_recipe *out,
                                        struct fovea_error *err);

#endif
