/*
 * Threads, queues, and what happens to a job between them.
 */
#include "pipeline.h"

#include "batcher.h"
#include "clock.h"
#include "metrics.h"
#include "queue.h"

#include <stdint.h>
#include <stdlib.h>

/* A stream of the model, and the thread that runs batches on it. */
struct runner {
    struct pipeline *pipeline;
    int index;
    struct batcher batcher;
    pthread_t thread;
};

struct pipeline {
    const struct service_options *options;
    pipeline_done_fn *done;
    void *context;
    struct queue incoming, ready;
    atomic_size_t pending; /* submitted and not done */
    pthread_t *decoders;
    struct runner *runners;
    int n_decoders, n_batchers, n_runners; /* of the runners, how many have a batcher, a thread */
};

static void finish(struct pipeline *pipeline, struct job *job) {
    atomic_fetch_sub(&pipeline->pending, 1);
    pipeline->done(pipeline->context, job);
}

/* Whether nobody waits for it any more, or it waited too long; it has its answer then. */
static bool is_stale(const struct pipeline *pipeline, struct job *job) {
    if (atomic_load(&job->cancelled)) {
        reply_error(&job->reply, 499, "the client went away");
        return true;
    }
    if (clock_now() - job->submitted > pipeline->options->queue_seconds) {
        metrics_add(COUNT_EXPIRED);
        reply_error(&job->reply, 503, "the request waited too long");
        job->reply.retry_after = 1;
        return true;
    }
    return false;
}

static void *decode_jobs(void *context) {
    struct pipeline *pipeline = context;
    struct job *job;
    while ((job = queue_pop(&pipeline->incoming))) {
        if (!is_stale(pipeline, job)) {
            job_prepare(job);
        }
        if (job->reply.status) {
            finish(pipeline, job);
        } else {
            queue_push(&pipeline->ready, job);
        }
    }
    return NULL;
}

/* Add `job` to the batch, or finish it if it is stale. */
static void take(struct runner *runner, struct job *job) {
    if (is_stale(runner->pipeline, job)) {
        finish(runner->pipeline, job);
    } else {
        batcher_add(&runner->batcher, job);
    }
}

/*
 * A batch leaves as many of the requests that are on their way to each other stream, and as many
 * again: these are sent, read and prepared while it runs, where batches that took them all would
 * leave the model without work until their clients have come back.
 */
static bool has_its_share(const struct runner *runner) {
    size_t shares = (size_t)runner->pipeline->options->streams + 1;
    return runner->batcher.n_jobs >=
           (atomic_load(&runner->pipeline->pending) + shares - 1) / shares;
}

/*
 * Fill the batch up with what comes within the delay. Where the last batch was of one request and
 * no other is on its way, a lone client is not made to wait.
 */
static void gather(struct runner *runner) {
    struct pipeline *pipeline = runner->pipeline;
    struct batcher *batcher = &runner->batcher;
    double deadline = clock_now() + pipeline->options->batch_delay;
    bool stop = false;
    while (batcher->n_jobs && !batcher_is_full(batcher) && !has_its_share(runner) && !stop) {
        struct job *job = queue_pop_fitting(&pipeline->ready, batcher->jobs[0]->engine,
                                            batcher_room(batcher), &stop);
        if (job) {
            take(runner, job);
            continue;
        }
        bool alone = atomic_load(&pipeline->pending) <= batcher->n_jobs && batcher->last_jobs <= 1;
        if (stop || alone || clock_now() >= deadline || !queue_wait(&pipeline->ready, deadline)) {
            break;
        }
    }
}

/*
 * One image of the only request that is on its way has all threads. Nobody else runs anything then,
 * and whoever begins to before it is done finds that more is on its way.
 */
static int stream_for(const struct runner *runner) {
    bool alone = runner->batcher.images == 1 && atomic_load(&runner->pipeline->pending) == 1;
    return alone && runner->pipeline->options->streams > 1 ? ENGINE_WHOLE : runner->index;
}

/*
 * The i-th runner works only while more than i requests are on their way. So it is always the first
 * that runs what is alone, and OpenMP's threads for that wait for one runner only. A job that is
 * ready is never left: with the first k runners at work, k + 1 are on their way.
 */
