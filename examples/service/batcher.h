/*
 * Several requests' images in one run.
 */
#ifndef SERVICE_BATCHER_H
#define SERVICE_BATCHER_H

#include "job.h"

#include <pthread.h>

struct batcher {
    struct job **jobs; /* of the next run, all for one engine */
    size_t n_jobs, images;
    size_t last_jobs; /* of the run before */
    size_t max_jobs;
    float *input, *output; /* of a run of several jobs */
    size_t input_room, output_room;
    pthread_mutex_t mutex; /* of running, and of requesting cancel */
    bool running;
    struct fovea_cancel cancel;
};

bool batcher_init(struct batcher *batcher, size_t max_jobs);
void batcher_finish(struct batcher *batcher);

/* There is room for it. */
void batcher_add(struct batcher *batcher, struct job *job);

/* How many more images there is room for. */
size_t batcher_room(const struct batcher *batcher);
bool batcher_is_full(const struct batcher *batcher);

/*
 * Run the jobs on a stream of their engine: each has logits afterwards, or an answer. `jobs` has
 * them until the next batcher_add; n_jobs is 0.
 */
void batcher_run(struct batcher *batcher, int stream);

/* From any thread: a job was cancelled. If all that are running are, the run ends. */
void batcher_cancel(struct batcher *batcher);

#endif
