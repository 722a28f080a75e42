/*
 * Small questions that passes ask of a graph. Nothing here changes it.
 */
#ifndef FOVEA_RUNTIME_MATCH_H
#define FOVEA_RUNTIME_MATCH_H

#include "runtime/graph.h"

/* Whether `node` (may be NULL) is the ai.onnx operator `type`. */
bool fovea_node_is(const struct fovea_node *node, const char *type);

/* Whether a node has another output than its first; absent ones do not count. */
bool fovea_node_has_more_outputs(const struct fovea_node *node);

/* Whether a BatchNormalization takes mean and variance of the batch: its attribute says so from
 * opset 14 on, and more than one output does before. */
bool fovea_batch_norm_trains(const struct fovea_node *node);

/* Whether `node` (may be NULL) is the operator `type` of domain "fovea". */
bool fovea_node_is_own(const struct fovea_node *node, const char *type);

/* The producer of `value` (may be NULL) if it is that ai.onnx operator, else NULL. */
struct fovea_node *fovea_value_from(const struct fovea_value *value, const char *type);

/* The only reader of a value that is no graph output, else NULL. */
struct fovea_node *fovea_value_only_user(const struct fovea_value *value);

/* Whether `value` is a constant float of one element; its value then. */
bool fovea_value_scalar(const struct fovea_value *value, double *out);

/*
 * Whether one input of the two-input `node` is a scalar constant: its value,
 * and the other input's index.
 */
bool fovea_node_scalar_operand(const struct fovea_node *node, double *scalar, int *other);

/* Whether |a - b| is within rounding of f32 constants, also after f16 or bf16 storage. */
bool fovea_nearly(double a, double b);

#endif
