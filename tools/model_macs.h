/*
 * The work in a model: multiply-accumulates of one run.
 */
#ifndef FOVEA_TOOLS_MODEL_MACS_H
#define FOVEA_TOOLS_MODEL_MACS_H

#include "runtime/tensor.h"

/*
 * MACs of convolutions, matrix products and attention in the graph as the file
 * has it, constant parts folded away, for inputs of the given shapes. Passes
 * may find ways to do with less. `inputs` and `max_memory` as for
 * fovea_session_create.
 */
enum fovea_status model_macs(const struct fovea_model *model, const struct fovea_tensor *inputs,
                             size_t max_memory, int64_t *out, struct fovea_error *err);

#endif
