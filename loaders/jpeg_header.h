/*
 * The markers of a JPEG before its first scan, read without libjpeg: enough to
 * say in words why a file is refused, and its EXIF orientation.
 */
#ifndef FOVEA_LOADERS_JPEG_HEADER_H
#define FOVEA_LOADERS_JPEG_HEADER_H

#include "loaders/jpeg.h"

struct fovea_jpeg_header {
    int sof;       /* number of the SOFn marker: 0 baseline, 2 progressive, ... */
    int precision; /* bits a sample */
    int width;     /* pixels; 0 is possible here, as is any height */
    int height;
    int n_components;
    int orientation; /* EXIF orientation as stored, 1 if there is none */
};

/*
 * Walk the markers up to the first start of scan.
 *
 * FOVEA_ERR_FORMAT for what is not a JPEG (named by its first bytes where they
 * are known), for a header that ends early and for one without a frame.
 */
enum fovea_status fovea_jpeg_header_read(const uint8_t *bytes, size_t size,
                                         struct fovea_jpeg_header *out, struct fovea_error *err);

/*
 * Whether Fovea decodes such a file: 8-bit DCT, sequential or progressive,
 * Huffman or arithmetic, of 1, 3 or 4 components, as Pillow does.
 * FOVEA_ERR_UNSUPPORTED names what it is otherwise.
 */
enum fovea_status fovea_jpeg_header_check(const struct fovea_jpeg_header *header,
                                          struct fovea_error *err);

/*
 * How much of a file that may end early is of use: all of it, or, if it ends
 * inside a marker segment, what lies before that marker. libjpeg would take
 * the end marker put behind the rest for a part of the segment.
 */
size_t fovea_jpeg_whole_size(const uint8_t *bytes, size_t size);

/*
 * Whether a file has few enough scans, by their markers alone: what a decoder
 * would find out only after it has gone through all of them. A scan that says
 * nothing takes some ten bytes, and as long as one that does.
 */
enum fovea_status fovea_jpeg_check_scans(const struct fovea_jpeg_header *header,
                                         const uint8_t *bytes, size_t size,
                                         const struct fovea_jpeg_options *options,
                                         struct fovea_error *err);

#endif
