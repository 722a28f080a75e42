/*
 * Decoding through libjpeg-turbo's libjpeg API; the one file that sees it.
 *
 * The API rather than TurboJPEG's, because Pillow's exact behaviour is defined
 * by it: the data source suspends at the end of the file, and a decode that is
 * left waiting for bytes is a truncated file. libjpeg reports errors by a
 * function that must not return, so everything that calls it sits below the
 * one setjmp in guarded(), and keeps its state in struct decoder, which lives
 * in the frame above: no local changes between setjmp and longjmp.
 */
#include "loaders/jpeg.h"
#include "loaders/jpeg_header.h"
#include "runtime/limits.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

/* After jpeglib.h, whose version decides the numbers of the codes. */
#include <jerror.h>

struct decoder {
    struct jpeg_decompress_struct cinfo;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;

    const struct fovea_jpeg_options *options;
    const uint8_t *bytes;
    size_t size;
    bool ended; /* the source was asked for more than the file has */
    const struct fovea_jpeg_taker *taker;
    struct fovea_window wanted; /* of the image, by the taker */
    int first_x;                /* of the columns that come out of libjpeg */
    uint8_t *cmyk;              /* one row of four-component pixels, or NULL */
    uint8_t *spare;             /* a row that nobody wants, or NULL */
    struct fovea_jpeg_report report;
    enum fovea_status status; /* set before longjmp */
    struct fovea_error *err;
};

/* ---- errors and warnings ------------------------------------------------ */

static size_t position(const struct decoder *d) {
    return d->cinfo.src ? d->size - d->cinfo.src->bytes_in_buffer : 0;
}

static enum fovea_status status_of(int code) {
    switch (code) {
    case JERR_OUT_OF_MEMORY:
        return FOVEA_ERR_MEMORY;
    case JERR_NO_BACKING_STORE: /* what libjpeg says when max_memory_to_use is reached */
        return FOVEA_ERR_LIMIT;
    case JERR_SOF_UNSUPPORTED:
    case JERR_BAD_PRECISION:
    case JERR_COMPONENT_COUNT:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
        return FOVEA_ERR_UNSUPPORTED;
    default:
        return FOVEA_ERR_FORMAT;
    }
}

static enum fovea_status fail_truncated(const struct decoder *d) {
    if (d->cinfo.output_scanline == 0 && d->cinfo.input_scan_number > 0) {
        return fovea_fail(d->err, FOVEA_ERR_FORMAT, "truncated at byte %zu, in scan %d", d->size,
                          d->cinfo.input_scan_number);
    }
    return fovea_fail(d->err, FOVEA_ERR_FORMAT, "truncated at byte %zu, after %u of %u rows",
                      d->size, d->cinfo.output_scanline, d->cinfo.image_height);
}

static void on_error(j_common_ptr cinfo) {
    struct decoder *d = cinfo->client_data;
    char words[JMSG_LENGTH_MAX];

    d->status = status_of(cinfo->err->msg_code);
    if (cinfo->err->msg_code == JERR_CANT_SUSPEND) { /* what the arithmetic decoder says then */
        fail_truncated(d);
    } else if (d->status == FOVEA_ERR_LIMIT) {
        fovea_fail(d->err, d->status, "decoding needs more than %zu bytes of memory",
                   d->options->max_memory);
    } else {
        cinfo->err->format_message(cinfo, words);
        fovea_fail(d->err, d->status, "%s JPEG near byte %zu of %zu: %s",
                   d->status == FOVEA_ERR_UNSUPPORTED ? "unsupported" : "broken", position(d),
                   d->size, words);
    }
    longjmp(d->jump, 1);
}

/* Level -1 is a warning: damage decoded over. Higher levels are chatter. */
static void on_message(j_common_ptr cinfo, int level) {
    struct decoder *d = cinfo->client_data;
    if (level >= 0) {
        return;
    }
    if (cinfo->err->num_warnings++ == 0) {
        char words[JMSG_LENGTH_MAX];
        cinfo->err->format_message(cinfo, words);
        snprintf(d->report.first_warning, sizeof(d->report.first_warning), "%s", words);
    }
}

static void on_output(j_common_ptr cinfo) {
    (void)cinfo;
}

/* Called at least once a row of blocks: the place to stop a file of endless scans. */
static void on_progress(j_common_ptr cinfo) {
    struct decoder *d = cinfo->client_data;
    if (d->cinfo.input_scan_number > d->options->max_scans) {
        d->status = fovea_fail(d->err, FOVEA_ERR_LIMIT, "more than %d scans in a progressive JPEG",
                               d->options->max_scans);
        longjmp(d->jump, 1);
    }
}

/* ---- the data source ---------------------------------------------------- */

static void source_start(j_decompress_ptr cinfo) {
    (void)cinfo;
}

/*
 * All bytes are in the buffer from the start, so a call means the file is too
 * short. FALSE suspends the decoder, which its caller then sees; with
 * allow_truncated it reads an end-of-image marker instead, and fills the rest.
 */
