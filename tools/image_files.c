/* See image_files.h. */
#include "tools/image_files.h"

#include "loaders/file.h"
#include "tools/out_file.h"
#include "tools/png_files.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct part {
    const void *bytes;
    size_t size;
};

static enum fovea_status write_parts(const char *path, const struct part *parts, int count,
                                     struct fovea_error *err) {
    struct out_file file;
    enum fovea_status status = out_file_init(&file, path, err);
    if (status) {
        return status;
    }
    for (int i = 0; i < count; i++) {
        fwrite(parts[i].bytes, 1, parts[i].size, file.stream); /* a failure shows in the end */
    }
    return out_file_commit(&file, err);
}

static enum fovea_status check_samples(const struct fovea_image *image, struct fovea_error *err) {
    return image->rgb ? FOVEA_OK
                      : fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                                   "PPM and PNG have 8 bits a sample, and these pixels are "
                                   "floats; write npy");
}

enum fovea_status fovea_ppm_write(const char *path, const struct fovea_image *image,
                                  struct fovea_error *err) {
    char header[64];
    enum fovea_status status = check_samples(image, err);
    if (status) {
        return status;
    }
    int length = snprintf(header, sizeof(header), "P6\n%d %d\n255\n", image->width, image->height);
    struct part parts[] = {{header, (size_t)length}, {image->rgb, fovea_image_size(image)}};
    return write_parts(path, parts, 2, err);
}

enum fovea_status fovea_png_save(const char *path, const struct fovea_image *image,
                                 struct fovea_error *err) {
    struct out_file file;
    enum fovea_status status = check_samples(image, err);
    if (!status) {
        status = out_file_init(&file, path, err);
    }
    if (status) {
        return status;
    }
    status = fovea_png_write(file.stream, image, err);
    if (status) {
        fovea_error_prefix(err, "%s", path);
        out_file_finish(&file);
        return status;
    }
    return out_file_commit(&file, err);
}

enum fovea_status fovea_npy_write(const char *path, const float *planes, int height, int width,
                                  struct fovea_error *err) {
    enum { HEADER = 128 }; /* a multiple of 64, as the format asks */
    char order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '<' : '>';
    char header[HEADER + 1] = "\x93NUMPY\x01";
    header[8] = HEADER - 10; /* length of the dictionary, two bytes, little-endian */
    int length = snprintf(header + 10, HEADER - 10,
                          "{'descr': '%cf4', 'fortran_order': False, 'shape': (1, 3, %d, %d), }",
                          order, height, width);
    memset(header + 10 + length, ' ', (size_t)(HEADER - 10 - length));
    header[HEADER - 1] = '\n';
    size_t n_bytes = (size_t)height * (size_t)width * 3 * sizeof(float);
    struct part parts[] = {{header, HEADER}, {planes, n_bytes}};
    return write_parts(path, parts, 2, err);
}

/* The next number of a PPM header, after spaces and comments; -1 if there is none. */
static long next_number(const uint8_t *bytes, size_t size, size_t *at) {
    while (*at < size && (isspace(bytes[*at]) || bytes[*at] == '#')) {
        bool comment = bytes[*at] == '#';
        while (comment && *at + 1 < size && bytes[*at] != '\n') {
            (*at)++;
        }
        (*at)++;
    }
    long number = -1;
    while (*at < size && isdigit(bytes[*at]) && number < 1000000) {
        number = (number < 0 ? 0 : number) * 10 + (bytes[*at] - '0');
        (*at)++;
    }
    return number;
}

static enum fovea_status parse_ppm(const uint8_t *bytes, size_t size, struct fovea_image *out,
                                   struct fovea_error *err) {
    size_t at = 2;
    if (size < 2 || memcmp(bytes, "P6", 2) != 0) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "neither a PNG nor a binary PPM (P6)");
    }
    long width = next_number(bytes, size, &at);
    long height = next_number(bytes, size, &at);
    long most = next_number(bytes, size, &at);
    if (width < 1 || width > FOVEA_IMAGE_SIDE_MAX || height < 1 || height > FOVEA_IMAGE_SIDE_MAX ||
        most != 255) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "a PPM of %ldx%ld pixels up to %ld", width,
                          height, most);
    }
    at++;
    uint64_t wanted = 3 * (uint64_t)width * (uint64_t)height;
    if (at > size || size - at < wanted) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "a PPM of %ldx%ld pixels, truncated at byte %zu",
                          width, height, size);
    }
    enum fovea_status status = fovea_image_init(out, (int)width, (int)height, err);
    if (!status) {
        memcpy(out->rgb, bytes + at, wanted);
    }
    return status;
}

enum fovea_status fovea_pixels_read(const char *path, struct fovea_image *out,
                                    struct fovea_error *err) {
    uint8_t *bytes;
    size_t size;
    enum fovea_status status = fovea_file_read(path, (size_t)1 << 30, &bytes, &size, NULL, err);
    if (!status) {
        status = fovea_png_looks_like(bytes, size) ? fovea_png_parse(bytes, size, out, err)
                                                   : parse_ppm(bytes, size, out, err);
        free(bytes);
    }
    if (status) {
        fovea_error_prefix(err, "%s", path);
    }
    return status;
}
