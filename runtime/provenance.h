/*
 * Provenance: which nodes of the file a node of the finished graph does the
 * work of.
 *
 * Passes need not say what they merge. A node that leaves the graph has an
 * heir: the producer of what replaced its output, the node that took its
 * output over, or else the last reader of its output, which now does without.
 * Following heirs from every removed node leads to the one that is left.
 *
 *     MatMul -> Add -> Gelu      Gelu's heir is the Linear that replaced it,
 *                  \             Add's the Gelu that read it, MatMul's the Add:
 *                   Linear       the Linear stands for all three.
 */
#ifndef FOVEA_RUNTIME_PROVENANCE_H
#define FOVEA_RUNTIME_PROVENANCE_H

#include "runtime/graph.h"

/* Number the nodes there are; later ones are not nodes of the file. */
void fovea_provenance_begin(struct fovea_graph *graph);

/*
 * The nodes of the file that `node` does the work of, itself included if it is
 * one of them, in the file's order: their count, and the first `room` of them.
 */
size_t fovea_provenance_of(const struct fovea_graph *graph, const struct fovea_node *node,
                           const struct fovea_node **list, size_t room);

/* ---- for graph.c ---------------------------------------------------------- */

/* `reader` no longer reads `value`. */
void fovea_provenance_unused(struct fovea_value *value, struct fovea_node *reader);

/* All readers of `from` now read `to`. */
void fovea_provenance_replaced(const struct fovea_value *from, const struct fovea_value *to);

/* `node` is about to lose its inputs and outputs. */
void fovea_provenance_removed(struct fovea_graph *graph, struct fovea_node *node);

#endif
