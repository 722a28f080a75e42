/*
 * Recipes and configurations whose values are odd, one by one: what is refused, in which words,
 * and what is taken.
 */
#include "loaders/arch_config.h"
#include "loaders/recipe_file.h"
#include "tests/check.h"

#include <stdio.h>
#include <string.h>

typedef enum fovea_status parse_fn(const char *text, size_t size, enum fovea_recipe_source source,
                                   struct fovea_recipe *out, struct fovea_error *err);

/* A text, and the start of what is said of it; NULL if it is taken. */
struct row {
    const char *text, *message;
};

static void check_rows(parse_fn *parse, const struct row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct fovea_recipe r;
        struct fovea_error err = {.message = ""};
        enum fovea_status st = parse(rows[i].text, strlen(rows[i].text), FOVEA_FROM_FILE, &r, &err);
        const char *want = rows[i].message ? rows[i].message : "";
        if (!st != !rows[i].message || strncmp(err.message, want, strlen(want)) != 0) {
            check_failed(__FILE__, __LINE__, rows[i].text, err.message);
        }
    }
}

static void recipe__odd_values__are_refused_in_words(void) {
    static const struct row rows[] = {
        {"{\"filter\": 3}", "\"filter\" is an integer; it must be a string"},
        {"{\"filter\": null, \"margin\": null, \"size\": null}", NULL},
        {"{\"preset\": 3}", "\"preset\" is an integer; it must be a string"},
        {"{\"recipe\": 3}", "unknown key 'recipe'"},
        {"{\"size\": 16384}", NULL},
        {"{\"size\": 16385}", "size 16385 is outside 1..16384"},
        {"{\"size\": [0, 1]}", "size 0 is outside 1..16384"},
        {"{\"size\": [1, true]}", "\"size\" is true; it must be"},
        {"{\"size\": [1, 2.5]}", "\"size\" is a number; it must be"},
        {"{\"crop_pct\": \"1\"}", "\"crop_pct\" is a string; it must be a number"},
        {"{\"crop_pct\": true}", "\"crop_pct\" is true; it must be a number"},
        {"{\"crop_pct\": 1}", NULL},
        {"{\"crop_pct\": 2.5}", "crop_pct 2.5 is outside 0.01..2"},
        {"{\"crop_pct\": 0.5, \"margin\": null}", NULL},
        {"{\"crop_pct\": 1, \"margin\": 1}", "crop_pct and margin exclude each other"},
        {"{\"crop_pct\": 1, \"margin\": 1.5}", "crop_pct and margin exclude each other"},
        {"{\"crop_pct\": \"1\", \"margin\": 1}", "\"crop_pct\" is a string"},
        {"{\"margin\": \"1\"}", "\"margin\" is a string; it must be an integer"},
        {"{\"margin\": 16385}", "margin 16385 is outside 0..16384"},
        {"{\"mean\": 1}", NULL},
        {"{\"mean\": false}", "\"mean\" is false; it must be a number or an array of three"},
        {"{\"mean\": {}}", "\"mean\" is an object; it must be a number or an array of three"},
        {"{\"mean\": [0, 1, \"x\"]}", "\"mean\" is a string; it must be a number or an array"},
        {"{\"mean\": [0, 1, []]}", "\"mean\" is an array; it must be a number or an array"},
        {"{\"mean\": -0.5}", "mean -0.5 is outside 0..1"},
        {"{\"std\": [1, 1, null]}", "\"std\" is null; it must be a number or an array"},
        {"{\"std\": 2}", "std 2 is outside 1e-6..1"},
        {"{\"fill\": -1}", "fill -1 is no whole number in 0..255"},
        {"{\"fill\": [1, 0.5, 1]}", "fill 0.5 is no whole number in 0..255"},
        {"{\"fill\": \"black\"}", "\"fill\" is a string"},
        {"3", "line 1, column 1: not JSON"},
    };
    check_rows(fovea_recipe_parse, rows, sizeof(rows) / sizeof(rows[0]));
}

