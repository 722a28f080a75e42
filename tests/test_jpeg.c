/*
 * JPEG decoding: against Pillow where there is one; refusals, limits and
 * damage on small samples. Files of real life are in test_preprocess.c.
 */
#include "loaders/jpeg.h"
#include "loaders/sha256.h"
#include "loaders/sniff.h"
#include "tests/check.h"
#include "tests/jpeg_samples.h"
#include "tests/jpeg_try.h"
#include "tests/oracle.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void expect_message(const void *bytes, size_t size, enum fovea_status want,
                           const char *message) {
    struct fovea_error err;
    uint8_t *copy = jpeg_copy(bytes, size);
    CHECK(jpeg_try(copy, size, NULL, NULL, &err) == want);
    CHECK_STR(err.message, message);
    free(copy);
}

/* ---- against Pillow ---------------------------------------------------------- */

struct pillow_case {
    int size, flags, width, height;
};

static bool read_case(FILE *oracle, struct pillow_case *c) {
    return oracle_number(oracle, &c->size) && oracle_number(oracle, &c->flags) &&
           oracle_number(oracle, &c->width) && oracle_number(oracle, &c->height);
}

static bool agrees(const struct pillow_case *c, const uint8_t *bytes, const uint8_t *want) {
    struct fovea_jpeg_options options;
    struct fovea_image image = {0};
    struct fovea_error err = {.status = FOVEA_OK};
    fovea_jpeg_options_default(&options);
    options.allow_truncated = c->flags & 1;
    options.exif_orientation = c->flags & 2;
    enum fovea_status status =
        fovea_jpeg_decode(bytes, (size_t)c->size, &options, &image, NULL, &err);
    bool same = status != FOVEA_OK;
    if (c->width) {
        same = !status && image.width == c->width && image.height == c->height &&
               memcmp(image.rgb, want, fovea_image_size(&image)) == 0;
    }
    if (!same) {
        printf("  flags %d, Pillow %dx%d, here %dx%d %s\n", c->flags, c->width, c->height,
               image.width, image.height, err.message);
    }
    fovea_image_finish(&image);
    return same;
}

/* ---- parts of images ----------------------------------------------------------- */

/* What a part of an image is decoded into: whole rows, of which the window's count. */
struct part {
    struct fovea_window window;
    int width, next;
    uint8_t *rows;
};

static enum fovea_status begin_part(void *context, int width, int height,
                                    struct fovea_window *wanted, struct fovea_error *err) {
    struct part *part = context;
    (void)height;
    *wanted = part->window;
    part->width = width;
    part->next = wanted->y;
    part->rows = calloc((size_t)wanted->height, 3 * (size_t)width);
    return part->rows ? FOVEA_OK : fovea_fail_memory(err, 1, "rows");
}

static uint8_t *part_row(void *context, int y) {
    struct part *part = context;
    CHECK(y == part->next++);
    return part->rows + (size_t)(y - part->window.y) * 3 * (size_t)part->width;
}

static bool part_agrees(const uint8_t *bytes, size_t size, const struct fovea_image *whole,
                        struct fovea_window window) {
    struct part part = {.window = window};
    const struct fovea_jpeg_taker taker = {&part, begin_part, part_row};
    struct fovea_error err = {.status = FOVEA_OK};
    bool same = fovea_jpeg_stream(bytes, size, NULL, &taker, NULL, &err) == FOVEA_OK &&
                part.next == window.y + window.height;
    for (int y = 0; same && y < window.height; y++) {
        size_t row = 3 * (size_t)whole->width, x = 3 * (size_t)window.x;
        same = memcmp(part.rows + (size_t)y * row + x,
                      whole->rgb + (size_t)(window.y + y) * row + x, 3 * (size_t)window.width) == 0;
    }
    if (!same) {
        printf("  %dx%d at %d,%d of %dx%d: %s\n", window.width, window.height, window.x, window.y,
               whole->width, whole->height, err.message);
    }
    free(part.rows);
    return same;
}

/* Windows of every kind of file that Pillow writes, and of damaged ones. */
static bool parts_agree(const uint8_t *bytes, size_t size) {
    struct fovea_image whole;
    if (fovea_jpeg_decode(bytes, size, NULL, &whole, NULL, NULL)) {
        return true;
    }
    int w = whole.width, h = whole.height;
    const struct fovea_window windows[] = {
        {w / 3, h / 4, (w + 2) / 3, (h + 1) / 2},
        {0, 0, (w + 3) / 4, 1},
        {w - 1, h - 1, 1, 1},
        {w / 2, 0, w - w / 2, h},
        {w / 2, h / 2, 1, 1},
    };
    bool agree = true;
    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        agree &= part_agrees(bytes, size, &whole, windows[i]);
    }
    fovea_image_finish(&whole);
    return agree;
}

