/*
 * Large blocks of memory: pages of ours (pages.h), or what the caller's
 * allocator gives. fovea.h says what is taken here and what is not.
 */
#ifndef FOVEA_RUNTIME_BLOCKS_H
#define FOVEA_RUNTIME_BLOCKS_H

#include "runtime/error.h"

/* Aligned to FOVEA_ALIGNMENT; NULL: out of memory. `allocator` is whole; zeroed: pages. */
void *fovea_block_alloc(const struct fovea_allocator *allocator, size_t bytes);
void fovea_block_free(const struct fovea_allocator *allocator, void *block, size_t bytes);

#endif
