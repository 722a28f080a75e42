/* Small copies of evaluated images. */
#ifndef FOVEA_EVALUATION_THUMBNAIL_H
#define FOVEA_EVALUATION_THUMBNAIL_H

#include "evaluation/record.h"
#include "runtime/error.h"

struct eval_thumbnail {
    uint8_t *jpeg;
    size_t size;
    int width, height;
};

/*
 * A JPEG of the image in `bytes`, turned upright, whose longer side is at most
 * `side`; smaller images keep their size. FOVEA_ERR_INVALID if the bytes are not
 * those that `record` was made from; else as fovea_jpeg_decode.
 */
enum fovea_status eval_thumbnail_init(struct eval_thumbnail *thumbnail,
                                      const struct eval_record *record, const uint8_t *bytes,
                                      size_t size, int side, struct fovea_error *err);

void eval_thumbnail_finish(struct eval_thumbnail *thumbnail);

#endif
