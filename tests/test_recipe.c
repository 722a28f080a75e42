/* Recipes: presets, layering, and every way a recipe file can be wrong. */
#include "loaders/recipe_file.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect_refusal(const char *text, enum fovea_status want, const char *message) {
    struct fovea_recipe recipe;
    struct fovea_error err = {.status = FOVEA_OK};
    CHECK(fovea_recipe_parse(text, strlen(text), FOVEA_FROM_FILE, &recipe, &err) == want);
    CHECK_STR(err.message, message);
}

static void parse__full_recipe__sets_every_field(void) {
    const char *text = "{\"resize\": \"long\", \"size\": [480, 640], \"crop_pct\": 0.9375,"
                       " \"filter\": \"lanczos\", \"mean\": [0.1, 0.2, 0.3], \"std\": 0.5,"
                       " \"fill\": [1, 2, 255], \"resize_order\": \"vertical\","
                       " \"resampler\": \"pillow\", \"pixels\": \"uint8\","
                       " \"crop_rounding\": \"down\", \"dct\": \"fast\"}";
    struct fovea_recipe r;
    struct fovea_error err;
    CHECK_OK(fovea_recipe_parse(text, strlen(text), FOVEA_FROM_FILE, &r, &err), err);
    CHECK_OK(fovea_recipe_check(&r, &err), err);
    CHECK(r.resize == FOVEA_RESIZE_LONG && r.height == 480 && r.width == 640);
    CHECK(r.crop_pct == 0.9375 && r.filter == FOVEA_FILTER_LANCZOS);
    CHECK(r.mean[0] == 0.1 && r.mean[2] == 0.3 && r.std[0] == 0.5 && r.std[2] == 0.5);
    CHECK(r.fill[0] == 1 && r.fill[2] == 255 && r.order == FOVEA_VERTICAL_FIRST);
    CHECK(r.crop_rounding == FOVEA_CROP_DOWN && r.dct == FOVEA_DCT_FAST);
    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
        CHECK(r.source[i] == FOVEA_FROM_FILE);
    }
}

static void parse__preset_and_keys__keys_win(void) {
    const char *text = "{\"filter\": \"box\", \"preset\": \"siglip\", \"size\": 384}";
    struct fovea_recipe r;
    struct fovea_error err;
    CHECK_OK(fovea_recipe_parse(text, strlen(text), FOVEA_FROM_FILE, &r, &err), err);
    CHECK(r.resize == FOVEA_RESIZE_SQUASH && r.filter == FOVEA_FILTER_BOX);
    CHECK(r.height == 384 && r.mean[1] == 0.5 && !r.source[FOVEA_RECIPE_FILL]);
}

static void parse__results_file__its_recipe_is_taken(void) {
    const char *text = "{\"model\": \"m\", \"top1\": 0.6, "
                       "\"recipe\": {\"size\": 48, \"sources\": {\"size\": \"flag\"}}}";
    struct fovea_recipe r;
    struct fovea_error err;
    CHECK_OK(fovea_recipe_parse(text, strlen(text), FOVEA_FROM_FILE, &r, &err), err);
    CHECK(r.height == 48 && !r.source[FOVEA_RECIPE_MEAN]);
}

