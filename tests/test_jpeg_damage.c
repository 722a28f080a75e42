/*
 * JPEG decoding of damaged files: cut, with junk, with any bit flipped. What
 * is wrong is named, or flagged where it is allowed.
 */
#include "loaders/jpeg.h"
#include "tests/check.h"
#include "tests/jpeg_samples.h"
#include "tests/jpeg_try.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- damage ------------------------------------------------------------------------ */

static void decode__cut_at_each_5_percent__names_the_byte(void) {
    for (int percent = 5; percent < 100; percent += 5) {
        size_t size = sizeof(baseline_jpeg) * (size_t)percent / 100;
        uint8_t *copy = jpeg_copy(baseline_jpeg, size);
        struct fovea_error err;
        char want[64];
        CHECK(jpeg_try(copy, size, NULL, NULL, &err) == FOVEA_ERR_FORMAT);
        snprintf(want, sizeof(want), "truncated at byte %zu", size);
        CHECK(strstr(err.message, want) == err.message);
        free(copy);
    }
}

static void decode__cut_inside_a_progressive_file__names_the_scan(void) {
    size_t size = sizeof(progressive_jpeg) - 30;
    struct fovea_error err;
    CHECK(jpeg_try(progressive_jpeg, size, NULL, NULL, &err) == FOVEA_ERR_FORMAT);
    char want[64];
    snprintf(want, sizeof(want), "truncated at byte %zu, in scan ", size);
    CHECK(strstr(err.message, want) == err.message);
}

static void decode__cut_and_allowed__is_flagged(void) {
    struct fovea_jpeg_options options;
    struct fovea_jpeg_report report;
    struct fovea_error err;
    fovea_jpeg_options_default(&options);
    options.allow_truncated = true;
    CHECK_OK(jpeg_try(baseline_jpeg, sizeof(baseline_jpeg) - 60, &options, &report, &err), err);
    CHECK(report.truncated && report.n_warnings > 0 && report.first_warning[0]);
    CHECK_OK(jpeg_try(baseline_jpeg, sizeof(baseline_jpeg), &options, &report, &err), err);
    CHECK(!report.truncated && report.n_warnings == 0 && !report.first_warning[0]);
}

/* Junk between segments is a warning to libjpeg: counted, or refused if strict. */
static void decode__junk_before_a_marker__is_counted_and_strict_refuses(void) {
    size_t size = sizeof(baseline_jpeg) + 3;
    uint8_t *copy = jpeg_copy(baseline_jpeg, sizeof(baseline_jpeg));
    size_t frame = jpeg_segment(copy, sizeof(baseline_jpeg), 0xc0) - 2;
    copy = realloc(copy, size);
    CHECK(copy != NULL);
    memmove(copy + frame + 3, copy + frame, sizeof(baseline_jpeg) - frame);
    memcpy(copy + frame, "abc", 3);

    struct fovea_jpeg_options options;
    struct fovea_jpeg_report report;
    struct fovea_error err;
    fovea_jpeg_options_default(&options);
    CHECK_OK(jpeg_try(copy, size, &options, &report, &err), err);
    CHECK(report.n_warnings == 1);
    CHECK_STR(report.first_warning, "Corrupt JPEG data: 3 extraneous bytes before marker 0xc0");
    options.strict = true;
    CHECK(jpeg_try(copy, size, &options, &report, &err) == FOVEA_ERR_FORMAT);
    CHECK(strstr(err.message, "3 extraneous bytes") != NULL);
    free(copy);
}

/* Wherever it is cut behind its first scan header: no row is refused. */
static void decode__progressive_cut_anywhere_and_allowed__decodes(void) {
    struct fovea_jpeg_options options;
    struct fovea_error err;
    fovea_jpeg_options_default(&options);
    options.allow_truncated = true;
    size_t start = jpeg_segment(progressive_jpeg, sizeof(progressive_jpeg), 0xda) + 12;
    for (size_t n = start; n < sizeof(progressive_jpeg); n++) {
        uint8_t *copy = jpeg_copy(progressive_jpeg, n);
        CHECK_OK(jpeg_try(copy, n, &options, NULL, &err), err);
        free(copy);
    }
}

static void try_all_prefixes(const uint8_t *bytes, size_t size) {
    struct fovea_jpeg_options options;
    struct fovea_error err;
    fovea_jpeg_options_default(&options);
    for (size_t n = 0; n < size; n++) {
        uint8_t *copy = jpeg_copy(bytes, n);
        options.allow_truncated = false;
        /* Without the two bytes of the end marker every row may be there. */
        enum fovea_status status = jpeg_try(copy, n, &options, NULL, &err);
        CHECK(n >= size - 2 || status != FOVEA_OK);
        options.allow_truncated = true;
        jpeg_try(copy, n, &options, NULL, &err);
        free(copy);
    }
}

static void decode__prefix_of_any_length__is_an_error(void) {
    try_all_prefixes(baseline_jpeg, sizeof(baseline_jpeg));
    try_all_prefixes(progressive_jpeg, sizeof(progressive_jpeg));
}

/* One bit turned at a time: any outcome but a crash, and no success without pixels. */
static void try_all_flips(const uint8_t *bytes, size_t size) {
    struct fovea_jpeg_options options;
    struct fovea_error err;
    fovea_jpeg_options_default(&options);
    options.max_pixels = 1 << 20;
    uint8_t *copy = jpeg_copy(bytes, size);
    for (size_t i = 0; i < size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            copy[i] ^= (uint8_t)(1 << bit);
            options.allow_truncated = bit & 1;
            enum fovea_status status = jpeg_try(copy, size, &options, NULL, &err);
            CHECK(!status == !err.message[0]);
            copy[i] = bytes[i];
        }
    }
    free(copy);
}

static void decode__any_bit_flipped__never_crashes(void) {
    try_all_flips(baseline_jpeg, sizeof(baseline_jpeg));
    try_all_flips(progressive_jpeg, sizeof(progressive_jpeg));
}

static const struct test tests[] = {
    TEST(decode__cut_at_each_5_percent__names_the_byte),
    TEST(decode__cut_inside_a_progressive_file__names_the_scan),
    TEST(decode__cut_and_allowed__is_flagged),
    TEST(decode__junk_before_a_marker__is_counted_and_strict_refuses),
    TEST(decode__progressive_cut_anywhere_and_allowed__decodes),
    TEST(decode__prefix_of_any_length__is_an_error),
    TEST(decode__any_bit_flipped__never_crashes),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
