/* Threads over OpenMP: see parallel.h. */
#include "runtime/parallel.h"

#include "runtime/limits.h"

#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

int fovea_parallel_set_threads(int threads) {
    int former = omp_get_max_threads();
    omp_set_num_threads(threads > 0 ? threads : 1);
    return former;
}

/* ---- whether there can be so many -------------------------------------------- */

static void *wait_for_lock(void *lock) {
    pthread_mutex_lock(lock);
    pthread_mutex_unlock(lock);
    return NULL;
}

/* Start `count` threads that are there at the same time, and end them; an errno, or 0. */
static int try_threads(int count) {
    enum { MOST = FOVEA_LIMIT_THREADS };
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_t threads[MOST];
    int started = 0, error = 0;
    pthread_mutex_lock(&lock);
    while (!error && started < count && started < MOST) {
        error = pthread_create(&threads[started], NULL, wait_for_lock, &lock);
        started += error == 0;
    }
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    return error;
}

enum fovea_status fovea_parallel_reserve(int threads, struct fovea_error *err) {
    /* libgomp keeps the threads of the last team, no more. */
    static _Thread_local int last = 1;
    int error = threads > last ? try_threads(threads - 1) : 0;
    if (error) {
        char words[128];
        return fovea_fail(err, FOVEA_ERR_LIMIT, "cannot start %d threads: %s", threads - 1,
                          strerror_r(error, words, sizeof(words)));
    }
    last = threads;
    return FOVEA_OK;
}

int fovea_parallel_threads(void) {
    return omp_in_parallel() ? 1 : omp_get_max_threads();
}

void fovea_parallel_for(int64_t count, int64_t grain, fovea_parallel_fn fn, void *context) {
    if (count <= 0) {
        return;
    }
    int64_t most = count / (grain > 0 ? grain : 1);
    int threads = fovea_parallel_threads();
    if (threads > most) {
        threads = most > 0 ? (int)most : 1;
    }
    if (threads == 1) {
        fn(context, 0, count, 0);
        return;
    }
    /* A team smaller than the last one ends libgomp's other threads, and the next large one starts
     * them again: where there is little to do, some of a whole team have nothing to do. */
#pragma omp parallel
    {
        int64_t team = omp_get_num_threads(), i = omp_get_thread_num();
        int64_t n = team < threads ? team : threads;
        if (i < n) {
            fn(context, count * i / n, count * (i + 1) / n, (int)i);
        }
    }
}

struct fovea_lock {
    pthread_mutex_t mutex;
};

struct fovea_lock *fovea_lock_create(void) {
    struct fovea_lock *lock = malloc(sizeof(*lock));
    if (lock && pthread_mutex_init(&lock->mutex, NULL) != 0) {
        free(lock);
        return NULL;
    }
    return lock;
}

void fovea_lock_destroy(struct fovea_lock *lock) {
    if (lock) {
        pthread_mutex_destroy(&lock->mutex);
        free(lock);
    }
}

void fovea_lock_enter(struct fovea_lock *lock) {
    pthread_mutex_lock(&lock->mutex);
}

void fovea_lock_leave(struct fovea_lock *lock) {
    pthread_mutex_unlock(&lock->mutex);
}

/* ---- items -------------------------------------------------------------- */

struct items {
    fovea_item_fn fn;
    void *context;
    int64_t count;
    int threads; /* that an item may use, as its caller may */
    atomic_llong next;
};

static void *take_items(void *argument) {
    struct items *items = argument;
    omp_set_num_threads(items->threads);
    for (int64_t i; (i = atomic_fetch_add(&items->next, 1)) < items->count;) {
        items->fn(items->context, i);
    }
    return NULL;
}

void fovea_parallel_items(int64_t count, fovea_item_fn fn, void *context) {
    enum { MOST = 64 };
    struct items items = {fn, context, count, fovea_parallel_threads(), 0};
    pthread_t threads[MOST];
    int n = 0, wanted = items.threads - 1 < MOST ? items.threads - 1 : MOST;
    /* Those that cannot be started are done without. */
    while (n < wanted && n + 1 < count &&
           pthread_create(&threads[n], NULL, take_items, &items) == 0) {
        n++;
    }
    take_items(&items);
    for (int i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
    }
}
