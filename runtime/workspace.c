/* Memory that is used again: see workspace.h. */
#include "runtime/workspace.h"

#include "runtime/blocks.h"

#include <stdlib.h>
#include <string.h>

static void free_block(struct fovea_workspace *w, const struct fovea_block *block) {
    w->bytes -= block->bytes;
    if (!w->rehearses) {
        fovea_block_free(&w->allocator, block->data, block->bytes);
    }
}

/* Blocks that lie idle are given up before a larger one is made. */
static void free_idle(struct fovea_workspace *w) {
    size_t kept = 0;
    for (size_t i = 0; i < w->n_blocks; i++) {
        if (w->blocks[i].used) {
            w->blocks[kept++] = w->blocks[i];
        } else {
            free_block(w, &w->blocks[i]);
        }
    }
    w->n_blocks = kept;
}

static enum fovea_status add_block(struct fovea_workspace *w, size_t bytes, void **out,
                                   struct fovea_error *err) {
    if (w->n_blocks == w->cap_blocks) {
        size_t cap = w->cap_blocks ? 2 * w->cap_blocks : 8;
        struct fovea_block *blocks = realloc(w->blocks, cap * sizeof(*blocks));
        if (!blocks) {
            return fovea_fail_memory(err, cap * sizeof(*blocks), "folding");
        }
        w->blocks = blocks;
        w->cap_blocks = cap;
    }
    void *data;
    if (w->rehearses) {
        data = (void *)++w->n_rehearsed; /* NOLINT(performance-no-int-to-ptr): a name, never read */
    } else {
        data = fovea_block_alloc(&w->allocator, bytes);
    }
    if (!data) {
        return fovea_fail_memory(err, bytes, "a folded constant");
    }
    w->blocks[w->n_blocks++] = (struct fovea_block){data, bytes, true};
    w->bytes += bytes;
    w->peak_bytes = w->bytes > w->peak_bytes ? w->bytes : w->peak_bytes;
    *out = data;
    return FOVEA_OK;
}

enum fovea_status fovea_workspace_take(struct fovea_workspace *w, size_t bytes, void **out,
                                       struct fovea_error *err) {
    struct fovea_block *best = NULL;
    for (size_t i = 0; i < w->n_blocks; i++) {
        struct fovea_block *block = &w->blocks[i];
        if (!block->used && block->bytes >= bytes && (!best || block->bytes < best->bytes)) {
            best = block;
        }
    }
    if (best) {
        best->used = true;
        *out = best->data;
        return FOVEA_OK;
    }
    free_idle(w);
    return add_block(w, bytes, out, err);
}

void fovea_workspace_give(struct fovea_workspace *w, const void *data) {
    for (size_t i = 0; i < w->n_blocks; i++) {
        if (w->blocks[i].data == data) {
            w->blocks[i].used = false;
        }
    }
}

void fovea_workspace_give_all(struct fovea_workspace *w) {
    for (size_t i = 0; i < w->n_blocks; i++) {
        w->blocks[i].used = false;
    }
}

void fovea_workspace_finish(struct fovea_workspace *w) {
    for (size_t i = 0; i < w->n_blocks; i++) {
        free_block(w, &w->blocks[i]);
    }
    free(w->blocks);
    free(w->stack);
    free(w->order);
    memset(w, 0, sizeof(*w));
}