static void decode__made_and_damaged_files__equal_pillow(void) {
    FILE *oracle = oracle_open("make_jpeg_cases.py");
    if (!oracle) {
        return;
    }
    struct pillow_case c;
    int n = 0;
    while (read_case(oracle, &c)) {
        uint8_t *bytes = oracle_bytes(oracle, (size_t)c.size);
        uint8_t *want = oracle_bytes(oracle, 3 * (size_t)c.width * (size_t)c.height);
        if (bytes && want) {
            CHECK(agrees(&c, bytes, want));
            CHECK(parts_agree(bytes, (size_t)c.size));
            n++;
        }
        free(bytes);
        free(want);
    }
    CHECK(n > 600);
    oracle_close(oracle);
}

/* ---- what is not a JPEG -------------------------------------------------------- */

/* The hash is of TurboJPEG's tjDecompress2 with TJFLAG_FASTDCT (2.1.5), called from Python. */
static void decode__fast_dct__equals_turbojpeg(void) {
    struct fovea_jpeg_options options;
    struct fovea_image image = {0};
    struct fovea_error err;
    fovea_jpeg_options_default(&options);
    options.fast_dct = true;
    CHECK_OK(fovea_jpeg_decode(baseline_jpeg, sizeof(baseline_jpeg), &options, &image, NULL, &err),
             err);
    struct fovea_sha256_hex hex = fovea_sha256_text(image.rgb, fovea_image_size(&image));
    CHECK_STR(hex.text, "93dd7fc1c56d66bd2d0dbf3b9fc703031e0f19f86c32fa2ba80de1895f5c4568");
    fovea_image_finish(&image);
}

static void decode__other_formats__are_named(void) {
    expect_message("", 0, FOVEA_ERR_FORMAT, "not a JPEG image: the file is empty");
    expect_message("\x89PNG\r\n\x1a\n....", 12, FOVEA_ERR_FORMAT,
                   "not a JPEG image: it is a PNG image");
    expect_message("GIF89a..", 8, FOVEA_ERR_FORMAT, "not a JPEG image: it is a GIF image");
    expect_message("RIFF....WEBPVP8 ", 16, FOVEA_ERR_FORMAT,
                   "not a JPEG image: it is a WebP image");
    expect_message("BM......", 8, FOVEA_ERR_FORMAT, "not a JPEG image: it is a BMP image");
    expect_message("%PDF-1.7", 8, FOVEA_ERR_FORMAT, "not a JPEG image: it is a PDF document");
    expect_message("\n <!DOCTYPE html><p>404", 23, FOVEA_ERR_FORMAT,
                   "not a JPEG image: it is an HTML page");
    expect_message("....ftypmp42", 12, FOVEA_ERR_FORMAT,
                   "not a JPEG image: it is an MP4 or similar video");
    expect_message("\xff\x4f\xff\x51", 4, FOVEA_ERR_FORMAT,
                   "not a JPEG image: it is a JPEG 2000 image");
    expect_message("\x01\x02\x03\x04", 4, FOVEA_ERR_FORMAT,
                   "not a JPEG image: 4 bytes starting with 01 02 03, not ff d8 ff");
}

static void decode__header_that_ends__names_the_byte(void) {
    expect_message("\xff\xd8", 2, FOVEA_ERR_FORMAT, "truncated at byte 2, inside the JPEG header");
    expect_message(baseline_jpeg, 100, FOVEA_ERR_FORMAT,
                   "truncated at byte 100, inside the JPEG header");
}

static void decode__unsupported_kinds__are_named(void) {
    size_t size = sizeof(baseline_jpeg);
    uint8_t *copy = jpeg_copy(baseline_jpeg, size);
    size_t frame = jpeg_segment(copy, size, 0xc0);

    copy[frame + 2] = 12;
    expect_message(copy, size, FOVEA_ERR_UNSUPPORTED, "unsupported: 12-bit JPEG; 8 bits only");
    copy[frame + 2] = 8;
    copy[frame + 7] = 2;
    expect_message(copy, size, FOVEA_ERR_UNSUPPORTED,
                   "unsupported: a JPEG of 2 components; 1, 3 or 4 only");
    copy[frame + 7] = 3;
    copy[frame - 1] = 0xc3;
    expect_message(copy, size, FOVEA_ERR_UNSUPPORTED, "unsupported: lossless JPEG (SOF3)");
    copy[frame - 1] = 0xc5;
    expect_message(copy, size, FOVEA_ERR_UNSUPPORTED, "unsupported: hierarchical JPEG (SOF5)");
    copy[frame - 1] = 0xf7;
    expect_message(copy, size, FOVEA_ERR_UNSUPPORTED, "unsupported: JPEG-LS");
    copy[frame - 1] = 0xc0;
    copy[frame + 3] = copy[frame + 4] = 0;
    expect_message(copy, size, FOVEA_ERR_FORMAT, "a JPEG of 40x0 pixels");
    free(copy);
}