/* The keys of timm's pretrained_cfg. */
static void timm_config__odd_values__are_refused_or_passed_over(void) {
    static const struct row rows[] = {
        {"{\"input_size\": [3, 224, 224], \"crop_mode\": \"tile\"}", "\"crop_mode\" is 'tile'"},
        {"{\"input_size\": [3, 224, 224], \"crop_mode\": \"border\"}", NULL},
        {"{\"input_size\": [3, 224, 224], \"crop_mode\": 3, \"crop_pct\": 0.9}", NULL},
        {"{\"input_size\": [224, 224], \"crop_pct\": 0.9}", NULL},
        {"{\"input_size\": [3, 0, 224]}", "size 0 is outside"},
        {"{\"input_size\": [3, 224, \"x\"]}", "\"size\" is a string"},
        {"{\"input_size\": [3, 224, 224], \"interpolation\": \"cubic\"}", "\"filter\" is 'cubic'"},
        {"{\"input_size\": [3, 224, 224], \"crop_pct\": 7}", "crop_pct 7 is outside"},
        {"{\"input_size\": [3, 224, 224], \"test_crop_pct\": 1}", NULL},
        {"{\"input_size\": [3, 224, 224], \"test_crop_pct\": 0.5}", NULL},
        {"{\"input_size\": [3, 224, 224], \"test_crop_pct\": \"x\", \"crop_pct\": 1}", NULL},
        {"{\"pretrained_cfg\": {\"input_size\": 224}}", NULL},
        {"{\"pretrained_cfg\": {\"crop_pct\": 0.9}}", NULL},
        {"{\"pretrained_cfg\": 3, \"input_size\": 3}", NULL},
        {"{\"architecture\": \"resnet50\", \"pretrained_cfg\": []}", NULL},
        {"[]", "not an object"},
    };
    check_rows(fovea_recipe_parse_config, rows, sizeof(rows) / sizeof(rows[0]));
}

