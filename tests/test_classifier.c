/*
 * The classifier of fovea.h on the models and images of examples/shapes, whose
 * logits PyTorch made (nfnet_shapes.reference.csv).
 */
#include "loaders/file.h"
#include "loaders/jpeg.h"
#include "loaders/mapped_file.h"
#include "runtime/limits.h"
#include "tests/check.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHAPES FOVEA_SOURCE_ROOT "/examples/shapes/"
static const char model_path[] = SHAPES "nfnet_shapes.onnx";

enum { CLASSES = 10, IMAGES = 5 };

/* Lines of the reference: path, label and class, then the logits. */
struct image {
    char path[512];
    uint8_t *bytes;
    size_t size;
    int best;
    float logits[CLASSES];
};

static bool read_image(char *line, struct image *image) {
    char *rest, *name = strtok_r(line, ",", &rest);
    strtok_r(NULL, ",", &rest);
    char *best = strtok_r(NULL, ",", &rest);
    for (int c = 0; best && c < CLASSES; c++) {
        char *logit = strtok_r(NULL, ",", &rest);
        image->logits[c] = logit ? strtof(logit, NULL) : NAN;
    }
    if (!best) {
        return false;
    }
    image->best = atoi(best);
    snprintf(image->path, sizeof(image->path), SHAPES "val/%s", name);
    return !fovea_file_read(image->path, FOVEA_LIMIT_IMAGE_BYTES, &image->bytes, &image->size, NULL,
                            NULL);
}

/* Every 19th image: of all kinds. */
static void read_images(struct image images[IMAGES]) {
    char line[1024];
    int n = 0, number = 0;
    FILE *file = fopen(SHAPES "nfnet_shapes.reference.csv", "r");
    CHECK(file && fgets(line, sizeof(line), file));
    while (file && n < IMAGES && fgets(line, sizeof(line), file)) {
        if (number++ % 19 == 0) {
            CHECK(read_image(line, &images[n++]));
        }
    }
    CHECK(n == IMAGES);
    if (file) {
        fclose(file);
    }
}

struct fixture {
    struct image images[IMAGES];
    struct fovea_model *model;
    struct fovea_classifier *classifier;
    struct fovea_error err;
};

static void setup(struct fixture *f, const struct fovea_classifier_options *options) {
    *f = (struct fixture){.model = NULL};
    read_images(f->images);
    CHECK_OK(fovea_model_load(model_path, NULL, &f->model, &f->err), f->err);
    CHECK_OK(fovea_classifier_create(f->model, options, &f->classifier, &f->err), f->err);
}

static void teardown(struct fixture *f) {
    fovea_classifier_destroy(f->classifier);
    fovea_model_destroy(f->model);
    for (int i = 0; i < IMAGES; i++) {
        free(f->images[i].bytes);
    }
}

static bool close_to(const float *logits, const struct image *image) {
    for (int c = 0; c < CLASSES; c++) {
        if (!(fabsf(logits[c] - image->logits[c]) < 2e-4f)) {
            return false;
        }
    }
    return true;
}

static void classify_jpeg__example_images__classes_and_logits_of_the_reference(void) {
    struct fixture f;
    setup(&f, NULL);
    for (int i = 0; i < IMAGES; i++) {
        const struct image *image = &f.images[i];
        struct fovea_result best[CLASSES + 1];
        float logits[CLASSES];
        double sum = 0;
        size_t n = 0;
        CHECK_OK(fovea_classify_jpeg(f.classifier, image->bytes, image->size, CLASSES + 1, best, &n,
                                     NULL, &f.err),
                 f.err);
        CHECK(n == CLASSES && best[0].class_index == image->best);
        for (size_t k = 0; k < n; k++) {
            logits[best[k].class_index] = best[k].logit;
            sum += best[k].probability;
            CHECK(best[k].label && (k == 0 || best[k].logit <= best[k - 1].logit));
        }
        CHECK(close_to(logits, image) && fabs(sum - 1) < 1e-12);
    }
    CHECK_STR(fovea_classifier_get_label(f.classifier, 0), "bricks");
    CHECK(!fovea_classifier_get_label(f.classifier, CLASSES));
    CHECK(fovea_classifier_n_classes(f.classifier) == CLASSES);
    CHECK(fovea_classifier_batch(f.classifier) == 1);
    teardown(&f);
}

