/* Phases that classify: see phases_classify.h. */
#include "tests/inject/phases_classify.h"

#include <stdio.h>
#include <string.h>

/* Where out parameters point until they are written. */
static char untouched;
#define UNTOUCHED ((void *)&untouched)

enum { TOP = 3, JPEG_MOST = 1 << 20 };

static struct fovea_classifier *classifier;
static unsigned char jpeg[JPEG_MOST];
static size_t jpeg_size;
static struct fovea_result want_results[TOP];
static char want_labels[TOP][16], want_recipe[2048];
static size_t n_wanted, n_results;
static struct fovea_result results[TOP];
static bool by_files; /* recipe and labels are those in files beside the model */

bool has_jpeg(const struct phase_work *work) {
    return work->jpeg_path != NULL;
}

enum fovea_status create_classifier(struct phase_work *work, struct fovea_error *err) {
    struct fovea_session_options session;
    struct fovea_classifier_options options;
    fovea_session_options_default(&session);
    session.threads = work->threads;
    session.precision = work->precision;
    fovea_classifier_options_default(&options);
    options.session = &session;
    /* Where the model says neither. */
    if (!by_files && !fovea_model_get_metadata(work->model, "labels")) {
        options.recipe = "{\"preset\": \"timm\", \"resize\": \"short\"}";
        options.labels = "[\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\", \"i\", \"j\"]";
    }
    classifier = UNTOUCHED;
    return fovea_classifier_create(work->model, &options, &classifier, err);
}

enum fovea_status classify(struct phase_work *work, struct fovea_error *err) {
    (void)work;
    n_results = 0;
    return fovea_classify_jpeg(classifier, jpeg, jpeg_size, TOP, results, &n_results, NULL, err);
}

bool results_are_wanted(struct phase_work *work) {
    bool same = n_results == n_wanted && n_results > 0;
    (void)work;
    for (size_t i = 0; same && i < n_results; i++) {
        same = results[i].class_index == want_results[i].class_index &&
               memcmp(&results[i].logit, &want_results[i].logit, sizeof(float)) == 0 &&
               results[i].label && strcmp(results[i].label, want_labels[i]) == 0;
    }
    return same;
}

bool nothing_classified(struct phase_work *work) {
    (void)work;
    return n_results == 0;
}

bool classifier_works(struct phase_work *work) {
    return !classify(work, NULL) && results_are_wanted(work) &&
           strcmp(fovea_classifier_get_recipe(classifier), want_recipe) == 0;
}

bool no_classifier(struct phase_work *work) {
    (void)work;
    return classifier == UNTOUCHED;
}

void destroy_classifier(struct phase_work *work) {
    (void)work;
    fovea_classifier_destroy(classifier);
}

/* What the classifier says when nothing disturbs it. */
enum fovea_status classify_first(struct phase_work *work, struct fovea_error *err) {
    FILE *file = fopen(work->jpeg_path, "rb");
    jpeg_size = file ? fread(jpeg, 1, sizeof(jpeg), file) : 0;
    if (file) {
        fclose(file);
    }
    enum fovea_status st = create_classifier(work, err);
    st = st ? st : classify(work, err);
    for (size_t i = 0; !st && i < n_results; i++) {
        snprintf(want_labels[i], sizeof(want_labels[i]), "%s", results[i].label);
        want_results[i] = results[i];
    }
    n_wanted = n_results;
    if (!st) {
        snprintf(want_recipe, sizeof(want_recipe), "%s", fovea_classifier_get_recipe(classifier));
    }
    return st;
}

enum fovea_status classify_once(struct phase_work *work, struct fovea_error *err) {
    enum fovea_status st = classify_first(work, err);
    if (!st) {
        destroy_classifier(work);
    }
    return st;
}

bool has_files_beside(const struct phase_work *work) {
    return work->jpeg_path != NULL && work->files_beside;
}

enum fovea_status classify_by_files(struct phase_work *work, struct fovea_error *err) {
    by_files = true; /* until the end of this process */
    return classify_once(work, err);
}
