/*
 * Single tensors in ONNX's own format (TensorProto), as in the
 * test_data_set_0/input_0.pb of backend tests.
 */
#ifndef FOVEA_LOADERS_TENSOR_PB_H
#define FOVEA_LOADERS_TENSOR_PB_H

#include "runtime/error.h"

/*
 * Read a tensor; the caller frees out->data. `name` may be NULL; *name is the
 * tensor's name, maybe "", to be freed. External data is refused.
 */
enum fovea_status fovea_tensor_load_pb(const char *path, struct fovea_tensor *out, char **name,
                                       struct fovea_error *err);

/* Write a tensor; `name` may be NULL. */
enum fovea_status fovea_tensor_save_pb(const char *path, const struct fovea_tensor *tensor,
                                       const char *name, struct fovea_error *err);

#endif
