/* Preparing the nodes of a graph for a session. */
#ifndef FOVEA_RUNTIME_PREPARE_H
#define FOVEA_RUNTIME_PREPARE_H

#include "runtime/engine.h"
#include "runtime/graph.h"

/*
 * Call op->prepare for every node, in the order of steps. The message of a
 * failure begins with the node.
 */
enum fovea_status fovea_prepare_graph(struct fovea_graph *graph, struct fovea_engine *engine,
                                      struct fovea_error *err);

#endif