static void parse__wrong_files__say_what_is_wrong(void) {
    expect_refusal("{\"siez\": 3}", FOVEA_ERR_INVALID,
                   "unknown key 'siez'; a recipe has preset, resize, size, crop_pct, margin, "
                   "filter, mean, std, fill, resize_order, resampler, pixels, crop_rounding, dct");
    expect_refusal("[]", FOVEA_ERR_INVALID, "not an object of recipe keys");
    expect_refusal("{\"size\": \"480\"}", FOVEA_ERR_INVALID,
                   "\"size\" is a string; it must be an integer or [height, width]");
    expect_refusal("{\"size\": [1, 2, 3]}", FOVEA_ERR_INVALID,
                   "\"size\" is an array; it must be an integer or [height, width]");
    expect_refusal("{\"size\": 0}", FOVEA_ERR_INVALID, "size 0 is outside 1..16384");
    expect_refusal("{\"size\": 1e3}", FOVEA_ERR_INVALID,
                   "\"size\" is a number; it must be an integer or [height, width]");
    expect_refusal("{\"crop_pct\": 0}", FOVEA_ERR_INVALID, "crop_pct 0 is outside 0.01..2");
    expect_refusal("{\"filter\": \"hamming\"}", FOVEA_ERR_INVALID,
                   "\"filter\" is 'hamming'; it must be nearest, box, bilinear, bicubic, "
                   "lanczos or area");
    expect_refusal("{\"resize\": \"crop\"}", FOVEA_ERR_INVALID,
                   "\"resize\" is 'crop'; it must be squash, short or long");
    expect_refusal("{\"mean\": [123.675, 116.28, 103.53]}", FOVEA_ERR_INVALID,
                   "mean 123.675 is outside 0..1, the scale of a pixel divided by 255");
    expect_refusal("{\"std\": [0.1, 0, 0.1]}", FOVEA_ERR_INVALID,
                   "std 0 is outside 1e-6..1, the scale of a pixel divided by 255");
    expect_refusal("{\"mean\": [0.1, 0.2]}", FOVEA_ERR_INVALID,
                   "\"mean\" is an array; it must be a number or an array of three");
    expect_refusal("{\"fill\": 256}", FOVEA_ERR_INVALID, "fill 256 is no whole number in 0..255");
    expect_refusal("{\"preset\": \"tinm\"}", FOVEA_ERR_INVALID,
                   "no preset 'tinm'; there are timm, torchvision, imagenet, siglip, deepmind, "
                   "big-vision, big-vision-transfer, big-vision-squash, and timm's names of NFNets "
                   "and ViTs");
    expect_refusal("{\"margin\": 32, \"crop_pct\": 0.9}", FOVEA_ERR_INVALID,
                   "crop_pct and margin exclude each other");
    expect_refusal("{\"margin\": 1.5}", FOVEA_ERR_INVALID,
                   "\"margin\" is a number; it must be an integer");
    expect_refusal("{\"margin\": -1}", FOVEA_ERR_INVALID, "margin -1 is outside 0..16384");
    expect_refusal("{\"dct\": \"slow\"}", FOVEA_ERR_INVALID,
                   "\"dct\" is 'slow'; it must be accurate or fast");
}

static void parse__not_json__names_line_and_column(void) {
    struct fovea_recipe r;
    struct fovea_error err;
    const char *text = "{\"size\": 480,\n \"filter\" \"box\"}";
    CHECK(fovea_recipe_parse(text, strlen(text), FOVEA_FROM_FILE, &r, &err) == FOVEA_ERR_FORMAT);
    CHECK(strstr(err.message, "line 2, column 11: not JSON: ") == err.message);
    /* Nesting without end must not run the parser out of stack. */
    static char deep[100000];
    memset(deep, '[', sizeof(deep));
    CHECK(fovea_recipe_parse(deep, sizeof(deep), FOVEA_FROM_FILE, &r, &err) == FOVEA_ERR_LIMIT);
    CHECK(fovea_recipe_parse("", 0, FOVEA_FROM_FILE, &r, &err) == FOVEA_ERR_FORMAT);
}

/* Constants as in nfnets/dataset.py and the configurations of Big Vision. */
static void preset__of_tensorflow__has_its_arithmetic(void) {
    struct fovea_recipe r;
    struct fovea_error err;
    CHECK_OK(fovea_recipe_preset("deepmind", FOVEA_FROM_PRESET, &r, &err), err);
    CHECK(r.resize == FOVEA_RESIZE_SQUASH && r.margin == 32 && r.crop_pct == 0);
    CHECK(r.filter == FOVEA_FILTER_BICUBIC && r.resampler == FOVEA_RESAMPLER_TENSORFLOW);
    CHECK(r.pixels == FOVEA_PIXELS_FLOAT && r.dct == FOVEA_DCT_FAST);
    CHECK(r.crop_rounding == FOVEA_CROP_UP && r.mean[2] == 0.406 && r.std[1] == 0.224);
    CHECK_OK(fovea_recipe_preset("big-vision", FOVEA_FROM_PRESET, &r, &err), err);
    CHECK(r.resize == FOVEA_RESIZE_SHORT && r.filter == FOVEA_FILTER_AREA && r.mean[0] == 0.5);
    CHECK(r.pixels == FOVEA_PIXELS_UINT8 && r.crop_rounding == FOVEA_CROP_DOWN);
}

