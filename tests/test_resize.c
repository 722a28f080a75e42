/* Resizing: against Pillow where there is one, and against values worked by hand. */
#include "loaders/resize.h"
#include "loaders/resize_passes.h"
#include "tests/check.h"
#include "tests/oracle.h"

#include <stdlib.h>
#include <string.h>

static struct fovea_image noise(int width, int height, unsigned seed) {
    struct fovea_image image = {0};
    struct fovea_error err;
    CHECK_OK(fovea_image_init(&image, width, height, &err), err);
    for (size_t i = 0; i < fovea_image_size(&image); i++) {
        seed = seed * 1664525u + 1013904223u;
        image.rgb[i] = (uint8_t)(seed >> 24);
    }
    return image;
}

struct pillow_case {
    int width, height, to_width, to_height, filter, vertical_first;
};

static bool read_case(FILE *oracle, struct pillow_case *c) {
    return oracle_number(oracle, &c->width) && oracle_number(oracle, &c->height) &&
           oracle_number(oracle, &c->to_width) && oracle_number(oracle, &c->to_height) &&
           oracle_number(oracle, &c->filter) && oracle_number(oracle, &c->vertical_first);
}

static bool agrees(const struct pillow_case *c, uint8_t *in, const uint8_t *want) {
    struct fovea_image image = {.width = c->width, .height = c->height, .rgb = in}, made = {0};
    struct fovea_resize how = {
        .width = c->to_width,
        .height = c->to_height,
        .filter = (enum fovea_filter)c->filter,
        .order = c->vertical_first ? FOVEA_VERTICAL_FIRST : FOVEA_HORIZONTAL_FIRST,
    };
    struct fovea_error err;
    CHECK_OK(fovea_resize_image(&image, &how, &made, &err), err);
    bool same = made.rgb && memcmp(made.rgb, want, fovea_image_size(&made)) == 0;
    if (!same) {
        printf("  %dx%d to %dx%d, %s, vertical first %d\n", c->width, c->height, c->to_width,
               c->to_height, fovea_filter_name(how.filter), c->vertical_first);
    }
    fovea_image_finish(&made);
    return same;
}

static void resize__random_images__equal_pillow(void) {
    FILE *oracle = oracle_open("make_resize_cases.py");
    if (!oracle) {
        return;
    }
    struct pillow_case c;
    int n = 0;
    while (read_case(oracle, &c)) {
        uint8_t *in = oracle_bytes(oracle, 3 * (size_t)c.width * (size_t)c.height);
        uint8_t *want = oracle_bytes(oracle, 3 * (size_t)c.to_width * (size_t)c.to_height);
        if (in && want) {
            CHECK(agrees(&c, in, want));
            n++;
        }
        free(in);
        free(want);
    }
    CHECK(n == 8 * 8 * 5 + 400 + 4 * 5);
    oracle_close(oracle);
}

/* A bilinear sample a quarter of the way between two pixels is 3/4 and 1/4 of them. */
static void resize__bilinear_doubling__is_worked_by_hand(void) {
    uint8_t in[] = {0, 0, 200, 100, 0, 0};
    const uint8_t want[] = {0, 0, 200, 25, 0, 150, 75, 0, 50, 100, 0, 0};
    struct fovea_image image = {.width = 2, .height = 1, .rgb = in}, made = {0};
    struct fovea_resize how = {.width = 4, .height = 1, .filter = FOVEA_FILTER_BILINEAR};
    struct fovea_error err;
    CHECK_OK(fovea_resize_image(&image, &how, &made, &err), err);
    CHECK(made.rgb && memcmp(made.rgb, want, sizeof(want)) == 0);
    fovea_image_finish(&made);
}

/* 2x2 to 1x1: rows average first, to 8 bits (0.5 up), then the column does. */
static void resize__box_halving__rounds_after_each_pass(void) {
    uint8_t in[] = {1, 0, 0, 2, 255, 0, 0, 0, 0, 1, 254, 0};
    struct fovea_image image = {.width = 2, .height = 2, .rgb = in}, made = {0};
    struct fovea_resize how = {.width = 1, .height = 1, .filter = FOVEA_FILTER_BOX};
    struct fovea_error err;
    CHECK_OK(fovea_resize_image(&image, &how, &made, &err), err);
    /* Red 1.5 -> 2 and 0.5 -> 1, then 1.5 -> 2; at once it would be 1. */
    CHECK(made.rgb && made.rgb[0] == 2 && made.rgb[1] == 128 && made.rgb[2] == 0);
    fovea_image_finish(&made);
}

