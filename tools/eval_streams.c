/* See eval_streams.h. */
#include "tools/eval_streams.h"

#include "evaluation/journal.h"
#include "loaders/logits.h"
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
    size_t done; /* images taken, with their batch through the model */
    enum fovea_status status;
    struct fovea_error err; /* of the first stream to fail */
};

/* ---- images in, results out ---------------------------------------------------- */

/* Note what happened to an image, and say so if it is worth a line. Under the lock. */
static void note(struct eval_record *record, const struct prepared_image *image) {
    record->state = image->state;
    record->file_bytes = image->file_bytes;
    memcpy(record->file_sha256, image->file_sha256, sizeof(record->file_sha256));
    if (!image->message[0]) {
        return;
    }
    free(record->message);
    record->message = strdup(image->message);
    say("%s: %s%s", record->path, image->state == EVAL_OK ? "warning: " : "", image->message);
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

/*
 * Take images until the batch is full. Where bits must not depend on what else
 * is in a batch, the row of an image is given by its index, since a kernel may
 * treat rows differently. Under the lock, so that a batch is of neighbours.
 */
static void fill_batch(struct runner *r, const struct classifier *c, struct batch *b) {
    struct prepared_image image;
    size_t size = (size_t)c->batch;
    b->n = b->taken = 0;
    for (size_t row = 0; row < size; row++) {
        b->rows[row] = EVAL_NO_IMAGE;
    }
    while (b->n < size) {
        size_t index = pipeline_peek(r->pipeline, r->stop);
        size_t row = r->eval->exact ? index % size : b->n;
        if (index == EVAL_NO_IMAGE || b->rows[row] != EVAL_NO_IMAGE) {
            break;
        }
        struct eval_record *record = &r->eval->list.records[index];
        pipeline_take(r->pipeline, c->pixels + row * c->image_floats, &image);
        note(record, &image);
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
        .message = "the model's output has NaN or infinite logits",
        .file_bytes = record->file_bytes,
    };
    memcpy(broken.file_sha256, record->file_sha256, sizeof(broken.file_sha256));
    pthread_mutex_lock(&r->lock);
    note(record, &broken);
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
    enum fovea_status status = b->n > 0 ? classifier_run(c, &err) : FOVEA_OK;
    if (!status) {
        score_batch(r, c, b);
    }
    pthread_mutex_lock(&r->lock);
    if (status && !r->status) {
        r->status = status;
        r->err = err;
    }
    r->done += status ? 0 : b->taken;
    progress_set(&r->progress, r->done);
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
    for (bool begun = false; run_batch(r, c, &batch, begun);) {
        begun = true;
    }
    free(batch.rows);
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

/*
 * A thread a stream, then half as many, and so on: less memory, and where that
 * is what limits, faster. The last can only be faster than no setting at all.
 */
static size_t list_exact(const struct eval *eval, struct streams_setting list[MAX_SETTINGS]) {
    size_t count = 0;
    struct streams_setting s = eval->setting;
    list[count++] = s;
    while (s.streams > 1 && count < MAX_SETTINGS) {
        s.streams = s.threads = s.streams / 2;
        list[count++] = s;
    }
    return count;
}

/* The setting there is, then others that may do more images in the same time. */
static size_t list_settings(const struct eval *eval, struct streams_setting list[MAX_SETTINGS]) {
    int threads = eval->setting.threads,
        several = eval->setting.batch > 1 ? eval->setting.batch : 4;
    size_t count = 0;
    if (eval->exact) {
        return list_exact(eval, list);
    }
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

/* Whether images are left for which another setting would pay; `rate` is the best so far, or 0. */
static bool is_worth(const struct runner *r, const struct streams_setting *setting, double rate) {
    double left = (double)(r->progress.total - r->done);
    if (rate > 0 && r->eval->exact && setting->streams == 1) {
        return false; /* several streams of a thread each are faster than one */
    }
    return r->eval->always_measure ? left > 0 : left > rate * worth_s;
}

static enum fovea_status choose(struct runner *r, struct fovea_error *err) {
    struct streams_setting list[MAX_SETTINGS];
    size_t count = list_settings(r->eval, list), best = 0, now = 0;
    double best_rate = 0, rate;
    for (size_t i = 0; i < count && !*r->stop && (i == 0 || is_worth(r, &list[i], best_rate));
         i++) {
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
    struct eval_counts counts;
    eval_count(eval, &counts);
    progress_init(&r.progress, "images", counts.not_done);
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
