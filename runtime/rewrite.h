/*
 * What passes use to change a graph: making nodes and constants, moving nodes.
 */
#ifndef FOVEA_RUNTIME_REWRITE_H
#define FOVEA_RUNTIME_REWRITE_H

#include "runtime/graph.h"

/*
 * A node before `before` (NULL: at the end) with these inputs and one new,
 * untyped output. Set its attributes, then call fovea_rewrite_finish.
 */
enum fovea_status fovea_rewrite_node(struct fovea_graph *graph, struct fovea_node *before,
                                     const char *domain, const char *type, const char *name,
                                     struct fovea_value *const *in, int n_in,
                                     struct fovea_node **out, struct fovea_error *err);

/*
 * Infer a made node, and let it replace `old` (NULL: nothing): every reader of
 * `old` reads node->out[0] instead.
 */
enum fovea_status fovea_rewrite_finish(struct fovea_node *node, struct fovea_value *old,
                                       struct fovea_error *err);

/* Integer attributes of a made node. */
enum fovea_status fovea_rewrite_set_int(struct fovea_node *node, const char *name, int64_t value,
                                        struct fovea_error *err);
enum fovea_status fovea_rewrite_set_float(struct fovea_node *node, const char *name, float value,
                                          struct fovea_error *err);
enum fovea_status fovea_rewrite_set_ints(struct fovea_node *node, const char *name,
                                         const int64_t *values, size_t count,
                                         struct fovea_error *err);

/* A constant f32 scalar, and an i64 vector. */
enum fovea_status fovea_rewrite_scalar(struct fovea_graph *graph, float scalar,
                                       struct fovea_value **out, struct fovea_error *err);
enum fovea_status fovea_rewrite_ints(struct fovea_graph *graph, const int64_t *values, size_t count,
                                     struct fovea_value **out, struct fovea_error *err);

/* A constant f32 copy of `from` (constant, of floats) under another shape of the same size. */
enum fovea_status fovea_rewrite_copy(struct fovea_graph *graph, struct fovea_value *from, int rank,
                                     const int64_t *dims, struct fovea_value **out,
                                     struct fovea_error *err);

/* A constant [count] of one number. */
enum fovea_status fovea_rewrite_filled(struct fovea_graph *graph, int64_t count, float number,
                                       struct fovea_value **out, struct fovea_error *err);

/*
 * Constants out of constants. Their contents may be computed later (deferred.h),
 * so a pass that changes weights does not copy them: it says what to do to them.
 *
 *     fovea_rewrite_node(graph, NULL, "", "Transpose", w->name, &w, 1, &node, err);
 *     fovea_rewrite_set_ints(node, "perm", ...);
 *     fovea_derive_finish(node, &transposed, err);
 *
 * finish infers a made node of one output and gives that output, now constant;
 * the node is not to be used any more.
 */
enum fovea_status fovea_derive_finish(struct fovea_node *node, struct fovea_value **out,
                                      struct fovea_error *err);

/*
 * w * factors as a constant: `factors` a constant f32 of one element, or of as
 * many as w.dims[axis], whatever its shape, one for each index along `axis`.
 */
enum fovea_status fovea_derive_mul(struct fovea_graph *graph, struct fovea_value *w,
                                   struct fovea_value *factors, int axis, struct fovea_value **out,
                                   struct fovea_error *err);

/* What the two-input operator `type` makes of two constants; x in another shape, transposed. */
enum fovea_status fovea_derive_op(struct fovea_graph *graph, const char *type,
                                  struct fovea_value *a, struct fovea_value *b,
                                  struct fovea_value **out, struct fovea_error *err);
enum fovea_status fovea_derive_reshape(struct fovea_graph *graph, struct fovea_value *x, int rank,
                                       const int64_t *dims, struct fovea_value **out,
                                       struct fovea_error *err);
enum fovea_status fovea_derive_transpose(struct fovea_graph *graph, struct fovea_value *x,
                                         const int64_t *perm, struct fovea_value **out,
                                         struct fovea_error *err);

/* before(x) with the target shape `dims`. */
enum fovea_status fovea_rewrite_reshape(struct fovea_graph *graph, struct fovea_node *before,
                                        const char *name, struct fovea_value *x, int rank,
                                        const int64_t *dims, struct fovea_node **out,
                                        struct fovea_error *err);

#endif
