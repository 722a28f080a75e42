/*
 * Fuzzing JPEG decoding and preprocessing: any bytes give every number of the
 * model's input, or an error. The last byte chooses among options and recipes.
 * Images are small, so that there are many of them in a second: what large ones
 * do is in tests/jpegs.
 */
#include "loaders/preprocess.h"
#include "tests/fuzz/fuzz_model.h"

#include <stdlib.h>

enum { SIDE = 12, N_PIXELS = 3 * SIDE * SIDE };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Pillow's arithmetic, or TensorFlow's, with all ways of resizing. */
static void recipe_of(unsigned choice, struct fovea_recipe *out) {
    static struct fovea_recipe presets[2];
    if (!presets[0].width) {
        if (fovea_recipe_preset("timm", FOVEA_FROM_PRESET, &presets[0], NULL) ||
            fovea_recipe_preset("big-vision", FOVEA_FROM_PRESET, &presets[1], NULL)) {
            abort();
        }
        presets[0].width = presets[0].height = presets[1].width = presets[1].height = SIDE;
    }
    *out = presets[choice >> 7];
    out->resize = choice >> 7 ? out->resize : (enum fovea_resize_mode)(choice % 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fovea_recipe recipe;
    struct fovea_jpeg_options options;
    struct fovea_jpeg_report report;
    struct fovea_error err = {.message = ""};
    float pixels[N_PIXELS];
    unsigned choice = size > 0 ? data[size - 1] : 0;

    recipe_of(choice, &recipe);
    fovea_jpeg_options_default(&options);
    options.max_pixels = 1 << 14;
    options.max_memory = 4 << 20;
    options.max_scans = 20;
    options.allow_truncated = choice & 16;
    options.strict = choice & 32;
    options.exif_orientation = choice & 64;
    enum fovea_status st =
        fovea_preprocess_jpeg(&recipe, &options, data, size, pixels, &report, &err);
    fuzz_check_error(st, &err);
    /* A sum over all that was written: a sanitizer sees what was not. */
    volatile float sum = 0;
    for (size_t i = 0; !st && i < N_PIXELS; i++) {
        sum += pixels[i];
    }
    (void)sum;
    return 0;
}
