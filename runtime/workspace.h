/*
 * Memory for what an evaluation of deferred nodes makes and forgets, kept to
 * be used again. One per thread.
 */
#ifndef FOVEA_RUNTIME_WORKSPACE_H
#define FOVEA_RUNTIME_WORKSPACE_H

#include "runtime/error.h"

#include <stddef.h>
#include <stdint.h>

struct fovea_node;

struct fovea_block {
    void *data;
    size_t bytes;
    bool used;
};

/* Zeroed by the caller. */
struct fovea_workspace {
    struct fovea_block *blocks;
    size_t n_blocks, cap_blocks;
    struct fovea_allocator allocator; /* zeroed: pages */
    size_t bytes, peak_bytes;         /* of all blocks, now and at most */
    bool rehearses;                   /* blocks are only counted: their addresses are mere names */
    uintptr_t n_rehearsed;
    struct fovea_node **stack, **order; /* of a search (deferred.c) */
    size_t n_stack, cap_stack, n_order, cap_order;
};

/* A block of at least `bytes` that nobody uses, aligned to FOVEA_ALIGNMENT. */
enum fovea_status fovea_workspace_take(struct fovea_workspace *workspace, size_t bytes, void **out,
                                       struct fovea_error *err);

/* `data` is not used any more; an address that is no block's is left alone. */
void fovea_workspace_give(struct fovea_workspace *workspace, const void *data);
void fovea_workspace_give_all(struct fovea_workspace *workspace);

void fovea_workspace_finish(struct fovea_workspace *workspace);

#endif
