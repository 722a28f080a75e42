/*
 * What is known about preprocessing by name: protocols, and timm's
 * architectures. See recipe.h; docs/recipes.md has the sources.
 */
#include "loaders/recipe.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define IMAGENET_MEAN                                                                              \
    { 0.485, 0.456, 0.406 }
#define IMAGENET_STD                                                                               \
    { 0.229, 0.224, 0.225 }
#define CLIP_MEAN                                                                                  \
    { 0.48145466, 0.4578275, 0.40821073 }
#define CLIP_STD                                                                                   \
    { 0.26862954, 0.26130258, 0.27577711 }
#define HALF                                                                                       \
    { 0.5, 0.5, 0.5 }
#define TORCHVISION                                                                                \
    {                                                                                              \
        .resize = FOVEA_RESIZE_SHORT, .crop_pct = 0.875, .filter = FOVEA_FILTER_BILINEAR,          \
        .mean = IMAGENET_MEAN, .std = IMAGENET_STD                                                 \
    }

struct preset {
    const char *name; /* of an architecture: a pattern, as fnmatch has them */
    struct fovea_recipe recipe;
};

static const struct preset presets[] = {
    /* What timm assumes of a model that says nothing (DEFAULT_CROP_PCT, bicubic). */
    {"timm",
     {.resize = FOVEA_RESIZE_SHORT,
      .crop_pct = 0.875,
      .filter = FOVEA_FILTER_BICUBIC,
      .mean = IMAGENET_MEAN,
      .std = IMAGENET_STD}},
    /* The evaluation of torchvision's reference scripts: short side 256, crop 224. */
    {"torchvision", TORCHVISION},
    /* The same by the name it had first. */
    {"imagenet", TORCHVISION},
    /* Hugging Face's SiglipImageProcessor, and timm's fine-tuned SigLIP checkpoints. */
    {"siglip",
     {.resize = FOVEA_RESIZE_SQUASH,
      .crop_pct = 1.0,
      .filter = FOVEA_FILTER_BICUBIC,
      .mean = HALF,
      .std = HALF}},
    /* nfnets/dataset.py, eval_preproc='resize_crop_32': size + 32, squashed, then the centre. */
    {"deepmind",
     {.resize = FOVEA_RESIZE_SQUASH,
      .margin = 32,
      .filter = FOVEA_FILTER_BICUBIC,
      .mean = IMAGENET_MEAN,
      .std = IMAGENET_STD,
      .resampler = FOVEA_RESAMPLER_TENSORFLOW,
      .pixels = FOVEA_PIXELS_FLOAT,
      .crop_rounding = FOVEA_CROP_UP,
      .dct = FOVEA_DCT_FAST}},
    /* decode|resize_small(256)|central_crop(224)|value_range(-1,1) */
    {"big-vision",
     {.resize = FOVEA_RESIZE_SHORT,
      .crop_pct = 0.875,
      .filter = FOVEA_FILTER_AREA,
      .mean = HALF,
      .std = HALF,
      .resampler = FOVEA_RESAMPLER_TENSORFLOW,
      .crop_rounding = FOVEA_CROP_DOWN,
      .dct = FOVEA_DCT_FAST}},
    /* decode|resize_small(448)|central_crop(384)|value_range(-1,1) */
    {"big-vision-transfer",
     {.resize = FOVEA_RESIZE_SHORT,
      .crop_pct = 0.857142857142857, /* 6/7 in the 15 digits of results */
      .filter = FOVEA_FILTER_AREA,
      .mean = HALF,
      .std = HALF,
      .resampler = FOVEA_RESAMPLER_TENSORFLOW,
      .crop_rounding = FOVEA_CROP_DOWN,
      .dct = FOVEA_DCT_FAST}},
    /* decode|resize(S)|value_range(-1,1): BiT's, and Big Vision's own SigLIP evaluations. */
    {"big-vision-squash",
     {.resize = FOVEA_RESIZE_SQUASH,
      .crop_pct = 1.0,
      .filter = FOVEA_FILTER_BILINEAR,
      .mean = HALF,
      .std = HALF,
      .resampler = FOVEA_RESAMPLER_TENSORFLOW,
      .crop_rounding = FOVEA_CROP_DOWN,
      .dct = FOVEA_DCT_FAST}},
};

static const char preset_names[] = "timm, torchvision, imagenet, siglip, deepmind, big-vision, "
                                   "big-vision-transfer, big-vision-squash";

/* ---- timm's architectures ---------------------------------------------------- */

/*
 * The default_cfg of timm 1.0 by name; the first pattern that fits. Where no
 * size is given it is the number at the end of the name, or before its tag.
 * All filter bicubic. Names whose recipe depends on a tag they may lack are
 * left out: no knowledge is better than the wrong one.
 */
struct architecture {
    const char *pattern;
    int size;
    enum fovea_resize_mode resize;
    double crop_pct;
    enum { IMAGENET, HALVES, CLIP } normalization;
};

