/*
 * Tensors in files, by what the name ends in: .pb is ONNX's TensorProto, .npy is NumPy's.
 */
#ifndef FOVEA_TOOLS_TENSOR_FILE_H
#define FOVEA_TOOLS_TENSOR_FILE_H

#include "runtime/tensor.h"

/* A tensor that owns its contents, and the name the file gives it. */
struct named_tensor {
    struct fovea_tensor t;
    char *name; /* never NULL; "" if the file has none */
};

void named_tensor_finish(struct named_tensor *tensor);

/* Messages begin with the path. */
enum fovea_status tensor_file_load(const char *path, struct named_tensor *out,
                                   struct fovea_error *err);
enum fovea_status tensor_file_save(const char *path, const char *name,
                                   const struct fovea_tensor *tensor, struct fovea_error *err);

/* Whether the name ends in .pb or .npy. */
bool tensor_file_named(const char *path);

/* A growing list of them. Zero it first, and finish it. */
struct tensor_list {
    struct named_tensor *tensors;
    size_t count;
};
/* Load one more; on failure the list is as before. */
enum fovea_status tensor_list_load(struct tensor_list *list, const char *path,
                                   struct fovea_error *err);
void tensor_list_finish(struct tensor_list *list);

#endif
