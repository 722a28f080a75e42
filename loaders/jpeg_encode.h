/* Small pictures for reports. */
#ifndef FOVEA_LOADERS_JPEG_ENCODE_H
#define FOVEA_LOADERS_JPEG_ENCODE_H

#include "loaders/image.h"

/*
 * Encode as a baseline JPEG of `quality` 1..100. *bytes is for the caller to
 * free(). FOVEA_ERR_INVALID for an image without pixels; FOVEA_ERR_MEMORY.
 */
enum fovea_status fovea_jpeg_encode(const struct fovea_image *image, int quality, uint8_t **bytes,
                                    size_t *size, struct fovea_error *err);

#endif
