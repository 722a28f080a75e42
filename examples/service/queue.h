/*
 * Jobs from some threads to others, first in, first out.
 */
#ifndef SERVICE_QUEUE_H
#define SERVICE_QUEUE_H

#include "job.h"

#include <pthread.h>

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t filled, drained;
    struct job *head, *tail;
    size_t length, room; /* in jobs */
    bool closed;
};

/* push waits while there are `room` jobs. Returns whether that went well. */
bool queue_init(struct queue *queue, size_t room);
void queue_finish(struct queue *queue);

void queue_push(struct queue *queue, struct job *job);

/* The first job; waits for one as long as it takes. NULL when it is closed and empty. */
struct job *queue_pop(struct queue *queue);

/*
 * The same, but leaves jobs to others while `*count` is not above `bound` and
 * it is not closed. Whoever raises the count pushes a job after that.
 */
struct job *queue_pop_above(struct queue *queue, const atomic_size_t *count, size_t bound);

/* The first job, if there is one and it asks for at most `most` images of `engine`. Else NULL. */
struct job *queue_pop_fitting(struct queue *queue, const struct engine *engine, size_t most,
                              bool *stop);

/*
 * Wait until there is a job, or it is closed (true), or it is `deadline`
 * (CLOCK_MONOTONIC seconds): false.
 */
bool queue_wait(struct queue *queue, double deadline);

/* Nothing comes any more: pop returns what is left, then NULL. */
void queue_close(struct queue *queue);

size_t queue_length(struct queue *queue);

#endif
