/*
 * Shape inference and constant folding, in one walk over the nodes.
 *
 * Once a node's inputs are typed, its attributes are checked against the op's
 * table, its infer sets the outputs, and if its inputs are all constant (or
 * its op needs only shapes) it is evaluated on the spot, with the functions a
 * run would use. What follows (Reshape, Pad, Slice) may then read the
 * contents. A node that was evaluated is removed; one that makes or reads
 * large floats is kept for later, as a deferred node (deferred.h). Branches,
 * loops and sequences become ordinary nodes, or nothing (subgraph.h).
 *
 * f16 and bf16 are types for storage: a value of such a type becomes f32 when
 * it is met (widen.h).
 */
#ifndef FOVEA_RUNTIME_INFER_H
#define FOVEA_RUNTIME_INFER_H

#include "runtime/op.h"

/*
 * Infer the whole graph. Inputs must be typed. The engine is kept in the graph,
 * and must outlive it. `max_constant_bytes` bounds the
 * contents that folding makes and keeps at a time, the scratch memory and
 * packed weights it needs meanwhile, and any one result (FOVEA_ERR_LIMIT
 * before anything is allocated).
 * The message of a failure begins with the node.
 */
enum fovea_status fovea_infer_graph(struct fovea_graph *graph, struct fovea_engine *engine,
                                    size_t max_constant_bytes, struct fovea_error *err);

/* Check and infer one node again, after a pass made or changed it. Does not fold. */
enum fovea_status fovea_infer_node(struct fovea_node *node, struct fovea_error *err);

/* Evaluate an inferred node whose inputs are constant, making its outputs constant. No limit. */
enum fovea_status fovea_fold_node(struct fovea_node *node, struct fovea_engine *engine,
                                  struct fovea_error *err);

/*
 * Make constants of the outputs of a node of an inferred graph, made by a pass
 * and inferred, whose inputs are constant: by evaluating and removing it, or
 * by deferring it. The node is not to be used any more.
 */
enum fovea_status fovea_settle_node(struct fovea_node *node, struct fovea_error *err);

/*
 * Find whether the contents of graph input `index` can reach an operand that
 * infer reads (op->value_inputs), so that a session needs them beforehand:
 * *out is the first node with such an operand, or NULL. FOVEA_ERR_MEMORY if
 * there is none to find out.
 */
enum fovea_status fovea_input_find_decided(const struct fovea_graph *graph, size_t index,
                                           const struct fovea_node **out, struct fovea_error *err);

#endif
