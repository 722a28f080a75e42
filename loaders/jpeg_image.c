/* Whole images from JPEGs: see jpeg.h. */
#include "loaders/jpeg.h"

static enum fovea_status begin_image(void *context, int width, int height,
                                     struct fovea_window *wanted, struct fovea_error *err) {
    struct fovea_image *image = context;
    *wanted = (struct fovea_window){0, 0, width, height};
    return fovea_image_init(image, width, height, err);
}

static uint8_t *image_row(void *context, int y) {
    struct fovea_image *image = context;
    return image->rgb + 3 * (size_t)image->width * (size_t)y;
}

enum fovea_status fovea_jpeg_decode(const uint8_t *bytes, size_t size,
                                    const struct fovea_jpeg_options *options,
                                    struct fovea_image *out, struct fovea_jpeg_report *report,
                                    struct fovea_error *err) {
    struct fovea_image image = {0};
    struct fovea_jpeg_report made;
    const struct fovea_jpeg_taker taker = {&image, begin_image, image_row};
    enum fovea_status status = fovea_jpeg_stream(bytes, size, options, &taker, &made, err);
    if (!status && options && options->exif_orientation) {
        status = fovea_image_orient(&image, made.orientation, err);
    }
    if (status) {
        fovea_image_finish(&image);
        return status;
    }
    *out = image;
    if (report) {
        *report = made;
    }
    return FOVEA_OK;
}
