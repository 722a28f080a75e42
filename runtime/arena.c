/* The bump allocator: see arena.h. */
#include "runtime/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 64 * 1024 };

struct fovea_arena_chunk {
    struct fovea_arena_chunk *next;
    size_t used, size;
    alignas(max_align_t) unsigned char bytes[];
};

static struct fovea_arena_chunk *add_chunk(struct fovea_arena *arena, size_t least) {
    size_t size = least > CHUNK ? least : CHUNK;
    if (size > SIZE_MAX - sizeof(struct fovea_arena_chunk)) {
        return NULL;
    }
    struct fovea_arena_chunk *chunk = calloc(1, sizeof(*chunk) + size);
    if (!chunk) {
        return NULL;
    }
    chunk->size = size;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

void *fovea_arena_alloc(struct fovea_arena *arena, size_t count, size_t size) {
    size_t align = alignof(max_align_t);
    if (size != 0 && count > (SIZE_MAX - align) / size) {
        return NULL;
    }
    size_t bytes = (count * size + align - 1) / align * align;
    struct fovea_arena_chunk *chunk = arena->chunks;
    if (!chunk || chunk->size - chunk->used < bytes) {
        chunk = add_chunk(arena, bytes);
        if (!chunk) {
            return NULL;
        }
    }
    void *object = chunk->bytes + chunk->used;
    chunk->used += bytes;
    return object;
}

char *fovea_arena_copy_text(struct fovea_arena *arena, const char *text, size_t length) {
    if (length == SIZE_MAX) {
        return NULL;
    }
    char *copy = fovea_arena_alloc(arena, length + 1, 1);
    if (copy && length > 0) {
        memcpy(copy, text, length);
    }
    return copy;
}

void fovea_arena_finish(struct fovea_arena *arena) {
    struct fovea_arena_chunk *chunk = arena->chunks;
    while (chunk) {
        struct fovea_arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    arena->chunks = NULL;
}
