/* See eval_pipeline.h. */
#include "tools/eval_pipeline.h"

#include "runtime/clock.h"
#include "runtime/tensor.h"
#include "tools/say.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_STUCK = 32 };               /* reads that do not end, before all of it is given up */
static const double step_s = 0.1;      /* of waiting for an image */
static const double patience_s = 1;    /* of the end, with reads that do not */
static const double notice_every = 30; /* seconds of waiting for one image, between words */

/* One image on its way, or waiting to be taken. */
struct slot {
    bool ready;
    bool given_up; /* the taker has gone on without it: whoever fills it frees it */
    struct worker *worker;
    struct prepared_image image;
    void *made;
};

struct worker {
    struct pipeline *pipeline;
    pthread_t thread;
    enum worker_state {
        NOBODY,
        WORKING,
        STUCK, /* with a slot that was given up; another worker does what it would do */
        BACK,  /* from there: it has ended, or is about to */
    } state;
};

/*
 * Invariant, under the lock: taken <= claimed <= taken + n_slots. Slots of the
 * claims in [taken, claimed) are being filled, or ready; a worker writes its own
 * slot without the lock until it says ready. The claim number i is in
 * ring[i % n_slots].
 */
struct pipeline {
    struct pipeline_source source;
    struct slot **ring;
    size_t n_slots;
    struct worker *workers; /* [max_workers]: MAX_STUCK more than were asked for */
    int max_workers, n_stuck;
    pthread_mutex_t claim; /* held while an image is claimed, before `lock` */
    pthread_mutex_t lock;
    pthread_cond_t room, ready;
    size_t claimed, taken;
    /* How long the next image has been waited for, by the steps of it: if all of us stand still for
     * an hour, that is nobody's fault. And how long it was when that was last said. */
    double waited, noticed;
    bool ended; /* no image is left to claim */
    bool stop;
    enum fovea_status status;
    struct fovea_error err;
};

/* ---- one image --------------------------------------------------------------------- */

static void slot_destroy(const struct pipeline *p, struct slot *slot) {
    if (slot && slot->ready && slot->image.state == EVAL_OK && p->source.product.finish) {
        p->source.product.finish(slot->made);
    }
    if (slot) {
        free(slot->made);
    }
    free(slot);
}

static struct slot *slot_create(const struct pipeline *p) {
    struct slot *slot = calloc(1, sizeof(*slot));
    if (slot) {
        slot->made = fovea_aligned_alloc(p->source.product.bytes);
    }
    if (slot && !slot->made) {
        free(slot);
        return NULL;
    }
    if (slot) {
        memset(slot->made, 0, p->source.product.bytes);
    }
    return slot;
}

/* ---- workers ----------------------------------------------------------------------- */

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
static struct slot *begin_next(struct worker *worker) {
    struct pipeline *p = worker->pipeline;
    struct slot *slot = NULL;
    pthread_mutex_lock(&p->claim);
    if (has_room(p)) {
        size_t index = p->source.next(p->source.context);
        pthread_mutex_lock(&p->lock);
        if (index == EVAL_NO_IMAGE) {
            p->ended = true;
            pthread_cond_broadcast(&p->ready);
        } else {
            slot = p->ring[p->claimed++ % p->n_slots];
            slot->image = (struct prepared_image){.index = index};
            slot->worker = worker;
        }
        pthread_mutex_unlock(&p->lock);
    }
    pthread_mutex_unlock(&p->claim);
    return slot;
}

/* Hand the slot over; false if nobody wants it any more, and another thread does this one's work.
 */
static bool deliver(struct worker *worker, struct slot *slot) {
    struct pipeline *p = worker->pipeline;
    pthread_mutex_lock(&p->lock);
    bool wanted = !slot->given_up;
    slot->ready = true;
    if (wanted) {
        pthread_cond_signal(&p->ready);
    } else {
        slot_destroy(p, slot);
        worker->state = BACK;
        p->n_stuck--;
    }
    pthread_mutex_unlock(&p->lock);
    return wanted;
}

static void *work(void *context) {
    struct worker *worker = context;
    struct slot *slot;
    do {
        slot = begin_next(worker);
        if (slot) {
            prepare_image(&worker->pipeline->source, &slot->image, slot->made);
        }
    } while (slot && deliver(worker, slot));
    return NULL;
}