/* default_cfg of timm 1.0.x by name. */
static void architecture__by_name__is_timm_s(void) {
    static const struct {
        const char *name;
        int size;
        enum fovea_resize_mode resize;
        double crop_pct, mean;
    } known[] = {
        {"dm_nfnet_f0", 256, FOVEA_RESIZE_SQUASH, 0.9, 0.485},
        {"dm_nfnet_f3.dm_in1k", 416, FOVEA_RESIZE_SQUASH, 0.94, 0.485},
        {"dm_nfnet_f6.dm_in1k", 576, FOVEA_RESIZE_SQUASH, 0.956, 0.485},
        {"nfnet_f7", 608, FOVEA_RESIZE_SHORT, 0.9, 0.485},
        {"vit_base_patch16_224.augreg2_in21k_ft_in1k", 224, FOVEA_RESIZE_SHORT, 0.9, 0.5},
        {"vit_base_patch8_224.augreg_in21k", 224, FOVEA_RESIZE_SHORT, 0.9, 0.5},
        {"vit_large_patch16_384.augreg_in21k_ft_in1k", 384, FOVEA_RESIZE_SHORT, 1.0, 0.5},
        {"vit_base_patch16_224.mae", 224, FOVEA_RESIZE_SHORT, 0.9, 0.485},
        {"vit_giant_patch14_dinov2.lvd142m", 518, FOVEA_RESIZE_SHORT, 1.0, 0.485},
        {"vit_gigantic_patch14_clip_224.laion2b", 224, FOVEA_RESIZE_SHORT, 1.0, 0.48145466},
        {"vit_so400m_patch14_siglip_378.webli_ft_in1k", 378, FOVEA_RESIZE_SQUASH, 1.0, 0.5},
        {"vit_so400m_patch14_siglip_gap_378.webli_ft_in1k", 378, FOVEA_RESIZE_SQUASH, 1.0, 0.5},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct fovea_recipe r = {0};
        CHECK(fovea_recipe_architecture(known[i].name, FOVEA_FROM_ARCHITECTURE, &r));
        CHECK(r.height == known[i].size && r.resize == known[i].resize);
        CHECK(r.crop_pct == known[i].crop_pct && r.mean[0] == known[i].mean);
    }
    struct fovea_recipe r;
    CHECK(!fovea_recipe_architecture("resnet50", FOVEA_FROM_ARCHITECTURE, &r));
    CHECK(!fovea_recipe_architecture("vit_base_patch16_224_miil.in21k", FOVEA_FROM_CONFIG, &r));
}

static void overlay__margin__replaces_crop_pct_and_back(void) {
    struct fovea_recipe low, high = {.margin = 32};
    struct fovea_error err;
    high.source[FOVEA_RECIPE_CROP_PCT] = FOVEA_FROM_FLAG;
    CHECK_OK(fovea_recipe_preset("timm", FOVEA_FROM_ARCHITECTURE, &low, &err), err);
    fovea_recipe_overlay(&low, &high);
    CHECK(low.margin == 32 && low.crop_pct == 0);
    high.margin = 0;
    high.crop_pct = 0.9;
    fovea_recipe_overlay(&low, &high);
    CHECK(low.margin == 0 && low.crop_pct == 0.9);
}

static void check__what_a_resampler_lacks__is_named(void) {
    struct fovea_recipe r;
    struct fovea_error err;
    CHECK_OK(fovea_recipe_preset("dm_nfnet_f0", FOVEA_FROM_PRESET, &r, &err), err);
    r.filter = FOVEA_FILTER_AREA;
    CHECK(fovea_recipe_check(&r, &err) == FOVEA_ERR_INVALID);
    CHECK_STR(err.message, "filter area is not one of resampler pillow, which has nearest, box, "
                           "bilinear, bicubic and lanczos");
    r.resampler = FOVEA_RESAMPLER_TENSORFLOW;
    CHECK_OK(fovea_recipe_check(&r, &err), err);
    r.resampler = FOVEA_RESAMPLER_PILLOW;
    r.filter = FOVEA_FILTER_BOX;
    r.pixels = FOVEA_PIXELS_FLOAT;
    CHECK(fovea_recipe_check(&r, &err) == FOVEA_ERR_INVALID);
    CHECK_STR(err.message, "pixels float need resampler tensorflow; Pillow's are uint8");
}

