/*
 * Whether a node is what its op's tables (op.h) say it may be, so that infer
 * need not ask again: the numbers of inputs and outputs, the name, kind and
 * presence of attributes, and that inputs are typed, and constant where infer
 * reads their contents.
 */
#ifndef FOVEA_RUNTIME_NODE_CHECK_H
#define FOVEA_RUNTIME_NODE_CHECK_H

#include "runtime/op.h"

/*
 * FOVEA_ERR_INVALID: a count, a kind, a missing attribute, an untyped input.
 * FOVEA_ERR_UNSUPPORTED: an attribute that the op does not know at its opset,
 * or an input that decides shapes and is not constant.
 * Changes nothing. The message does not name the node.
 */
enum fovea_status fovea_node_check(const struct fovea_node *node, struct fovea_error *err);

#endif
