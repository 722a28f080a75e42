/*
 * The operators this library has: one object each, defined in the file of its
 * name or family. registry.c says which ONNX operator and opset each serves.
 */
#ifndef FOVEA_OPS_OPS_H
#define FOVEA_OPS_OPS_H

#include "runtime/op.h"

/* In alphabetical order. */
extern const struct fovea_op fovea_op_arg_max;
extern const struct fovea_op fovea_op_attention;
extern const struct fovea_op fovea_op_attention_onnx;
extern const struct fovea_op fovea_op_average_pool;
extern const struct fovea_op fovea_op_batch_norm;
extern const struct fovea_op fovea_op_batch_norm_by_outputs;
extern const struct fovea_op fovea_op_binary;
extern const struct fovea_op fovea_op_bit_shift;
extern const struct fovea_op fovea_op_cast;
extern const struct fovea_op fovea_op_cast_like;
extern const struct fovea_op fovea_op_clip;
extern const struct fovea_op fovea_op_clip_6;
extern const struct fovea_op fovea_op_concat;
extern const struct fovea_op fovea_op_constant;
extern const struct fovea_op fovea_op_constant_of_shape;
extern const struct fovea_op fovea_op_conv;
extern const struct fovea_op fovea_op_convert;
extern const struct fovea_op fovea_op_cumsum;
extern const struct fovea_op fovea_op_depth_to_space;
extern const struct fovea_op fovea_op_dequantize_linear;
extern const struct fovea_op fovea_op_dropout;
extern const struct fovea_op fovea_op_dropout_7;
extern const struct fovea_op fovea_op_dynamic_quantize_linear;
extern const struct fovea_op fovea_op_einsum;
extern const struct fovea_op fovea_op_elementwise;
extern const struct fovea_op fovea_op_expand;
extern const struct fovea_op fovea_op_eye_like;
extern const struct fovea_op fovea_op_flatten;
extern const struct fovea_op fovea_op_gather;
extern const struct fovea_op fovea_op_gather_elements;
extern const struct fovea_op fovea_op_gather_nd;
extern const struct fovea_op fovea_op_gelu;
extern const struct fovea_op fovea_op_gemm;
extern const struct fovea_op fovea_op_global_average_pool;
extern const struct fovea_op fovea_op_global_max_pool;
extern const struct fovea_op fovea_op_group_norm_18;
extern const struct fovea_op fovea_op_group_norm_21;
extern const struct fovea_op fovea_op_hardmax;
extern const struct fovea_op fovea_op_hardmax_flat;
extern const struct fovea_op fovea_op_identity;
extern const struct fovea_op fovea_op_instance_norm;
extern const struct fovea_op fovea_op_is_inf;
extern const struct fovea_op fovea_op_layer_norm;
extern const struct fovea_op fovea_op_linear;
extern const struct fovea_op fovea_op_log_softmax;
extern const struct fovea_op fovea_op_log_softmax_flat;
extern const struct fovea_op fovea_op_lp_norm;
extern const struct fovea_op fovea_op_lrn;
extern const struct fovea_op fovea_op_matmul;
extern const struct fovea_op fovea_op_max_pool;
extern const struct fovea_op fovea_op_mean_variance_norm;
extern const struct fovea_op fovea_op_mod;
extern const struct fovea_op fovea_op_one_hot;
extern const struct fovea_op fovea_op_pad_11;
extern const struct fovea_op fovea_op_pad_2;
extern const struct fovea_op fovea_op_quantize_linear;
extern const struct fovea_op fovea_op_range;
extern const struct fovea_op fovea_op_reduce;
extern const struct fovea_op fovea_op_reduce_axes_attr;
extern const struct fovea_op fovea_op_reorder;
extern const struct fovea_op fovea_op_reshape;
extern const struct fovea_op fovea_op_resize_10;
extern const struct fovea_op fovea_op_resize_11;
extern const struct fovea_op fovea_op_reverse_sequence;
extern const struct fovea_op fovea_op_rms_norm;
extern const struct fovea_op fovea_op_scatter;
extern const struct fovea_op fovea_op_scatter_elements;
extern const struct fovea_op fovea_op_scatter_nd;
extern const struct fovea_op fovea_op_selu;
extern const struct fovea_op fovea_op_shape;
extern const struct fovea_op fovea_op_shrink;
extern const struct fovea_op fovea_op_size;
extern const struct fovea_op fovea_op_slice_10;
extern const struct fovea_op fovea_op_slice_1;
extern const struct fovea_op fovea_op_softmax;
extern const struct fovea_op fovea_op_softmax_flat;
extern const struct fovea_op fovea_op_space_to_depth;
extern const struct fovea_op fovea_op_split_13;
extern const struct fovea_op fovea_op_split_2;
extern const struct fovea_op fovea_op_squeeze_13;
extern const struct fovea_op fovea_op_squeeze_1;
extern const struct fovea_op fovea_op_tile;
extern const struct fovea_op fovea_op_topk_10;
extern const struct fovea_op fovea_op_topk_11;
extern const struct fovea_op fovea_op_topk_1;
extern const struct fovea_op fovea_op_transpose;
extern const struct fovea_op fovea_op_trilu;
extern const struct fovea_op fovea_op_unary;
extern const struct fovea_op fovea_op_unary_alpha;
extern const struct fovea_op fovea_op_unary_alpha_beta;
extern const struct fovea_op fovea_op_unsqueeze_13;
extern const struct fovea_op fovea_op_unsqueeze_1;
extern const struct fovea_op fovea_op_upsample_7;
extern const struct fovea_op fovea_op_upsample_9;
extern const struct fovea_op fovea_op_variadic;
extern const struct fovea_op fovea_op_view;
extern const struct fovea_op fovea_op_where;

#endif
