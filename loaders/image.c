/* Packed RGB images: see image.h. */
#include "loaders/image.h"

#include <stdlib.h>
#include <string.h>

/* Memory for the pixels of width x height, `sample` bytes each of three. */
static enum fovea_status allocate(int width, int height, size_t sample, void **out,
                                  struct fovea_error *err) {
    if (width < 1 || height < 1 || width > FOVEA_IMAGE_SIDE_MAX || height > FOVEA_IMAGE_SIDE_MAX) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "an image of %dx%d: sides must be in 1..%d",
                          width, height, FOVEA_IMAGE_SIDE_MAX);
    }
    size_t size = (size_t)width * 3 * sample;
    if (__builtin_mul_overflow(size, (size_t)height, &size)) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "an image of %dx%d is too large", width, height);
    }
    *out = malloc(size);
    return *out ? FOVEA_OK : fovea_fail_memory(err, size, "an image");
}

enum fovea_status fovea_image_init(struct fovea_image *image, int width, int height,
                                   struct fovea_error *err) {
    void *pixels;
    enum fovea_status status = allocate(width, height, sizeof(uint8_t), &pixels, err);
    if (!status) {
        *image = (struct fovea_image){.width = width, .height = height, .rgb = pixels};
    }
    return status;
}

enum fovea_status fovea_image_init_floats(struct fovea_image *image, int width, int height,
                                          struct fovea_error *err) {
    void *pixels;
    enum fovea_status status = allocate(width, height, sizeof(float), &pixels, err);
    if (!status) {
        *image = (struct fovea_image){.width = width, .height = height, .floats = pixels};
    }
    return status;
}

void fovea_image_finish(struct fovea_image *image) {
    free(image->rgb);
    free(image->floats);
    *image = (struct fovea_image){0};
}

const void *fovea_image_data(const struct fovea_image *image) {
    return image->rgb ? (const void *)image->rgb : image->floats;
}

size_t fovea_image_size(const struct fovea_image *image) {
    size_t sample = image->floats ? sizeof(float) : sizeof(uint8_t);
    return (size_t)image->width * 3 * sample * (size_t)image->height;
}

enum fovea_status fovea_image_orient(struct fovea_image *image, int orientation,
                                     struct fovea_error *err) {
    if (orientation < 2 || orientation > 8) {
        return FOVEA_OK;
    }
    /* Orientations 5..8 exchange rows and columns; then some mirror an axis. */
    bool transposed = orientation >= 5;
    bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;

    struct fovea_image turned;
    int width = transposed ? image->height : image->width;
    int height = transposed ? image->width : image->height;
    enum fovea_status status = fovea_image_init(&turned, width, height, err);
    if (status) {
        return status;
    }
    uint8_t *to = turned.rgb;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++, to += 3) {
            int column = transposed ? y : x;
            int row = transposed ? x : y;
            column = from_right ? image->width - 1 - column : column;
            row = from_bottom ? image->height - 1 - row : row;
            size_t pixel = (size_t)row * (size_t)image->width + (size_t)column;
            memcpy(to, image->rgb + 3 * pixel, 3);
        }
    }
    fovea_image_finish(image);
    *image = turned;
    return FOVEA_OK;
}
