/* See eval_streams.h. */
#include "tools/eval_streams.h"

#include "evaluation/journal.h"
#include "loaders/logits.h"
#include "runtime/clock.h"
#include "tools/eval_settings.h"
#include "tools/progress.h"
#include "tools/ranks.h"
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
    double started;   /* the first image; 0: not yet */
    size_t done;      /* images taken, with their batch through the model */
    size_t failures;  /* images without an answer, those of runs before included */
    double busy, all; /* seconds that streams spent in the model, and all of theirs */
    enum fovea_status status;
    struct fovea_error err; /* of the first stream to fail */
};

/* ---- images in, results out ---------------------------------------------------- */

/* One more image without an answer, which may be one too many. Under the lock. */
static void count_failure(struct runner *r) {
    struct fovea_error err;
    enum fovea_status status = eval_check_failures(r->eval, ++r->failures, &err);
    if (status && !r->status) {
        r->status = status;
        r->err = err;
    }
}

/* Note what happened to an image, and say so if it is worth a line. Under the lock. */
static void note(struct runner *r, struct eval_record *record, const struct prepared_image *image) {
    record->state = image->state;
    record->file_bytes = image->file_bytes;
    memcpy(record->file_sha256, image->file_sha256, sizeof(record->file_sha256));
    if (!image->message[0]) {
        return;
    }
    free(record->message);
    record->message = strdup(image->message);
    say("%s: %s%s", record->path, image->state == EVAL_OK ? "warning: " : "", image->message);
    if (image->state != EVAL_OK) {
        count_failure(r);
    }
}

/* The image is done, whatever came of it. Under the lock. */
static void write_down(struct runner *r, size_t index) {
    struct fovea_error err;
    struct eval *eval = r->eval;
    enum fovea_status status =
        eval->journal ? eval_journal_append(eval->journal, index, &eval->list.records[index], &err)
                      : FOVEA_OK;
    if (status && !r->status) {
        r->status = status;
        r->err = err;
    }
}

static bool is_over(const struct runner *r, bool begun) {
    bool late = begun && r->deadline > 0 && fovea_clock_seconds() > r->deadline;
    return late || r->status || *r->stop;
}

/* A batch on its way. */
struct batch {
    size_t *rows; /* [classifier's batch] the image in each row, or EVAL_NO_IMAGE */
    size_t n;     /* images in it */
    size_t taken; /* images it took from the pipeline: those, and the ones without pixels */
};

/* The next image's pixels into a row. */
static void take_image(struct runner *r, struct classifier *c, size_t row,
                       struct prepared_image *image) {
    if (c->batch > 1) {
        pipeline_take(r->pipeline, c->pixels + row * c->image_floats, image);
        return;
    }
    void *pixels = c->pixels;
    pipeline_exchange(r->pipeline, &pixels, image);
    c->pixels = pixels;
}

/*
 * Take images until the batch is full. Where bits must not depend on what else
 * is in a batch, the row of an image is given by its index, since a kernel may
 * treat rows differently. Under the lock, so that a batch is of neighbours.
 */
static void fill_batch(struct runner *r, struct classifier *c, struct batch *b) {
    struct prepared_image image;
    size_t size = (size_t)c->batch;
    b->n = b->taken = 0;
    for (size_t row = 0; row < size; row++) {
        b->rows[row] = EVAL_NO_IMAGE;
    }
    while (b->n < size && !r->status) {
        size_t index = pipeline_peek(r->pipeline, r->stop);
        size_t row = r->eval->exact ? index % size : b->n;
        if (index == EVAL_NO_IMAGE || b->rows[row] != EVAL_NO_IMAGE) {
            break;
        }
        struct eval_record *record = &r->eval->list.records[index];
        take_image(r, c, row, &image);
        note(r, record, &image);
        b->taken++;
        if (image.state == EVAL_OK) {
            record->state = EVAL_NOT_DONE; /* until its batch has run, there is no answer */
            b->rows[row] = index;
            b->n++;
        } else {
            write_down(r, index);
        }
    }
}

/* The answer of one row, or that it is none. */
static void score_row(struct runner *r, const float *logits, int64_t classes,
                      struct eval_record *record) {
    if (!fovea_logits_are_broken(logits, classes)) {
        eval_record_answer(record, logits, r->eval->list.among, classes);
        return;
    }
    struct prepared_image broken = {
        .state = EVAL_FAILED,
        .message = EVAL_BROKEN_LOGITS,
        .file_bytes = record->file_bytes,
    };
    memcpy(broken.file_sha256, record->file_sha256, sizeof(broken.file_sha256));
    pthread_mutex_lock(&r->lock);
    note(r, record, &broken);
    pthread_mutex_unlock(&r->lock);
}

