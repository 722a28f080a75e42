/* What goes into a page: escaped text, numbers, drawings, small pictures. */
#include "evaluation/html.h"
#include "evaluation/svg.h"
#include "evaluation/thumbnail.h"
#include "loaders/jpeg.h"
#include "loaders/jpeg_encode.h"

#include "tests/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *text_of;
static size_t text_size;

static FILE *open_text(void) {
    return open_memstream(&text_of, &text_size);
}

static void check_text(FILE *out, const char *want) {
    fclose(out);
    CHECK_STR(text_of, want);
    free(text_of);
}

static void html_text__markup__is_escaped(void) {
    FILE *out = open_text();
    html_text(out, "<b class=\"x\">'&'</b>");
    check_text(out, "&lt;b class=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/b&gt;");
}

/* RFC 3629: overlong forms, surrogates and what is over U+10FFFF are no characters. */
static void html_text__not_utf8__is_replaced(void) {
    FILE *out = open_text();
    html_text(out, "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\x9f");
    check_text(out, "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\x9f");
    out = open_text();
    html_text(out, "\xff|\xc0\xaf|\xed\xa0\x80|\xf4\x90\x80\x80|\xe2\x82");
    check_text(out, "\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|"
                    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd");
    out = open_text();
    html_text(out, "a\x01\x7f"
                   "b\n");
    check_text(out, "a\xef\xbf\xbd\xef\xbf\xbd"
                    "b\n");
}

static void html_numbers__all_kinds__as_they_are_read(void) {
    FILE *out = open_text();
    html_count(out, 0);
    fputc(' ', out);
    html_count(out, 999);
    fputc(' ', out);
    html_count(out, 71489096);
    fputc(' ', out);
    html_percent(out, 0.7643, 1);
    fputc(' ', out);
    html_number(out, NAN, 2);
    check_text(out, "0 999 71,489,096 76.4\xc2\xa0% \xe2\x80\x93");
}

/* RFC 4648, section 10. */
static void html_base64__test_vectors__agree(void) {
    static const char *const words[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    FILE *out = open_text();
    for (size_t i = 0; i < 7; i++) {
        html_base64(out, (const uint8_t *)words[i], strlen(words[i]));
        fputc(' ', out);
    }
    check_text(out, " Zg== Zm8= Zm9v Zm9vYg== Zm9vYmE= Zm9vYmFy ");
}

static void svg__text_and_shapes__escaped_and_short(void) {
    FILE *out = open_text();
    svg_rect(out, (struct svg_point){1.0 / 3, -0.001}, 10, -5, "right", "1 < 2");
    svg_text(out, (struct svg_point){1, 2}, SVG_MIDDLE, NULL, "%s", "<x>");
    check_text(out, "<rect class=\"right\" x=\"0.33\" y=\"0\" width=\"10\" height=\"0\">"
                    "<title>1 &lt; 2</title></rect>\n"
                    "<text x=\"1\" y=\"2\" text-anchor=\"middle\">&lt;x&gt;</text>\n");
}

static void svg_place__axis__is_linear_and_may_be_turned(void) {
    const struct svg_axis up = {.from = 0, .to = 50, .low = 200, .high = 100};
    const struct svg_axis none = {.from = 1, .to = 1, .low = 7, .high = 9};
    CHECK(svg_place(&up, 0) == 200 && svg_place(&up, 50) == 100 && svg_place(&up, 25) == 150);
    CHECK(svg_place(&none, 1) == 7);
}

static void fill_ramp(struct fovea_image *image, int width, int height) {
    struct fovea_error err;
    CHECK_OK(fovea_image_init(image, width, height, &err), err);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            uint8_t *pixel = image->rgb + 3 * ((size_t)y * (size_t)width + (size_t)x);
            pixel[0] = (uint8_t)(x * 255 / width);
            pixel[1] = (uint8_t)(y * 255 / height);
            pixel[2] = 128;
        }
    }
}

static void jpeg_encode__smooth_image__comes_back_nearly(void) {
    struct fovea_error err;
    struct fovea_image image, back = {0};
    uint8_t *bytes = NULL;
    size_t size = 0;
    fill_ramp(&image, 61, 47);
    CHECK_OK(fovea_jpeg_encode(&image, 95, &bytes, &size, &err), err);
    CHECK_OK(fovea_jpeg_decode(bytes, size, NULL, &back, NULL, &err), err);
    CHECK(back.width == 61 && back.height == 47);
    int worst = 0;
    for (size_t i = 0; back.rgb && i < fovea_image_size(&image); i++) {
        int apart = abs(image.rgb[i] - back.rgb[i]);
        worst = apart > worst ? apart : worst;
    }
    CHECK(worst < 16);
    free(bytes);
    fovea_image_finish(&image);
    fovea_image_finish(&back);
}

static void jpeg_encode__no_pixels__is_refused(void) {
    struct fovea_error err;
    const struct fovea_image none = {0};
    uint8_t *bytes;
    size_t size;
    CHECK(fovea_jpeg_encode(&none, 90, &bytes, &size, &err) == FOVEA_ERR_INVALID);
}

static void thumbnail__large_image__longer_side_fits(void) {
    struct fovea_error err;
    struct fovea_image image;
    struct eval_record record = {0};
    struct eval_thumbnail small = {0};
    struct fovea_sha256 sha;
    uint8_t *bytes = NULL;
    size_t size = 0;
    fill_ramp(&image, 300, 900);
    CHECK_OK(fovea_jpeg_encode(&image, 90, &bytes, &size, &err), err);
    /* not yet the record's file */
    CHECK(eval_thumbnail_init(&small, &record, bytes, size, 90, &err) == FOVEA_ERR_INVALID);
    fovea_sha256_init(&sha);
    fovea_sha256_update(&sha, bytes, size);
    fovea_sha256_digest(&sha, record.file_sha256);
    CHECK_OK(eval_thumbnail_init(&small, &record, bytes, size, 90, &err), err);
    CHECK(small.width == 30 && small.height == 90 && small.size > 0);
    eval_thumbnail_finish(&small);
    free(bytes);
    fovea_image_finish(&image);
}

static const struct test tests[] = {
    TEST(html_text__markup__is_escaped),
    TEST(html_text__not_utf8__is_replaced),
    TEST(html_numbers__all_kinds__as_they_are_read),
    TEST(html_base64__test_vectors__agree),
    TEST(svg__text_and_shapes__escaped_and_short),
    TEST(svg_place__axis__is_linear_and_may_be_turned),
    TEST(jpeg_encode__smooth_image__comes_back_nearly),
    TEST(jpeg_encode__no_pixels__is_refused),
    TEST(thumbnail__large_image__longer_side_fits),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
