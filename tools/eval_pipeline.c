/* See eval_pipeline.h. */
#include "tools/eval_pipeline.h"

#include "tools/image_load.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One image of the ring; image i is in slot i % n_slots. */
struct slot {
    bool ready;
    struct prepared_image image;
    float *pixels;
};

/*
 * Invariant, under the lock: taken <= next <= taken + n_slots. Slots of images
 * in [taken, next) are being filled, or ready; a worker writes its own slot
 * without the lock until it says ready.
 */
struct pipeline {
    struct pipeline_source source;
    size_t image_floats;
    struct slot *slots;
    size_t n_slots;
    float *pixels; /* of all slots */
    pthread_t *workers;
    int n_workers;
    pthread_mutex_t lock;
    pthread_cond_t room, ready;
    size_t next;  /* the first image no worker has begun */
    size_t taken; /* the first image not handed over */
    bool stop;
};

static void prepare(const struct pipeline *p, size_t index, struct slot *slot) {
    struct fovea_error err;
    struct fovea_jpeg_report report = {0};
    struct prepared_image *image = &slot->image;
    bool missing = false;
    char *path;
    *image = (struct prepared_image){.state = IMAGE_FAILED};
    const char *name = p->source.path(p->source.context, index);
    if (asprintf(&path, "%s/%s", p->source.root, name) < 0) {
        snprintf(image->message, sizeof(image->message), "out of memory");
        return;
    }
    if (image_load(path, p->source.recipe, p->source.jpeg, slot->pixels, &missing, &report, &err)) {
        image->state = missing ? IMAGE_MISSING : IMAGE_FAILED;
        snprintf(image->message, sizeof(image->message), "%s", err.message);
    } else {
        image->state = IMAGE_OK;
        snprintf(image->message, sizeof(image->message), "%s",
                 report.truncated && !report.first_warning[0] ? "the file ends early"
                                                              : report.first_warning);
    }
    free(path);
}

/* The next image to prepare, or count when there is nothing left to do. Waits for room. */
static size_t begin_next(struct pipeline *p) {
    pthread_mutex_lock(&p->lock);
    while (!p->stop && p->next < p->source.count && p->next == p->taken + p->n_slots) {
        pthread_cond_wait(&p->room, &p->lock);
    }
    size_t index = p->stop || p->next == p->source.count ? p->source.count : p->next++;
    pthread_mutex_unlock(&p->lock);
    return index;
}

static void *work(void *context) {
    struct pipeline *p = context;
    size_t index;
    while ((index = begin_next(p)) < p->source.count) {
        struct slot *slot = &p->slots[index % p->n_slots];
        prepare(p, index, slot);
        pthread_mutex_lock(&p->lock);
        slot->ready = true;
        pthread_cond_signal(&p->ready);
        pthread_mutex_unlock(&p->lock);
    }
    return NULL;
}

void pipeline_take(struct pipeline *p, float *pixels, struct prepared_image *out) {
    struct slot *slot = &p->slots[p->taken % p->n_slots];
    pthread_mutex_lock(&p->lock);
    while (!slot->ready) {
        pthread_cond_wait(&p->ready, &p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    *out = slot->image;
    if (out->state == IMAGE_OK) {
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
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->room, NULL);
    pthread_cond_init(&p->ready, NULL);
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
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->room);
    pthread_cond_destroy(&p->ready);
    free(p->workers);
    free(p->slots);
    free(p->pixels);
    free(p);
}
