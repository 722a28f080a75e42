/* See eval_pipeline.h. */
#include "tools/eval_pipeline.h"

#include "loaders/preprocess.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One image of the ring; the claim number i is in slot i % n_slots. */
struct slot {
    bool ready;
    struct prepared_image image;
    float *pixels;
};

/*
 * Invariant, under the lock: taken <= claimed <= taken + n_slots. Slots of the
 * claims in [taken, claimed) are being filled, or ready; a worker writes its own
 * slot without the lock until it says ready.
 */
struct pipeline {
    struct pipeline_source source;
    size_t image_floats;
    struct slot *slots;
    size_t n_slots;
    float *pixels; /* of all slots */
    pthread_t *workers;
    int n_workers;
    pthread_mutex_t claim; /* held while an image is claimed, before `lock` */
    pthread_mutex_t lock;
    pthread_cond_t room, ready;
    size_t claimed, taken;
    bool ended; /* no image is left to claim */
    bool stop;
};

static void fail_image(struct prepared_image *image, enum eval_state state,
                       const struct fovea_error *err) {
    image->state = state;
    snprintf(image->message, sizeof(image->message), "%s", err->message);
}

static void prepare(const struct pipeline *p, struct slot *slot) {
    struct fovea_error err;
    struct fovea_jpeg_report report = {0};
    struct prepared_image *image = &slot->image;
    struct fovea_sha256 sha;
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum eval_state state = EVAL_FAILED;
    if (eval_list_read(p->source.list, image->index, &bytes, &size, &state, &err)) {
        fail_image(image, state, &err);
        return;
    }
    fovea_sha256_init(&sha);
    fovea_sha256_update(&sha, bytes, size);
    fovea_sha256_digest(&sha, image->file_sha256);
    image->file_bytes = size;
    if (fovea_preprocess_jpeg(p->source.recipe, p->source.jpeg, bytes, size, slot->pixels, &report,
                              &err)) {
        fail_image(image, EVAL_FAILED, &err);
    } else {
        image->state = EVAL_OK;
        snprintf(image->message, sizeof(image->message), "%s",
                 report.truncated && !report.first_warning[0] ? "the file ends early"
                                                              : report.first_warning);
    }
    free(bytes);
}

/* Wait until another image may be claimed; false if none is to be. */
static bool has_room(struct pipeline *p) {
    pthread_mutex_lock(&p->lock);
    while (!p->stop && !p->ended && p->claimed == p->taken + p->n_slots) {
        pthread_cond_wait(&p->room, &p->lock);
    }
    bool go_on = !p->stop && !p->ended;
    pthread_mutex_unlock(&p->lock);
    return go_on;
}

/* The slot of the next image to prepare, or NULL when there is nothing left to do. */
static struct slot *begin_next(struct pipeline *p) {
    struct slot *slot = NULL;
    pthread_mutex_lock(&p->claim);
    if (has_room(p)) {
        size_t index = p->source.next(p->source.context);
        pthread_mutex_lock(&p->lock);
        if (index == EVAL_NO_IMAGE) {
            p->ended = true;
            pthread_cond_broadcast(&p->ready);
        } else {
            slot = &p->slots[p->claimed++ % p->n_slots];
            slot->image = (struct prepared_image){.index = index};
        }
        pthread_mutex_unlock(&p->lock);
    }
    pthread_mutex_unlock(&p->claim);
    return slot;
}

static void *work(void *context) {
    struct pipeline *p = context;
    struct slot *slot;
    while ((slot = begin_next(p))) {
        prepare(p, slot);
        pthread_mutex_lock(&p->lock);
        slot->ready = true;
        pthread_cond_signal(&p->ready);
        pthread_mutex_unlock(&p->lock);
    }
    return NULL;
}

