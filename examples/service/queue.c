/*
 * Jobs from some threads to others, first in, first out.
 */
#include "queue.h"

#include "clock.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

bool queue_init(struct queue *queue, size_t room) {
    pthread_condattr_t attr;
    memset(queue, 0, sizeof(*queue));
    queue->room = room;
    if (pthread_condattr_init(&attr)) {
        return false;
    }
    bool good = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
                pthread_mutex_init(&queue->mutex, NULL) == 0 &&
                pthread_cond_init(&queue->filled, &attr) == 0 &&
                pthread_cond_init(&queue->drained, &attr) == 0;
    pthread_condattr_destroy(&attr);
    return good;
}

void queue_finish(struct queue *queue) {
    pthread_cond_destroy(&queue->drained);
    pthread_cond_destroy(&queue->filled);
    pthread_mutex_destroy(&queue->mutex);
}

void queue_push(struct queue *queue, struct job *job) {
    pthread_mutex_lock(&queue->mutex);
    while (queue->length >= queue->room && !queue->closed) {
        pthread_cond_wait(&queue->drained, &queue->mutex);
    }
    job->next = NULL;
    if (queue->tail) {
        queue->tail->next = job;
    } else {
        queue->head = job;
    }
    queue->tail = job;
    queue->length++;
    /* Not all that wait may take it. */
    pthread_cond_broadcast(&queue->filled);
    pthread_mutex_unlock(&queue->mutex);
}

/* With the mutex held, and a job there. */
static struct job *take(struct queue *queue) {
    struct job *job = queue->head;
    queue->head = job->next;
    if (!queue->head) {
        queue->tail = NULL;
    }
    queue->length--;
    job->next = NULL;
    pthread_cond_signal(&queue->drained);
    return job;
}

struct job *queue_pop_above(struct queue *queue, const atomic_size_t *count, size_t bound) {
    pthread_mutex_lock(&queue->mutex);
    while (!queue->closed && (!queue->head || (count && atomic_load(count) <= bound))) {
        pthread_cond_wait(&queue->filled, &queue->mutex);
    }
    struct job *job = queue->head ? take(queue) : NULL;
    pthread_mutex_unlock(&queue->mutex);
    return job;
}

struct job *queue_pop(struct queue *queue) {
    return queue_pop_above(queue, NULL, 0);
}

struct job *queue_pop_fitting(struct queue *queue, const struct engine *engine, size_t most,
                              bool *stop) {
    struct job *job = NULL;
    pthread_mutex_lock(&queue->mutex);
    *stop = false;
    if (queue->head) {
        /* One that does not fit waits for the next run, and those behind it with it: in order. */
        *stop = queue->head->engine != engine || queue->head->n > most;
        job = *stop ? NULL : take(queue);
    }
    pthread_mutex_unlock(&queue->mutex);
    return job;
}

bool queue_wait(struct queue *queue, double deadline) {
    struct timespec until = {
        .tv_sec = (time_t)deadline,
        .tv_nsec = (long)((deadline - floor(deadline)) * 1e9),
    };
    pthread_mutex_lock(&queue->mutex);
    while (!queue->head && !queue->closed &&
           pthread_cond_timedwait(&queue->filled, &queue->mutex, &until) != ETIMEDOUT) {
    }
    bool there = queue->head || queue->closed;
    pthread_mutex_unlock(&queue->mutex);
    return there;
}

void queue_close(struct queue *queue) {
    pthread_mutex_lock(&queue->mutex);
    queue->closed = true;
    pthread_cond_broadcast(&queue->filled);
    pthread_cond_broadcast(&queue->drained);
    pthread_mutex_unlock(&queue->mutex);
}

size_t queue_length(struct queue *queue) {
    pthread_mutex_lock(&queue->mutex);
    size_t length = queue->length;
    pthread_mutex_unlock(&queue->mutex);
    return length;
}
