/*
 * Pixels between the stages of preprocessing: packed RGB, of 8 bits or, after
 * a resize that does not round, f32 on the same scale of 0..255.
 */
#ifndef FOVEA_LOADERS_IMAGE_H
#define FOVEA_LOADERS_IMAGE_H

#include "runtime/error.h"

/* Sides of any image here, decoded, resized or cropped: JPEG's own limit. */
#define FOVEA_IMAGE_SIDE_MAX 65535

/*
 * An image: rows top to bottom, 3 * width samples each, no padding. Of `rgb`
 * and `floats`, both owned, one is there and the other NULL.
 */
struct fovea_image {
    int width;
    int height;
    uint8_t *rgb;
    float *floats;
};

/* Allocate pixels, uninitialised. FOVEA_ERR_INVALID unless both sides are in
 * 1..FOVEA_IMAGE_SIDE_MAX. */
enum fovea_status fovea_image_init(struct fovea_image *image, int width, int height,
                                   struct fovea_error *err);

/* The same, with pixels in f32. */
enum fovea_status fovea_image_init_floats(struct fovea_image *image, int width, int height,
                                          struct fovea_error *err);

/* Free the pixels and zero the struct; a zeroed image is fine. */
void fovea_image_finish(struct fovea_image *image);

/* The pixels, whichever they are, and their bytes. */
const void *fovea_image_data(const struct fovea_image *image);
size_t fovea_image_size(const struct fovea_image *image);

/*
 * Replace the image by what an EXIF orientation (1..8) says is upright, as
 * Pillow's ImageOps.exif_transpose does; 8-bit pixels only. Any other value leaves it as it is.
 */
enum fovea_status fovea_image_orient(struct fovea_image *image, int orientation,
                                     struct fovea_error *err);

#endif
