/*
 * A JPEG to a model's input while it is decoded, without an image in between.
 * For fovea_preprocess_jpeg, whose contract is the same.
 */
#ifndef FOVEA_LOADERS_PREPROCESS_STREAM_H
#define FOVEA_LOADERS_PREPROCESS_STREAM_H

#include "loaders/preprocess.h"

/*
 * Whether this way exists: Pillow's filters, horizontal pass first, images as
 * they are stored.
 */
bool fovea_preprocess_can_stream(const struct fovea_recipe *recipe,
                                 const struct fovea_jpeg_options *jpeg);

/* The same floats as decode, resize, crop and normalise, one after the other. */
enum fovea_status fovea_preprocess_stream(const struct fovea_recipe *recipe,
                                          const struct fovea_jpeg_options *jpeg,
                                          const uint8_t *bytes, size_t size, float *out,
                                          struct fovea_jpeg_report *report,
                                          struct fovea_error *err);

#endif