/* The answers of one batch. */
static void score_batch(struct runner *r, const struct classifier *c, const struct batch *b) {
    struct eval *eval = r->eval;
    size_t classes = (size_t)c->classes;
    for (size_t row = 0; row < (size_t)c->batch; row++) {
        const float *logits = c->logits + row * classes;
        size_t index = b->rows[row];
        if (index == EVAL_NO_IMAGE) {
            continue;
        }
        if (eval->logits) {
            memcpy(eval->logits + index * classes, logits, classes * sizeof(*logits));
        }
        score_row(r, logits, c->classes, &eval->list.records[index]);
    }
    pthread_mutex_lock(&r->lock);
    for (size_t row = 0; row < (size_t)c->batch; row++) {
        if (b->rows[row] != EVAL_NO_IMAGE) {
            write_down(r, b->rows[row]);
        }
    }
    pthread_mutex_unlock(&r->lock);
}

/* ---- one stream ---------------------------------------------------------------- */

/* One batch; false when there is nothing left to do. */
static bool run_batch(struct runner *r, struct classifier *c, struct batch *b, bool begun) {
    struct fovea_error err;
    pthread_mutex_lock(&r->lock);
    b->taken = 0;
    if (!is_over(r, begun)) {
        fill_batch(r, c, b);
    }
    pthread_mutex_unlock(&r->lock);
    if (b->taken == 0) {
        return false;
    }
    double start = fovea_clock_seconds();
    enum fovea_status status = b->n > 0 ? classifier_run(c, &err) : FOVEA_OK;
    double busy = fovea_clock_seconds() - start;
    if (!status) {
        score_batch(r, c, b);
    }
    pthread_mutex_lock(&r->lock);
    r->busy += busy;
    if (status && !r->status) {
        r->status = status;
        r->err = err;
    }
    r->done += status ? 0 : b->taken;
    progress_set(&r->progress, r->done + ranks_elsewhere(r->eval->ranks));
    pthread_mutex_unlock(&r->lock);
    return true;
}

static void run_stream(void *context, struct classifier *c, int index) {
    struct runner *r = context;
    (void)index;
    struct batch batch = {.rows = calloc((size_t)c->batch, sizeof(*batch.rows))};
    if (!batch.rows) {
        pthread_mutex_lock(&r->lock);
        r->status = fovea_fail_memory(&r->err, (size_t)c->batch * sizeof(*batch.rows), "a batch");
        pthread_mutex_unlock(&r->lock);
        return;
    }
    double start = fovea_clock_seconds();
    for (bool begun = false; run_batch(r, c, &batch, begun);) {
        begun = true;
    }
    free(batch.rows);
    pthread_mutex_lock(&r->lock);
    r->all += fovea_clock_seconds() - start;
    pthread_mutex_unlock(&r->lock);
}

static enum fovea_status run_streams(struct runner *r, double deadline, struct fovea_error *err) {
    r->deadline = deadline;
    if (r->started == 0) {
        r->started = r->progress.started = fovea_clock_seconds();
    }
    enum fovea_status status = streams_run(&r->streams, run_stream, r, err);
    if (!status && r->status) {
        *err = r->err;
        status = r->status;
    }
    return status;
}

/* ---- choosing ------------------------------------------------------------------ */

static const double window_s = 0.75;   /* a setting is measured for */
static const double worth_s = 20;      /* of work are worth measuring for */
static const double clear_gain = 1.03; /* over the first setting: less is noise */

static void say_setting(const char *what, const struct streams_setting *s, double rate) {
    say("%s %d stream%s, %d thread%s, batch %d: %.2f images/s", what, s->streams,
        s->streams == 1 ? "" : "s", s->threads, s->threads == 1 ? "" : "s", s->batch, rate);
}

static enum fovea_status use_setting(struct runner *r, const struct streams_setting *setting,
                                     struct fovea_error *err) {
    streams_finish(&r->streams);
    return streams_init(&r->streams, &r->eval->model, r->eval->options, setting, err);
}

/*
 * Have the sessions of that setting; *fits says whether memory allows it. A
 * setting that does not fit is no failure while there is another.
 */
static enum fovea_status try_setting(struct runner *r, const struct streams_setting *setting,
                                     bool last, bool *fits, struct fovea_error *err) {
    enum fovea_status status = use_setting(r, setting, err);
    *fits = status == FOVEA_OK;
    bool too_large = status == FOVEA_ERR_LIMIT || status == FOVEA_ERR_MEMORY;
    return too_large && !last ? FOVEA_OK : status;
}

