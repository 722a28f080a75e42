/* See png_files.h. By libpng's simplified interface, which needs no setjmp of ours. */
#include "tools/png_files.h"

#include <png.h>
#include <string.h>

bool fovea_png_looks_like(const uint8_t *bytes, size_t size) {
    return size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0;
}

enum fovea_status fovea_png_write(FILE *stream, const struct fovea_image *image,
                                  struct fovea_error *err) {
    png_image png = {
        .version = PNG_IMAGE_VERSION,
        .width = (png_uint_32)image->width,
        .height = (png_uint_32)image->height,
        .format = PNG_FORMAT_RGB,
    };
    if (!png_image_write_to_stdio(&png, stream, 0, image->rgb, 0, NULL)) {
        return fovea_fail(err, FOVEA_ERR_IO, "cannot write: %s", png.message);
    }
    return FOVEA_OK;
}

static enum fovea_status check_header(const png_image *png, struct fovea_error *err) {
    if (png->width > FOVEA_IMAGE_SIDE_MAX || png->height > FOVEA_IMAGE_SIDE_MAX) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "a PNG of %ux%u pixels; a side has at most %d",
                          png->width, png->height, FOVEA_IMAGE_SIDE_MAX);
    }
    if (png->format & (PNG_FORMAT_FLAG_ALPHA | PNG_FORMAT_FLAG_LINEAR)) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "a PNG %s",
                          png->format & PNG_FORMAT_FLAG_ALPHA ? "with alpha"
                                                              : "of 16 bits a sample");
    }
    return FOVEA_OK;
}

enum fovea_status fovea_png_parse(const uint8_t *bytes, size_t size, struct fovea_image *out,
                                  struct fovea_error *err) {
    png_image png = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_memory(&png, bytes, size)) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "a PNG that cannot be read: %s", png.message);
    }
    enum fovea_status status = check_header(&png, err);
    if (!status) {
        status = fovea_image_init(out, (int)png.width, (int)png.height, err);
    }
    if (status) {
        png_image_free(&png);
        return status;
    }
    png.format = PNG_FORMAT_RGB;
    if (!png_image_finish_read(&png, NULL, out->rgb, 0, NULL)) {
        fovea_image_finish(out);
        return fovea_fail(err, FOVEA_ERR_FORMAT, "a PNG that cannot be read: %s", png.message);
    }
    return FOVEA_OK;
}
