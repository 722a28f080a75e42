/* What a file is by its first bytes: the magic numbers are those of the formats' specifications. */
#include "loaders/sniff.h"

#include "tests/check.h"

#include <string.h>

#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *bytes;
    size_t size;
    const char *words;
} kinds[] = {
    {BYTES("\xff\xd8\xff\xe0"), "a JPEG image"},
    {BYTES("\x89PNG\r\n\x1a\n"), "a PNG image"},
    {BYTES("\x89PNG\r\n\x1a"), NULL},
    {BYTES("GIF89a"), "a GIF image"},
    {BYTES("RIFF\x10\0\0\0WEBPVP8L"), "a WebP image"},
    {BYTES("II*\0\x08\0\0\0"), "a TIFF image"},
    {BYTES("\0\0\0\x18"
           "ftypheic"),
     "a HEIF image"},
    {BYTES("\0\0\0\x1c"
           "ftypavif"),
     "an AVIF image"},
    {BYTES("\0\0\0\x20"
           "ftypisom"),
     "an MP4 or similar video"},
    {BYTES("%PDF-1.7"), "a PDF document"},
    {BYTES("PK\x03\x04"), "a zip archive"},
    {BYTES("\x1f\x8b\x08"), "gzip-compressed data"},
    {BYTES("\x93NUMPY\x01"), "a NumPy array"},
    {BYTES(" \n<!DocType HTML>"), "an HTML page"},
    {BYTES("<svg xmlns="), "an XML or SVG document"},
    {BYTES("\t<?xml version="), "an XML or SVG document"},
    {BYTES(" \t\r\n"), NULL},
    {BYTES("<htm"), NULL},
    {BYTES("hello"), NULL},
    {BYTES(""), NULL},
};

static void sniff__first_bytes__tell_the_format(void) {
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const char *words = fovea_sniff((const uint8_t *)kinds[i].bytes, kinds[i].size);
        CHECK_STR(words ? words : "nothing known",
                  kinds[i].words ? kinds[i].words : "nothing known");
    }
}

static void sniff__json_object__begins_with_a_brace_and_has_no_nul(void) {
    static const struct {
        const char *bytes;
        size_t size;
        bool is;
    } cases[] = {
        {BYTES("{}"), true},
        {BYTES(" \r\n\t{\"a\": 1}"), true},
        {BYTES("[1]"), false},
        {BYTES("  "), false},
        {BYTES(""), false},
        {BYTES("x{}"), false},
        {BYTES("{\0\0\0\0\0\0\0{\"a\""), false}, /* of safetensors: a length of 123 */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK(fovea_sniff_json_object((const uint8_t *)cases[i].bytes, cases[i].size) ==
              cases[i].is);
    }
}

static const struct test tests[] = {
    TEST(sniff__first_bytes__tell_the_format),
    TEST(sniff__json_object__begins_with_a_brace_and_has_no_nul),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
