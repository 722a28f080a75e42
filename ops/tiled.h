/*
 * Convolutions of any kernel and stride in f32 as products of gathered rows:
 * each tap of the kernel multiplies the input pixels that it meets with its
 * weights, tile by tile (tiled_kernels.h), and sums stay in registers or in
 * the first caches until they are outputs.
 *
 * oneDNN computes the same sums. For large images it is as fast; where pixels
 * are few, the edges of its tiles and the way it reads weights, each of which is
 * then used a few times only, cost it a fifth.
 */
#ifndef FOVEA_OPS_TILED_H
#define FOVEA_OPS_TILED_H

#include "runtime/dnn.h"

struct fovea_tiled;

/* What a node that uses it names as its implementation. */
#define FOVEA_TILED_NAME "tiled:6x64"

/*
 * Whether `desc` is a convolution that this computes on this CPU: 2
 * dimensions, kernels of up to 7x7, dense channels-last f32 images, constant
 * weights, 64k outputs in each group, AVX-512.
 */
bool fovea_tiled_fits(const struct fovea_dnn_conv *desc);

/*
 * Whether that is expected to take less time than oneDNN's convolution: few
 * pixels and many weights. It looks at nothing but `desc`.
 */
bool fovea_tiled_pays(const struct fovea_dnn_conv *desc);

/* Prepare for `engine`'s number of threads. `desc` fits. */
enum fovea_status fovea_tiled_create(const struct fovea_engine *engine,
                                     const struct fovea_dnn_conv *desc, struct fovea_tiled **out,
                                     struct fovea_error *err);
void fovea_tiled_destroy(struct fovea_tiled *tiled);

/* What operator.prepare says of its node: scratch, packed weights (input `weights`), overwriting.
 */
void fovea_tiled_describe(const struct fovea_tiled *tiled, int weights, struct fovea_node *node);

/* Write plain weights [O, C/groups, kernel...] in the form that run reads: as many bytes. */
void fovea_tiled_pack(const struct fovea_tiled *tiled, const float *plain, float *out);

/* Operands as fovea_prim_run's; dst may be an operand of a post of its own shape and strides. */
void fovea_tiled_run(const struct fovea_tiled *tiled, const struct fovea_prim_args *args);

#endif
