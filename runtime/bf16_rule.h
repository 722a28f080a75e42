/*
 * Which values of a node may lie in memory as bf16, by the rule of its
 * operator (enum fovea_bf16_rule).
 */
#ifndef FOVEA_RUNTIME_BF16_RULE_H
#define FOVEA_RUNTIME_BF16_RULE_H

#include "runtime/op.h"

/* What a node does with bf16, and the inputs and outputs that is about (as in struct fovea_op). */
struct fovea_bf16_types {
    enum fovea_bf16_rule kind;
    unsigned in, out;
};

struct fovea_bf16_types fovea_bf16_types_of(const struct fovea_node *node);

/* Whether a mask of inputs or outputs has `index`. */
bool fovea_bf16_mask_has(unsigned mask, int index);

/* f32 or bf16: a value that the rule can be about. */
bool fovea_bf16_may_be(const struct fovea_value *value);

/* Whether input `index` is read by the epilogue, which takes either type. */
bool fovea_bf16_is_epilogue_operand(const struct fovea_node *node, int index);

/*
 * Whether the types its values have are ones that the node runs with: for
 * graphs of unknown origin. FOVEA_ERR_INVALID names the operand.
 */
enum fovea_status fovea_bf16_check(const struct fovea_node *node, struct fovea_error *err);

#endif
