/* TensorFlow's resizes: against the same arithmetic in numpy, and against values worked by hand. */
#include "loaders/resize_tf.h"
#include "tests/check.h"
#include "tests/oracle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const enum fovea_filter methods[] = {FOVEA_FILTER_BILINEAR, FOVEA_FILTER_BICUBIC,
                                            FOVEA_FILTER_AREA};

/* ---- numpy ------------------------------------------------------------------ */

struct tf_case {
    int width, height, to_width, to_height, method;
};

static bool read_case(FILE *oracle, struct tf_case *c) {
    return oracle_number(oracle, &c->width) && oracle_number(oracle, &c->height) &&
           oracle_number(oracle, &c->to_width) && oracle_number(oracle, &c->to_height) &&
           oracle_number(oracle, &c->method);
}

static bool is_equal(const struct tf_case *c, uint8_t *in, bool floats, const uint8_t *want) {
    struct fovea_image image = {.width = c->width, .height = c->height, .rgb = in}, made = {0};
    struct fovea_resize how = {.width = c->to_width, .height = c->to_height};
    struct fovea_error err;
    how.filter = methods[c->method];
    CHECK_OK(fovea_resize_tf(&image, &how, floats, &made, &err), err);
    const void *data = fovea_image_data(&made);
    bool same = data && memcmp(data, want, fovea_image_size(&made)) == 0;
    if (!same) {
        printf("  %dx%d to %dx%d, %s, floats %d\n", c->width, c->height, c->to_width, c->to_height,
               fovea_filter_name(how.filter), floats);
    }
    fovea_image_finish(&made);
    return same;
}

static void resize__random_images__equal_the_kernels_in_numpy(void) {
    FILE *oracle = oracle_open("make_tf_cases.py");
    if (!oracle) {
        return;
    }
    struct tf_case c;
    int n = 0;
    while (read_case(oracle, &c)) {
        size_t n_out = 3 * (size_t)c.to_width * (size_t)c.to_height;
        uint8_t *in = oracle_bytes(oracle, 3 * (size_t)c.width * (size_t)c.height);
        uint8_t *floats = oracle_bytes(oracle, n_out * sizeof(float));
        uint8_t *bytes = oracle_bytes(oracle, n_out);
        if (in && floats && bytes) {
            CHECK(is_equal(&c, in, true, floats));
            CHECK(is_equal(&c, in, false, bytes));
            n++;
        }
        free(in);
        free(floats);
        free(bytes);
    }
    oracle_close(oracle);
    if (n == 0) {
        check_skip("no numpy for this Python");
        return;
    }
    CHECK(n == 8 * 8 * 3 + 200 + 3 * 2);
}

/* ---- by hand ------------------------------------------------------------------ */

/* A row of grey `in` resized to n_out samples in f32 is `want`, to a few roundings. */
static void check_row(enum fovea_filter filter, const uint8_t *in, int n_in, const float *want,
                      int n_out) {
    uint8_t rgb[3 * 16];
    struct fovea_image image = {.width = n_in, .height = 1, .rgb = rgb}, made = {0};
    struct fovea_resize how = {.width = n_out, .height = 1, .filter = filter};
    struct fovea_error err;
    for (int i = 0; i < 3 * n_in; i++) {
        rgb[i] = in[i / 3];
    }
    CHECK_OK(fovea_resize_tf(&image, &how, true, &made, &err), err);
    for (int i = 0; made.floats && i < 3 * n_out; i++) {
        CHECK(fabsf(made.floats[i] - want[i / 3]) < 1e-4F);
    }
    fovea_image_finish(&made);
}

/* Centres -1/4, 1/4, 3/4, 5/4: no filter wider than the distance of two samples. */
static void bilinear__doubling__is_worked_by_hand(void) {
    check_row(FOVEA_FILTER_BILINEAR, (const uint8_t[]){0, 100}, 2, (const float[]){0, 25, 75, 100},
              4);
}

/* Without antialiasing, 8 to 2 reads the samples around 1.5 and 5.5 and no others. */
static void bilinear__far_down__skips_samples(void) {
    check_row(FOVEA_FILTER_BILINEAR, (const uint8_t[]){255, 10, 20, 255, 255, 30, 50, 255}, 8,
              (const float[]){15, 40}, 2);
}

/*
 * Keys' weights a quarter of the way, a = -1/2: -9/128, 111/128, 29/128, -3/128.
 * The step from 0 to 128 between samples 3 and 4 then gives, at 2 3/4, 3 1/4,
 * 3 3/4 and 4 1/4: -9, 26, 102, 137; beyond, at 2 1/4, only -3.
 */
static void bicubic__step_doubled__overshoots_both_ways(void) {
    check_row(FOVEA_FILTER_BICUBIC, (const uint8_t[]){0, 0, 0, 0, 128, 128, 128, 128}, 8,
              (const float[]){0, 0, 0, 0, 0, -3, -9, 26, 102, 137, 131, 128, 128, 128, 128, 128},
              16);
}

