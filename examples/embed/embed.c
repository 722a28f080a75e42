/*
 * embed MODEL IMAGE.jpg: a client of libfovea, C11 and C++. Prints the likeliest classes.
 *
 *     cc embed.c $(pkg-config --cflags --libs fovea) -o embed
 */
#include <fovea.h>

#include <stdio.h>

int main(int argc, char **argv) {
    static unsigned char bytes[64 << 20]; /* as much as a JPEG may have */
    struct fovea_model *model = NULL;
    struct fovea_classifier *classifier = NULL;
    struct fovea_result best[5];
    struct fovea_error err;
    size_t n = 0;
    FILE *file = argc == 3 ? fopen(argv[2], "rb") : NULL;
    if (!file) {
        fprintf(stderr, "usage: embed MODEL IMAGE.jpg\n");
        return 2;
    }
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    int failed = fovea_model_load(argv[1], NULL, &model, &err) ||
                 fovea_classifier_create(model, NULL, &classifier, &err) ||
                 fovea_classify_jpeg(classifier, bytes, size, 5, best, &n, NULL, &err);
    for (size_t i = 0; i < n; i++) {
        printf("class %d, logit %.4f, %.2f %%, %s\n", best[i].class_index, (double)best[i].logit,
               100 * best[i].probability, best[i].label ? best[i].label : "no name");
    }
    if (failed) {
        fprintf(stderr, "embed: %s\n", err.message);
    }
    fclose(file);
    fovea_classifier_destroy(classifier);
    fovea_model_destroy(model);
    return failed;
}