/* The hash is sha256sum's of the text in docs/recipes.md, made by Python. */
static void digest__of_siglip_at_384__is_of_the_documented_text(void) {
    struct fovea_recipe r;
    struct fovea_error err;
    CHECK_OK(fovea_recipe_preset("siglip", FOVEA_FROM_PRESET, &r, &err), err);
    r.height = r.width = 384;
    CHECK_STR(fovea_recipe_digest(&r).text,
              "609aff8baee7bba5eacfd5460a78411f1e0b4be1a2c013325afb3c9aab68a24a");
    r.source[FOVEA_RECIPE_FILTER] = FOVEA_FROM_FLAG;
    CHECK_STR(fovea_recipe_digest(&r).text,
              "609aff8baee7bba5eacfd5460a78411f1e0b4be1a2c013325afb3c9aab68a24a");
    r.std[2] = 0.25;
    CHECK(strncmp(fovea_recipe_digest(&r).text,
                  "609aff8baee7bba5eacfd5460a78411f1e0b4be1a2c013325afb3c9aab68a24a", 64) != 0);
}

static void overlay__set_fields__replace_with_their_source(void) {
    struct fovea_recipe low, high = {0};
    struct fovea_error err;
    CHECK_OK(fovea_recipe_preset("timm", FOVEA_FROM_ARCHITECTURE, &low, &err), err);
    high.height = high.width = 480;
    high.source[FOVEA_RECIPE_SIZE] = FOVEA_FROM_FLAG;
    high.filter = FOVEA_FILTER_BOX; /* not set, so it must not count */
    fovea_recipe_overlay(&low, &high);
    CHECK(low.height == 480 && low.source[FOVEA_RECIPE_SIZE] == FOVEA_FROM_FLAG);
    CHECK(low.filter == FOVEA_FILTER_BICUBIC);
    CHECK(low.source[FOVEA_RECIPE_FILTER] == FOVEA_FROM_ARCHITECTURE);
    CHECK(low.crop_pct == 0.875 && low.mean[0] == 0.485 && low.std[2] == 0.225);
}

static void check__field_nobody_set__is_named(void) {
    struct fovea_recipe r;
    struct fovea_error err;
    CHECK_OK(fovea_recipe_preset("timm", FOVEA_FROM_PRESET, &r, &err), err);
    CHECK(fovea_recipe_check(&r, &err) == FOVEA_ERR_INVALID);
    CHECK_STR(err.message, "nothing says the recipe's size");
}

/* timm's round(255 * mean): 127.5 goes to the even 128. */
static void fill__not_set__is_the_mean_for_long_and_black_else(void) {
    struct fovea_recipe r;
    struct fovea_error err;
    uint8_t fill[3];
    CHECK_OK(fovea_recipe_preset("siglip", FOVEA_FROM_PRESET, &r, &err), err);
    fovea_recipe_get_fill(&r, fill);
    CHECK(fill[0] == 0);
    r.resize = FOVEA_RESIZE_LONG;
    fovea_recipe_get_fill(&r, fill);
    CHECK(fill[0] == 128);
    CHECK_OK(fovea_recipe_preset("timm", FOVEA_FROM_PRESET, &r, &err), err);
    r.resize = FOVEA_RESIZE_LONG;
    fovea_recipe_get_fill(&r, fill);
    CHECK(fill[0] == 124 && fill[1] == 116 && fill[2] == 104);
}

