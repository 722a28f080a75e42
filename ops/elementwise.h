/*
 * The engine that executes elementwise programs (runtime/program.h).
 *
 * The result is cut into tiles that stay in the core's first cache. For each
 * tile every instruction is one loop of ops/kernels.h; intermediate values
 * live in registers of one tile, so memory is read and written once however
 * long the program is.
 *
 * Half types are for storage: such inputs become f32 as a tile of them is
 * loaded, and f32 results are rounded as a tile is stored.
 *
 * Tiles are runs of the result's memory, in its layout. Dimensions over which
 * no operand changes its stride are merged first; what is left of an operand
 * is used in place where it is contiguous and copied to a register elsewhere.
 */
#ifndef FOVEA_OPS_ELEMENTWISE_H
#define FOVEA_OPS_ELEMENTWISE_H

#include "runtime/op.h"
#include "runtime/program.h"

struct fovea_elementwise;

/*
 * Prepare `program` for a node: its values are node->in, but see `dims`, and
 * outputs[i] (each an instruction's) goes to node->out[i], where that is
 * present; at least one must be. Sets node->scratch_bytes.
 *
 * `axes` is NULL, or for each input the axis of the output that its single
 * dimension lies on: -1 where ordinary broadcasting holds.
 */
enum fovea_status fovea_elementwise_create(const struct fovea_program *program, const int *outputs,
                                           const int *axes, struct fovea_node *node,
                                           const struct fovea_engine *engine,
                                           struct fovea_elementwise **out, struct fovea_error *err);
void fovea_elementwise_destroy(struct fovea_elementwise *elementwise);

void fovea_elementwise_run(const struct fovea_elementwise *elementwise,
                           const struct fovea_node *node, const struct fovea_run *run);

/*
 * For infer: the program's types fit, and a kernel exists for every
 * instruction. `types` gets those of all values; half inputs count as f32.
 */
enum fovea_status fovea_elementwise_check(const struct fovea_program *program,
                                          const struct fovea_node *node, enum fovea_dtype *types,
                                          struct fovea_error *err);

/* The shape that all present inputs of `node` broadcast to. */
enum fovea_status fovea_elementwise_shape(const struct fovea_node *node, int *rank, int64_t *dims,
                                          struct fovea_error *err);

/* Priv, prepare, run and release of ops that are one program. */
struct fovea_elementwise_priv {
    struct fovea_elementwise *elementwise;
};
enum fovea_status fovea_elementwise_op_run(const struct fovea_node *node,
                                           const struct fovea_run *run, struct fovea_error *err);
void fovea_elementwise_op_release(struct fovea_node *node);

#endif