/* All images at once, `batch` of them a run. */
static void expect_batches(int batch) {
    struct fovea_classifier_options options;
    struct fixture f;
    int width, height;
    float logits[IMAGES * CLASSES];
    fovea_classifier_options_default(&options);
    options.batch = batch;
    setup(&f, &options);
    fovea_classifier_input_size(f.classifier, &width, &height);
    size_t floats = 3 * (size_t)width * (size_t)height;
    float *pixels = malloc(IMAGES * floats * sizeof(*pixels));
    for (size_t i = 0; pixels && i < IMAGES; i++) {
        CHECK_OK(fovea_classifier_preprocess_jpeg(f.classifier, f.images[i].bytes, f.images[i].size,
                                                  pixels + i * floats, &f.err),
                 f.err);
    }
    CHECK_OK(fovea_classifier_run(f.classifier, pixels, IMAGES, logits, NULL, &f.err), f.err);
    for (int i = 0; i < IMAGES; i++) {
        struct fovea_result best;
        size_t n;
        CHECK(close_to(logits + i * CLASSES, &f.images[i]));
        CHECK_OK(fovea_classifier_top(f.classifier, logits + i * CLASSES, 1, &best, &n, &f.err),
                 f.err);
        CHECK(n == 1 && best.class_index == f.images[i].best);
    }
    free(pixels);
    teardown(&f);
}

static void classifier_run__batches_that_do_not_divide__every_image_as_alone(void) {
    expect_batches(1);
    expect_batches(3);
}

static void classify_rgb__pixels_of_a_jpeg__bits_of_classify_jpeg(void) {
    struct fixture f;
    struct fovea_image image;
    struct fovea_result a[CLASSES], b[CLASSES];
    size_t n_a = 0, n_b = 0;
    setup(&f, NULL);
    CHECK_OK(fovea_jpeg_decode(f.images[1].bytes, f.images[1].size, NULL, &image, NULL, &f.err),
             f.err);
    size_t row = 3 * (size_t)image.width, wide = row + 5;
    uint8_t *padded = calloc((size_t)image.height, wide);
    for (size_t y = 0; padded && y < (size_t)image.height; y++) {
        memcpy(padded + y * wide, image.rgb + y * row, row);
    }
    CHECK_OK(fovea_classify_jpeg(f.classifier, f.images[1].bytes, f.images[1].size, CLASSES, a,
                                 &n_a, NULL, &f.err),
             f.err);
    for (int gaps = 0; gaps < 2; gaps++) {
        CHECK_OK(fovea_classify_rgb(f.classifier, gaps ? padded : image.rgb, image.width,
                                    image.height, gaps ? wide : row, CLASSES, b, &n_b, NULL,
                                    &f.err),
                 f.err);
        CHECK(n_a == n_b);
        for (size_t k = 0; k < n_b; k++) {
            CHECK(a[k].class_index == b[k].class_index && a[k].logit == b[k].logit);
        }
    }
    CHECK(fovea_classify_rgb(f.classifier, image.rgb, image.width, image.height, row - 1, 1, b,
                             &n_b, NULL, &f.err) == FOVEA_ERR_INVALID);
    CHECK(fovea_classify_rgb(f.classifier, image.rgb, 0, 1, row, 1, b, &n_b, NULL, &f.err) ==
          FOVEA_ERR_INVALID);
    CHECK(fovea_classify_rgb(f.classifier, image.rgb, 65535, 65535, 3 * 65535, 1, b, &n_b, NULL,
                             &f.err) == FOVEA_ERR_LIMIT);
    free(padded);
    fovea_image_finish(&image);
    teardown(&f);
}

