/*
 * Several processes that share one list, started by mpirun: who they are, what
 * each does next, and their results in one place. In a build without MPI, and
 * for a process that was started alone, there is one rank, and NULL stands for it.
 *
 * Rank 0 hands out the list, in a thread of its own; ranks talk to no one else.
 * There is nothing to wait for but the beginning and the end, so that ranks may be
 * of any speed. A rank that dies ends the job: what the journals have stays.
 */
#ifndef FOVEA_TOOLS_RANKS_H
#define FOVEA_TOOLS_RANKS_H

#include "runtime/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ranks;

/* Join the others, if there are any: else *out is NULL. */
enum fovea_status ranks_join(struct ranks **out, struct fovea_error *err);

/* Leave them; NULL is fine. To be called by all ranks, at their end. */
void ranks_leave(struct ranks *ranks);

/* End all of them, now, for this one has failed; returns only if there is one. */
void ranks_abort(struct ranks *ranks);

int ranks_index(const struct ranks *ranks); /* 0 .. count - 1 */
int ranks_count(const struct ranks *ranks);

/* Whether `ok` holds on all of them. All call it. */
bool ranks_all(struct ranks *ranks, bool ok);

/* Rank 0's bytes to all others, which get theirs from malloc. All call it. False: out of memory. */
bool ranks_spread(struct ranks *ranks, char **bytes, size_t *size);

/* Every flag that is set on one rank is set on all. All call it. */
void ranks_unite(struct ranks *ranks, uint8_t *flags, size_t count);

/* Begin to share 0 .. count - 1. All call it. */
enum fovea_status ranks_begin(struct ranks *ranks, size_t count, struct fovea_error *err);

/* What this rank does next: [first, last); false if nothing is left. `done`: of what it was given,
 * so far. By one thread at a time. */
bool ranks_next(struct ranks *ranks, size_t done, size_t *first, size_t *last);

/* How many images the others had done when they last asked for more; known to rank 0. */
size_t ranks_elsewhere(struct ranks *ranks);

/* This rank asks no more; rank 0 waits for the others to say so. */
void ranks_end(struct ranks *ranks);

/* Rank 0 takes the bytes of each of the others, in their order. All call it. */
typedef enum fovea_status (*ranks_take_fn)(void *context, char *bytes, size_t size,
                                           struct fovea_error *err);
enum fovea_status ranks_gather(struct ranks *ranks, const char *bytes, size_t size,
                               ranks_take_fn take, void *context, struct fovea_error *err);

#endif
