/*
 * Several requests' images in one run: gathered into one buffer, and their
 * logits scattered again. A single request runs where its images are.
 */
#include "batcher.h"

#include "clock.h"
#include "metrics.h"

#include <stdlib.h>
#include <string.h>

bool batcher_init(struct batcher *batcher, size_t max_jobs) {
    memset(batcher, 0, sizeof(*batcher));
    batcher->max_jobs = max_jobs;
    batcher->jobs = calloc(max_jobs, sizeof(struct job *));
    if (batcher->jobs && pthread_mutex_init(&batcher->mutex, NULL) == 0) {
        return true;
    }
    free(batcher->jobs);
    return false;
}

void batcher_finish(struct batcher *batcher) {
    pthread_mutex_destroy(&batcher->mutex);
    free(batcher->jobs);
    free(batcher->input);
    free(batcher->output);
}

void batcher_add(struct batcher *batcher, struct job *job) {
    batcher->jobs[batcher->n_jobs++] = job;
    batcher->images += job->n;
}

size_t batcher_room(const struct batcher *batcher) {
    size_t most = engine_max_batch(batcher->jobs[0]->engine);
    return batcher->images < most ? most - batcher->images : 0;
}

bool batcher_is_full(const struct batcher *batcher) {
    return batcher->n_jobs == batcher->max_jobs || batcher_room(batcher) == 0;
}

static bool make_room(float **buffer, size_t *room, size_t wanted) {
    if (wanted <= *room) {
        return true;
    }
    float *larger = realloc(*buffer, wanted * sizeof(float));
    if (larger) {
        *buffer = larger;
        *room = wanted;
    }
    return larger != NULL;
}

static void begin(struct batcher *batcher) {
    pthread_mutex_lock(&batcher->mutex);
    fovea_cancel_reset(&batcher->cancel);
    batcher->running = true;
    pthread_mutex_unlock(&batcher->mutex);
    /* Of those cancelled between being taken and now. */
    batcher_cancel(batcher);
}

static void end(struct batcher *batcher) {
    pthread_mutex_lock(&batcher->mutex);
    batcher->running = false;
    pthread_mutex_unlock(&batcher->mutex);
}

void batcher_cancel(struct batcher *batcher) {
    pthread_mutex_lock(&batcher->mutex);
    bool all = batcher->running;
    for (size_t i = 0; all && i < batcher->n_jobs; i++) {
        all = atomic_load(&batcher->jobs[i]->cancelled);
    }
    if (all) {
        fovea_cancel_request(&batcher->cancel);
    }
    pthread_mutex_unlock(&batcher->mutex);
}

/* Everything into one buffer, one run, and out of it again. */
static enum fovea_status run_together(struct batcher *batcher, int stream,
                                      struct fovea_error *err) {
    struct engine *engine = batcher->jobs[0]->engine;
    size_t floats = engine_image_floats(engine), classes = engine_classes(engine), at = 0;
    if (!make_room(&batcher->input, &batcher->input_room, batcher->images * floats) ||
        !make_room(&batcher->output, &batcher->output_room, batcher->images * classes)) {
        return FOVEA_ERR_MEMORY;
    }
    for (size_t i = 0; i < batcher->n_jobs; i++) {
        const struct job *job = batcher->jobs[i];
        memcpy(batcher->input + at * floats, job->images, job->n * floats * sizeof(float));
        at += job->n;
    }
    enum fovea_status status = engine_run(engine, stream, batcher->input, batcher->images,
                                          batcher->output, &batcher->cancel, err);
    at = 0;
    for (size_t i = 0; status == FOVEA_OK && i < batcher->n_jobs; i++) {
        struct job *job = batcher->jobs[i];
        memcpy(job->logits, batcher->output + at * classes, job->n * classes * sizeof(float));
        at += job->n;
    }
    return status;
}

static void answer_failure(struct batcher *batcher, enum fovea_status status) {
    for (size_t i = 0; i < batcher->n_jobs; i++) {
        if (status == FOVEA_ERR_CANCELLED) {
            reply_error(&batcher->jobs[i]->reply, 499, "the client went away");
        } else {
            reply_error(&batcher->jobs[i]->reply, 500, "the run failed: %s",
                        fovea_status_name(status));
        }
    }
}

void batcher_run(struct batcher *batcher, int stream) {
    struct job *first = batcher->jobs[0];
    struct fovea_error err = {0};
    enum fovea_status status;
    if (batcher->n_jobs == 0) {
        return;
    }
    double began = clock_now();
    begin(batcher);
    if (batcher->n_jobs == 1) {
        status = engine_run(first->engine, stream, first->images, first->n, first->logits,
                            &batcher->cancel, &err);
    } else {
        status = run_together(batcher, stream, &err);
    }
    end(batcher);
    if (status) {
        answer_failure(batcher, status);
    } else {
        metrics_run(batcher->images, clock_now() - began);
    }
    batcher->last_jobs = batcher->n_jobs;
    batcher->n_jobs = batcher->images = 0;
}
