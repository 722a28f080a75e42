/* See stages.h. */
#include "tests/stages.h"

#include "tests/check.h"

#include <stdlib.h>
#include <string.h>

struct fovea_recipe timm_recipe(enum fovea_resize_mode mode, int height, int width,
                                double crop_pct) {
    struct fovea_recipe recipe = {0};
    struct fovea_error err;
    CHECK_OK(fovea_recipe_preset("timm", FOVEA_FROM_PRESET, &recipe, &err), err);
    recipe.resize = mode;
    recipe.height = height;
    recipe.width = width;
    recipe.crop_pct = crop_pct;
    recipe.source[FOVEA_RECIPE_SIZE] = FOVEA_FROM_FLAG;
    return recipe;
}

void stages_make(struct stages *stages, const struct fovea_recipe *recipe,
                 const struct fovea_image *decoded) {
    struct fovea_error err;
    *stages = (struct stages){0};
    CHECK_OK(fovea_preprocess_resize(recipe, decoded, &stages->resized, &err), err);
    CHECK_OK(fovea_preprocess_crop(recipe, decoded, &stages->resized, &stages->cropped, &err), err);
}

void stages_finish(struct stages *stages) {
    fovea_image_finish(&stages->resized);
    fovea_image_finish(&stages->cropped);
}

bool stages_agree(const struct stages *stages, const struct fovea_recipe *recipe,
                  const uint8_t *bytes, size_t size) {
    struct fovea_error err;
    size_t n = 3 * (size_t)recipe->width * (size_t)recipe->height;
    float *staged = calloc(n, sizeof(*staged)), *whole = calloc(n, sizeof(*whole));
    fovea_preprocess_normalize(recipe, &stages->cropped, staged);
    CHECK_OK(fovea_preprocess_jpeg(recipe, NULL, bytes, size, whole, NULL, &err), err);
    bool same = memcmp(staged, whole, n * sizeof(*staged)) == 0;
    free(staged);
    free(whole);
    return same;
}
