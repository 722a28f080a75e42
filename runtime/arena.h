/*
 * A bump allocator for objects that live and die together: a graph's nodes,
 * values, names and attributes. Not for tensors.
 */
#ifndef FOVEA_RUNTIME_ARENA_H
#define FOVEA_RUNTIME_ARENA_H

#include <stddef.h>

struct fovea_arena_chunk;

/* Zeroed is empty and valid. */
struct fovea_arena {
    struct fovea_arena_chunk *chunks;
};

/* Zeroed memory for `count` objects of `size` bytes, or NULL. Freed by finish. */
void *fovea_arena_alloc(struct fovea_arena *arena, size_t count, size_t size);

/* A copy of `length` bytes of text with a NUL behind, or NULL. */
char *fovea_arena_copy_text(struct fovea_arena *arena, const char *text, size_t length);

void fovea_arena_finish(struct fovea_arena *arena);

#endif
