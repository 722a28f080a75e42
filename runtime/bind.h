/*
 * What a model declares of its inputs and outputs, against what a session is
 * given and computes.
 */
#ifndef FOVEA_RUNTIME_BIND_H
#define FOVEA_RUNTIME_BIND_H

#include "runtime/model.h"

/*
 * Type the inputs of a clone of the model's graph as `inputs` says, which must
 * fit what the model declares (FOVEA_ERR_INVALID). The contents of those that
 * decide shapes are copied.
 */
enum fovea_status fovea_bind_inputs(const struct fovea_model *model, struct fovea_graph *graph,
                                    const struct fovea_tensor *inputs, struct fovea_error *err);

/*
 * Whether the contents of input `index`, which there is, decide shapes, and of which node, NULL if
 * that cannot be told. FOVEA_ERR_MEMORY if there is none to find out.
 */
enum fovea_status fovea_bind_find_decision(const struct fovea_model *model, size_t index,
                                           bool *decides, const struct fovea_node **node,
                                           struct fovea_error *err);

/* What infer found must be what the file declared, where it declared it. */
enum fovea_status fovea_check_outputs(const struct fovea_model *model,
                                      const struct fovea_graph *graph, struct fovea_error *err);

#endif