static void classify_jpeg__bad_bytes__an_error_and_the_next_call_works(void) {
    struct fixture f;
    struct fovea_result best;
    size_t n = 99;
    setup(&f, NULL);
    const struct image *image = &f.images[0];
    CHECK(fovea_classify_jpeg(f.classifier, "no JPEG", 7, 1, &best, &n, NULL, &f.err) ==
          FOVEA_ERR_FORMAT);
    CHECK(fovea_classify_jpeg(f.classifier, NULL, 0, 1, &best, &n, NULL, &f.err) ==
          FOVEA_ERR_FORMAT);
    CHECK(fovea_classify_jpeg(f.classifier, image->bytes, image->size / 2, 1, &best, &n, NULL,
                              &f.err) == FOVEA_ERR_FORMAT);
    CHECK(n == 99);
    CHECK_OK(fovea_classify_jpeg(f.classifier, image->bytes, image->size, 1, &best, &n, NULL, NULL),
             f.err);
    CHECK(n == 1 && best.class_index == image->best);
    teardown(&f);
}

static void classify_jpeg__cancelled_or_late__its_status_and_the_next_call_works(void) {
    struct fixture f;
    struct fovea_result best;
    struct fovea_cancel cancel = {0};
    struct fovea_run_options options;
    size_t n = 99;
    setup(&f, NULL);
    const struct image *image = &f.images[2];
    fovea_run_options_default(&options);
    options.cancel = &cancel;
    options.deadline = fovea_deadline_after(3600);
    fovea_cancel_request(&cancel);
    CHECK(fovea_classify_jpeg(f.classifier, image->bytes, image->size, 1, &best, &n, &options,
                              &f.err) == FOVEA_ERR_CANCELLED);
    CHECK_STR(fovea_status_name(f.err.status), "cancelled");
    fovea_cancel_reset(&cancel);
    options.deadline = fovea_deadline_after(-1);
    CHECK(fovea_classify_jpeg(f.classifier, image->bytes, image->size, 1, &best, &n, &options,
                              &f.err) == FOVEA_ERR_DEADLINE);
    CHECK(n == 99);
    options.deadline = fovea_deadline_after(3600);
    CHECK_OK(fovea_classify_jpeg(f.classifier, image->bytes, image->size, 1, &best, &n, &options,
                                 &f.err),
             f.err);
    CHECK(n == 1 && best.class_index == image->best);
    teardown(&f);
}

static void expect_create(const struct fovea_model *model,
                          const struct fovea_classifier_options *options, enum fovea_status want,
                          const char *message) {
    struct fovea_classifier *classifier = NULL;
    struct fovea_error err = {0};
    CHECK(fovea_classifier_create(model, options, &classifier, &err) == want);
    CHECK(!message || strstr(err.message, message));
    fovea_classifier_destroy(classifier);
}

static void classifier__options__are_taken_or_refused(void) {
    struct fovea_model *model = NULL;
    struct fovea_classifier *classifier = NULL;
    struct fovea_classifier_options options;
    struct fovea_error err;
    CHECK_OK(fovea_model_load(model_path, NULL, &model, &err), err);
    fovea_classifier_options_default(&options);
    options.recipe = "{\"mean\": 0.5, \"std\": 0.25}";
    options.labels = "zero\none\n\nthree\n";
    CHECK_OK(fovea_classifier_create(model, &options, &classifier, &err), err);
    CHECK(strstr(fovea_classifier_get_recipe(classifier), "\"mean\":[0.5,0.5,0.5]"));
    CHECK_STR(fovea_classifier_get_label(classifier, 3), "three");
    CHECK(!fovea_classifier_get_label(classifier, 4));
    fovea_classifier_destroy(classifier);
    options.recipe = "nobody's";
    expect_create(model, &options, FOVEA_ERR_INVALID, "the recipe of the options");
    options.recipe = "{\"mean\": ";
    expect_create(model, &options, FOVEA_ERR_FORMAT, "the recipe of the options");
    fovea_classifier_options_default(&options);
    options.labels = "[1, 2]";
    expect_create(model, &options, FOVEA_ERR_FORMAT, "the labels of the options");
    fovea_classifier_options_default(&options);
    options.batch = -1;
    expect_create(model, &options, FOVEA_ERR_INVALID, "a batch of -1");
    fovea_classifier_options_default(&options);
    options.size = 481;
    expect_create(model, &options, FOVEA_ERR_INVALID, "480");
    fovea_model_destroy(model);
}

/* ---- options of other headers -------------------------------------------------------- */

