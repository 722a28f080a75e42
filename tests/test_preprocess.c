/*
 * Preprocessing as a whole: geometry worked by hand, normalisation against
 * PyTorch, all in one call against stage by stage. Pixels are compared with
 * Pillow's in test_preprocess_pillow.c.
 */
#include "loaders/file.h"
#include "runtime/limits.h"
#include "tests/check.h"
#include "tests/jpeg_samples.h"
#include "tests/stages.h"

#include <stdlib.h>
#include <string.h>

/* ---- geometry -------------------------------------------------------------- */

static struct fovea_geometry geometry_of(enum fovea_resize_mode mode, int height, int width,
                                         double crop_pct, int in_width, int in_height) {
    struct fovea_recipe recipe = timm_recipe(mode, height, width, crop_pct);
    struct fovea_geometry g = {0};
    struct fovea_error err;
    CHECK_OK(fovea_geometry_init(&g, &recipe, in_width, in_height, &err), err);
    return g;
}

/* 256 * 500 / 375 = 341.33, cut; (341 - 224) / 2 = 58.5, to the even 58. */
static void geometry__short__cuts_the_long_side_and_rounds_half_to_even(void) {
    struct fovea_geometry g = geometry_of(FOVEA_RESIZE_SHORT, 224, 224, 0.875, 500, 375);
    CHECK(g.resized_width == 341 && g.resized_height == 256);
    CHECK(g.kept.x == 58 && g.kept.y == 16 && g.kept.width == 224 && g.kept.height == 224);
    CHECK(g.left == 0 && g.top == 0);
    g = geometry_of(FOVEA_RESIZE_SHORT, 224, 224, 0.875, 375, 502);
    CHECK(g.resized_width == 256 && g.resized_height == 342);
    CHECK(g.kept.y == 59);
    g = geometry_of(FOVEA_RESIZE_SHORT, 224, 224, 0.875, 373, 500);
    CHECK(g.resized_height == 343 && g.kept.y == 60); /* 59.5 */
}

static void geometry__squash__floors_size_over_crop_pct(void) {
    struct fovea_geometry g = geometry_of(FOVEA_RESIZE_SQUASH, 256, 224, 0.9, 500, 375);
    CHECK(g.resized_width == 248 && g.resized_height == 284); /* 248.9, 284.4 */
    CHECK(g.kept.x == 12 && g.kept.y == 14);
}

/* 500x375 in 224x224: 224 wide, 168 high, 28 rows of padding above and below. */
static void geometry__long__pads_the_short_side(void) {
    struct fovea_geometry g = geometry_of(FOVEA_RESIZE_LONG, 224, 224, 1.0, 500, 375);
    CHECK(g.resized_width == 224 && g.resized_height == 168);
    CHECK(g.kept.x == 0 && g.kept.y == 0 && g.kept.width == 224 && g.kept.height == 168);
    CHECK(g.left == 0 && g.top == 28);
    /* 224 * 377 / 500 = 168.9; the odd row of padding goes below. */
    g = geometry_of(FOVEA_RESIZE_LONG, 224, 224, 1.0, 500, 377);
    CHECK(g.resized_height == 169 && g.top == 27);
}

/* Ratios 500/320 and 375/160: the smaller decides, 320 wide and 240 high. */
static void geometry__short_to_an_oblong__keeps_the_ratio(void) {
    struct fovea_geometry g = geometry_of(FOVEA_RESIZE_SHORT, 160, 320, 1.0, 500, 375);
    CHECK(g.resized_width == 320 && g.resized_height == 240);
    CHECK(g.kept.x == 0 && g.kept.y == 40);
}

static void geometry__extreme_aspect__is_refused_or_cheap(void) {
    struct fovea_recipe recipe = timm_recipe(FOVEA_RESIZE_LONG, 224, 224, 1.0);
    struct fovea_geometry g;
    struct fovea_error err;
    CHECK(fovea_geometry_init(&g, &recipe, 65500, 1, &err) == FOVEA_ERR_INVALID);
    CHECK_STR(err.message, "resizing 65500x1 to 224x0: a side of less than a pixel");
    recipe = timm_recipe(FOVEA_RESIZE_SHORT, 16384, 16384, 0.25);
    CHECK(fovea_geometry_init(&g, &recipe, 65500, 1, &err) == FOVEA_ERR_LIMIT);
}

