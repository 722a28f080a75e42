/*
 * Packing: computing weights and bringing them into the form that steps read,
 * once, before the first run. By all threads, each taking one constant at a
 * time through all that has to be done to it, so that few are ever there in
 * their plain form. The results belong to the model's store (store.h), where
 * other sessions of the model find them.
 */
#ifndef FOVEA_RUNTIME_PACK_H
#define FOVEA_RUNTIME_PACK_H

#include "runtime/engine.h"
#include "runtime/graph.h"
#include "runtime/model.h"

/* What a session uses of its model's store. Zeroed by the caller. */
struct fovea_packed {
    struct fovea_store *store;
    struct fovea_store_entry **entries;
    size_t n_entries;
};

/*
 * Give packed_data to every prepared node that asks for it, and contents to
 * every constant that a step reads as it is, or that is an output. Contents of
 * constants that only packing reads are gone afterwards: freed if the graph
 * owns them, out of memory if they lie in one of the model's mapped files. On
 * failure `packed` holds what was made so far. FOVEA_ERR_LIMIT if computing
 * one constant takes more than the graph's budget.
 */
enum fovea_status fovea_pack_graph(struct fovea_graph *graph, const struct fovea_model *model,
                                   struct fovea_packed *packed, struct fovea_error *err);
void fovea_packed_finish(struct fovea_packed *packed);

/* What packing will take. */
struct fovea_pack_cost {
    size_t new_bytes;       /* its results, without what is in the store already */
    size_t transient_bytes; /* besides, for the while: plain forms that threads have at a time */
};

/* Nothing large is allocated for it. Scratch memory is not counted. */
enum fovea_status fovea_pack_estimate(struct fovea_graph *graph, const struct fovea_model *model,
                                      int threads, struct fovea_pack_cost *out,
                                      struct fovea_error *err);

#endif
