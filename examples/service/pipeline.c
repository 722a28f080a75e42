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

struct pipeline {
    const struct service_options *options;
    pipeline_done_fn *done;
    void *context;
    struct queue incoming, ready;
    struct batcher batcher;
    atomic_size_t pending; /* submitted and not done */
    pthread_t *decoders, runner;
    int n_decoders;
    bool has_runner;
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
    while ((job = queue_pop(&pipeline->incoming, 0))) {
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
static void take(struct pipeline *pipeline, struct job *job) {
    if (is_stale(pipeline, job)) {
        finish(pipeline, job);
    } else {
        batcher_add(&pipeline->batcher, job);
    }
}

/*
 * Fill the batch up with what comes within the delay. Where the last batch was of one request and
 * no other is on its way, a lone client is not made to wait.
 */
static void gather(struct pipeline *pipeline) {
    struct batcher *batcher = &pipeline->batcher;
    double deadline = clock_now() + pipeline->options->batch_delay;
    bool stop = false;
    while (batcher->n_jobs && !batcher_is_full(batcher) && !stop) {
        struct job *job = queue_pop_fitting(&pipeline->ready, batcher->jobs[0]->engine,
                                            batcher_room(batcher), &stop);
        if (job) {
            take(pipeline, job);
            continue;
        }
        bool alone = atomic_load(&pipeline->pending) <= batcher->n_jobs && batcher->last_jobs <= 1;
        if (stop || alone || clock_now() >= deadline || !queue_wait(&pipeline->ready, deadline)) {
            break;
        }
    }
}

static void *run_jobs(void *context) {
    struct pipeline *pipeline = context;
    struct batcher *batcher = &pipeline->batcher;
    struct job *job;
    while ((job = queue_pop(&pipeline->ready, 0))) {
        take(pipeline, job);
        gather(pipeline);
        size_t n = batcher->n_jobs;
        batcher_run(batcher);
        for (size_t i = 0; i < n; i++) {
            finish(pipeline, batcher->jobs[i]);
        }
    }
    return NULL;
}

static bool start_threads(struct pipeline *pipeline) {
    int wanted = pipeline->options->decoders;
    pipeline->decoders = calloc((size_t)wanted, sizeof(*pipeline->decoders));
    if (!pipeline->decoders) {
        return false;
    }
    for (; pipeline->n_decoders < wanted; pipeline->n_decoders++) {
        if (pthread_create(&pipeline->decoders[pipeline->n_decoders], NULL, decode_jobs,
                           pipeline)) {
            return false;
        }
    }
    pipeline->has_runner = pthread_create(&pipeline->runner, NULL, run_jobs, pipeline) == 0;
    return pipeline->has_runner;
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
    /* Prepared images are large: two batches of them keep the model busy. */
    if (!queue_init(&pipeline->incoming, SIZE_MAX) ||
        !queue_init(&pipeline->ready, 2 * (size_t)options->max_batch) ||
        !batcher_init(&pipeline->batcher, (size_t)options->max_batch)) {
        free(pipeline);
        return NULL;
    }
    if (!start_threads(pipeline)) {
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
    if (pipeline->has_runner) {
        pthread_join(pipeline->runner, NULL);
    }
    batcher_finish(&pipeline->batcher);
    queue_finish(&pipeline->ready);
    queue_finish(&pipeline->incoming);
    free(pipeline->decoders);
    free(pipeline);
}

void pipeline_submit(struct pipeline *pipeline, struct job *job) {
    atomic_fetch_add(&pipeline->pending, 1);
    queue_push(&pipeline->incoming, job);
}

void pipeline_cancel(struct pipeline *pipeline, struct job *job) {
    atomic_store(&job->cancelled, true);
    batcher_cancel(&pipeline->batcher);
}

size_t pipeline_length(struct pipeline *pipeline) {
    return queue_length(&pipeline->incoming) + queue_length(&pipeline->ready);
}
