/* See jpeg_try.h. */
#include "tests/jpeg_try.h"

#include "tests/check.h"

#include <stdlib.h>
#include <string.h>

uint8_t *jpeg_copy(const void *bytes, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    CHECK(copy != NULL);
    if (copy && size) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

enum fovea_status jpeg_try(const uint8_t *bytes, size_t size,
                           const struct fovea_jpeg_options *options,
                           struct fovea_jpeg_report *report, struct fovea_error *err) {
    struct fovea_image image = {0};
    err->message[0] = 0;
    enum fovea_status status = fovea_jpeg_decode(bytes, size, options, &image, report, err);
    CHECK(!status == (image.rgb != NULL));
    fovea_image_finish(&image);
    return status;
}

size_t jpeg_segment(const uint8_t *bytes, size_t size, int marker) {
    for (size_t i = 2; i + 4 < size; i++) {
        if (bytes[i] == 0xff && bytes[i + 1] == marker) {
            return i + 2;
        }
    }
    CHECK(!"marker in sample");
    return 0;
}
