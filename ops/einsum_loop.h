/*
 * Einsum of any equation and any number of operands, one element of the output
 * after another.
 */
#ifndef FOVEA_OPS_EINSUM_LOOP_H
#define FOVEA_OPS_EINSUM_LOOP_H

#include "ops/einsum_parse.h"

/*
 * Sum the products of a node's inputs into its output, both dense and of one
 * of the types f32, f64, i32, u32, i64, u64. strides[input][label] is how far
 * a label moves in an input, in elements; 0 where the input lacks it.
 */
void einsum_sum(const struct fovea_node *node, const struct einsum_equation *equation,
                const int64_t strides[][EINSUM_MAX_LABELS]);

#endif
