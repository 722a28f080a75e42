/*
 * The operators this library has: one object each, defined in the file of its
 * name or family. registry.c says which ONNX operator and opset each serves.
 */
#ifndef FOVEA_OPS_OPS_H
#define FOVEA_OPS_OPS_H

#include "runtime/op.h"

/* In alphabetical order. */
extern const struct fovea_op fovea_op_binary;
extern const struct fovea_op fovea_op_bit_shift;
extern const struct fovea_op fovea_op_cast;
extern const struct fovea_op fovea_op_cast_like;
extern const struct fovea_op fovea_op_clip;
extern const struct fovea_op fovea_op_clip_6;
extern const struct fovea_op fovea_op_convert;
extern const struct fovea_op fovea_op_elementwise;
extern const struct fovea_op fovea_op_gelu;
extern const struct fovea_op fovea_op_identity;
extern const struct fovea_op fovea_op_is_inf;
extern const struct fovea_op fovea_op_mod;
extern const struct fovea_op fovea_op_selu;
extern const struct fovea_op fovea_op_shrink;
extern const struct fovea_op fovea_op_unary;
extern const struct fovea_op fovea_op_unary_alpha;
extern const struct fovea_op fovea_op_unary_alpha_beta;
extern const struct fovea_op fovea_op_variadic;
extern const struct fovea_op fovea_op_where;

#endif
