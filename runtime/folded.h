/*
 * The constants that a loaded graph computes from other constants, for who
 * wants the graph without the nodes that do so (a converter): named by the
 * values of the graph itself, which stays as it is, and computed one at a
 * time, with the code a session would use.
 */
#ifndef FOVEA_RUNTIME_FOLDED_H
#define FOVEA_RUNTIME_FOLDED_H

#include "runtime/engine.h"
#include "runtime/graph.h"
#include "runtime/workspace.h"

struct fovea_folded {
    const struct fovea_graph *source;
    struct fovea_graph graph; /* a copy of the nodes that compute; inferred */
    struct fovea_engine engine;
    struct fovea_workspace workspace;
    bool *computed;             /* by number in `source`: a result of such a node */
    struct fovea_value **value; /* by number in `source`: the one of `graph` */
};

/*
 * `all`: every node of constant inputs; else only those of operators that are
 * no one else's (domain "fovea"). At most `max_bytes` are taken for contents
 * at a time. Finish it on success. The graph has to outlive it.
 */
enum fovea_status fovea_folded_init(struct fovea_folded *folded, const struct fovea_graph *source,
                                    bool all, size_t max_bytes, struct fovea_error *err);
void fovea_folded_finish(struct fovea_folded *folded);

/* Whether a node of the source is one of those that compute constants. */
bool fovea_folded_has_node(const struct fovea_folded *folded, const struct fovea_node *node);

/* Type and shape of a value that nodes compute and others, or nobody, read. */
const struct fovea_tensor *fovea_folded_shape(const struct fovea_folded *folded,
                                              const struct fovea_value *value);

/* Called with the contents, which are there for the length of the call. */
typedef enum fovea_status (*fovea_folded_fn)(void *context, const struct fovea_tensor *tensor,
                                             struct fovea_error *err);

/* Compute one. */
enum fovea_status fovea_folded_evaluate(struct fovea_folded *folded,
                                        const struct fovea_value *value, fovea_folded_fn use,
                                        void *context, struct fovea_error *err);

#endif