/* ---- limits ---------------------------------------------------------------------- */

static void decode__pixel_bomb__is_refused_at_once(void) {
    size_t size = sizeof(baseline_jpeg);
    uint8_t *copy = jpeg_copy(baseline_jpeg, size);
    size_t frame = jpeg_segment(copy, size, 0xc0);
    copy[frame + 3] = copy[frame + 5] = 0xff;
    copy[frame + 4] = copy[frame + 6] = 0xdc;
    clock_t start = clock();
    expect_message(copy, size, FOVEA_ERR_LIMIT,
                   "65500x65500 is 4290250000 pixels; the limit is 89478485");
    CHECK((double)(clock() - start) / CLOCKS_PER_SEC < 0.1);
    free(copy);
}

static void decode__max_pixels__is_inclusive(void) {
    struct fovea_jpeg_options options;
    struct fovea_error err;
    fovea_jpeg_options_default(&options);
    options.max_pixels = 40 * 24;
    CHECK_OK(jpeg_try(baseline_jpeg, sizeof(baseline_jpeg), &options, NULL, &err), err);
    options.max_pixels--;
    CHECK(jpeg_try(baseline_jpeg, sizeof(baseline_jpeg), &options, NULL, &err) == FOVEA_ERR_LIMIT);
}

/* The last scan of the progressive sample, `times` times over. */
static uint8_t *scan_bomb(size_t times, size_t *size) {
    size_t end = sizeof(progressive_jpeg) - 2, last = 0;
    for (size_t i = 0; i + 1 < end; i++) {
        if (progressive_jpeg[i] == 0xff && progressive_jpeg[i + 1] == 0xda) {
            last = i;
        }
    }
    size_t scan = end - last;
    *size = last + times * scan + 2;
    uint8_t *bomb = calloc(1, *size);
    CHECK(bomb != NULL);
    memcpy(bomb, progressive_jpeg, last);
    for (size_t i = 0; i < times; i++) {
        memcpy(bomb + last + i * scan, progressive_jpeg + last, scan);
    }
    memcpy(bomb + last + times * scan, "\xff\xd9", 2);
    return bomb;
}

static void decode__scan_bomb__is_refused(void) {
    size_t size;
    struct fovea_error err;
    uint8_t *bomb = scan_bomb(2000, &size);
    CHECK(jpeg_try(bomb, size, NULL, NULL, &err) == FOVEA_ERR_LIMIT);
    CHECK_STR(err.message, "a JPEG of 2009 scans; the limit is 100");
    free(bomb);
    bomb = scan_bomb(50, &size);
    CHECK_OK(jpeg_try(bomb, size, NULL, NULL, &err), err);
    free(bomb);
}

/* A progressive file keeps all its coefficients; 8000x8000 of them are 192 MB. */
static void decode__max_memory__is_kept(void) {
    struct fovea_jpeg_options options;
    struct fovea_error err;
    fovea_jpeg_options_default(&options);
    options.max_memory = 64 << 20;
    uint8_t *copy = jpeg_copy(progressive_jpeg, sizeof(progressive_jpeg));
    size_t frame = jpeg_segment(copy, sizeof(progressive_jpeg), 0xc2);
    copy[frame + 3] = copy[frame + 5] = 8000 >> 8;
    copy[frame + 4] = copy[frame + 6] = 8000 & 255;
    CHECK(jpeg_try(copy, sizeof(progressive_jpeg), &options, NULL, &err) == FOVEA_ERR_LIMIT);
    CHECK_STR(err.message, "decoding needs more than 67108864 bytes of memory");
    free(copy);
}

static const struct test tests[] = {
    TEST(decode__made_and_damaged_files__equal_pillow),
    TEST(decode__fast_dct__equals_turbojpeg),
    TEST(decode__other_formats__are_named),
    TEST(decode__header_that_ends__names_the_byte),
    TEST(decode__unsupported_kinds__are_named),
    TEST(decode__pixel_bomb__is_refused_at_once),
    TEST(decode__max_pixels__is_inclusive),
    TEST(decode__scan_bomb__is_refused),
    TEST(decode__max_memory__is_kept),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