/* 4.1 of the DeepMind protocol: 480 + 32 each way, the crop from ((512 - 480) + 1) / 2. */
static void geometry__deepmind__squashes_to_size_plus_32(void) {
    struct fovea_recipe recipe;
    struct fovea_geometry g;
    struct fovea_error err;
    CHECK_OK(fovea_recipe_preset("deepmind", FOVEA_FROM_PRESET, &recipe, &err), err);
    recipe.height = recipe.width = 480;
    CHECK_OK(fovea_geometry_init(&g, &recipe, 500, 375, &err), err);
    CHECK(g.resized_width == 512 && g.resized_height == 512);
    CHECK(g.kept.x == 16 && g.kept.y == 16 && g.kept.width == 480);
    recipe.margin = 33;
    CHECK_OK(fovea_geometry_init(&g, &recipe, 500, 375, &err), err);
    CHECK(g.kept.x == 17);
}

/*
 * resize_small(256)|central_crop(224): 500 * (256 / 375) = 341.33; 373 makes
 * 343.16, and (343 - 224) // 2 = 59. 3 : 2 at 5 pixels: 7.5 rounds to 8.
 */
static void geometry__big_vision__rounds_by_factor(void) {
    struct fovea_recipe recipe;
    struct fovea_geometry g;
    struct fovea_error err;
    CHECK_OK(fovea_recipe_preset("big-vision", FOVEA_FROM_PRESET, &recipe, &err), err);
    recipe.height = recipe.width = 224;
    CHECK_OK(fovea_geometry_init(&g, &recipe, 500, 375, &err), err);
    CHECK(g.resized_width == 341 && g.resized_height == 256 && g.kept.x == 58 && g.kept.y == 16);
    CHECK_OK(fovea_geometry_init(&g, &recipe, 500, 373, &err), err);
    CHECK(g.resized_width == 343 && g.kept.x == 59);
    recipe.height = recipe.width = 5;
    recipe.crop_pct = 1;
    CHECK_OK(fovea_geometry_init(&g, &recipe, 300, 200, &err), err);
    CHECK(g.resized_width == 8 && g.resized_height == 5 && g.kept.x == 1);
}

/* ---- stages ---------------------------------------------------------------- */

static struct fovea_image sample(void) {
    struct fovea_image image = {0};
    struct fovea_error err;
    CHECK_OK(fovea_jpeg_decode(baseline_jpeg, sizeof(baseline_jpeg), NULL, &image, NULL, &err),
             err);
    return image;
}

static void image__fused_resize_and_crop__equals_the_stages(void) {
    static const int sizes[][2] = {{16, 16}, {30, 50}, {24, 24}, {60, 20}, {7, 90}};
    struct fovea_image decoded = sample();
    struct fovea_error err;
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        for (int mode = 0; mode < FOVEA_N_RESIZE_MODES; mode++) {
            for (int k = 0; k < 3; k++) {
                struct fovea_recipe recipe =
                    timm_recipe((enum fovea_resize_mode)mode, sizes[s][0], sizes[s][1],
                                (const double[]){1.0, 0.875, 1.3}[k]);
                struct fovea_image resized = {0}, staged = {0}, fused = {0};
                CHECK_OK(fovea_preprocess_resize(&recipe, &decoded, &resized, &err), err);
                CHECK_OK(fovea_preprocess_crop(&recipe, &decoded, &resized, &staged, &err), err);
                CHECK_OK(fovea_preprocess_image(&recipe, &decoded, &fused, &err), err);
                CHECK(fused.rgb && fused.width == sizes[s][1] && fused.height == sizes[s][0]);
                CHECK(fused.rgb && staged.rgb &&
                      memcmp(fused.rgb, staged.rgb, fovea_image_size(&fused)) == 0);
                fovea_image_finish(&resized);
                fovea_image_finish(&staged);
                fovea_image_finish(&fused);
            }
        }
    }
    fovea_image_finish(&decoded);
}

static void image__long__is_padded_with_the_mean(void) {
    struct fovea_recipe recipe = timm_recipe(FOVEA_RESIZE_LONG, 40, 40, 1.0);
    struct fovea_image decoded = sample(), made = {0};
    struct fovea_error err;
    CHECK_OK(fovea_preprocess_image(&recipe, &decoded, &made, &err), err);
    const uint8_t fill[3] = {124, 116, 104};
    CHECK(memcmp(made.rgb, fill, 3) == 0);
    CHECK(memcmp(made.rgb + 3 * (40 * 40 - 1), fill, 3) == 0);
    /* 40x24 needs no resizing: its first row is row 8. */
    CHECK(memcmp(made.rgb + 3 * 40 * 8, decoded.rgb, 3 * 40) == 0);
    fovea_image_finish(&made);
    fovea_image_finish(&decoded);
}

