/* Models from ONNX files. */
#ifndef FOVEA_LOADERS_ONNX_H
#define FOVEA_LOADERS_ONNX_H

#include "runtime/model.h"

/* As fovea_model_load (fovea.h), for an .onnx file and nothing else. */
enum fovea_status fovea_onnx_load(const char *path, const struct fovea_load_options *options,
                                  struct fovea_model **out, struct fovea_error *err);

/*
 * The same from `file`, which is taken, also on failure: the model is called
 * `name` in messages and has no folder.
 */
enum fovea_status fovea_onnx_read(const char *name, struct fovea_mapping *file,
                                  const struct fovea_load_options *options,
                                  struct fovea_model **out, struct fovea_error *err);

#endif
