/*
 * A model, and a session of it for tensors that are at hand.
 */
#ifndef FOVEA_TOOLS_SESSION_FOR_H
#define FOVEA_TOOLS_SESSION_FOR_H

#include "tools/model_options.h"
#include "tools/tensor_file.h"

/*
 * Put `given` into the order of the model's inputs: by name when every one has
 * the name of a different input, else as they stand. The contents stay lent.
 * `out` has room for the model's inputs. Types and shapes are for
 * fovea_session_create to check.
 */
enum fovea_status match_inputs(const struct fovea_model *model, const struct tensor_list *given,
                               struct fovea_tensor *out, struct fovea_error *err);

/*
 * Run once: a session for the shapes of `inputs` (in the model's order), and
 * its outputs, which the caller finishes. They get the model's names.
 * *winograd (may be NULL) says whether a step used Winograd's algorithm.
 */
enum fovea_status run_once(const struct fovea_model *model, const struct fovea_tensor *inputs,
                           const struct model_options *options, struct tensor_list *outputs,
                           bool *winograd, struct fovea_error *err);

#endif
