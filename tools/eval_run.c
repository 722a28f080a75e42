/* See eval_run.h. */
#include "tools/eval_run.h"

#include "runtime/clock.h"
#include "tools/eval_streams.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile sig_atomic_t caught_signal;

static void catch_signal(int number) {
    caught_signal = number;
}

/* The first signal asks; SA_RESETHAND lets the second have its usual effect. */
static void watch_signals(struct sigaction old[2]) {
    struct sigaction action = {.sa_handler = catch_signal, .sa_flags = SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    caught_signal = 0;
    sigaction(SIGINT, &action, &old[0]);
    sigaction(SIGTERM, &action, &old[1]);
}

static void unwatch_signals(const struct sigaction old[2]) {
    sigaction(SIGINT, &old[0], NULL);
    sigaction(SIGTERM, &old[1], NULL);
}

/* ---- labels ------------------------------------------------------------------ */

/* All folders by the model's labels; false if one of them is none. */
static bool map_by_name(struct eval *eval) {
    const struct fovea_dataset *set = &eval->dataset;
    for (size_t i = 0; i < set->n_classes; i++) {
        eval->labels[i] = labels_find(&eval->model.labels, set->classes[i].name);
        if (eval->labels[i] < 0) {
            return false;
        }
    }
    return true;
}

enum fovea_status eval_map_labels(struct eval *eval, char *words, size_t words_bytes,
                                  struct fovea_error *err) {
    const struct fovea_dataset *set = &eval->dataset;
    eval->labels = calloc(set->n_classes, sizeof(*eval->labels));
    if (!eval->labels) {
        return fovea_fail_memory(err, set->n_classes * sizeof(*eval->labels), "classes");
    }
    const char *how = "the model's labels";
    if (set->numeric || !map_by_name(eval)) {
        how = set->numeric ? "the numbers that are their names" : "their sorted order";
        for (size_t i = 0; i < set->n_classes; i++) {
            eval->labels[i] = set->classes[i].index;
        }
    }
    snprintf(words, words_bytes, "%zu class folders, matched to the model's %lld classes by %s",
             set->n_classes, (long long)eval->model.classes, how);
    for (size_t i = 0; i < set->n_classes; i++) {
        if (eval->labels[i] >= eval->model.classes) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "folder '%s' stands for class %d, but the model has %lld classes",
                              fovea_quote(set->classes[i].name).text, eval->labels[i],
                              (long long)eval->model.classes);
        }
    }
    return FOVEA_OK;
}

/* ---- the run ------------------------------------------------------------------ */

static const char *path_of(const void *context, size_t index) {
    const struct fovea_dataset *set = context;
    return set->images[index].path;
}

static enum fovea_status make_results(struct eval *eval, bool want_logits,
                                      struct fovea_error *err) {
    size_t n = eval->dataset.n_images, classes = (size_t)eval->model.classes;
    eval->results = calloc(n, sizeof(*eval->results));
    if (!eval->results) {
        return fovea_fail_memory(err, n * sizeof(*eval->results), "results");
    }
    for (size_t i = 0; i < n; i++) {
        eval->results[i].label = eval->labels[eval->dataset.labels[eval->dataset.images[i].first_label]];
    }
    eval->n_best = classes < TOP_CLASSES ? classes : TOP_CLASSES;
    if (!want_logits) {
        return FOVEA_OK;
    }
    eval->logits = calloc(n, classes * sizeof(*eval->logits));
    if (!eval->logits) {
        return fovea_fail_memory(err, n * classes * sizeof(*eval->logits), "logits");
    }
    for (size_t i = 0; i < n * classes; i++) {
        eval->logits[i] = NAN;
    }
    return FOVEA_OK;
}

enum fovea_status eval_run(struct eval *eval, bool want_logits, struct fovea_error *err) {
    struct sigaction old[2];
    struct pipeline *pipeline = NULL;
    const struct pipeline_source source = {
        .root = eval->dataset.root,
        .path = path_of,
        .context = &eval->dataset,
        .count = eval->dataset.n_images,
        .recipe = &eval->model.recipe,
        .jpeg = eval->jpeg,
    };
    enum fovea_status status = make_results(eval, want_logits, err);
    if (status) {
        return status;
    }
    watch_signals(old);
    double started = fovea_clock_seconds();
    size_t ahead = 2 * ((size_t)eval->workers + (size_t)eval->model.batch);
    status = pipeline_create(&source, eval->workers, ahead, &pipeline, err);
    if (!status) {
        status = eval_streams_run(eval, pipeline, &caught_signal, err);
    }
    pipeline_destroy(pipeline);
    eval->seconds = fovea_clock_seconds() - started;
    eval->stop_signal = caught_signal;
    unwatch_signals(old);
    return status;
}

/* ---- sums ---------------------------------------------------------------------- */

void eval_count(const struct eval *eval, struct eval_counts *out) {
    struct eval_counts c = {.listed = eval->dataset.n_images};
    for (size_t i = 0; i < c.listed; i++) {
        const struct image_result *r = &eval->results[i];
        c.ok += r->state == IMAGE_OK;
        c.failed += r->state == IMAGE_FAILED;
        c.missing += r->state == IMAGE_MISSING;
        c.not_done += r->state == IMAGE_NOT_DONE;
        c.warned += r->state == IMAGE_OK && r->message;
        for (size_t k = 0; r->state == IMAGE_OK && k < eval->n_best; k++) {
            bool hit = r->best[k].class_index == r->label;
            c.top1 += hit && k == 0;
            c.top5 += hit;
        }
    }
    *out = c;
}

void eval_finish(struct eval *eval) {
    for (size_t i = 0; eval->results && i < eval->dataset.n_images; i++) {
        free(eval->results[i].message);
    }
    free(eval->results);
    free(eval->logits);
    free(eval->labels);
    classifier_finish(&eval->model);
    fovea_dataset_finish(&eval->dataset);
}
