/*
 * Points of failure: calls of the C library that may fail, counted, and one of
 * them made to fail. Linked into a program (inject.c), or preloaded into one
 * that was not told (points_preload.c).
 *
 * A call is whoever's code made it: the first frame up the stack that is not of
 * the C or C++ library. So strdup in the loader is ours, and a std::vector of
 * oneDNN's is oneDNN's.
 */
#ifndef FOVEA_TESTS_INJECT_POINTS_H
#define FOVEA_TESTS_INJECT_POINTS_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum point_owner {
    POINT_OURS, /* the program, libfovea, protobuf-c, libjpeg, jansson, zlib */
    POINT_DNNL,
    POINT_GOMP,
    POINT_PASS,  /* the C and C++ library: on whose behalf, the stack tells */
    POINT_OTHER, /* anything else: never made to fail */
};

enum point_kind {
    POINT_ALLOC = 1,  /* memory: malloc and its kin, operator new, mmap; ENOMEM */
    POINT_THREAD = 2, /* pthread_create, pthread_mutex_init, pthread_cond_init; EAGAIN */
    POINT_FILE = 4,   /* open, read, write, stat, sync, rename, close, ... */
};

/* How a call on a file fails. */
enum point_fault {
    FAULT_HARD,  /* EIO; of what writes, ENOSPC */
    FAULT_EINTR, /* of the calls that a signal can interrupt */
    FAULT_SHORT, /* reads and writes do half of what they were asked for */
    N_FAULTS,
};

struct point_plan {
    enum point_owner owner;
    unsigned kinds; /* a sum of point_kind */
    enum point_fault fault;
    long at;       /* the call that fails, from 1; 0: none, they are only counted */
    bool for_ever; /* and all calls after it */
};

/* Look whose code lies where; done by itself, but perhaps later than another constructor wants. */
void points_prepare(void);

/* From now on, in all threads. */
void points_arm(const struct point_plan *plan);

/* Stop; returns how many calls there were that could have been made to fail. */
long points_disarm(void);

/* The stack of the call that failed, to stderr. */
void points_print(void);

/*
 * What of our own is alive: blocks of memory, mappings and descriptors made
 * since points_watch. points_print_alive says where blocks came from.
 */
void points_watch(void);
long points_alive(void);
void points_print_alive(void);

/* For operator new (points_new.cpp). */
void *points_malloc(size_t size, const void *caller);

#ifdef __cplusplus
}
#endif

#endif
