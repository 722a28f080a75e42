/* Preparing the nodes of a graph for a session. */
#ifndef FOVEA_RUNTIME_PREPARE_H
#define FOVEA_RUNTIME_PREPARE_H

#include "runtime/engine.h"
#include "runtime/graph.h"

/*
 * Call op->prepare for every node. Most of that is oneDNN writing code for
 * each shape, so each thread takes the next node; an op's prepare touches its
 * own node alone. The message of a failure begins with the node, the first in
 * the order of steps if several fail.
 */
enum fovea_status fovea_prepare_graph(struct fovea_graph *graph, struct fovea_engine *engine,
                                      struct fovea_error *err);

#endif
