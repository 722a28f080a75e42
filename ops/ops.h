/*
 * The operators this library has: one object each, defined in the file of its
 * name or family. registry.c says which ONNX operator and opset each serves.
 */
#ifndef FOVEA_OPS_OPS_H
#define FOVEA_OPS_OPS_H

#include "runtime/op.h"

/* In alphabetical order. */
extern const struct fovea_op fovea_op_batch_norm;
extern const struct fovea_op fovea_op_batch_norm_by_outputs;
extern const struct fovea_op fovea_op_hardmax;
extern const struct fovea_op fovea_op_hardmax_flat;
extern const struct fovea_op fovea_op_conv;
extern const struct fovea_op fovea_op_identity;
extern const struct fovea_op fovea_op_layer_norm;
extern const struct fovea_op fovea_op_log_softmax;
extern const struct fovea_op fovea_op_log_softmax_flat;
extern const struct fovea_op fovea_op_reduce;
extern const struct fovea_op fovea_op_reduce_axes_attr;
extern const struct fovea_op fovea_op_rms_norm;
extern const struct fovea_op fovea_op_softmax;
extern const struct fovea_op fovea_op_softmax_flat;

#endif