static const struct architecture architectures[] = {
    {"dm_nfnet_f0*", 256, FOVEA_RESIZE_SQUASH, 0.9, IMAGENET},
    {"dm_nfnet_f1*", 320, FOVEA_RESIZE_SQUASH, 0.91, IMAGENET},
    {"dm_nfnet_f2*", 352, FOVEA_RESIZE_SQUASH, 0.92, IMAGENET},
    {"dm_nfnet_f3*", 416, FOVEA_RESIZE_SQUASH, 0.94, IMAGENET},
    {"dm_nfnet_f4*", 512, FOVEA_RESIZE_SQUASH, 0.951, IMAGENET},
    {"dm_nfnet_f5*", 544, FOVEA_RESIZE_SQUASH, 0.954, IMAGENET},
    {"dm_nfnet_f6*", 576, FOVEA_RESIZE_SQUASH, 0.956, IMAGENET},
    {"nfnet_f0", 256, FOVEA_RESIZE_SHORT, 0.9, IMAGENET},
    {"nfnet_f1", 320, FOVEA_RESIZE_SHORT, 0.9, IMAGENET},
    {"nfnet_f2", 352, FOVEA_RESIZE_SHORT, 0.9, IMAGENET},
    {"nfnet_f3", 416, FOVEA_RESIZE_SHORT, 0.9, IMAGENET},
    {"nfnet_f4", 512, FOVEA_RESIZE_SHORT, 0.9, IMAGENET},
    {"nfnet_f5", 544, FOVEA_RESIZE_SHORT, 0.9, IMAGENET},
    {"nfnet_f6", 576, FOVEA_RESIZE_SHORT, 0.9, IMAGENET},
    {"nfnet_f7", 608, FOVEA_RESIZE_SHORT, 0.9, IMAGENET},
    {"vit_*_siglip_*", 0, FOVEA_RESIZE_SQUASH, 1.0, HALVES},
    {"vit_*_patch14_clip_224.laion2b*", 224, FOVEA_RESIZE_SHORT, 1.0, CLIP},
    {"vit_giant_patch14_clip_224*", 224, FOVEA_RESIZE_SHORT, 1.0, CLIP},
    {"vit_gigantic_patch14_clip_224*", 224, FOVEA_RESIZE_SHORT, 1.0, CLIP},
    {"vit_*_dinov2*", 518, FOVEA_RESIZE_SHORT, 1.0, IMAGENET},
    {"vit_*_patch*_224.dino", 224, FOVEA_RESIZE_SHORT, 0.9, IMAGENET},
    {"vit_*_patch*_224.mae", 224, FOVEA_RESIZE_SHORT, 0.9, IMAGENET},
    {"vit_[a-z]*_patch[0-9]_224*", 224, FOVEA_RESIZE_SHORT, 0.9, HALVES},
    {"vit_[a-z]*_patch[0-9][0-9]_224*", 224, FOVEA_RESIZE_SHORT, 0.9, HALVES},
    {"vit_[a-z]*_patch[0-9][0-9]_384*", 384, FOVEA_RESIZE_SHORT, 1.0, HALVES},
};

/* Names that the patterns fit, with other recipes; timm 1.0 has no more of them. */
static const char *const strangers[] = {
    "vit_base_patch16_224_miil*",
    "vit_large_patch14_clip_224.laion2b*", /* halves, unlike its sisters */
};

static bool fits(const char *pattern, const char *name) {
    return fnmatch(pattern, name, 0) == 0;
}

/* The number that ends the name, which begins with "vit_", its tag aside; 0 for none. */
static int size_in(const char *name) {
    size_t end = strcspn(name, ".");
    size_t start = end;
    while (name[start - 1] >= '0' && name[start - 1] <= '9') {
        start--;
    }
    bool is_size = name[start - 1] == '_' && end - start >= 2 && end - start <= 4;
    return is_size ? (int)strtol(name + start, NULL, 10) : 0;
}

static void all_from(struct fovea_recipe *recipe, enum fovea_recipe_source source) {
    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
        recipe->source[i] = source;
    }
    recipe->source[FOVEA_RECIPE_FILL] = FOVEA_FROM_NOWHERE;
    if (recipe->height == 0) {
        recipe->source[FOVEA_RECIPE_SIZE] = FOVEA_FROM_NOWHERE;
    }
}

static void normalize_by(const struct architecture *a, struct fovea_recipe *recipe) {
    static const double means[][3] = {IMAGENET_MEAN, HALF, CLIP_MEAN};
    static const double stds[][3] = {IMAGENET_STD, HALF, CLIP_STD};
    memcpy(recipe->mean, means[a->normalization], sizeof(recipe->mean));
    memcpy(recipe->std, stds[a->normalization], sizeof(recipe->std));
}

bool fovea_recipe_architecture(const char *name, enum fovea_recipe_source source,
                               struct fovea_recipe *out) {
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        if (fits(strangers[i], name)) {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof(architectures) / sizeof(architectures[0]); i++) {
        const struct architecture *a = &architectures[i];
        if (!fits(a->pattern, name)) {
            continue;
        }
        struct fovea_recipe recipe = {.resize = a->resize, .crop_pct = a->crop_pct};
        recipe.filter = FOVEA_FILTER_BICUBIC;
        recipe.height = recipe.width = a->size ? a->size : size_in(name);
        normalize_by(a, &recipe);
        all_from(&recipe, source);
        *out = recipe;
        return true;
    }
    return false;
}

/* ---- by any name ---------------------------------------------------------------- */

enum fovea_status fovea_recipe_preset(const char *name, enum fovea_recipe_source source,
                                      struct fovea_recipe *out, struct fovea_error *err) {
    for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
        if (strcmp(presets[i].name, name) == 0) {
            *out = presets[i].recipe;
            all_from(out, source);
            return FOVEA_OK;
        }
    }
    if (fovea_recipe_architecture(name, source, out)) {
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_INVALID,
                      "no preset '%s'; there are %s, and timm's names of NFNets and ViTs",
                      fovea_quote(name).text, preset_names);
}
