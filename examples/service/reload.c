/*
 * Loading the model again in a thread of its own.
 */
#include "reload.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

static void *load(void *context) {
    struct reload *reload = context;
    uint64_t one = 1;
    if (engine_load(reload->options, &reload->engine, &reload->err)) {
        reload->engine = NULL;
    }
    atomic_store(&reload->finished, true);
    (void)!write(reload->wake, &one, sizeof(one));
    return NULL;
}

void reload_begin(struct reload *reload) {
    if (reload->running) {
        reload->again = true;
        return;
    }
    atomic_store(&reload->finished, false);
    reload->running = pthread_create(&reload->thread, NULL, load, reload) == 0;
}

bool reload_take(struct reload *reload, struct engine **out, struct fovea_error *err) {
    if (!reload->running || !atomic_load(&reload->finished)) {
        return false;
    }
    pthread_join(reload->thread, NULL);
    reload->running = false;
    *out = reload->engine;
    *err = reload->err; /* before the next one writes to it */
    reload->engine = NULL;
    if (reload->again) {
        reload->again = false;
        reload_begin(reload);
    }
    return true;
}

void reload_finish(struct reload *reload) {
    if (reload->running) {
        pthread_join(reload->thread, NULL);
        engine_unref(reload->engine);
        reload->running = false;
    }
}
