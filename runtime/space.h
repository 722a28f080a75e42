/*
 * What is free in an arena that is being planned: ranges are taken where they fit best and given
 * back, and the arena grows when none fits. Only numbers: there is no memory behind it yet.
 */
#ifndef FOVEA_RUNTIME_SPACE_H
#define FOVEA_RUNTIME_SPACE_H

#include "runtime/error.h"

#include <stddef.h>

struct fovea_range;

/* {0} is an arena of no bytes. */
struct fovea_space {
    struct fovea_range *ranges; /* free, below `end`, by offset, never touching each other */
    size_t n, cap;
    size_t end; /* bytes of the arena */
};

/* Take `size` bytes, not 0; returns their offset. The smallest free range that fits, or the end. */
size_t fovea_space_take(struct fovea_space *space, size_t size);

/* Give back what was taken, or a part of it. */
enum fovea_status fovea_space_release(struct fovea_space *space, size_t offset, size_t size,
                                      struct fovea_error *err);

void fovea_space_finish(struct fovea_space *space);

#endif
