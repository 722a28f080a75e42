/* See eval_streams.h. */
#include "tools/eval_streams.h"

#include "runtime/clock.h"
#include "tools/progress.h"
#include "tools/say.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What the streams share. Everything but `eval` and `deadline` is touched under the lock. */
struct runner {
    struct eval *eval;
    const volatile sig_atomic_t *stop;
    struct streams streams;
    double deadline; /* by the clock: begin no batch after it, but for one a stream; 0: none */
    pthread_mutex_t lock;
    struct pipeline *pipeline;
    struct progress progress;
    size_t next; /* the first image nobody has taken */
    size_t done; /* images taken, with their batch through the model */
    enum fovea_status status;
    struct fovea_error err; /* of the first stream to fail */
};

/* ---- images in, results out ---------------------------------------------------- */

/* Note what happened to an image, and say so if it is worth a line. Under the lock. */
static void note(struct eval *eval, size_t index, const struct prepared_image *image) {
    struct image_result *result = &eval->results[index];
    const char *path = eval->dataset.images[index].path;
    result->state = image->state;
    if (!image->message[0]) {
        return;
    }
    free(result->message);
    result->message = strdup(image->message);
    say("%s: %s%s", path, image->state == IMAGE_OK ? "warning: " : "", image->message);
}

static bool is_over(const struct runner *r, bool begun) {
    bool late = begun && r->deadline > 0 && fovea_clock_seconds() > r->deadline;
    return late || r->status || *r->stop || r->next >= r->eval->dataset.n_images;
}

/*
 * Take images until the batch is full: how many are in it, and how many were
 * taken. Under the lock, so that a batch is of neighbours.
 */
static size_t fill_batch(struct runner *r, const struct classifier *c, size_t *indices,
                         size_t *taken) {
    struct prepared_image image;
    size_t n = 0;
    *taken = 0;
    while (n < (size_t)c->batch && r->next < r->eval->dataset.n_images && !*r->stop) {
        pipeline_take(r->pipeline, c->pixels + n * c->image_floats, &image);
        size_t index = r->next++;
        note(r->eval, index, &image);
        (*taken)++;
        if (image.state == IMAGE_OK) {
            /* until its batch has run, there is no answer */
            r->eval->results[index].state = IMAGE_NOT_DONE;
            indices[n++] = index;
        }
    }
    return n;
}

/* The answers of one batch; `indices` says which image each row is. */
static void score_batch(struct runner *r, const struct classifier *c, const size_t *indices,
                        size_t n) {
    static const struct prepared_image broken = {IMAGE_FAILED,
                                                 "the model's output has NaN or infinite logits"};
    struct eval *eval = r->eval;
    size_t classes = (size_t)c->classes;
    for (size_t row = 0; row < n; row++) {
        const float *logits = c->logits + row * classes;
        struct image_result *result = &eval->results[indices[row]];
        if (eval->logits) {
            memcpy(eval->logits + indices[row] * classes, logits, classes * sizeof(*logits));
        }
        if (logits_are_broken(logits, c->classes)) {
            pthread_mutex_lock(&r->lock);
            note(eval, indices[row], &broken);
            pthread_mutex_unlock(&r->lock);
        } else {
            top_predictions(logits, c->classes, TOP_CLASSES, result->best);
            result->state = IMAGE_OK;
        }
    }
}

/* ---- one stream ---------------------------------------------------------------- */

/* One batch; false when there is nothing left to do. */
static bool run_batch(struct runner *r, struct classifier *c, size_t *indices, bool begun) {
    struct fovea_error err;
    size_t n = 0, taken = 0;
    pthread_mutex_lock(&r->lock);
    bool over = is_over(r, begun);
    if (!over) {
        n = fill_batch(r, c, indices, &taken);
    }
    pthread_mutex_unlock(&r->lock);
    if (over) {
        return false;
    }
    enum fovea_status status = n > 0 ? classifier_run(c, &err) : FOVEA_OK;
    if (!status) {
        score_batch(r, c, indices, n);
    }
    pthread_mutex_lock(&r->lock);
    if (status && !r->status) {
        r->status = status;
        r->err = err;
    }
    r->done += status ? 0 : taken;
    progress_set(&r->progress, r->done);
    pthread_mutex_unlock(&r->lock);
    return true;
}

static void run_stream(void *context, struct classifier *c, int index) {
    struct runner *r = context;
    (void)index;
    size_t *indices = calloc((size_t)c->batch, sizeof(*indices));
    if (!indices) {
        pthread_mutex_lock(&r->lock);
        r->status = fovea_fail_memory(&r->err, (size_t)c->batch * sizeof(*indices), "a batch");
        pthread_mutex_unlock(&r->lock);
        return;
    }
    for (bool begun = false; run_batch(r, c, indices, begun);) {
        begun = true;
    }
    free(indices);
}

