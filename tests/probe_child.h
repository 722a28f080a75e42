/* One file, one child process: what a probe of hostile files does with each of them. */
#ifndef FOVEA_TESTS_PROBE_CHILD_H
#define FOVEA_TESTS_PROBE_CHILD_H

#include <stdbool.h>
#include <stddef.h>

/* Address space of a child, in which no sanitizer is at work. */
enum { PROBE_MEMORY = 1 << 30, PROBE_SECONDS = 60 };

/*
 * Call `work` with `path` in a child with limits on time and (without
 * sanitizers) memory. It fills `result`, of at most a few thousand bytes, which
 * the caller gets. *kib is the child's peak. False if it crashed, or leaked
 * under a sanitizer; then *result is zeroes, and *how says how it ended.
 */
bool probe_child(void (*work)(const char *path, void *result), const char *path, void *result,
                 size_t size, long *kib, int *how);

#endif
