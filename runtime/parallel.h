/*
 * Threads. The only home of OpenMP, so that our loops and oneDNN's share one
 * pool and one setting.
 *
 * The number of threads is a property of the calling thread: sessions that
 * run in different threads do not disturb each other.
 */
#ifndef FOVEA_RUNTIME_PARALLEL_H
#define FOVEA_RUNTIME_PARALLEL_H

#include "runtime/error.h"

#include <stdint.h>

/* Set how many threads work that this thread starts will use; returns the former number. */
int fovea_parallel_set_threads(int threads);

/*
 * See that work of this thread can have `threads` threads: libgomp ends the
 * process when it cannot start one. They are started once, beforehand, when
 * this thread's work had fewer the last time. FOVEA_ERR_LIMIT if that fails.
 */
enum fovea_status fovea_parallel_reserve(int threads, struct fovea_error *err);

/* How many threads fovea_parallel_for may use now; 1 inside one. */
int fovea_parallel_threads(void);

/* Do items [begin, end). `thread` is below fovea_parallel_threads() of the caller. */
typedef void (*fovea_parallel_fn)(void *context, int64_t begin, int64_t end, int thread);

/*
 * Split [0, count) into one contiguous range per thread, none shorter than
 * `grain` items, and do them all before returning. Not to be nested.
 */
void fovea_parallel_for(int64_t count, int64_t grain, fovea_parallel_fn fn, void *context);

/*
 * Do `count` items that take unlike times, such as decoding images: each
 * thread takes the next that nobody has taken. They run outside of OpenMP's
 * teams, so that what asks for the number of threads gets the caller's.
 */
typedef void (*fovea_item_fn)(void *context, int64_t item);
void fovea_parallel_items(int64_t count, fovea_item_fn fn, void *context);

/* A lock between threads that callers of the library brought. NULL if out of memory. */
struct fovea_lock;
struct fovea_lock *fovea_lock_create(void);
void fovea_lock_destroy(struct fovea_lock *lock);
void fovea_lock_enter(struct fovea_lock *lock);
void fovea_lock_leave(struct fovea_lock *lock);

#endif
