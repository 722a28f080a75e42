/*
 * Packing: bringing weights into the form that primitives prefer, once, before
 * the first run. Packed weights are plain bytes, owned here and not by nodes.
 */
#ifndef FOVEA_RUNTIME_PACK_H
#define FOVEA_RUNTIME_PACK_H

#include "runtime/engine.h"
#include "runtime/graph.h"

/* The packed weights of a session. Zeroed by the caller. */
struct fovea_packed {
    void **blocks;
    size_t n_blocks;
};

/*
 * Call op->pack for every prepared node that asks for it and let
 * node->packed_data point to the result. Contents of constants that only
 * packing read, and that the graph owns, are freed. On failure `packed` holds
 * what was made so far.
 */
enum fovea_status fovea_pack_graph(struct fovea_graph *graph, struct fovea_engine *engine,
                                   struct fovea_packed *packed, struct fovea_error *err);
void fovea_packed_finish(struct fovea_packed *packed);

/* Pack one node into memory that the caller frees; *out is NULL if it packs nothing. */
enum fovea_status fovea_pack_node(struct fovea_node *node, struct fovea_engine *engine, void **out,
                                  struct fovea_error *err);

#endif