static void config__of_timm__test_values_win(void) {
    const char *text =
        "{\"architecture\": \"dm_nfnet_f0\", \"pretrained_cfg\": {\"input_size\": [3, 192, 192],"
        " \"test_input_size\": [3, 256, 256], \"crop_pct\": 0.9, \"crop_mode\": \"squash\","
        " \"interpolation\": \"bicubic\", \"mean\": [0.485, 0.456, 0.406],"
        " \"std\": [0.229, 0.224, 0.225], \"num_classes\": 1000}}";
    struct fovea_recipe r;
    struct fovea_error err;
    CHECK_OK(fovea_recipe_parse_config(text, strlen(text), FOVEA_FROM_CONFIG, &r, &err), err);
    CHECK_OK(fovea_recipe_check(&r, &err), err);
    CHECK(r.height == 256 && r.resize == FOVEA_RESIZE_SQUASH && r.crop_pct == 0.9);
    CHECK(r.source[FOVEA_RECIPE_MEAN] == FOVEA_FROM_CONFIG);
}

static void config__of_hugging_face__squash_or_short(void) {
    const char *squash = "{\"do_resize\": true, \"image_mean\": [0.5, 0.5, 0.5],"
                         " \"image_std\": [0.5, 0.5, 0.5], \"resample\": 2,"
                         " \"size\": {\"height\": 224, \"width\": 224}}";
    const char *crop =
        "{\"do_center_crop\": true, \"crop_size\": {\"height\": 224, \"width\": 224},"
        " \"image_mean\": [0.5, 0.5, 0.5], \"image_std\": [0.5, 0.5, 0.5],"
        " \"resample\": 3, \"size\": {\"shortest_edge\": 256}}";
    struct fovea_recipe r;
    struct fovea_error err;
    CHECK_OK(fovea_recipe_parse_config(squash, strlen(squash), FOVEA_FROM_CONFIG, &r, &err), err);
    CHECK(r.resize == FOVEA_RESIZE_SQUASH && r.height == 224 && r.crop_pct == 1.0);
    CHECK(r.filter == FOVEA_FILTER_BILINEAR);
    CHECK_OK(fovea_recipe_parse_config(crop, strlen(crop), FOVEA_FROM_CONFIG, &r, &err), err);
    CHECK(r.resize == FOVEA_RESIZE_SHORT && r.height == 224 && r.crop_pct == 0.875);
    CHECK(r.filter == FOVEA_FILTER_BICUBIC);
}

static void config__of_timm_without_mode__is_center_unless_the_architecture_s(void) {
    const char *old = "{\"architecture\": \"dm_nfnet_f1\", \"input_size\": [3, 224, 224],"
                      " \"crop_pct\": 0.91, \"interpolation\": \"bicubic\"}";
    const char *other = "{\"architecture\": \"vit_base_patch16_siglip_224\", \"pretrained_cfg\":"
                        " {\"input_size\": [3, 224, 224], \"crop_pct\": 0.9}}";
    struct fovea_recipe r;
    struct fovea_error err;
    CHECK_OK(fovea_recipe_parse_config(old, strlen(old), FOVEA_FROM_CONFIG, &r, &err), err);
    CHECK(r.resize == FOVEA_RESIZE_SQUASH && r.height == 224 && r.mean[0] == 0.485);
    CHECK(r.source[FOVEA_RECIPE_RESIZE] == FOVEA_FROM_ARCHITECTURE);
    CHECK_OK(fovea_recipe_parse_config(other, strlen(other), FOVEA_FROM_CONFIG, &r, &err), err);
    CHECK(r.resize == FOVEA_RESIZE_SHORT && r.source[FOVEA_RECIPE_RESIZE] == FOVEA_FROM_CONFIG);
}

static void config__of_hugging_face__classes_have_defaults(void) {
    const char *vit = "{\"image_processor_type\": \"ViTImageProcessor\", \"size\": 224,"
                      " \"do_normalize\": false}";
    const char *clip = "{\"feature_extractor_type\": \"CLIPFeatureExtractor\", \"size\": 224,"
                       " \"do_center_crop\": true, \"crop_size\": 224, \"image_mean\": 0.5}";
    const char *convnext = "{\"image_processor_type\": \"ConvNextImageProcessor\","
                           " \"size\": {\"shortest_edge\": 224}, \"crop_pct\": 0.875,"
                           " \"resample\": 3}";
    struct fovea_recipe r;
    struct fovea_error err;
    CHECK_OK(fovea_recipe_parse_config(vit, strlen(vit), FOVEA_FROM_CONFIG, &r, &err), err);
    CHECK(r.filter == FOVEA_FILTER_BILINEAR && r.resize == FOVEA_RESIZE_SQUASH);
    CHECK(r.mean[0] == 0 && r.std[0] == 1);
    CHECK_OK(fovea_recipe_parse_config(clip, strlen(clip), FOVEA_FROM_CONFIG, &r, &err), err);
    CHECK(r.filter == FOVEA_FILTER_BICUBIC && r.resize == FOVEA_RESIZE_SHORT);
    CHECK(r.crop_pct == 1 && r.crop_rounding == FOVEA_CROP_DOWN);
    CHECK_OK(fovea_recipe_parse_config(convnext, strlen(convnext), FOVEA_FROM_CONFIG, &r, &err),
             err);
    CHECK(r.resize == FOVEA_RESIZE_SHORT && r.crop_pct == 0.875 && r.height == 224);
}

