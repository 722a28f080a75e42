/* How the value of a sequence is made: see sequence.c. */
#ifndef FOVEA_OPS_SEQUENCE_H
#define FOVEA_OPS_SEQUENCE_H

#include "runtime/op.h"

/*
 * A SequenceConstruct before `before` whose out[0] is a sequence, with `count`
 * absent inputs for the caller to connect. Counted (fovea_graph_spend_node).
 */
enum fovea_status fovea_sequence_put(struct fovea_node *before, int count, struct fovea_node **out,
                                     struct fovea_error *err);

#endif
