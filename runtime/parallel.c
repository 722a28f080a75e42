/* Threads over OpenMP: see parallel.h. */
#include "runtime/parallel.h"

#include <omp.h>
#include <pthread.h>
#include <stdlib.h>

int fovea_parallel_set_threads(int threads) {
    int former = omp_get_max_threads();
    omp_set_num_threads(threads > 0 ? threads : 1);
    return former;
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
#pragma omp parallel num_threads(threads)
    {
        int64_t n = omp_get_num_threads(), i = omp_get_thread_num();
        fn(context, count * i / n, count * (i + 1) / n, (int)i);
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
