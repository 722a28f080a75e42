/*
 * Pixels and tensors to files that other programs read, and back. Files appear
 * whole or not at all.
 */
#ifndef FOVEA_TOOLS_IMAGE_FILES_H
#define FOVEA_TOOLS_IMAGE_FILES_H

#include "loaders/image.h"

/* Write a binary PPM (P6), or a PNG, of 8 bits; float pixels are FOVEA_ERR_UNSUPPORTED. */
enum fovea_status fovea_ppm_write(const char *path, const struct fovea_image *image,
                                  struct fovea_error *err);
enum fovea_status fovea_png_save(const char *path, const struct fovea_image *image,
                                 struct fovea_error *err);

/* Read either of them; *out is the caller's to finish. */
enum fovea_status fovea_pixels_read(const char *path, struct fovea_image *out,
                                    struct fovea_error *err);

/* Write an f32 tensor of shape (1, 3, height, width) as .npy, format 1.0. */
enum fovea_status fovea_npy_write(const char *path, const float *planes, int height, int width,
                                  struct fovea_error *err);

#endif
