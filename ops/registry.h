/*
 * Which implementation serves an operator at an opset.
 *
 * A row says that `op` implements domain.type from opset `since` on, until the
 * next row of the same type; an `op` of NULL ends support (what the operator
 * means from there on is not implemented).
 */
#ifndef FOVEA_OPS_REGISTRY_H
#define FOVEA_OPS_REGISTRY_H

#include "runtime/op.h"

/* ONNX opsets that a model may import. */
#define FOVEA_OPSET_MIN 7
#define FOVEA_OPSET_MAX 25

struct fovea_op_entry {
    const char *domain; /* "" for ai.onnx; "fovea" for what passes make */
    const char *type;
    int since;
    const struct fovea_op *op;
};

/* All rows, sorted by domain, type, since. */
const struct fovea_op_entry *fovea_op_table(size_t *count);

/* The implementation at `opset`, or NULL. "ai.onnx" is the same domain as "". */
const struct fovea_op *fovea_op_find(const char *domain, const char *type, int opset);

#endif
