/* Evaluating one node outside a run. */
#ifndef FOVEA_RUNTIME_COMPUTE_H
#define FOVEA_RUNTIME_COMPUTE_H

#include "runtime/engine.h"
#include "runtime/graph.h"

/*
 * Prepare, pack, run and release an inferred node whose inputs have contents
 * and whose outputs have memory. FOVEA_ERR_LIMIT if it takes more scratch
 * memory and packed weights than `budget` (NULL: no limit) has left. The
 * message of a failure begins with the node.
 */
enum fovea_status fovea_node_compute(struct fovea_node *node, struct fovea_engine *engine,
                                     const struct fovea_budget *budget, struct fovea_error *err);

/*
 * Prepare such a node only, within the same limit. Whatever the outcome, op->release is due then
 * and node->prepared says so.
 */
enum fovea_status fovea_node_prepare(struct fovea_node *node, struct fovea_engine *engine,
                                     const struct fovea_budget *budget, struct fovea_error *err);

#endif