static void *run_jobs(void *context) {
    struct runner *runner = context;
    struct pipeline *pipeline = runner->pipeline;
    struct batcher *batcher = &runner->batcher;
    struct job *job;
    while ((job = queue_pop_above(&pipeline->ready, &pipeline->pending, (size_t)runner->index))) {
        take(runner, job);
        gather(runner);
        size_t n = batcher->n_jobs;
        batcher_run(batcher, stream_for(runner));
        for (size_t i = 0; i < n; i++) {
            finish(pipeline, batcher->jobs[i]);
        }
    }
    return NULL;
}

static bool start_decoders(struct pipeline *pipeline) {
    int wanted = pipeline->options->decoders;
    pipeline->decoders = calloc((size_t)wanted, sizeof(*pipeline->decoders));
    while (pipeline->decoders && pipeline->n_decoders < wanted &&
           pthread_create(&pipeline->decoders[pipeline->n_decoders], NULL, decode_jobs, pipeline) ==
               0) {
        pipeline->n_decoders++;
    }
    return pipeline->n_decoders == wanted;
}

/* All batchers are there before the first thread looks for one to cancel. */
static bool start_runners(struct pipeline *pipeline) {
    int wanted = pipeline->options->streams;
    pipeline->runners = calloc((size_t)wanted, sizeof(*pipeline->runners));
    for (; pipeline->runners && pipeline->n_batchers < wanted; pipeline->n_batchers++) {
        struct runner *runner = &pipeline->runners[pipeline->n_batchers];
        runner->pipeline = pipeline;
        runner->index = pipeline->n_batchers;
        if (!batcher_init(&runner->batcher, (size_t)pipeline->options->max_batch)) {
            return false;
        }
    }
    while (pipeline->n_runners < pipeline->n_batchers &&
           pthread_create(&pipeline->runners[pipeline->n_runners].thread, NULL, run_jobs,
                          &pipeline->runners[pipeline->n_runners]) == 0) {
        pipeline->n_runners++;
    }
    return pipeline->n_runners == wanted;
}

struct pipeline *pipeline_create(const struct service_options *options, pipeline_done_fn *done,
                                 void *context) {
    struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
    if (!pipeline) {
        return NULL;
    }
    pipeline->options = options;
    pipeline->done = done;
    pipeline->context = context;
    atomic_init(&pipeline->pending, 0);
    /* Prepared images are large: a batch of them for each stream, and one more, keep it busy. */
    size_t most_ready = ((size_t)options->streams + 1) * (size_t)options->max_batch;
    if (!queue_init(&pipeline->incoming, SIZE_MAX) || !queue_init(&pipeline->ready, most_ready)) {
        free(pipeline);
        return NULL;
    }
    if (!start_decoders(pipeline) || !start_runners(pipeline)) {
        pipeline_destroy(pipeline);
        return NULL;
    }
    return pipeline;
}

void pipeline_destroy(struct pipeline *pipeline) {
    if (!pipeline) {
        return;
    }
    queue_close(&pipeline->incoming);
    for (int i = 0; i < pipeline->n_decoders; i++) {
        pthread_join(pipeline->decoders[i], NULL);
    }
    queue_close(&pipeline->ready);
    for (int i = 0; i < pipeline->n_runners; i++) {
        pthread_join(pipeline->runners[i].thread, NULL);
    }
    for (int i = 0; i < pipeline->n_batchers; i++) {
        batcher_finish(&pipeline->runners[i].batcher);
    }
    queue_finish(&pipeline->ready);
    queue_finish(&pipeline->incoming);
    free(pipeline->runners);
    free(pipeline->decoders);
    free(pipeline);
}

void pipeline_submit(struct pipeline *pipeline, struct job *job) {
    atomic_fetch_add(&pipeline->pending, 1);
    queue_push(&pipeline->incoming, job);
}

void pipeline_cancel(struct pipeline *pipeline, struct job *job) {
    atomic_store(&job->cancelled, true);
    for (int i = 0; i < pipeline->n_batchers; i++) {
        batcher_cancel(&pipeline->runners[i].batcher);
    }
}

size_t pipeline_length(struct pipeline *pipeline) {
    return queue_length(&pipeline->incoming) + queue_length(&pipeline->ready);
}
