/*
 * The operators this library has: one object each, defined in the file of its
 * name or family. registry.c says which ONNX operator and opset each serves.
 */
#ifndef FOVEA_OPS_OPS_H
#define FOVEA_OPS_OPS_H

#include "runtime/op.h"

/* In alphabetical order. */
extern const struct fovea_op fovea_op_average_pool;
extern const struct fovea_op fovea_op_conv;
extern const struct fovea_op fovea_op_einsum;
extern const struct fovea_op fovea_op_gemm;
extern const struct fovea_op fovea_op_global_average_pool;
extern const struct fovea_op fovea_op_global_max_pool;
extern const struct fovea_op fovea_op_identity;
extern const struct fovea_op fovea_op_linear;
extern const struct fovea_op fovea_op_matmul;
extern const struct fovea_op fovea_op_max_pool;
extern const struct fovea_op fovea_op_reorder;

#endif