static boolean source_fill(j_decompress_ptr cinfo) {
    static const JOCTET end_of_image[2] = {0xff, JPEG_EOI};
    struct decoder *d = cinfo->client_data;
    d->ended = true;
    if (!d->options->allow_truncated) {
        return FALSE;
    }
    cinfo->src->next_input_byte = end_of_image;
    cinfo->src->bytes_in_buffer = sizeof(end_of_image);
    return TRUE;
}

static void source_skip(j_decompress_ptr cinfo, long n_bytes) {
    struct jpeg_source_mgr *source = cinfo->src;
    if (n_bytes <= 0) {
        return;
    }
    size_t skipped = (size_t)n_bytes;
    if (skipped > source->bytes_in_buffer) {
        skipped = source->bytes_in_buffer;
    }
    source->next_input_byte += skipped;
    source->bytes_in_buffer -= skipped;
}

static void source_finish(j_decompress_ptr cinfo) {
    (void)cinfo;
}

/* ---- decoding, below setjmp ---------------------------------------------- */

static void setup(struct decoder *d) {
    d->source = (struct jpeg_source_mgr){
        .next_input_byte = d->bytes,
        .bytes_in_buffer = d->size,
        .init_source = source_start,
        .fill_input_buffer = source_fill,
        .skip_input_data = source_skip,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = source_finish,
    };
    d->progress.progress_monitor = on_progress;
    jpeg_create_decompress(&d->cinfo);
    d->cinfo.client_data = d;
    d->cinfo.src = &d->source;
    d->cinfo.progress = &d->progress;
    d->cinfo.mem->max_memory_to_use = (long)d->options->max_memory;
}

static enum fovea_status read_header(struct decoder *d) {
    int found;
    do {
        found = jpeg_read_header(&d->cinfo, FALSE);
    } while (found == JPEG_HEADER_TABLES_ONLY);
    if (found == JPEG_SUSPENDED) {
        return fail_truncated(d);
    }
    uint64_t n_pixels = (uint64_t)d->cinfo.image_width * d->cinfo.image_height;
    if (n_pixels > d->options->max_pixels) {
        return fovea_fail(d->err, FOVEA_ERR_LIMIT, "%ux%u is %llu pixels; the limit is %llu",
                          d->cinfo.image_width, d->cinfo.image_height, (unsigned long long)n_pixels,
                          (unsigned long long)d->options->max_pixels);
    }
    return FOVEA_OK;
}

/* x * y / 255, rounded, for bytes, without a division. */
static int mul_255(int x, int y) {
    int t = x * y + 128;
    return ((t >> 8) + t) >> 8;
}

/* As Pillow: the stored values are inverted ink, then R = (1 - K) - C (1 - K). */
static void cmyk_to_rgb(const uint8_t *cmyk, int width, uint8_t *rgb) {
    for (int x = 0; x < width; x++, cmyk += 4, rgb += 3) {
        int white = cmyk[3];
        for (int c = 0; c < 3; c++) {
            rgb[c] = (uint8_t)(white - mul_255(255 - cmyk[c], white));
        }
    }
}

static enum fovea_status begin(struct decoder *d) {
    int width = (int)d->cinfo.image_width;
    if (d->cinfo.num_components == 4) {
        d->cmyk = malloc((size_t)width * 4);
        if (!d->cmyk) {
            return fovea_fail_memory(d->err, (size_t)width * 4, "a row of CMYK pixels");
        }
    }
    return d->taker->begin(d->taker->context, width, (int)d->cinfo.image_height, &d->wanted,
                           d->err);
}

/*
 * Have libjpeg make only the columns that are wanted. It cuts at whole MCUs,
 * and upsampling takes a cut for the image's edge, so that the columns next to
 * it differ: one more MCU is kept on either side, and not used. The smoothing
 * of progressive files reaches further, so these are left whole.
 */
static void crop_columns(struct decoder *d) {
    if (d->cinfo.progressive_mode) {
        return;
    }
    JDIMENSION mcu = (JDIMENSION)(d->cinfo.max_h_samp_factor * DCTSIZE);
    JDIMENSION first = (JDIMENSION)d->wanted.x / mcu, width = d->cinfo.output_width;
    JDIMENSION end = (JDIMENSION)(d->wanted.x + d->wanted.width + (int)mcu - 1) / mcu + 1;
    JDIMENSION from = first > 1 ? (first - 1) * mcu : 0;
    JDIMENSION to = end * mcu < width ? end * mcu : width;
    if (to - from + 2 * mcu <= width) {
        JDIMENSION kept = to - from;
        jpeg_crop_scanline(&d->cinfo, &from, &kept);
        d->first_x = (int)from;
    }
}