/* The keys of Hugging Face's image processors. */
static void hf_config__odd_values__are_refused_or_passed_over(void) {
    static const struct row rows[] = {
        {"{\"image_mean\": 0.5, \"do_resize\": false}", "a preprocessor without do_resize"},
        {"{\"image_mean\": 0.5, \"do_rescale\": false}", "a preprocessor without do_rescale"},
        {"{\"image_mean\": 0.5, \"do_rescale\": true, \"do_resize\": true}", NULL},
        {"{\"image_mean\": 0.5, \"rescale_factor\": 1}", "a preprocessor with a rescale_factor"},
        {"{\"image_mean\": 0.5, \"rescale_factor\": \"x\"}", NULL},
        {"{\"image_mean\": 0.5, \"rescale_factor\": 0.00392156862745098}", NULL},
        {"{\"image_mean\": 2}", "mean 2 is outside"},
        {"{\"image_mean\": 0.5, \"image_std\": 0}", "std 0 is outside"},
        {"{\"image_mean\": 0.5, \"resample\": 5}", "\"resample\" is 5; known are 0..4"},
        {"{\"image_mean\": 0.5, \"resample\": -1}", "\"resample\" is -1; known are 0..4"},
        {"{\"image_mean\": 0.5, \"resample\": \"bicubic\"}", NULL},
        {"{\"image_processor_type\": \"SiglipImageProcessor\", \"do_normalize\": true}", NULL},
        {"{\"image_processor_type\": \"DeiTImageProcessor\"}", NULL},
        {"{\"image_mean\": 0.5, \"size\": {}}", "a preprocessor whose output size is not fixed"},
        {"{\"image_mean\": 0.5, \"size\": {\"height\": 9}}", "a preprocessor whose output size"},
        {"{\"image_mean\": 0.5, \"size\": \"x\"}", "a preprocessor whose output size"},
        {"{\"image_mean\": 0.5, \"size\": {\"height\": 0, \"width\": 9}}", "size 0 is outside"},
        {"{\"image_mean\": 0.5, \"size\": {\"height\": 9, \"width\": 0}}", "size 0 is outside"},
        {"{\"image_mean\": 0.5, \"size\": 224, \"do_center_crop\": true}",
         "a preprocessor whose output size is not fixed"},
        {"{\"image_mean\": 0.5, \"size\": 256, \"do_center_crop\": true, \"crop_size\": 224}",
         NULL},
        {"{\"image_mean\": 0.5, \"size\": {\"height\": 256, \"width\": 256}, "
         "\"do_center_crop\": true, \"crop_size\": 224}",
         NULL},
        {"{\"image_mean\": 0.5, \"size\": {\"shortest_edge\": 0}, \"do_center_crop\": true, "
         "\"crop_size\": 224}",
         "size 0 is outside"},
        {"{\"image_mean\": 0.5, \"size\": {}, \"do_center_crop\": true, \"crop_size\": 224}",
         "\"size\" is missing; it must be an integer"},
        {"{\"image_mean\": 0.5, \"size\": 224, \"do_center_crop\": false}", NULL},
        {"{\"image_mean\": 0.5, \"size\": {\"shortest_edge\": 0}, \"crop_pct\": 0.9}",
         "size 0 is outside"},
        {"{\"image_mean\": 0.5, \"size\": {\"shortest_edge\": 384}, \"crop_pct\": 0.9}", NULL},
        {"{\"image_mean\": 0.5, \"size\": {\"shortest_edge\": 224}, \"crop_pct\": 9}",
         "crop_pct 9 is outside"},
        {"{\"image_mean\": 0.5, \"size\": {\"shortest_edge\": 224}, \"crop_pct\": 1}", NULL},
        {"{\"image_mean\": 0.5, \"size\": {\"shortest_edge\": 224}, \"crop_pct\": \"x\"}",
         "a preprocessor whose output size"},
    };
    check_rows(fovea_recipe_parse_config, rows, sizeof(rows) / sizeof(rows[0]));
}

/* 15 digits of 7 / 11 make 11.0000000000001 of 7; the digit below makes 11 of it. */
static void hf_config__any_size_and_crop__gives_the_size_again(void) {
    for (int size = 1; size < 60; size++) {
        for (int edge = size; edge < 2 * size; edge++) {
            char text[200];
            struct fovea_recipe r;
            struct fovea_error err;
            snprintf(text, sizeof(text),
                     "{\"do_center_crop\": true, \"crop_size\": %d, \"image_mean\": 0.5, "
                     "\"size\": {\"shortest_edge\": %d}}",
                     size, edge);
            CHECK_OK(fovea_recipe_parse_config(text, strlen(text), FOVEA_FROM_CONFIG, &r, &err),
                     err);
            CHECK((int)(r.height / r.crop_pct) == edge);
        }
    }
}

