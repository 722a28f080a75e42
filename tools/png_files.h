/*
 * PNG files of 8-bit RGB pixels. The only home of png.h.
 */
#ifndef FOVEA_TOOLS_PNG_FILES_H
#define FOVEA_TOOLS_PNG_FILES_H

#include "loaders/image.h"

#include <stdio.h>

/* Whether a file that begins with these bytes is a PNG. */
bool fovea_png_looks_like(const uint8_t *bytes, size_t size);

/* Write pixels to a stream. FOVEA_ERR_IO in libpng's words, without the path. */
enum fovea_status fovea_png_write(FILE *stream, const struct fovea_image *image,
                                  struct fovea_error *err);

/*
 * Pixels of a file in memory, as they are stored: grey and palettes become RGB; what would have to
 * be computed, alpha and 16 bits, is FOVEA_ERR_UNSUPPORTED. *out is the caller's to finish.
 */
enum fovea_status fovea_png_parse(const uint8_t *bytes, size_t size, struct fovea_image *out,
                                  struct fovea_error *err);

#endif