/* A row of libjpeg's columns, to where the taker has row 0 of the image's columns. */
static enum fovea_status read_row(struct decoder *d, uint8_t *to) {
    uint8_t *rgb = to + 3 * (size_t)d->first_x;
    JSAMPROW row = d->cmyk ? d->cmyk : rgb;
    if (jpeg_read_scanlines(&d->cinfo, &row, 1) != 1) {
        return fail_truncated(d);
    }
    if (d->cmyk) {
        cmyk_to_rgb(d->cmyk, (int)d->cinfo.output_width, rgb);
    }
    return FOVEA_OK;
}

/*
 * Rows up to `end` that nobody wants. They are decoded all the same: whether
 * the file is damaged or cut there is to be known.
 */
static enum fovea_status read_unwanted(struct decoder *d, int end) {
    size_t n_bytes = 3 * (size_t)d->cinfo.image_width;
    enum fovea_status status = FOVEA_OK;
    if ((int)d->cinfo.output_scanline < end && !d->spare) {
        d->spare = malloc(n_bytes);
        status = d->spare ? FOVEA_OK : fovea_fail_memory(d->err, n_bytes, "a row of pixels");
    }
    while (!status && (int)d->cinfo.output_scanline < end) {
        status = read_row(d, d->spare);
    }
    return status;
}

static enum fovea_status read_rows(struct decoder *d) {
    const struct fovea_window *w = &d->wanted;
    enum fovea_status status = read_unwanted(d, w->y);
    for (int y = w->y; !status && y < w->y + w->height; y++) {
        status = read_row(d, d->taker->row(d->taker->context, y));
    }
    return status ? status : read_unwanted(d, (int)d->cinfo.output_height);
}

static enum fovea_status decode(struct decoder *d) {
    setup(d);
    enum fovea_status status = read_header(d);
    if (status) {
        return status;
    }
    status = begin(d);
    if (status) {
        return status;
    }
    /* The defaults of libjpeg are the ones wanted by most: JDCT_ISLOW, fancy upsampling. */
    if (d->options->fast_dct) {
        d->cinfo.dct_method = JDCT_IFAST;
    }
    d->cinfo.out_color_space = d->cmyk ? JCS_CMYK : JCS_RGB;
    if (!jpeg_start_decompress(&d->cinfo)) {
        return fail_truncated(d);
    }
    crop_columns(d);
    status = read_rows(d);
    if (status) {
        return status;
    }
    d->report.truncated = d->ended;
    /* Suspending here means that only the end marker is missing: all rows are there. */
    jpeg_finish_decompress(&d->cinfo);
    return FOVEA_OK;
}

static enum fovea_status guarded(struct decoder *d) {
    if (setjmp(d->jump)) {
        return d->status;
    }
    return decode(d);
}

/* ---- the public side ------------------------------------------------------ */

void fovea_jpeg_options_default(struct fovea_jpeg_options *options) {
    *options = (struct fovea_jpeg_options){
        .max_pixels = FOVEA_LIMIT_PIXELS,
        .max_memory = FOVEA_LIMIT_DECODER_BYTES,
        .max_scans = FOVEA_LIMIT_SCANS,
    };
}

static enum fovea_status check_report(struct decoder *d) {
    d->report.n_warnings = d->errors.num_warnings;
    if (d->options->strict && d->report.n_warnings) {
        return fovea_fail(d->err, FOVEA_ERR_FORMAT, "%ld warnings in decoding, the first: %s",
                          d->report.n_warnings, d->report.first_warning);
    }
    return FOVEA_OK;
}

static enum fovea_status decode_frame(struct decoder *d) {
    d->cinfo.client_data = d;
    d->cinfo.err = jpeg_std_error(&d->errors);
    d->errors.error_exit = on_error;
    d->errors.emit_message = on_message;
    d->errors.output_message = on_output;

    enum fovea_status status = guarded(d);
    /* Cannot fail, and copes with a struct that was never created. */
    jpeg_destroy_decompress(&d->cinfo);
    free(d->cmyk);
    free(d->spare);
    return status ? status : check_report(d);
}

enum fovea_status fovea_jpeg_stream(const uint8_t *bytes, size_t size,
                                    const struct fovea_jpeg_options *options,
                                    const struct fovea_jpeg_taker *taker,
                                    struct fovea_jpeg_report *report, struct fovea_error *err) {
    struct fovea_jpeg_options defaults;
    fovea_jpeg_options_default(&defaults);
    struct fovea_jpeg_header header;
    enum fovea_status status = fovea_jpeg_header_read(bytes, size, &header, err);
    if (!status) {
        status = fovea_jpeg_header_check(&header, err);
    }
    if (status) {
        return status;
    }
    struct decoder d = {.options = options ? options : &defaults, .bytes = bytes, .err = err};
    d.size = d.options->allow_truncated ? fovea_jpeg_whole_size(bytes, size) : size;
    d.taker = taker;
    d.report.orientation = header.orientation;
    d.report.n_components = header.n_components;
    status = fovea_jpeg_check_scans(&header, bytes, d.size, d.options, err);
    if (!status) {
        status = decode_frame(&d);
    }
    if (!status && report) {
        *report = d.report;
    }
    return status;
}
