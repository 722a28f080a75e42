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

/*
 * Bytes that packing takes for the while, at most, besides its results and
 * scratch memory: the plain forms that `threads` threads have at a time.
 */
enum fovea_status fovea_pack_transient(struct fovea_graph *graph, int threads, size_t *out,
                                       struct fovea_error *err);

#endif
