/*
 * Resizing with the arithmetic of TensorFlow's CPU kernels as tf.image.resize
 * (TF 2, antialias=False) runs them: f32 throughout, in their order of
 * operations. Sample centres are at half pixels; the area method is defined by
 * edges and has no centres.
 */
#ifndef FOVEA_LOADERS_RESIZE_TF_H
#define FOVEA_LOADERS_RESIZE_TF_H

#include "loaders/resize.h"

/*
 * Resize the 8-bit `in`; how->filter is bilinear, bicubic or area, how->order
 * does not matter. *out has the window's size and is the caller's to finish:
 * f32 on the scale of 0..255 if `floats` (bicubic overshoots it), else 8 bits,
 * clipped to 0..255 and cut to integers as tf.cast does.
 *
 * FOVEA_ERR_INVALID for sides below 1, a window that is not inside or another
 * filter; FOVEA_ERR_MEMORY.
 */
enum fovea_status fovea_resize_tf(const struct fovea_image *in, const struct fovea_resize *how,
                                  bool floats, struct fovea_image *out, struct fovea_error *err);

#endif