/* A while from now, for waits that have to look at something else now and then. */
static struct timespec soon(void) {
    enum { STEP_NS = 100 * 1000 * 1000, SECOND_NS = 1000 * 1000 * 1000 };
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += STEP_NS;
    if (t.tv_nsec >= SECOND_NS) {
        t.tv_sec++;
        t.tv_nsec -= SECOND_NS;
    }
    return t;
}

size_t pipeline_peek(struct pipeline *p, const volatile sig_atomic_t *stop) {
    const struct slot *slot = &p->slots[p->taken % p->n_slots];
    pthread_mutex_lock(&p->lock);
    /* A signal wakes nobody here, and the read that is waited for may never end. */
    while (!*stop && !slot->ready && !(p->ended && p->taken == p->claimed)) {
        struct timespec until = soon();
        pthread_cond_timedwait(&p->ready, &p->lock, &until);
    }
    size_t index = slot->ready && !*stop ? slot->image.index : EVAL_NO_IMAGE;
    pthread_mutex_unlock(&p->lock);
    return index;
}

void pipeline_take(struct pipeline *p, float *pixels, struct prepared_image *out) {
    struct slot *slot = &p->slots[p->taken % p->n_slots];
    *out = slot->image;
    if (out->state == EVAL_OK) {
        memcpy(pixels, slot->pixels, p->image_floats * sizeof(*pixels));
    }
    pthread_mutex_lock(&p->lock);
    slot->ready = false;
    p->taken++;
    pthread_cond_signal(&p->room);
    pthread_mutex_unlock(&p->lock);
}

static enum fovea_status make_slots(struct pipeline *p, struct fovea_error *err) {
    size_t bytes = p->image_floats * sizeof(*p->pixels);
    p->slots = calloc(p->n_slots, sizeof(*p->slots));
    p->pixels = calloc(p->n_slots, bytes);
    if (!p->slots || !p->pixels) {
        return fovea_fail_memory(err, p->n_slots * bytes, "images ahead of the model");
    }
    for (size_t i = 0; i < p->n_slots; i++) {
        p->slots[i].pixels = p->pixels + i * p->image_floats;
    }
    return FOVEA_OK;
}

static enum fovea_status start_workers(struct pipeline *p, int workers, struct fovea_error *err) {
    p->workers = calloc((size_t)workers, sizeof(*p->workers));
    if (!p->workers) {
        return fovea_fail_memory(err, (size_t)workers * sizeof(*p->workers), "threads");
    }
    while (p->n_workers < workers) {
        int error = pthread_create(&p->workers[p->n_workers], NULL, work, p);
        if (error && p->n_workers == 0) {
            return fovea_fail(err, FOVEA_ERR_MEMORY, "cannot start a thread: %s", strerror(error));
        }
        if (error) {
            break; /* fewer do the same work */
        }
        p->n_workers++;
    }
    return FOVEA_OK;
}

enum fovea_status pipeline_create(const struct pipeline_source *source, int workers, size_t ahead,
                                  struct pipeline **out, struct fovea_error *err) {
    struct pipeline *p = calloc(1, sizeof(*p));
    if (!p) {
        return fovea_fail_memory(err, sizeof(*p), "a pipeline");
    }
    p->source = *source;
    p->n_slots = ahead;
    p->image_floats = 3 * (size_t)source->recipe->height * (size_t)source->recipe->width;
    pthread_mutex_init(&p->claim, NULL);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->room, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&p->ready, &monotonic);
    pthread_condattr_destroy(&monotonic);
    enum fovea_status status = make_slots(p, err);
    if (!status) {
        status = start_workers(p, workers, err);
    }
    if (status) {
        pipeline_destroy(p);
        return status;
    }
    *out = p;
    return FOVEA_OK;
}

void pipeline_destroy(struct pipeline *p) {
    if (!p) {
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->room);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->n_workers; i++) {
        pthread_join(p->workers[i], NULL);
    }
    pthread_mutex_destroy(&p->claim);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->room);
    pthread_cond_destroy(&p->ready);
    free(p->workers);
    free(p->slots);
    free(p->pixels);
    free(p);
}
