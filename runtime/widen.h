/*
 * f16 and bf16 are types for storage; operators compute in f32. These turn
 * values of the two types into f32 as infer meets them, and keep the types of
 * the graph's inputs and outputs by Convert nodes at its edge.
 *
 * In the order in which infer calls them:
 *     fovea_graph_widen_inputs             before the first node
 *       fovea_node_widen_inputs            before a node's infer
 *       fovea_node_widen_outputs           after it, before the node is folded
 *     fovea_graph_narrow_outputs           after the last node
 * `wanted` has an element for each graph output: the type it is to have when
 * all is done.
 */
#ifndef FOVEA_RUNTIME_WIDEN_H
#define FOVEA_RUNTIME_WIDEN_H

#include "runtime/budget.h"
#include "runtime/graph.h"

/*
 * What reads a half input of the graph reads the result of a Convert instead,
 * put before all other nodes. Inputs are typed; constant ones are left alone.
 * After a failure the graph is good for nothing but fovea_graph_finish.
 */
enum fovea_status fovea_graph_widen_inputs(struct fovea_graph *graph, struct fovea_error *err);

/*
 * Constants of a half type that `node` reads, or of f32 at an address that is
 * no multiple of four, get their contents as f32, owned by the graph and
 * counted in `budget` (FOVEA_ERR_LIMIT); large ones by a deferred Convert
 * (deferred.h). The message of a failure begins with the node.
 */
enum fovea_status fovea_node_widen_inputs(struct fovea_node *node, struct fovea_budget *budget,
                                          struct fovea_error *err);

/* Half outputs of an inferred node become f32; `wanted` keeps those of graph outputs. */
void fovea_node_widen_outputs(struct fovea_node *node, enum fovea_dtype *wanted);

/*
 * A graph output that is wanted in a half type, and was widened, is given it
 * by a Convert behind all other nodes. After a failure as with widen_inputs.
 */
enum fovea_status fovea_graph_narrow_outputs(struct fovea_graph *graph,
                                             const enum fovea_dtype *wanted,
                                             struct fovea_error *err);

#endif
