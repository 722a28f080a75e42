/*
 * Writing a model as ONNX: the graph as it was loaded or built, with what
 * computes constants either evaluated or left as it is.
 */
#ifndef FOVEA_LOADERS_ONNX_SAVE_H
#define FOVEA_LOADERS_ONNX_SAVE_H

#include "runtime/model.h"

/* Weights above this many bytes altogether go to a file beside the model, NAME.data. */
#define FOVEA_ONNX_INLINE_MOST ((uint64_t)1 << 30)

struct fovea_onnx_save_options {
    bool fold;            /* evaluate what is computed from constants alone */
    uint64_t inline_most; /* see FOVEA_ONNX_INLINE_MOST */
    size_t max_memory;    /* for computing constants */
    /* Added to what the model has, in place of entries of the same key. */
    const struct fovea_metadata *metadata;
    size_t n_metadata;
};

/*
 * Write `model` to `path`; files appear there only when all of them is on the
 * disk, first the one with the data. Messages do not name the path.
 *
 * Values get names that are unique; weights of 16 bits in a model built from a
 * checkpoint are written as f32, for ONNX's operators do not mix types. *bytes
 * is the size of all files. FOVEA_ERR_UNSUPPORTED of a compiled model, and of
 * attributes that are graphs.
 */
enum fovea_status fovea_onnx_save(const struct fovea_model *model, const char *path,
                                  const struct fovea_onnx_save_options *options, uint64_t *bytes,
                                  struct fovea_error *err);

#endif
