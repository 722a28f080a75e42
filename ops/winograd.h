/*
 * Convolutions of 3x3, stride 1, dilation 1 by Winograd's F(4x4, 3x3): a tile
 * of 4x4 outputs from 6x6 inputs takes 36 multiplications a channel pair
 * instead of 144 (Lavin and Gray, "Fast Algorithms for Convolutional Neural
 * Networks", 2015).
 *
 *     Y = A^T [ (G g G^T) . (B^T d B) ] A
 *
 * The sums over channels are 36 matrix products, tiles x channels x outputs.
 * Transforms and products are our own kernels (winograd_kernels.h).
 *
 * Images are channels-last f32. The work is done for some outputs of a group
 * and a block of tiles at a time (winograd_plan.h), so that what is transformed
 * stays in a core's caches. Weights are kept at their own size and transformed
 * at every run: transformed they would take four times the memory, and reading
 * them from there no less time. Bias and posts are applied before the outputs
 * leave the core.
 */
#ifndef FOVEA_OPS_WINOGRAD_H
#define FOVEA_OPS_WINOGRAD_H

#include "runtime/dnn.h"

struct fovea_winograd;

/* What a node that uses it names as its implementation. */
#define FOVEA_WINOGRAD_NAME "winograd:f4x4"

/*
 * Whether `desc` is a convolution that this computes: 3x3, stride and dilation
 * 1, pads of 0 to 2, dense channels-last f32 images, constant weights, and 16k
 * channels and 16k outputs in each group.
 */
bool fovea_winograd_fits(const struct fovea_dnn_conv *desc);

/*
 * Whether that is expected to take less time than a direct convolution, by a
 * model of cost that looks at nothing but `desc`: the same on every machine
 * and with any number of threads.
 */
bool fovea_winograd_pays(const struct fovea_dnn_conv *desc);

/* Prepare for `engine`'s number of threads. `desc` fits. */
enum fovea_status fovea_winograd_create(const struct fovea_engine *engine,
                                        const struct fovea_dnn_conv *desc,
                                        struct fovea_winograd **out, struct fovea_error *err);
void fovea_winograd_destroy(struct fovea_winograd *winograd);

/* What operator.prepare says of its node: scratch, and packed weights, which are input `weights`.
 */
void fovea_winograd_describe(const struct fovea_winograd *winograd, int weights,
                             struct fovea_node *node);

/* Write plain weights [O, C/groups, 3, 3] in the form that run reads: as many bytes. */
void fovea_winograd_pack(const struct fovea_winograd *winograd, const float *plain, float *out);

/* Operands as fovea_prim_run's; dst may be an operand of a post of its own shape and strides. */
void fovea_winograd_run(const struct fovea_winograd *winograd, const struct fovea_prim_args *args);

#endif
