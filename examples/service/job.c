/*
 * A request on its way, and what each kind of it does at either end.
 */
#include "job.h"

#include "classify.h"
#include "oip_infer.h"
#include "oip_reply.h"

#include <stdint.h>
#include <stdlib.h>

struct job *job_create(enum job_kind kind, struct engine *engine) {
    struct job *job = calloc(1, sizeof(*job));
    if (!job) {
        return NULL;
    }
    job->kind = kind;
    job->engine = engine_ref(engine);
    atomic_init(&job->cancelled, false);
    return job;
}

void job_destroy(struct job *job) {
    if (!job) {
        return;
    }
    engine_unref(job->engine);
    reply_finish(&job->reply);
    free(job->body);
    free(job->id);
    free(job->images);
    free(job->logits);
    free(job);
}

bool job_make_room(struct job *job, size_t n) {
    size_t images = engine_image_floats(job->engine), classes = engine_classes(job->engine);
    /* n is at most a batch, which the classifier has buffers of: the products fit. */
    job->n = n;
    job->images = malloc(n * images * sizeof(float));
    job->logits = malloc(n * classes * sizeof(float));
    if (!job->images || !job->logits) {
        reply_error(&job->reply, 500, "out of memory");
        return false;
    }
    return true;
}

void job_prepare(struct job *job) {
    if (job->kind == JOB_CLASSIFY) {
        classify_prepare(job);
    } else {
        oip_prepare(job);
    }
    free(job->body);
    job->body = NULL;
}

void job_answer(struct job *job) {
    if (job->kind == JOB_CLASSIFY) {
        classify_answer(job);
    } else {
        oip_answer(job);
    }
    if (job->reply.body.failed) {
        reply_error(&job->reply, 500, "out of memory");
    }
}
