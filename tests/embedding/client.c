/*
 * client MODEL IMAGE.jpg...: a service in small, written from fovea.h alone.
 * Eight threads classify the images in turn, each with a classifier of its own
 * on one model; others are cancelled, come too late, or send what is no image.
 * Prints what went wrong; nothing if all is well.
 */
#include <fovea.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8, MAX_IMAGES = 16, TOP = 3, MAX_BYTES = 1 << 20 };

struct image {
    unsigned char *bytes;
    size_t size;
    struct fovea_result best[TOP]; /* as one thread alone has it */
    size_t n;
};

struct client {
    const struct fovea_model *model;
    const struct image *images;
    int n_images, number;
    int rounds;
    int failures;
};

static int fail(const char *what, const struct fovea_error *err) {
    fprintf(stderr, "client: %s: %s: %s\n", what, fovea_status_name(err->status), err->message);
    return 1;
}

static int read_image(const char *path, struct image *image) {
    FILE *file = fopen(path, "rb");
    image->bytes = malloc(MAX_BYTES);
    image->size = file && image->bytes ? fread(image->bytes, 1, MAX_BYTES, file) : 0;
    if (file) {
        fclose(file);
    }
    return image->size == 0;
}

static int same(const struct fovea_result *a, const struct fovea_result *b, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (a[i].class_index != b[i].class_index || a[i].logit != b[i].logit ||
            strcmp(a[i].label ? a[i].label : "", b[i].label ? b[i].label : "") != 0) {
            return 0;
        }
    }
    return 1;
}

/* One thread, so that results are those of any other. */
static enum fovea_status make(const struct fovea_model *model, struct fovea_classifier **out,
                              struct fovea_error *err) {
    struct fovea_session_options session;
    struct fovea_classifier_options options;
    fovea_session_options_default(&session);
    session.threads = 1;
    fovea_classifier_options_default(&options);
    options.session = &session;
    return fovea_classifier_create(model, &options, out, err);
}

/* What no client should be able to do harm with. */
static int misuse(struct fovea_classifier *classifier, const struct image *image) {
    struct fovea_result best[TOP];
    struct fovea_cancel cancel = {0};
    struct fovea_run_options options;
    struct fovea_error err = {FOVEA_OK, ""};
    size_t n = 0;
    int failures = 0;
    fovea_run_options_default(&options);
    options.cancel = &cancel;
    fovea_cancel_request(&cancel);
    failures += fovea_classify_jpeg(classifier, image->bytes, image->size, TOP, best, &n, &options,
                                    &err) != FOVEA_ERR_CANCELLED;
    fovea_cancel_reset(&cancel);
    options.deadline = fovea_deadline_after(1e-9);
    failures += fovea_classify_jpeg(classifier, image->bytes, image->size, TOP, best, &n, &options,
                                    &err) != FOVEA_ERR_DEADLINE;
    failures += fovea_classify_jpeg(classifier, image->bytes, image->size / 3, TOP, best, &n, NULL,
                                    &err) != FOVEA_ERR_FORMAT;
    failures +=
        fovea_classify_jpeg(classifier, "GIF89a", 6, TOP, best, &n, NULL, &err) != FOVEA_ERR_FORMAT;
    failures += fovea_classify_rgb(classifier, image->bytes, -1, 5, 15, TOP, best, &n, NULL,
                                   &err) != FOVEA_ERR_INVALID;
    return failures > 0 ? fail("misuse was not refused as it should be, the last", &err) : 0;
}

static void *work(void *context) {
    struct client *c = context;
    struct fovea_classifier *classifier = NULL;
    struct fovea_error err;
    if (make(c->model, &classifier, &err)) {
        c->failures = fail("making a classifier", &err);
        return NULL;
    }
    for (int i = 0; i < c->rounds; i++) {
        const struct image *image = &c->images[(c->number + i) % c->n_images];
        struct fovea_result best[TOP];
        size_t n = 0;
        if (i % 2 == c->number % 2) {
            c->failures += misuse(classifier, image);
        }
        if (fovea_classify_jpeg(classifier, image->bytes, image->size, TOP, best, &n, NULL, &err)) {
            c->failures += fail("classifying", &err);
        } else if (n != image->n || !same(best, image->best, n)) {
            fprintf(stderr, "client: thread %d has other results\n", c->number);
            c->failures++;
        }
    }
    fovea_classifier_destroy(classifier);
    return NULL;
}

