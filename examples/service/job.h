/*
 * A request on its way: from the thread that speaks HTTP to one that prepares
 * it, to the one that runs the model, and back. At each moment one thread has
 * it; only `cancel` is for all.
 */
#ifndef SERVICE_JOB_H
#define SERVICE_JOB_H

#include "engine.h"
#include "reply.h"

#include <stdatomic.h>

enum job_kind { JOB_CLASSIFY, JOB_INFER };

struct job {
    struct job *next; /* in the queue it is in */
    enum job_kind kind;
    struct engine *engine; /* a reference */
    void *owner;           /* whoever is told when it is done */
    double submitted;      /* seconds of CLOCK_MONOTONIC */
    atomic_bool cancelled; /* nobody waits for it any more */

    char *body; /* freed once it is prepared */
    size_t body_size;
    size_t k;         /* JOB_CLASSIFY: how many labels */
    bool has_split;   /* JOB_INFER: Inference-Header-Content-Length was given: */
    size_t json_size; /* so many bytes of the body are JSON, tensors follow */

    /* JOB_INFER: from the request's JSON */
    char *id; /* or NULL */
    size_t id_size;
    bool binary_output;
    size_t classification; /* the output as so many "logit:index:label" strings; 0: as logits */

    size_t n;      /* images */
    float *images; /* [n, 3, height, width] */
    float *logits; /* [n, classes] */
    struct reply reply;
};

/* NULL if there is no memory. Takes a reference to `engine`. */
struct job *job_create(enum job_kind kind, struct engine *engine);
void job_destroy(struct job *job);

/* Room for `n` images and their logits. Answers 500 and returns false if there is no memory. */
bool job_make_room(struct job *job, size_t n);

/* Parse and decode what the body has; answers if it is wrong. */
void job_prepare(struct job *job);

/* Write the answer, from the logits. */
void job_answer(struct job *job);

#endif