/* In the first place that is free; under the lock, once there are others. */
static int start_worker(struct pipeline *p) {
    int place = 0;
    while (p->workers[place].state == WORKING || p->workers[place].state == STUCK) {
        place++;
    }
    struct worker *worker = &p->workers[place];
    if (worker->state == BACK) {
        pthread_join(worker->thread, NULL);
    }
    *worker = (struct worker){.pipeline = p, .state = WORKING};
    int error = pthread_create(&worker->thread, NULL, work, worker);
    worker->state = error ? NOBODY : WORKING;
    return error;
}

static bool any_works(const struct pipeline *p) {
    for (int i = 0; i < p->max_workers; i++) {
        if (p->workers[i].state == WORKING) {
            return true;
        }
    }
    return false;
}

/* ---- the taker --------------------------------------------------------------------- */

static void fail_all(struct pipeline *p) {
    p->status = fovea_fail(&p->err, FOVEA_ERR_IO,
                           "%d reads do not end: is the file system there? What is done stays; go "
                           "on with --resume",
                           p->n_stuck);
}

/*
 * Go on without the next image: a new slot takes its place, and a new thread
 * that of its worker. Under the lock.
 */
static void give_up(struct pipeline *p) {
    struct slot **place = &p->ring[p->taken % p->n_slots], *stuck = *place, *fresh;
    fresh = p->n_stuck < MAX_STUCK ? slot_create(p) : NULL;
    if (!fresh) {
        fail_all(p);
        return;
    }
    stuck->given_up = true;
    stuck->worker->state = STUCK;
    p->n_stuck++;
    fresh->ready = true;
    fresh->image.index = stuck->image.index;
    fresh->image.state = EVAL_FAILED;
    snprintf(fresh->image.message, sizeof(fresh->image.message), "timeout: not read within %g s",
             p->source.timeout_s);
    *place = fresh;
    if (start_worker(p) && !any_works(p)) {
        fail_all(p);
    }
}

/* The next image is not there yet: for how long, and what of it? Under the lock. */
static void look_after(struct pipeline *p) {
    if (p->taken == p->claimed || p->ring[p->taken % p->n_slots]->ready) {
        return;
    }
    p->waited += step_s;
    if (p->source.timeout_s > 0 && p->waited > p->source.timeout_s) {
        give_up(p);
    } else if (p->waited > p->noticed + notice_every) {
        const struct slot *slot = p->ring[p->taken % p->n_slots];
        p->noticed = p->waited;
        say("waiting for %s, %.0f s so far",
            fovea_quote(p->source.list->records[slot->image.index].path).text, p->waited);
    }
}

/* A step from now, for waits that have to look at something else now and then. */
static struct timespec soon(void) {
    double at = fovea_clock_seconds() + step_s;
    struct timespec t = {.tv_sec = (time_t)at};
    t.tv_nsec = (long)((at - floor(at)) * 1e9);
    return t;
}

size_t pipeline_peek(struct pipeline *p, const volatile sig_atomic_t *stop) {
    size_t place = p->taken % p->n_slots;
    pthread_mutex_lock(&p->lock);
    /* A signal wakes nobody here, and the read that is waited for may never end. */
    while (!*stop && !p->status && !p->ring[place]->ready &&
           !(p->ended && p->taken == p->claimed)) {
        struct timespec until = soon();
        if (pthread_cond_timedwait(&p->ready, &p->lock, &until)) {
            look_after(p);
        }
    }
    const struct slot *slot = p->ring[place];
    size_t index = slot->ready && !*stop ? slot->image.index : EVAL_NO_IMAGE;
    pthread_mutex_unlock(&p->lock);
    return index;
}