static int run_threads(const struct fovea_model *model, const struct image *images, int n_images) {
    struct client clients[THREADS];
    pthread_t threads[THREADS];
    int failures = 0, started = 0;
    for (int i = 0; i < THREADS; i++) {
        struct client client = {model, images, n_images, i, 3, 0};
        clients[i] = client;
        started += pthread_create(&threads[i], NULL, work, &clients[i]) == 0;
    }
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
        failures += clients[i].failures;
    }
    return failures + (started != THREADS);
}

/* A run that another thread ends. Whichever comes first: both are right. */
static void *cancel_soon(void *cancel) {
    fovea_cancel_request(cancel);
    return NULL;
}

static int cancel_from_elsewhere(struct fovea_classifier *classifier, const struct image *image) {
    struct fovea_cancel cancel = {0};
    struct fovea_run_options options;
    struct fovea_result best[TOP];
    struct fovea_error err;
    pthread_t other;
    size_t n = 0;
    fovea_run_options_default(&options);
    options.cancel = &cancel;
    if (pthread_create(&other, NULL, cancel_soon, &cancel)) {
        return 1;
    }
    enum fovea_status status =
        fovea_classify_jpeg(classifier, image->bytes, image->size, TOP, best, &n, &options, &err);
    pthread_join(other, NULL);
    return status && status != FOVEA_ERR_CANCELLED ? fail("a cancelled run", &err) : 0;
}

static int load_nonsense(const char *path) {
    struct fovea_model *model = NULL;
    struct fovea_error err = {FOVEA_OK, ""};
    int failures = fovea_model_load(path, NULL, &model, &err) == FOVEA_OK;
    failures += fovea_model_load("/nonexistent/model.onnx", NULL, &model, &err) != FOVEA_ERR_IO;
    failures += fovea_model_load_memory("no model", 8, NULL, &model, &err) != FOVEA_ERR_FORMAT;
    failures += fovea_model_load_fd(-1, NULL, &model, &err) != FOVEA_ERR_IO;
    return failures > 0 ? fail("what is no model was not refused, the last", &err) : 0;
}

static int serve(const struct fovea_model *model, struct image *images, int n_images) {
    struct fovea_classifier *classifier = NULL;
    struct fovea_error err;
    int failures = 0;
    if (make(model, &classifier, &err)) {
        return fail("making a classifier", &err);
    }
    for (int i = 0; i < n_images; i++) {
        struct image *image = &images[i];
        if (fovea_classify_jpeg(classifier, image->bytes, image->size, TOP, image->best, &image->n,
                                NULL, &err)) {
            failures += fail("classifying", &err);
        }
    }
    failures += cancel_from_elsewhere(classifier, &images[0]);
    failures += run_threads(model, images, n_images);
    fovea_classifier_destroy(classifier);
    return failures;
}

int main(int argc, char **argv) {
    static struct image images[MAX_IMAGES];
    struct fovea_model *model = NULL;
    struct fovea_error err;
    int n = argc - 2, failures = 0;
    if (n < 1 || n > MAX_IMAGES) {
        fprintf(stderr, "usage: client MODEL IMAGE.jpg...\n");
        return 2;
    }
    for (int i = 0; i < n; i++) {
        failures += read_image(argv[2 + i], &images[i]);
    }
    failures += load_nonsense(argv[2]);
    if (fovea_model_load(argv[1], NULL, &model, &err)) {
        failures += fail("loading", &err);
    } else {
        failures += serve(model, images, n);
    }
    fovea_model_destroy(model);
    for (int i = 0; i < n; i++) {
        free(images[i].bytes);
    }
    return failures > 0;
}
