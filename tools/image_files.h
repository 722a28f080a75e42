/*
 * Pixels and tensors to files that other programs read, and back.
 */
#ifndef FOVEA_TOOLS_IMAGE_FILES_H
#define FOVEA_TOOLS_IMAGE_FILES_H

#include "loaders/image.h"

/* Write a binary PPM (P6, 8 bits). */
enum fovea_status fovea_ppm_write(const char *path, const struct fovea_image *image,
                                  struct fovea_error *err);

/* Read a binary PPM of 8 bits; *out is the caller's to finish. */
enum fovea_status fovea_ppm_read(const char *path, struct fovea_image *out,
                                 struct fovea_error *err);

/* Write an f32 tensor of shape (1, 3, height, width) as .npy, format 1.0. */
enum fovea_status fovea_npy_write(const char *path, const float *planes, int height, int width,
                                  struct fovea_error *err);

#endif
