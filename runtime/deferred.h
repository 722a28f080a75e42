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

/* Whether a node whose inputs are constant and inferred is one to defer. */
bool fovea_node_is_deferrable(const struct fovea_node *node);

/*
 * Have the contents of a constant in value->t.data: computed if they are not
 * there, owned by the graph and counted in its budget (FOVEA_ERR_LIMIT).
 * Values that are not constant are left alone.
 */
enum fovea_status fovea_value_contents(struct fovea_value *value, struct fovea_error *err);

/*
 * Memory for what an evaluation makes and forgets, kept to be used again. One
 * per thread. Zeroed by the caller.
 */
struct fovea_workspace {
    struct fovea_block {
        void *data;
        size_t bytes;
        bool used;
    } * blocks;
    size_t n_blocks, cap_blocks;
    size_t bytes, peak_bytes; /* of all blocks, now and at most */
    bool rehearses;           /* blocks are only counted, nothing is computed */
    uintptr_t n_rehearsed;
    struct fovea_node **stack, **order; /* of a search */
    size_t n_stack, cap_stack, n_order, cap_order;
};
void fovea_workspace_finish(struct fovea_workspace *workspace);

/*
 * Evaluate what `value`, a constant without contents, depends on. The result
 * is written to `target` (fovea_tensor_bytes of it), or if that is NULL to
 * memory of the workspace, or is a view of another constant; value->t.data
 * points to it until fovea_deferred_forget. Several threads may evaluate
 * values at once that depend on no deferred node in common.
 */
enum fovea_status fovea_deferred_evaluate(struct fovea_value *value,
                                          struct fovea_workspace *workspace, void *target,
                                          struct fovea_error *err);
void fovea_deferred_forget(struct fovea_value *value, struct fovea_workspace *workspace);

/*
 * The memory of a workspace that evaluating `value` takes: what is there at a
 * time on the way, and the result unless it has a target. 0 if it has contents.
 */
enum fovea_status fovea_deferred_bytes(struct fovea_value *value, bool has_target, size_t *bytes,
                                       struct fovea_error *err);

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
