/*
 * An image file to one image of a batch.
 */
#ifndef FOVEA_TOOLS_IMAGE_LOAD_H
#define FOVEA_TOOLS_IMAGE_LOAD_H

#include "loaders/preprocess.h"

/*
 * Read, decode and prepare the image at `path` into `out`, which has room for
 * 3 * height * width floats of the recipe. *missing, if not NULL, is set to
 * whether there is no such file. Messages do not repeat the path. Safe to call
 * from several threads.
 */
enum fovea_status image_load(const char *path, const struct fovea_recipe *recipe,
                             const struct fovea_jpeg_options *jpeg, float *out, bool *missing,
                             struct fovea_jpeg_report *report, struct fovea_error *err);

/*
 * Its first half: the bytes of the file, for the caller to free. *missing, if
 * not NULL, as above.
 */
enum fovea_status image_read(const char *path, uint8_t **bytes, size_t *size, bool *missing,
                             struct fovea_error *err);

#endif
