/*
 * The operators this library has: one object each, defined in the file of its
 * name or family. registry.c says which ONNX operator and opset each serves.
 */
#ifndef FOVEA_OPS_OPS_H
#define FOVEA_OPS_OPS_H

#include "runtime/op.h"

/* In alphabetical order. */
extern const struct fovea_op fovea_op_arg_max;
extern const struct fovea_op fovea_op_concat;
extern const struct fovea_op fovea_op_constant;
extern const struct fovea_op fovea_op_constant_of_shape;
extern const struct fovea_op fovea_op_cumsum;
extern const struct fovea_op fovea_op_depth_to_space;
extern const struct fovea_op fovea_op_expand;
extern const struct fovea_op fovea_op_flatten;
extern const struct fovea_op fovea_op_gather;
extern const struct fovea_op fovea_op_gather_elements;
extern const struct fovea_op fovea_op_gather_nd;
extern const struct fovea_op fovea_op_identity;
extern const struct fovea_op fovea_op_one_hot;
extern const struct fovea_op fovea_op_pad_2;
extern const struct fovea_op fovea_op_pad_11;
extern const struct fovea_op fovea_op_range;
extern const struct fovea_op fovea_op_reshape;
extern const struct fovea_op fovea_op_resize_10;
extern const struct fovea_op fovea_op_resize_11;
extern const struct fovea_op fovea_op_reverse_sequence;
extern const struct fovea_op fovea_op_scatter;
extern const struct fovea_op fovea_op_scatter_elements;
extern const struct fovea_op fovea_op_scatter_nd;
extern const struct fovea_op fovea_op_shape;
extern const struct fovea_op fovea_op_size;
extern const struct fovea_op fovea_op_slice_1;
extern const struct fovea_op fovea_op_slice_10;
extern const struct fovea_op fovea_op_space_to_depth;
extern const struct fovea_op fovea_op_split_2;
extern const struct fovea_op fovea_op_split_13;
extern const struct fovea_op fovea_op_squeeze_1;
extern const struct fovea_op fovea_op_squeeze_13;
extern const struct fovea_op fovea_op_tile;
extern const struct fovea_op fovea_op_topk_1;
extern const struct fovea_op fovea_op_topk_10;
extern const struct fovea_op fovea_op_topk_11;
extern const struct fovea_op fovea_op_transpose;
extern const struct fovea_op fovea_op_trilu;
extern const struct fovea_op fovea_op_unsqueeze_1;
extern const struct fovea_op fovea_op_unsqueeze_13;
extern const struct fovea_op fovea_op_upsample_7;
extern const struct fovea_op fovea_op_upsample_9;

#endif
