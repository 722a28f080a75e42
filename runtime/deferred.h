/*
 * Constants that are computed late. A node of constant inputs that reads or
 * makes much (graph->defer_bytes) is not evaluated when it is met: it becomes
 * a deferred node, and its outputs are constants without contents. Weights
 * are then computed where they are packed, one a thread, and forgotten again,
 * so that no more than a few of them are in memory in their plain form.
 *
 * Who reads the contents of a constant (a pass; an infer) asks for them with
 * fovea_value_contents first. Integers, booleans and single numbers are never
 * deferred, so what decides shapes is always there.
 */
#ifndef FOVEA_RUNTIME_DEFERRED_H
#define FOVEA_RUNTIME_DEFERRED_H

#include "runtime/graph.h"
#include "runtime/workspace.h"

/* Whether a node whose inputs are constant and inferred is one to defer. */
bool fovea_node_is_deferrable(const struct fovea_node *node);

/*
 * Have the contents of a constant in value->t.data: computed if they are not
 * there, owned by the graph and counted in its budget (FOVEA_ERR_LIMIT).
 * Values that are not constant are left alone.
 */
enum fovea_status fovea_value_contents(struct fovea_value *value, struct fovea_error *err);

/* A constant without contents to be evaluated. */
struct fovea_wanted {
    struct fovea_value *value;
    void *target; /* where to write it: fovea_tensor_bytes of it; NULL: anywhere */
};

/* Called when wanted[i] has contents. */
typedef enum fovea_status (*fovea_wanted_fn)(void *context, size_t i, struct fovea_error *err);

/*
 * Evaluate all that the wanted constants depend on, each deferred node once,
 * and call `done` (may be NULL) for each as soon as it is there. Contents are
 * in value->t.data for that call, and gone again when evaluate returns but for
 * what was written to targets. Several threads may evaluate at once what
 * depends on no deferred node in common.
 */
enum fovea_status fovea_deferred_evaluate(const struct fovea_wanted *wanted, size_t n_wanted,
                                          struct fovea_workspace *workspace, fovea_wanted_fn done,
                                          void *context, struct fovea_error *err);

/*
 * The memory of a workspace that the evaluation takes: what is there at a time
 * on the way, the results unless they have targets, and the largest constant
 * that it reads from a file.
 */
enum fovea_status fovea_deferred_bytes(const struct fovea_wanted *wanted, size_t n_wanted,
                                       size_t *bytes, struct fovea_error *err);

/* Call `visit` for every constant with contents that the last evaluation read; for some twice. */
void fovea_workspace_visit_leaves(const struct fovea_workspace *workspace,
                                  void (*visit)(void *context, const struct fovea_value *leaf),
                                  void *context);

/*
 * What tells the contents of a constant from all others of the sessions of
 * one model, without knowing them: where they come from and what is done to
 * them. Equal identities mean equal contents. Call it for all of a graph's
 * deferred nodes, in order, then for any constant.
 */
void fovea_deferred_identify(struct fovea_graph *graph);
struct fovea_digest fovea_value_identity(struct fovea_value *value);

#endif
