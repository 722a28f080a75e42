/*
 * Loading the model again, beside the one that serves.
 */
#ifndef SERVICE_RELOAD_H
#define SERVICE_RELOAD_H

#include "engine.h"

#include <pthread.h>
#include <stdatomic.h>

struct reload {
    const struct service_options *options;
    int wake; /* an eventfd, written to when it is done */
    pthread_t thread;
    bool running, again;
    atomic_bool finished;
    struct engine *engine;  /* what came of it; NULL: failed */
    struct fovea_error err; /* the thread's, while one is under way */
};

/* Begin, or do so once more when the one under way is done. */
void reload_begin(struct reload *reload);

/*
 * If one is finished: what was loaded, or NULL with a message in *err. Else false. The next one, if
 * there is to be one, has begun then.
 */
bool reload_take(struct reload *reload, struct engine **out, struct fovea_error *err);

/* Wait for what is under way and drop it. */
void reload_finish(struct reload *reload);

#endif