/* The reference is PyTorch 1.13: uint8 -> float32, div(255), sub_(mean), div_(std). */
static void normalize__imagenet_constants__equals_pytorch_to_the_bit(void) {
    uint8_t rgb[] = {0, 0, 0, 1, 1, 1, 127, 127, 127, 200, 200, 200, 255, 255, 255};
    static const float want[3][5] = {
        {-0x1.0f177ap+1f, -0x1.0ce656p+1f, 0x1.d2734cp-5f, 0x1.4e9a9ep+0f, 0x1.1fdc3ap+1f},
        {-0x1.049248p+1f, -0x1.02549ep+1f, 0x1.805bc8p-3f, 0x1.773738p+0f, 0x1.36db6ep+1f},
        {-0x1.cdf012p+0f, -0x1.c979d4p+0f, 0x1.a2e17ap-2f, 0x1.ae6fdep+0f, 0x1.51eb86p+1f},
    };
    struct fovea_recipe recipe = timm_recipe(FOVEA_RESIZE_SQUASH, 1, 5, 1.0);
    struct fovea_image image = {.width = 5, .height = 1, .rgb = rgb};
    float got[3][5];
    fovea_preprocess_normalize(&recipe, &image, &got[0][0]);
    CHECK(memcmp(got, want, sizeof(want)) == 0);
}

/*
 * The reference is numpy: (x - f32(255 mean)) / f32(255 std), the products
 * made in doubles, all else in f32.
 */
static void normalize__float_pixels__is_deepmind_s(void) {
    float pixels[] = {-12.25F, 0, 1.5F, 200.125F, 255, 300.75F};
    static const float want[3][2] = {
        {-0x1.29f17e0000000p+1F, 0x1.4f26e80000000p+0F},
        {-0x1.04924a0000000p+1F, 0x1.36db6e0000000p+1F},
        {-0x1.c73eb60000000p+0F, 0x1.b7fc400000000p+1F},
    };
    struct fovea_recipe recipe = timm_recipe(FOVEA_RESIZE_SQUASH, 1, 2, 1.0);
    struct fovea_image image = {.width = 2, .height = 1, .floats = pixels};
    float got[3][2];
    fovea_preprocess_normalize(&recipe, &image, &got[0][0]);
    CHECK(memcmp(got, want, sizeof(want)) == 0);
}

static void image__float_pixels_of_deepmind__fused_equals_the_stages(void) {
    struct fovea_recipe recipe;
    struct fovea_image decoded = sample(), resized = {0}, staged = {0}, fused = {0};
    struct fovea_error err;
    CHECK_OK(fovea_recipe_preset("deepmind", FOVEA_FROM_PRESET, &recipe, &err), err);
    recipe.height = 20;
    recipe.width = 31;
    CHECK_OK(fovea_preprocess_resize(&recipe, &decoded, &resized, &err), err);
    CHECK_OK(fovea_preprocess_crop(&recipe, &decoded, &resized, &staged, &err), err);
    CHECK_OK(fovea_preprocess_image(&recipe, &decoded, &fused, &err), err);
    CHECK(resized.floats && resized.width == 63 && resized.height == 52);
    CHECK(fused.floats && staged.floats && fovea_image_size(&fused) == sizeof(float) * 3 * 20 * 31);
    CHECK(memcmp(fused.floats, staged.floats, fovea_image_size(&fused)) == 0);
    fovea_image_finish(&decoded);
    fovea_image_finish(&resized);
    fovea_image_finish(&staged);
    fovea_image_finish(&fused);
}

/* In one call is the same as one after the other; `decoded` is of baseline_jpeg. */
static bool call_agrees(const struct fovea_recipe *recipe, const struct fovea_image *decoded) {
    struct stages stages;
    stages_make(&stages, recipe, decoded);
    bool same = stages_agree(&stages, recipe, baseline_jpeg, sizeof(baseline_jpeg));
    stages_finish(&stages);
    return same;
}

static void jpeg__in_one_call__equals_the_stages(void) {
    static const int sizes[][2] = {{16, 16}, {30, 50}, {24, 40}, {24, 17}, {7, 90}, {100, 33}};
    static const double shares[] = {1.0, 0.875, 0.3, 1.3};
    struct fovea_image decoded = sample();
    for (size_t i = 0; i < 6 * 4 * FOVEA_N_RESIZE_MODES * FOVEA_N_FILTERS; i++) {
        size_t s = i % 6, k = i / 6 % 4, mode = i / 24 % FOVEA_N_RESIZE_MODES;
        struct fovea_recipe recipe =
            timm_recipe((enum fovea_resize_mode)mode, sizes[s][0], sizes[s][1], shares[k]);
        recipe.filter = (enum fovea_filter)(i / 24 / FOVEA_N_RESIZE_MODES);
        recipe.order = i % 5 ? FOVEA_HORIZONTAL_FIRST : FOVEA_VERTICAL_FIRST;
        if (recipe.filter != FOVEA_FILTER_AREA) {
            CHECK(call_agrees(&recipe, &decoded));
        }
    }
    fovea_image_finish(&decoded);
}