/* The image that is ready, which nobody else touches: what was made of it copied, or exchanged. */
static void hand_over(struct pipeline *p, void **made, bool copy, struct prepared_image *out) {
    pthread_mutex_lock(&p->lock);
    struct slot *slot = p->ring[p->taken % p->n_slots];
    pthread_mutex_unlock(&p->lock);
    *out = slot->image;
    if (out->state == EVAL_OK && copy) {
        memcpy(*made, slot->made, p->source.product.bytes);
    } else if (out->state == EVAL_OK) {
        void *mine = *made;
        *made = slot->made;
        slot->made = mine;
    }
    pthread_mutex_lock(&p->lock);
    slot->ready = false;
    p->taken++;
    p->waited = p->noticed = 0;
    pthread_cond_signal(&p->room);
    pthread_mutex_unlock(&p->lock);
}

void pipeline_take(struct pipeline *p, void *made, struct prepared_image *out) {
    hand_over(p, &made, true, out);
}

void pipeline_exchange(struct pipeline *p, void **made, struct prepared_image *out) {
    hand_over(p, made, false, out);
}

enum fovea_status pipeline_status(const struct pipeline *p, struct fovea_error *err) {
    if (p->status && err) {
        *err = p->err;
    }
    return p->status;
}

/* ---- beginning and end ------------------------------------------------------------- */

static enum fovea_status make_slots(struct pipeline *p, struct fovea_error *err) {
    p->ring = calloc(p->n_slots, sizeof(*p->ring));
    for (size_t i = 0; p->ring && i < p->n_slots; i++) {
        p->ring[i] = slot_create(p);
        if (!p->ring[i]) {
            return fovea_fail_memory(err, p->source.product.bytes, "an image ahead of the model");
        }
    }
    return p->ring ? FOVEA_OK
                   : fovea_fail_memory(err, p->n_slots * sizeof(*p->ring), "a ring of images");
}

static enum fovea_status start_workers(struct pipeline *p, int workers, struct fovea_error *err) {
    p->max_workers = workers + MAX_STUCK;
    p->workers = calloc((size_t)p->max_workers, sizeof(*p->workers));
    if (!p->workers) {
        return fovea_fail_memory(err, (size_t)p->max_workers * sizeof(*p->workers), "threads");
    }
    pthread_mutex_lock(&p->lock);
    int error = 0;
    for (int i = 0; !error && i < workers; i++) {
        error = start_worker(p);
    }
    bool any = any_works(p); /* fewer do the same work */
    pthread_mutex_unlock(&p->lock);
    return any ? FOVEA_OK
               : fovea_fail(err, FOVEA_ERR_MEMORY, "cannot start a thread: %s", strerror(error));
}

enum fovea_status pipeline_create(const struct pipeline_source *source, int workers, size_t ahead,
                                  struct pipeline **out, struct fovea_error *err) {
    struct pipeline *p = calloc(1, sizeof(*p));
    if (!p) {
        return fovea_fail_memory(err, sizeof(*p), "a pipeline");
    }
    p->source = *source;
    p->n_slots = ahead;
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

/* Whether all threads have ended, a moment after they were told to. */
static bool join_workers(struct pipeline *p) {
    bool all = true;
    double until = fovea_clock_seconds() + patience_s;
    for (int i = 0; p->workers && i < p->max_workers; i++) {
        pthread_mutex_lock(&p->lock);
        enum worker_state state = p->workers[i].state;
        pthread_mutex_unlock(&p->lock);
        if (state == NOBODY) {
            continue;
        }
        double left = state == STUCK ? 0 : fmax(0, until - fovea_clock_seconds());
        struct timespec t; /* this call knows no other clock */
        clock_gettime(CLOCK_REALTIME, &t);
        double at = (double)t.tv_nsec * 1e-9 + left;
        t.tv_sec += (time_t)at;
        t.tv_nsec = (long)((at - floor(at)) * 1e9);
        all = pthread_timedjoin_np(p->workers[i].thread, NULL, &t) == 0 && all;
    }
    return all;
}

bool pipeline_destroy(struct pipeline *p) {
    if (!p) {
        return true;
    }
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->room);
    pthread_mutex_unlock(&p->lock);
    if (!join_workers(p)) {
        return false;
    }
    pthread_mutex_destroy(&p->claim);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->room);
    pthread_cond_destroy(&p->ready);
    for (size_t i = 0; p->ring && i < p->n_slots; i++) {
        slot_destroy(p, p->ring[i]);
    }
    free(p->ring);
    free(p->workers);
    free(p);
    return true;
}