/* At -1/4 two of the four samples are outside: 111 and 29 of 128 are left, of 140 to be one. */
static void bicubic__at_the_edge__renormalises_what_is_inside(void) {
    const uint8_t in[] = {140, 0, 0, 0};
    uint8_t rgb[12];
    struct fovea_image image = {.width = 4, .height = 1, .rgb = rgb}, made = {0};
    struct fovea_resize how = {.width = 8, .height = 1, .filter = FOVEA_FILTER_BICUBIC};
    struct fovea_error err;
    for (int i = 0; i < 12; i++) {
        rgb[i] = in[i / 3];
    }
    CHECK_OK(fovea_resize_tf(&image, &how, true, &made, &err), err);
    /* At -1/4: samples -2, -1, 0, 1 weigh -3, 29, 111, -9 of 128; inside 111 - 9 = 102. */
    float first = made.floats ? made.floats[0] : 0;
    CHECK(first > 152.3529F && first < 152.3530F); /* 140 * 111 / 102 */
    fovea_image_finish(&made);
}

/* 4 to 3: one and a third of a sample, two thirds of two, a third and one. */
static void area__four_to_three__is_worked_by_hand(void) {
    uint8_t rgb[12] = {30, 0, 255, 60, 0, 255, 90, 0, 255, 120, 0, 255};
    struct fovea_image image = {.width = 4, .height = 1, .rgb = rgb}, made = {0};
    struct fovea_resize how = {.width = 3, .height = 1, .filter = FOVEA_FILTER_AREA};
    struct fovea_error err;
    CHECK_OK(fovea_resize_tf(&image, &how, true, &made, &err), err);
    const float want[] = {37.5F, 75, 112.5F};
    for (int x = 0; made.floats && x < 3; x++) {
        float difference = made.floats[3 * x] - want[x];
        CHECK(difference < 1e-4F && difference > -1e-4F && made.floats[3 * x + 1] == 0);
    }
    fovea_image_finish(&made);
}

/* 37.75 is cut to 37, not rounded to 38; overshoot is clipped. */
static void bytes__are_cut_and_clipped(void) {
    uint8_t rgb[6] = {37, 37, 0, 38, 40, 255};
    struct fovea_image image = {.width = 2, .height = 1, .rgb = rgb}, made = {0};
    struct fovea_resize how = {.width = 4, .height = 1, .filter = FOVEA_FILTER_BILINEAR};
    struct fovea_error err;
    CHECK_OK(fovea_resize_tf(&image, &how, false, &made, &err), err);
    /* 3/4 of the way: 37.75, 39.25, 191.25. */
    CHECK(made.rgb && made.rgb[6] == 37 && made.rgb[7] == 39 && made.rgb[8] == 191);
    fovea_image_finish(&made);
    how.filter = FOVEA_FILTER_BICUBIC;
    CHECK_OK(fovea_resize_tf(&image, &how, false, &made, &err), err);
    CHECK(made.rgb && made.rgb[2] == 0 && made.rgb[11] == 255);
    fovea_image_finish(&made);
}

static void window__anywhere__is_part_of_the_whole(void) {
    uint8_t rgb[3 * 20 * 13];
    struct fovea_image image = {.width = 20, .height = 13, .rgb = rgb};
    struct fovea_error err;
    for (size_t i = 0; i < sizeof(rgb); i++) {
        rgb[i] = (uint8_t)(i * i * 7);
    }
    for (size_t m = 0; m < 3; m++) {
        struct fovea_image whole = {0}, part = {0};
        struct fovea_resize how = {.width = 31, .height = 9, .filter = methods[m]};
        CHECK_OK(fovea_resize_tf(&image, &how, true, &whole, &err), err);
        how.window = (struct fovea_window){5, 2, 20, 6};
        CHECK_OK(fovea_resize_tf(&image, &how, true, &part, &err), err);
        CHECK(part.width == 20 && part.height == 6);
        for (int y = 0; whole.floats && part.floats && y < 6; y++) {
            const float *row = whole.floats + (size_t)(3 * ((2 + y) * 31 + 5));
            CHECK(memcmp(part.floats + (size_t)(60 * y), row, 60 * sizeof(float)) == 0);
        }
        fovea_image_finish(&whole);
        fovea_image_finish(&part);
    }
}

static void resize__what_cannot_be__is_refused(void) {
    uint8_t rgb[3] = {0};
    struct fovea_image image = {.width = 1, .height = 1, .rgb = rgb}, made;
    struct fovea_resize how = {.width = 2, .height = 2, .filter = FOVEA_FILTER_LANCZOS};
    struct fovea_error err;
    CHECK(fovea_resize_tf(&image, &how, true, &made, &err) == FOVEA_ERR_INVALID);
    CHECK_STR(err.message, "TensorFlow's resize has no filter lanczos");
    how.filter = FOVEA_FILTER_AREA;
    how.window = (struct fovea_window){1, 0, 2, 1};
    CHECK(fovea_resize_tf(&image, &how, true, &made, &err) == FOVEA_ERR_INVALID);
    how.window = (struct fovea_window){0};
    CHECK(fovea_resize_image(&image, &how, &made, &err) == FOVEA_ERR_INVALID);
    CHECK_STR(err.message, "Pillow's resize has no filter area");
}

static const struct test tests[] = {
    TEST(resize__random_images__equal_the_kernels_in_numpy),
    TEST(bilinear__doubling__is_worked_by_hand),
    TEST(bilinear__far_down__skips_samples),
    TEST(bicubic__step_doubled__overshoots_both_ways),
    TEST(bicubic__at_the_edge__renormalises_what_is_inside),
    TEST(area__four_to_three__is_worked_by_hand),
    TEST(bytes__are_cut_and_clipped),
    TEST(window__anywhere__is_part_of_the_whole),
    TEST(resize__what_cannot_be__is_refused),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
