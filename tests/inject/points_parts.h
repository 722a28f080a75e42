/* What the files of points.h share. */
#ifndef FOVEA_TESTS_INJECT_POINTS_PARTS_H
#define FOVEA_TESTS_INJECT_POINTS_PARTS_H

#include "tests/inject/points.h"

#include <stdint.h>

/* Whether this call, which returns to `caller`, is to fail; counts it. */
bool point_fails(enum point_kind kind, const void *caller);
enum point_fault point_fault(void);

/* Between these, what the C library calls is on behalf of `caller`. leave takes what enter gave. */
enum point_owner points_enter(const void *caller);
void points_leave(enum point_owner former);

/* Something of ours, perhaps, began or ended. Descriptors are watched by their number, plus 1. */
void point_made(uintptr_t key, size_t bytes, const void *caller);
void point_gone(uintptr_t key);

/* The next definition of a function, which is the C library's. */
void *point_next(const char *name);

#endif
