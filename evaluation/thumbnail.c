/* See thumbnail.h. */
#include "evaluation/thumbnail.h"

#include "loaders/jpeg.h"
#include "loaders/jpeg_encode.h"
#include "loaders/resize.h"

#include <stdlib.h>
#include <string.h>

enum { QUALITY = 78 };

static int scaled(int side, int longer, int most) {
    int out = (int)((int64_t)side * most / longer);
    return out < 1 ? 1 : out;
}

static enum fovea_status shrink(struct fovea_image *image, int most, struct fovea_error *err) {
    int longer = image->width > image->height ? image->width : image->height;
    if (longer <= most) {
        return FOVEA_OK;
    }
    const struct fovea_resize how = {
        .width = scaled(image->width, longer, most),
        .height = scaled(image->height, longer, most),
        .filter = FOVEA_FILTER_LANCZOS,
    };
    struct fovea_image small;
    enum fovea_status status = fovea_resize_image(image, &how, &small, err);
    if (!status) {
        fovea_image_finish(image);
        *image = small;
    }
    return status;
}

static enum fovea_status encode(struct eval_thumbnail *thumbnail, const struct fovea_image *image,
                                struct fovea_error *err) {
    thumbnail->width = image->width;
    thumbnail->height = image->height;
    return fovea_jpeg_encode(image, QUALITY, &thumbnail->jpeg, &thumbnail->size, err);
}

enum fovea_status eval_thumbnail_init(struct eval_thumbnail *thumbnail,
                                      const struct eval_record *record, const uint8_t *bytes,
                                      size_t size, int side, struct fovea_error *err) {
    uint8_t digest[FOVEA_SHA256_SIZE];
    struct fovea_jpeg_options options;
    struct fovea_image image = {0};
    struct fovea_sha256 sha;
    fovea_sha256_init(&sha);
    fovea_sha256_update(&sha, bytes, size);
    fovea_sha256_digest(&sha, digest);
    if (memcmp(digest, record->file_sha256, sizeof(digest)) != 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "is not the file that was evaluated");
    }
    fovea_jpeg_options_default(&options);
    options.exif_orientation = true;
    options.allow_truncated = true; /* an evaluation may have allowed it, too */
    enum fovea_status status = fovea_jpeg_decode(bytes, size, &options, &image, NULL, err);
    if (!status) {
        status = shrink(&image, side, err);
    }
    if (!status) {
        status = encode(thumbnail, &image, err);
    }
    fovea_image_finish(&image);
    return status;
}

void eval_thumbnail_finish(struct eval_thumbnail *thumbnail) {
    free(thumbnail->jpeg);
    memset(thumbnail, 0, sizeof(*thumbnail));
}