/* Images a second under the setting that there is. */
static enum fovea_status measure(struct runner *r, double *rate, struct fovea_error *err) {
    /* A batch a stream: memory first touched and threads started are not the setting's fault. */
    enum fovea_status status = run_streams(r, fovea_clock_seconds(), err);
    size_t before = r->done;
    double start = fovea_clock_seconds();
    if (!status) {
        status = run_streams(r, start + window_s, err);
    }
    *rate = (double)(r->done - before) / (fovea_clock_seconds() - start);
    return status;
}

/*
 * Whether images are left for which another setting would pay; `rate` is the
 * best so far. Of exact streams, with a thread each, several are faster than one.
 */
static bool is_worth(const struct runner *r, const struct streams_setting *setting, double rate) {
    double left = (double)(r->progress.total - r->done);
    if (r->eval->exact && setting->streams == 1) {
        return false;
    }
    return r->eval->always_measure ? left > 0 : left > rate * worth_s;
}

static bool any_worth(const struct runner *r, const struct streams_setting *list, size_t count,
                      double rate) {
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        any = any || is_worth(r, &list[i], rate);
    }
    return any;
}
/* What has been found of a list of settings. */
struct choice {
    const struct streams_setting *list;
    size_t count;
    size_t best, now; /* in the list; count: none */
    double rate;      /* of the best, images a second; 0: not measured */
    bool compared;
};

/* Take the setting that is there for the best if it is, now that it has done `rate`. */
static void compare(struct choice *c, double rate) {
    if (c->best == c->count) {
        c->best = c->now;
        c->rate = rate;
        return;
    }
    if (!c->compared) {
        say_setting("measured", &c->list[c->best], c->rate);
        c->compared = true;
    }
    say_setting("measured", &c->list[c->now], rate);
    if (rate > c->rate * (c->best == 0 ? clear_gain : 1)) {
        c->best = c->now;
        c->rate = rate;
    }
}

/* Bring streams into the fastest setting, doing images on the way. */
static enum fovea_status choose(struct runner *r, struct fovea_error *err) {
    struct streams_setting list[EVAL_MAX_SETTINGS];
    size_t count = eval_settings_list(r->eval, list);
    struct choice c = {.list = list, .count = count, .best = count, .now = count};
    enum fovea_status status = FOVEA_OK;
    for (size_t i = 0; !status && i < count && !*r->stop; i++) {
        bool first = c.best == count, fits = false;
        double rate = 0;
        if (!first && !is_worth(r, &list[i], c.rate)) {
            continue;
        }
        c.now = count;
        status = try_setting(r, &list[i], first && i + 1 == count, &fits, err);
        if (!fits) {
            continue;
        }
        c.now = i;
        if (!first || any_worth(r, list + i + 1, count - i - 1, 0)) {
            status = measure(r, &rate, err);
        }
        compare(&c, rate);
    }
    if (status || c.best == count) {
        return status;
    }
    if (c.compared) {
        say_setting("chosen  ", &list[c.best], c.rate);
    }
    r->eval->setting = list[c.best];
    return c.now == c.best ? FOVEA_OK : use_setting(r, &list[c.best], err);
}

enum fovea_status eval_streams_run(struct eval *eval, struct pipeline *pipeline,
                                   const volatile sig_atomic_t *stop, struct fovea_error *err) {
    struct runner r = {.eval = eval, .stop = stop, .pipeline = pipeline};
    pthread_mutex_init(&r.lock, NULL);
    struct eval_counts counts;
    eval_count(eval, &counts);
    r.failures = counts.failed + counts.missing;
    /* What other ranks do is shown by the first. */
    progress_init(&r.progress, "images",
                  eval->ranks ? eval->list.count - eval->n_resumed : counts.not_done);
    r.progress.hidden = ranks_index(eval->ranks) > 0;
    enum fovea_status status = eval_check_failures(eval, r.failures, err);
    if (!status) {
        status = eval->choose ? choose(&r, err) : use_setting(&r, &eval->setting, err);
    }
    if (!status && r.streams.count > 0) {
        status = run_streams(&r, 0, err);
        eval->seconds = fovea_clock_seconds() - r.started;
        eval->busy = r.all > 0 ? r.busy / r.all : 0;
    }
    progress_finish(&r.progress);
    streams_finish(&r.streams);
    pthread_mutex_destroy(&r.lock);
    return status;
}