static void config__of_hugging_face__other_scales_are_unsupported(void) {
    const char *text = "{\"image_mean\": 0.5, \"rescale_factor\": 0.00784}";
    struct fovea_recipe r;
    struct fovea_error err;
    CHECK(fovea_recipe_parse_config(text, strlen(text), FOVEA_FROM_CONFIG, &r, &err) ==
          FOVEA_ERR_UNSUPPORTED);
    CHECK_STR(err.message, "a preprocessor with a rescale_factor of 0.00784, not 1/255");
}

/* 384 of 438: a ratio that 15 digits cannot hold still gives 438. */
static void config__of_hugging_face__sizes_are_exact(void) {
    const char *text = "{\"do_center_crop\": true, \"crop_size\": 384, \"image_mean\": 0.5,"
                       " \"image_std\": 0.5, \"size\": {\"shortest_edge\": 438}}";
    struct fovea_recipe r;
    struct fovea_error err;
    char written[40];
    CHECK_OK(fovea_recipe_parse_config(text, strlen(text), FOVEA_FROM_CONFIG, &r, &err), err);
    CHECK((int)(r.height / r.crop_pct) == 438);
    snprintf(written, sizeof(written), "%.15g", r.crop_pct);
    CHECK(strtod(written, NULL) == r.crop_pct);
}

static void config__unrelated_object__sets_nothing(void) {
    const char *text = "{\"hidden_size\": 96, \"image_size\": 32}";
    struct fovea_recipe r;
    struct fovea_error err;
    CHECK_OK(fovea_recipe_parse_config(text, strlen(text), FOVEA_FROM_CONFIG, &r, &err), err);
    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
        CHECK(r.source[i] == FOVEA_FROM_NOWHERE);
    }
}

static void load__missing_file__says_which(void) {
    struct fovea_recipe r;
    struct fovea_error err;
    CHECK(fovea_recipe_load("no/such.json", FOVEA_FROM_FILE, &r, &err) == FOVEA_ERR_IO);
    CHECK_STR(err.message, "recipe no/such.json: cannot open the file: No such file or directory");
}

static const struct test tests[] = {
    TEST(parse__full_recipe__sets_every_field),
    TEST(parse__preset_and_keys__keys_win),
    TEST(parse__results_file__its_recipe_is_taken),
    TEST(parse__wrong_files__say_what_is_wrong),
    TEST(parse__not_json__names_line_and_column),
    TEST(preset__of_tensorflow__has_its_arithmetic),
    TEST(architecture__by_name__is_timm_s),
    TEST(overlay__margin__replaces_crop_pct_and_back),
    TEST(check__what_a_resampler_lacks__is_named),
    TEST(digest__of_siglip_at_384__is_of_the_documented_text),
    TEST(overlay__set_fields__replace_with_their_source),
    TEST(check__field_nobody_set__is_named),
    TEST(fill__not_set__is_the_mean_for_long_and_black_else),
    TEST(config__of_timm__test_values_win),
    TEST(config__of_hugging_face__squash_or_short),
    TEST(config__of_timm_without_mode__is_center_unless_the_architecture_s),
    TEST(config__of_hugging_face__classes_have_defaults),
    TEST(config__of_hugging_face__other_scales_are_unsupported),
    TEST(config__of_hugging_face__sizes_are_exact),
    TEST(config__unrelated_object__sets_nothing),
    TEST(load__missing_file__says_which),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
