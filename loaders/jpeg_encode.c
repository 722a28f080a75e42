/*
 * Encoding through libjpeg-turbo's libjpeg API. As in jpeg.c, what libjpeg
 * changes lives in the frame above the setjmp.
 */
#include "loaders/jpeg_encode.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

struct encoder {
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr errors;
    jmp_buf jump;
    const struct fovea_image *image;
    int quality;
    unsigned char *bytes;
    unsigned long size;
};

static void stop(j_common_ptr cinfo) {
    struct encoder *e = cinfo->client_data;
    longjmp(e->jump, 1);
}

static void keep_silent(j_common_ptr cinfo) {
    (void)cinfo;
}

static void encode(struct encoder *e) {
    const struct fovea_image *image = e->image;
    jpeg_mem_dest(&e->cinfo, &e->bytes, &e->size);
    e->cinfo.image_width = (JDIMENSION)image->width;
    e->cinfo.image_height = (JDIMENSION)image->height;
    e->cinfo.input_components = 3;
    e->cinfo.in_color_space = JCS_RGB;
    jpeg_set_defaults(&e->cinfo);
    jpeg_set_quality(&e->cinfo, e->quality, TRUE);
    jpeg_start_compress(&e->cinfo, TRUE);
    while (e->cinfo.next_scanline < e->cinfo.image_height) {
        JSAMPROW row = image->rgb + (size_t)e->cinfo.next_scanline * 3 * (size_t)image->width;
        jpeg_write_scanlines(&e->cinfo, &row, 1);
    }
    jpeg_finish_compress(&e->cinfo);
}

/* False if libjpeg gave up. */
static bool guarded(struct encoder *e) {
    if (setjmp(e->jump)) {
        return false;
    }
    jpeg_create_compress(&e->cinfo);
    encode(e);
    return true;
}

enum fovea_status fovea_jpeg_encode(const struct fovea_image *image, int quality, uint8_t **bytes,
                                    size_t *size, struct fovea_error *err) {
    struct encoder e = {.image = image, .quality = quality};
    if (!image->rgb) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "an image without pixels cannot be encoded");
    }
    /* Room that is hardly ever too small; libjpeg takes more if it is, and leaves this to us. */
    unsigned long room = (unsigned long)fovea_image_size(image) + 4096;
    unsigned char *own = malloc(room);
    e.bytes = own;
    e.size = room;
    e.cinfo.err = jpeg_std_error(&e.errors);
    e.cinfo.client_data = &e;
    e.errors.error_exit = stop;
    e.errors.output_message = keep_silent;
    bool done = own && guarded(&e);
    jpeg_destroy_compress(&e.cinfo);
    if (!done || e.bytes != own) {
        free(own);
    }
    if (!done) {
        return fovea_fail_memory(err, room, "an encoded picture");
    }
    *bytes = e.bytes;
    *size = (size_t)e.size;
    return FOVEA_OK;
}
