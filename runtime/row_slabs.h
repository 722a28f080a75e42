/*
 * Evaluating a chain of nodes slab by slab: a few rows (elements of dimension
 * 0) of every value at a time, so that what lies between the nodes stays in a
 * cache. Weight standardisation of a convolution is such a chain: as whole
 * tensors, each of its steps would go through memory.
 *
 * The bits are those of the nodes evaluated one after another.
 */
#ifndef FOVEA_RUNTIME_ROW_SLABS_H
#define FOVEA_RUNTIME_ROW_SLABS_H

#include "runtime/graph.h"

/* Nodes, operands first, that are evaluated together, and the rows of a slab. */
struct fovea_slabs {
    struct fovea_node *const *nodes;
    size_t n;
    int64_t rows;
};

/*
 * As many of nodes[0..n) as can be evaluated together: each by rows
 * (FOVEA_OP_BY_ROWS) and all over the same number of them. None if that is not
 * worth it.
 */
struct fovea_slabs fovea_slabs_find(struct fovea_node *const *nodes, size_t n);

/* What a slab of a node's output takes. */
size_t fovea_slab_bytes(const struct fovea_slabs *slabs, const struct fovea_node *node);

/*
 * Evaluate them. Inputs have contents; outputs have memory, for all rows if
 * whole[i], else for a slab: only these nodes read such an output.
 */
enum fovea_status fovea_slabs_evaluate(const struct fovea_slabs *slabs, const bool *whole,
                                       struct fovea_error *err);

#endif
