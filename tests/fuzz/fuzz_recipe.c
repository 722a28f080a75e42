/*
 * Fuzzing the JSON that comes with models: recipe files, configuration of
 * timm and Hugging Face. Any bytes give a recipe that can be looked at, or
 * an error. The first byte chooses which.
 */
#include "loaders/arch_config.h"
#include "loaders/preprocess.h"
#include "loaders/recipe_file.h"
#include "tests/fuzz/fuzz_model.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct fovea_recipe *recipe) {
    struct fovea_geometry geometry;
    struct fovea_error err = {.message = ""};
    enum fovea_status st = fovea_recipe_check(recipe, &err);
    fuzz_check_error(st, &err);
    if (!st) {
        st = fovea_geometry_init(&geometry, recipe, 640, 333, &err);
        fuzz_check_error(st, &err);
        if (!st && (geometry.resized_width < 1 || geometry.resized_height < 1)) {
            abort();
        }
    }
    if (!fovea_recipe_digest(recipe).text[0]) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fovea_recipe recipe = {0};
    struct fovea_arch_hints hints = {0};
    struct fovea_error err = {.message = ""};
    unsigned choice = size > 0 ? data[0] % 3 : 0;
    const char *text = (const char *)data + (size > 0);
    size -= size > 0;
    enum fovea_status st =
        choice == 0   ? fovea_recipe_parse(text, size, FOVEA_FROM_FILE, &recipe, &err)
        : choice == 1 ? fovea_recipe_parse_config(text, size, FOVEA_FROM_CONFIG, &recipe, &err)
                      : fovea_arch_config_parse(text, size, &hints, &err);
    fuzz_check_error(st, &err);
    if (!st && choice < 2) {
        use(&recipe);
    }
    return 0;
}