static bool window_agrees(const struct fovea_image *image, struct fovea_resize how,
                          struct fovea_window window) {
    struct fovea_image whole = {0}, part = {0};
    struct fovea_error err;
    CHECK_OK(fovea_resize_image(image, &how, &whole, &err), err);
    how.window = window;
    CHECK_OK(fovea_resize_image(image, &how, &part, &err), err);
    bool same = part.width == window.width && part.height == window.height;
    for (int y = 0; y < window.height && same; y++) {
        const uint8_t *row = whole.rgb + 3 * ((window.y + y) * whole.width + window.x);
        same = memcmp(part.rgb + 3 * y * window.width, row, 3 * (size_t)window.width) == 0;
    }
    fovea_image_finish(&whole);
    fovea_image_finish(&part);
    return same;
}

static void resize__any_window__is_the_crop_of_the_whole(void) {
    static const int sides[][2] = {{90, 70}, {31, 200}, {64, 20}, {20, 48}, {64, 48}};
    struct fovea_image image = noise(64, 48, 1);
    for (size_t s = 0; s < sizeof(sides) / sizeof(sides[0]); s++) {
        for (int filter = 0; filter < FOVEA_FILTER_AREA; filter++) {
            for (int order = 0; order < 2; order++) {
                struct fovea_resize how = {.width = sides[s][0],
                                           .height = sides[s][1],
                                           .filter = (enum fovea_filter)filter,
                                           .order = (enum fovea_resize_order)order};
                struct fovea_window middle = {3, 5, 11, 13};
                struct fovea_window corner = {how.width - 1, how.height - 1, 1, 1};
                CHECK(window_agrees(&image, how, middle));
                CHECK(window_agrees(&image, how, corner));
            }
        }
    }
    fovea_image_finish(&image);
}

/* A strip of one column made 512 times as long as a JPEG can be: only the window is made. */
static void resize__window_of_a_huge_result__is_cheap(void) {
    struct fovea_image image = noise(1, 65500, 2), made = {0};
    struct fovea_resize how = {.width = 512,
                               .height = 65500 * 512,
                               .filter = FOVEA_FILTER_BICUBIC,
                               .window = {16, 65500 * 256, 480, 480}};
    struct fovea_error err;
    CHECK_OK(fovea_resize_image(&image, &how, &made, &err), err);
    fovea_image_finish(&made);
    fovea_image_finish(&image);
}

static void resize__no_pixels_or_window_outside__is_refused(void) {
    struct fovea_image image = noise(4, 4, 3), made = {0};
    struct fovea_resize how = {.width = 0, .height = 5, .filter = FOVEA_FILTER_BOX};
    struct fovea_error err;
    CHECK(fovea_resize_image(&image, &how, &made, &err) == FOVEA_ERR_INVALID);
    CHECK_STR(err.message, "resizing to 0x5: sides must be at least 1");
    how.width = 5;
    how.window = (struct fovea_window){1, 0, 5, 5};
    CHECK(fovea_resize_image(&image, &how, &made, &err) == FOVEA_ERR_INVALID);
    CHECK_STR(err.message, "a window of 5x5 at (1, 0) is not inside a resized image of 5x5");
    CHECK(made.rgb == NULL);
    fovea_image_finish(&image);
}

static void resize__whole_larger_than_an_image__is_refused(void) {
    struct fovea_image image = noise(1, 4, 4), made = {0};
    struct fovea_resize how = {.width = 1, .height = 65536, .filter = FOVEA_FILTER_BOX};
    struct fovea_error err;
    CHECK(fovea_resize_image(&image, &how, &made, &err) == FOVEA_ERR_INVALID);
    CHECK_STR(err.message, "an image of 1x65536: sides must be in 1..65535");
    fovea_image_finish(&image);
}

static const struct test tests[] = {
    TEST(resize__random_images__equal_pillow),
    TEST(resize__bilinear_doubling__is_worked_by_hand),
    TEST(resize__box_halving__rounds_after_each_pass),
    TEST(resize__any_window__is_the_crop_of_the_whole),
    TEST(resize__window_of_a_huge_result__is_cheap),
    TEST(resize__no_pixels_or_window_outside__is_refused),
    TEST(resize__whole_larger_than_an_image__is_refused),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
