/* Names for values and nodes of a graph that is written as ONNX: unique, as readers demand. */
#ifndef FOVEA_LOADERS_ONNX_NAMES_H
#define FOVEA_LOADERS_ONNX_NAMES_H

#include "runtime/graph.h"

/*
 * Inputs and outputs keep theirs, for they are the model's interface; others
 * as well unless they are empty or taken. By number, in the arena.
 */
enum fovea_status fovea_onnx_names(const struct fovea_graph *graph, struct fovea_arena *arena,
                                   const char *const **out, struct fovea_error *err);

/*
 * Names of nodes, by their order in the graph: their own if no other node has
 * it, else with "#" and their place behind it.
 */
enum fovea_status fovea_onnx_node_names(const struct fovea_graph *graph, struct fovea_arena *arena,
                                        const char *const **out, struct fovea_error *err);

#endif