/* A struct that grew by a field, as a newer header would have it. */
struct newer_options {
    struct fovea_classifier_options known;
    uint64_t unknown;
};

static void options__of_another_size__work_unless_they_set_what_is_not_known(void) {
    struct fovea_model *model = NULL;
    struct newer_options newer = {.unknown = 0};
    struct fovea_classifier_options older;
    struct fovea_error err;
    CHECK_OK(fovea_model_load(model_path, NULL, &model, &err), err);
    newer.known.struct_size = sizeof(newer);
    expect_create(model, &newer.known, FOVEA_OK, NULL);
    newer.unknown = (uint64_t)1 << 40;
    expect_create(model, &newer.known, FOVEA_ERR_UNSUPPORTED, "classifier options set a field");
    memset(&older, 0xff, sizeof(older));
    older.struct_size = offsetof(struct fovea_classifier_options, batch);
    older.session = NULL;
    expect_create(model, &older, FOVEA_OK, NULL);
    older.struct_size = 0;
    expect_create(model, &older, FOVEA_ERR_INVALID, "_default");
    older.struct_size = (size_t)-1;
    expect_create(model, &older, FOVEA_ERR_INVALID, "_default");
    fovea_model_destroy(model);
}

/* ---- models without a path ------------------------------------------------------------ */

static void expect_same_logits(const struct fovea_model *model, const struct image *image) {
    struct fovea_classifier *classifier = NULL;
    struct fovea_result best[CLASSES];
    struct fovea_error err;
    float logits[CLASSES] = {0};
    size_t n = 0;
    CHECK_OK(fovea_classifier_create(model, NULL, &classifier, &err), err);
    CHECK_OK(
        fovea_classify_jpeg(classifier, image->bytes, image->size, CLASSES, best, &n, NULL, &err),
        err);
    for (size_t k = 0; k < n; k++) {
        logits[best[k].class_index] = best[k].logit;
    }
    CHECK(n == CLASSES && close_to(logits, image));
    fovea_classifier_destroy(classifier);
}

static void model_load__memory_and_descriptor__classify_as_from_a_path(void) {
    struct image images[IMAGES] = {0};
    struct fovea_model *model = NULL;
    struct fovea_load_options options;
    struct fovea_error err;
    uint8_t *bytes = NULL;
    size_t size = 0;
    read_images(images);
    CHECK_OK(fovea_file_read(model_path, (size_t)1 << 30, &bytes, &size, NULL, &err), err);
    fovea_load_options_default(&options);
    for (int lent = 0; bytes && lent < 2; lent++) {
        /* At an odd address: nothing is said about alignment. */
        uint8_t *moved = malloc(size + 1);
        memcpy(moved + 1, bytes, size);
        options.lend_memory = lent;
        CHECK_OK(fovea_model_load_memory(moved + 1, size, &options, &model, &err), err);
        if (!lent) {
            memset(moved, 0xff, size + 1);
            free(moved);
        }
        expect_same_logits(model, &images[3]);
        fovea_model_destroy(model);
        if (lent) {
            CHECK(memcmp(moved + 1, bytes, size) == 0);
            free(moved);
        }
    }
    int fd = open(model_path, O_RDONLY | O_CLOEXEC);
    CHECK_OK(fovea_model_load_fd(fd, NULL, &model, &err), err);
    CHECK(close(fd) == 0);
    expect_same_logits(model, &images[4]);
    fovea_model_destroy(model);
    free(bytes);
    for (int i = 0; i < IMAGES; i++) {
        free(images[i].bytes);
    }
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(classify_jpeg__example_images__classes_and_logits_of_the_reference),
        TEST(classifier_run__batches_that_do_not_divide__every_image_as_alone),
        TEST(classify_rgb__pixels_of_a_jpeg__bits_of_classify_jpeg),
        TEST(classify_jpeg__bad_bytes__an_error_and_the_next_call_works),
        TEST(classify_jpeg__cancelled_or_late__its_status_and_the_next_call_works),
        TEST(classifier__options__are_taken_or_refused),
        TEST(options__of_another_size__work_unless_they_set_what_is_not_known),
        TEST(model_load__memory_and_descriptor__classify_as_from_a_path),
    };
    return RUN_TESTS(tests, argc, argv);
}