static enum fovea_status run_streams(struct runner *r, double deadline, struct fovea_error *err) {
    r->deadline = deadline;
    enum fovea_status status = streams_run(&r->streams, run_stream, r, err);
    if (!status && r->status) {
        *err = r->err;
        status = r->status;
    }
    return status;
}

/* ---- choosing ------------------------------------------------------------------ */

enum { MAX_SETTINGS = 8 };
static const double window_s = 0.75;   /* a setting is measured for */
static const double worth_s = 20;      /* of work are worth measuring for */
static const double clear_gain = 1.03; /* over the first setting: less is noise */

static void add_setting(const struct eval *eval, struct streams_setting *list, size_t *count,
                        int streams, int batch) {
    struct streams_setting s = eval->setting;
    s.streams = eval->fixed_streams || streams < 1 ? s.streams : streams;
    s.batch = eval->fixed_batch ? s.batch : batch;
    for (size_t i = 0; i < *count; i++) {
        if (list[i].streams == s.streams && list[i].batch == s.batch) {
            return;
        }
    }
    list[(*count)++] = s;
}

/* The setting there is, then others that may do more images in the same time. */
static size_t list_settings(const struct eval *eval, struct streams_setting list[MAX_SETTINGS]) {
    int threads = eval->setting.threads,
        several = eval->setting.batch > 1 ? eval->setting.batch : 4;
    size_t count = 0;
    list[count++] = eval->setting;
    add_setting(eval, list, &count, 1, 1);
    add_setting(eval, list, &count, threads, 1);
    add_setting(eval, list, &count, threads, several);
    if (threads >= 8) {
        add_setting(eval, list, &count, threads / 4, 1);
    }
    return count;
}

static void say_setting(const char *what, const struct streams_setting *s, double rate) {
    say("%s %d stream%s, %d thread%s, batch %d: %.2f images/s", what, s->streams,
        s->streams == 1 ? "" : "s", s->threads, s->threads == 1 ? "" : "s", s->batch, rate);
}

static enum fovea_status use_setting(struct runner *r, const struct streams_setting *setting,
                                     struct fovea_error *err) {
    streams_finish(&r->streams);
    return streams_init(&r->streams, &r->eval->model, r->eval->options, setting, err);
}

/* Images a second under that setting, 0 if memory does not allow it. */
static enum fovea_status measure(struct runner *r, const struct streams_setting *setting,
                                 double *rate, struct fovea_error *err) {
    *rate = 0;
    enum fovea_status status = use_setting(r, setting, err);
    if (status == FOVEA_ERR_LIMIT || status == FOVEA_ERR_MEMORY) {
        return FOVEA_OK;
    }
    if (!status) {
        /* A batch a stream: memory first touched and threads started are not the setting's fault.
         */
        status = run_streams(r, fovea_clock_seconds(), err);
    }
    size_t before = r->done;
    double start = fovea_clock_seconds();
    if (!status) {
        status = run_streams(r, start + window_s, err);
    }
    *rate = (double)(r->done - before) / (fovea_clock_seconds() - start);
    return status;
}

/* Whether images are left for which another setting would pay. */
static bool is_worth(const struct runner *r, double rate) {
    double left = (double)(r->eval->dataset.n_images - r->next);
    return r->eval->always_measure ? left > 0 : left > rate * worth_s;
}

static enum fovea_status choose(struct runner *r, struct fovea_error *err) {
    struct streams_setting list[MAX_SETTINGS];
    size_t count = list_settings(r->eval, list), best = 0, now = 0;
    double best_rate = 0, rate;
    for (size_t i = 0; i < count && !*r->stop && (i == 0 || is_worth(r, best_rate)); i++) {
        if (i == 1) {
            say_setting("measured", &list[0], best_rate);
        }
        enum fovea_status status = measure(r, &list[i], &rate, err);
        if (status) {
            return status;
        }
        if (i > 0) {
            say_setting("measured", &list[i], rate);
        }
        now = i;
        if (rate > best_rate * (i > 0 && best == 0 ? clear_gain : 1)) {
            best = i;
            best_rate = rate;
        }
    }
    if (now > 0) {
        say_setting("chosen  ", &list[best], best_rate);
    }
    r->eval->setting = list[best];
    return now == best ? FOVEA_OK : use_setting(r, &list[best], err);
}

enum fovea_status eval_streams_run(struct eval *eval, struct pipeline *pipeline,
                                   const volatile sig_atomic_t *stop, struct fovea_error *err) {
    struct runner r = {.eval = eval, .stop = stop, .pipeline = pipeline};
    pthread_mutex_init(&r.lock, NULL);
    progress_init(&r.progress, "images", eval->dataset.n_images);
    enum fovea_status status =
        eval->choose ? choose(&r, err) : use_setting(&r, &eval->setting, err);
    if (!status) {
        status = run_streams(&r, 0, err);
    }
    progress_finish(&r.progress);
    streams_finish(&r.streams);
    pthread_mutex_destroy(&r.lock);
    return status;
}