static void jpeg__in_one_call__says_what_it_met(void) {
    struct fovea_recipe recipe = timm_recipe(FOVEA_RESIZE_SHORT, 16, 20, 0.9);
    struct fovea_jpeg_report report;
    struct fovea_error err;
    float pixels[3 * 16 * 20];
    CHECK_OK(fovea_preprocess_jpeg(&recipe, NULL, baseline_jpeg, sizeof(baseline_jpeg), pixels,
                                   &report, &err),
             err);
    CHECK(report.n_components == 3 && report.orientation == 1);
    CHECK(fovea_preprocess_jpeg(&recipe, NULL, baseline_jpeg, sizeof(baseline_jpeg) / 2, pixels,
                                &report, &err) == FOVEA_ERR_FORMAT);
    CHECK(strstr(err.message, "truncated at byte"));
}

/* Constants whose quotients by reciprocals are not those by division: the table must be used. */
static void jpeg__any_mean_and_std__equals_the_stages(void) {
    struct fovea_image decoded = sample();
    unsigned seed = 1;
    for (int i = 0; i < 300; i++) {
        struct fovea_recipe recipe = timm_recipe(FOVEA_RESIZE_SQUASH, 20, 24, 1.0);
        for (int c = 0; c < 3; c++) {
            seed = seed * 1664525u + 1013904223u;
            recipe.mean[c] = (seed >> 8) / 16777216.0;
            recipe.std[c] = 1e-6 + (seed >> 12) / 1048576.0 * (1 - 1e-6);
        }
        CHECK(call_agrees(&recipe, &decoded));
    }
    fovea_image_finish(&decoded);
}

/* ---- files ----------------------------------------------------------------- */

static void read__what_is_no_file__says_what_it_is(void) {
    uint8_t *bytes = NULL;
    size_t size;
    int os_error = -1;
    struct fovea_error err;
    CHECK(fovea_file_read("no/such/file", 10, &bytes, &size, &os_error, &err) == FOVEA_ERR_IO);
    CHECK(os_error == 2); /* ENOENT */
    CHECK(fovea_file_read("/", 10, &bytes, &size, &os_error, &err) == FOVEA_ERR_IO);
    CHECK_STR(err.message, "a directory, not a regular file");
    CHECK(fovea_file_read("/dev/zero", 10, &bytes, &size, &os_error, &err) == FOVEA_ERR_IO);
    CHECK_STR(err.message, "a device, not a regular file");
    CHECK(os_error == 0 && bytes == NULL);
}

static void read__over_the_limit__is_refused(void) {
    uint8_t *bytes = NULL;
    size_t size;
    struct fovea_error err;
    const char *path = FOVEA_SOURCE_ROOT "/meson.build";
    CHECK(fovea_file_read(path, 10, &bytes, &size, NULL, &err) == FOVEA_ERR_LIMIT);
    CHECK(strstr(err.message, "the limit is 10") != NULL);
    CHECK_OK(fovea_file_read(path, 1 << 20, &bytes, &size, NULL, &err), err);
    CHECK(size > 10 && memcmp(bytes, "project", 7) == 0);
    free(bytes);
}

static const struct test tests[] = {
    TEST(geometry__short__cuts_the_long_side_and_rounds_half_to_even),
    TEST(geometry__squash__floors_size_over_crop_pct),
    TEST(geometry__long__pads_the_short_side),
    TEST(geometry__short_to_an_oblong__keeps_the_ratio),
    TEST(geometry__extreme_aspect__is_refused_or_cheap),
    TEST(geometry__deepmind__squashes_to_size_plus_32),
    TEST(geometry__big_vision__rounds_by_factor),
    TEST(image__fused_resize_and_crop__equals_the_stages),
    TEST(image__long__is_padded_with_the_mean),
    TEST(normalize__imagenet_constants__equals_pytorch_to_the_bit),
    TEST(normalize__float_pixels__is_deepmind_s),
    TEST(image__float_pixels_of_deepmind__fused_equals_the_stages),
    TEST(jpeg__in_one_call__equals_the_stages),
    TEST(jpeg__in_one_call__says_what_it_met),
    TEST(jpeg__any_mean_and_std__equals_the_stages),
    TEST(read__what_is_no_file__says_what_it_is),
    TEST(read__over_the_limit__is_refused),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