/* A recipe whose fields were set by a program, not read. */
static void recipe__each_field_out_of_its_range__is_refused(void) {
    static const struct {
        struct fovea_recipe r;
        const char *message; /* NULL: it is taken */
    } rows[] = {
        {{.height = 9, .width = 9, .crop_pct = 1, .std = {1, 1, 1}}, NULL},
        {{.height = 9, .width = 9, .margin = 16384, .std = {1, 1, 1}}, NULL},
        {{.height = 0, .width = 9, .crop_pct = 1, .std = {1, 1, 1}}, "size 0 is outside 1..16384"},
        {{.height = 9, .width = -1, .crop_pct = 1, .std = {1, 1, 1}}, "size -1 is outside"},
        {{.height = 9, .width = 9, .crop_pct = 3, .std = {1, 1, 1}}, "crop_pct 3 is outside"},
        {{.height = 9, .width = 9, .margin = -1, .std = {1, 1, 1}}, "margin -1 is outside"},
        {{.height = 9, .width = 9, .mean = {0, 2}, .std = {1, 1, 1}}, "mean 2 is outside"},
        {{.height = 9, .width = 9, .std = {1, 0, 1}}, "std 0 is outside"},
        {{.height = 9, .width = 8, .std = {1, 1, 1}, .resize = FOVEA_RESIZE_SHORT},
         "resize short with resampler tensorflow needs a square size, not 9x8"},
        {{.height = 9, .width = 9, .std = {1, 1, 1}, .resize = FOVEA_RESIZE_SHORT}, NULL},
        {{.height = 9, .width = 8, .std = {1, 1, 1}, .resize = FOVEA_RESIZE_SQUASH}, NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fovea_recipe r = rows[i].r;
        struct fovea_error err = {.message = ""};
        r.resampler = FOVEA_RESAMPLER_TENSORFLOW;
        r.filter = FOVEA_FILTER_AREA;
        for (int field = 0; field < FOVEA_RECIPE_N_FIELDS; field++) {
            r.source[field] = FOVEA_FROM_FLAG;
        }
        enum fovea_status st = fovea_recipe_check(&r, &err);
        const char *want = rows[i].message ? rows[i].message : "";
        if (st != (rows[i].message ? FOVEA_ERR_INVALID : FOVEA_OK) ||
            strncmp(err.message, want, strlen(want)) != 0) {
            check_failed(__FILE__, __LINE__, want, err.message);
        }
    }
}

/* Sizes in names of timm's architectures that have no other. */
static void architecture__name_with_a_size__is_that_size(void) {
    static const struct {
        const char *name;
        int size;
    } rows[] = {
        {"vit_base_patch16_siglip_224", 224},     {"vit_base_patch16_siglip_384.webli", 384},
        {"vit_so400m_patch14_siglip_1024", 1024}, {"vit_base_patch16_siglip_12345", 0},
        {"vit_base_patch16_siglip_7", 0},         {"vit_base_patch16_siglip_", 0},
        {"vit_base_patch16_siglip_gap-224", 0},   {"vit_base_siglip_x224", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fovea_recipe r = {0};
        CHECK(fovea_recipe_architecture(rows[i].name, FOVEA_FROM_ARCHITECTURE, &r));
        bool known = r.source[FOVEA_RECIPE_SIZE] == FOVEA_FROM_ARCHITECTURE;
        if (r.height != rows[i].size || r.width != rows[i].size || known != (rows[i].size > 0)) {
            check_failed(__FILE__, __LINE__, rows[i].name, "has another size");
        }
    }
}

/* ---- networks ------------------------------------------------------------------------ */

static struct fovea_arch_hints hints_of(const char *text) {
    struct fovea_arch_hints hints = {0};
    struct fovea_error err;
    CHECK_OK(fovea_arch_config_parse(text, strlen(text), &hints, &err), err);
    return hints;
}

/* Names and arguments of timm's models, as vision_transformer.py and nfnet.py have them. */
static void arch_config__of_timm__names_and_arguments(void) {
    struct fovea_arch_hints h =
        hints_of("{\"architecture\": \"vit_so400m_patch16_siglip_384\", \"global_pool\": \"map\"}");
    CHECK(h.heads == 16 && h.gelu_tanh == FOVEA_YES && h.head == FOVEA_HEAD_MAP);
    h = hints_of("{\"architecture\": \"vit_tiny_patch16_224\", \"model_args\": "
                 "{\"num_heads\": 4, \"global_pool\": \"avg\", \"img_size\": 32}}");
    CHECK(h.heads == 4 && h.head == FOVEA_HEAD_GAP && h.height == 32 && h.width == 32);
    h = hints_of("{\"architecture\": \"vit_x\", \"model_args\": {\"embed_dim\": 64}}");
    CHECK(h.heads == 0);
    h = hints_of("{\"architecture\": \"vit_x\", \"global_pool\": \"token\"}");
    CHECK(h.heads == 0 && h.head == FOVEA_HEAD_TOKEN);
    h = hints_of("{\"architecture\": \"vit_x\", \"model_args\": {\"num_heads\": 99999}}");
    CHECK(h.heads == 0);
    h = hints_of("{\"architecture\": \"nfnet_f0\", \"pretrained_cfg\": "
                 "{\"input_size\": [3, 192, 192], \"test_input_size\": [3, 256, 224]}}");
    CHECK(h.gamma_in_weights == FOVEA_YES && h.height == 256 && h.width == 224);
    h = hints_of("{\"architecture\": \"dm_nfnet_f0\", \"pretrained_cfg\": "
                 "{\"input_size\": [3, 192, 192]}}");
    CHECK(h.gamma_in_weights == FOVEA_NO && h.height == 192);
    h = hints_of("{\"hidden_size\": 3}");
    CHECK(h.heads == 0 && h.height == 0);
}

/* Sizes that are none leave the size open. */
static void arch_config__odd_sizes__are_passed_over(void) {
    static const char *const sizes[] = {"[32]",       "[0, 32]",     "[32, 0]", "[32, 99999]",
                                        "[99999, 3]", "\"32\"",      "-1",      "99999",
                                        "[]",         "[32, \"x\"]", "{}"};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char text[100];
        snprintf(text, sizeof(text), "{\"model_type\": \"vit\", \"image_size\": %s}", sizes[i]);
        struct fovea_arch_hints h = hints_of(text);
        if (h.height != 0 || h.width != 0) {
            check_failed(__FILE__, __LINE__, "no size", sizes[i]);
        }
    }
}

static void arch_config__of_transformers__class_and_activation(void) {
    struct fovea_error err = {.message = ""};
    struct fovea_arch_hints h =
        hints_of("{\"model_type\": \"siglip\", \"architectures\": [\"SiglipModel\"], "
                 "\"vision_config\": {\"hidden_act\": \"gelu_pytorch_tanh\", "
                 "\"layer_norm_eps\": 1e-6, \"num_attention_heads\": 2}}");
    CHECK(h.head == FOVEA_HEAD_MAP && h.gelu_tanh == FOVEA_YES && h.heads == 2);
    CHECK(h.norm_eps == 1e-6);
    h = hints_of("{\"model_type\": \"siglip\", \"architectures\": "
                 "[\"SiglipForImageClassification\"], \"layer_norm_eps\": 1, "
                 "\"vision_config\": 3}");
    CHECK(h.head == FOVEA_HEAD_GAP && h.norm_eps == 0 && h.gelu_tanh == FOVEA_OPEN);
    h = hints_of("{\"model_type\": \"vit\", \"architectures\": [\"ViTModel\"], "
                 "\"hidden_act\": \"gelu\", \"layer_norm_eps\": -1}");
    CHECK(h.gelu_tanh == FOVEA_NO && h.norm_eps == 0);
    const char *relu = "{\"model_type\": \"vit\", \"hidden_act\": \"relu\"}";
    CHECK(fovea_arch_config_parse(relu, strlen(relu), &h, &err) == FOVEA_ERR_UNSUPPORTED);
    CHECK_STR(err.message, "\"hidden_act\" is 'relu'; gelu and gelu_pytorch_tanh are supported");
    CHECK(fovea_arch_config_parse("{", 1, &h, &err) == FOVEA_ERR_FORMAT);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(recipe__odd_values__are_refused_in_words),
        TEST(timm_config__odd_values__are_refused_or_passed_over),
        TEST(hf_config__odd_values__are_refused_or_passed_over),
        TEST(recipe__each_field_out_of_its_range__is_refused),
        TEST(architecture__name_with_a_size__is_that_size),
        TEST(hf_config__any_size_and_crop__gives_the_size_again),
        TEST(arch_config__of_timm__names_and_arguments),
        TEST(arch_config__odd_sizes__are_passed_over),
        TEST(arch_config__of_transformers__class_and_activation),
    };
    return RUN_TESTS(tests, argc, argv);
}
