/*
 * JPEG bytes to RGB pixels, bit for bit as Pillow's
 * Image.open(path).convert('RGB') makes them (with fast_dct: as TensorFlow's
 * decode_jpeg does).
 */
#ifndef FOVEA_LOADERS_JPEG_H
#define FOVEA_LOADERS_JPEG_H

#include "loaders/resize.h"

/* Fill with fovea_jpeg_options_default, then change. */
struct fovea_jpeg_options {
    uint64_t max_pixels;   /* most pixels (width * height); default 89478485, as Pillow warns at */
    size_t max_memory;     /* most bytes libjpeg may take; default 1 GiB */
    int max_scans;         /* most scans of a progressive file; default 100 */
    bool allow_truncated;  /* decode what is there of a truncated file; default false: refuse */
    bool strict;           /* refuse files that decode with warnings; default false */
    bool fast_dct;         /* JDCT_IFAST, as TensorFlow decodes; default false: JDCT_ISLOW */
    bool exif_orientation; /* turn the image as EXIF says; default false, as in timm */
};

/* What a decode met on its way; all of it is about files that were decoded. */
struct fovea_jpeg_report {
    long n_warnings;         /* damage that libjpeg decoded over */
    char first_warning[208]; /* the first of them in words, or "" */
    bool truncated;          /* the file ended early: the rest of the pixels are filler */
    int orientation;         /* EXIF orientation of the file, 1..8 */
    int n_components;        /* 1 grey, 3 colour, 4 CMYK or YCCK */
};

void fovea_jpeg_options_default(struct fovea_jpeg_options *options);

/*
 * Decode a JPEG held in memory. `options` may be NULL for the defaults;
 * `report` may be NULL. *out is the caller's to finish.
 *
 * Grey is spread over R, G and B; CMYK and YCCK are taken as inverted, the
 * way Adobe writes them and Pillow reads them. Limits are checked before
 * pixels are allocated. Safe to call from several threads.
 *
 * FOVEA_ERR_FORMAT for what is not a JPEG, is broken, or is truncated (the
 * message names the byte); FOVEA_ERR_UNSUPPORTED for 12-bit, lossless,
 * hierarchical and JPEG-LS files and odd numbers of components;
 * FOVEA_ERR_LIMIT over max_pixels, max_memory or max_scans.
 */
enum fovea_status fovea_jpeg_decode(const uint8_t *bytes, size_t size,
                                    const struct fovea_jpeg_options *options,
                                    struct fovea_image *out, struct fovea_jpeg_report *report,
                                    struct fovea_error *err);

/*
 * Who takes the rows of an image as they are decoded. `begin` is told the size
 * and sets the part that is wanted, inside it; `row` says where row y of that
 * part goes, pixel x of the image at 3 x, in order. A row is there when the
 * next is asked for, or the decode is over; of a row, only the wanted bytes
 * are sure to be written, and any of the image's may be.
 */
struct fovea_jpeg_taker {
    void *context;
    enum fovea_status (*begin)(void *context, int width, int height, struct fovea_window *wanted,
                               struct fovea_error *err);
    uint8_t *(*row)(void *context, int y);
};

/*
 * Decode what is wanted of an image: the same pixels, report and errors as
 * those of fovea_jpeg_decode, and what `begin` says. It leaves the image as it
 * is stored, whatever options->exif_orientation. A taker may have been given
 * rows of an image that then turns out to be broken.
 */
enum fovea_status fovea_jpeg_stream(const uint8_t *bytes, size_t size,
                                    const struct fovea_jpeg_options *options,
                                    const struct fovea_jpeg_taker *taker,
                                    struct fovea_jpeg_report *report, struct fovea_error *err);

#endif
