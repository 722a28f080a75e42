/*
 * What a model and the files beside it say about preprocessing.
 */
#ifndef FOVEA_TOOLS_MODEL_RECIPE_H
#define FOVEA_TOOLS_MODEL_RECIPE_H

#include "tools/preprocess_options.h"

struct fovea_model;

/* Whether the model takes RGB images and nothing else: one input, [N,3,H,W]. */
bool model_takes_images(const struct fovea_model *model);

/*
 * The recipe to use for a model that takes images: what `options` say
 * (preprocess_options.h), over what is known without them; of that, from the
 * least to the most binding:
 *
 *   - the preset of the architecture that config.json or the metadata key
 *     "architecture" names
 *   - config.json, then preprocessor_config.json beside the model
 *   - the metadata keys "pretrained_cfg" and "preprocessor_config" (those
 *     files' JSON), "recipe" and "fovea.recipe" (JSON as in recipe files)
 *   - the recipe file NAME.recipe.json beside the model NAME.onnx
 *   - the fixed height and width of the model's input
 *
 * A configuration file that cannot be used is no failure: `note`, of
 * note_bytes, then says why it was passed over; else it is "".
 * FOVEA_ERR_FORMAT or FOVEA_ERR_INVALID for bad metadata or a bad recipe
 * file, and what fovea_preprocess_options_resolve says.
 */
enum fovea_status model_recipe_settle(const struct fovea_model *model, const char *model_path,
                                      const struct fovea_preprocess_options *options,
                                      struct fovea_recipe *out, char *note, size_t note_bytes,
                                      struct fovea_error *err);

#endif
