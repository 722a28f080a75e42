/*
 * How long Fovea takes to make JPEGs a model's input: for tests/bench/preprocess.
 *
 *     bench_preprocess ROUNDS SIZE CROP_PCT FILE...
 *
 * One thread, squash, bicubic, ImageNet's mean. Prints as JSON the least
 * milliseconds an image over the rounds: decode alone, and all of it.
 */
#include "loaders/preprocess.h"
#include "loaders/file.h"
#include "runtime/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct work {
    struct fovea_recipe recipe;
    float *out;
    double decode_s, whole_s; /* of one round */
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static enum fovea_status measure(struct work *work, const char *path, struct fovea_error *err) {
    uint8_t *bytes = NULL;
    size_t size;
    struct fovea_image image = {0};
    double start = now();
    enum fovea_status status =
        fovea_file_read(path, FOVEA_LIMIT_IMAGE_BYTES, &bytes, &size, NULL, err);
    if (!status) {
        status = fovea_preprocess_jpeg(&work->recipe, NULL, bytes, size, work->out, NULL, err);
    }
    double middle = now();
    if (!status) {
        status = fovea_jpeg_decode(bytes, size, NULL, &image, NULL, err);
    }
    work->whole_s += middle - start;
    work->decode_s += now() - middle;
    fovea_image_finish(&image);
    free(bytes);
    return status;
}

static enum fovea_status prepare(struct work *work, int size, double crop_pct,
                                 struct fovea_error *err) {
    enum fovea_status status = fovea_recipe_preset("timm", FOVEA_FROM_PRESET, &work->recipe, err);
    work->recipe.resize = FOVEA_RESIZE_SQUASH;
    work->recipe.height = work->recipe.width = size;
    work->recipe.crop_pct = crop_pct;
    work->recipe.source[FOVEA_RECIPE_SIZE] = FOVEA_FROM_FLAG;
    status = status ? status : fovea_recipe_check(&work->recipe, err);
    work->out = status ? NULL : calloc(3 * (size_t)size * (size_t)size, sizeof(*work->out));
    return status || work->out ? status : fovea_fail_memory(err, (size_t)size, "a tensor");
}

int main(int argc, char **argv) {
    struct work work = {.out = NULL};
    struct fovea_error err = {.message = "bench_preprocess ROUNDS SIZE CROP_PCT FILE..."};
    double best_decode = 1e9, best_whole = 1e9;
    int n_files = argc - 4;
    if (n_files < 1 || prepare(&work, atoi(argv[2]), atof(argv[3]), &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 2;
    }
    for (int round = 0; round < atoi(argv[1]); round++) {
        work.decode_s = work.whole_s = 0;
        for (int i = 4; i < argc; i++) {
            if (measure(&work, argv[i], &err)) {
                fprintf(stderr, "%s: %s\n", argv[i], err.message);
                return 1;
            }
        }
        best_decode = work.decode_s < best_decode ? work.decode_s : best_decode;
        best_whole = work.whole_s < best_whole ? work.whole_s : best_whole;
    }
    printf("{\"decode_ms\": %.4f, \"whole_ms\": %.4f}\n", best_decode / n_files * 1e3,
           best_whole / n_files * 1e3);
    free(work.out);
    return 0;
}
