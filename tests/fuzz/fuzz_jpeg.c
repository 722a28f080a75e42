/*
 * Fuzzing JPEG decoding and preprocessing: any bytes give every number of the
 * model's input, or an error. The last byte chooses among options and recipes.
 */
#include "loaders/preprocess.h"

#include <stdlib.h>

enum { SIDE = 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fovea_recipe recipe;
    struct fovea_jpeg_options options;
    struct fovea_jpeg_report report;
    struct fovea_error err = {.message = ""};
    static float pixels[3 * SIDE * SIDE];
    unsigned choice = size > 0 ? data[size - 1] : 0;

    if (fovea_recipe_preset("timm", FOVEA_FROM_PRESET, &recipe, NULL)) {
        abort();
    }
    recipe.width = recipe.height = SIDE;
    recipe.resize = (enum fovea_resize_mode)(choice % 3);
    fovea_jpeg_options_default(&options);
    options.max_pixels = 1 << 18;
    options.max_memory = 16 << 20;
    options.max_scans = 20;
    options.allow_truncated = choice & 16;
    options.strict = choice & 32;
    options.exif_orientation = choice & 64;
    enum fovea_status st =
        fovea_preprocess_jpeg(&recipe, &options, data, size, pixels, &report, &err);
    if (st && (err.status != st || !err.message[0])) {
        abort();
    }
    /* A sum over all that was written: a sanitizer sees what was not. */
    volatile float sum = 0;
    for (size_t i = 0; !st && i < sizeof(pixels) / sizeof(pixels[0]); i++) {
        sum += pixels[i];
    }
    (void)sum;
    return 0;
}
