/* Free ranges of an arena that is being planned: see space.h. */
#include "runtime/space.h"

#include <stdlib.h>
#include <string.h>

struct fovea_range {
    size_t offset, size;
};

static enum fovea_status insert(struct fovea_space *space, size_t at, struct fovea_range range,
                                struct fovea_error *err) {
    if (space->n == space->cap) {
        size_t cap = space->cap ? space->cap * 2 : 16;
        struct fovea_range *ranges = realloc(space->ranges, cap * sizeof(*ranges));
        if (!ranges) {
            return fovea_fail_memory(err, cap * sizeof(*ranges), "a plan");
        }
        space->ranges = ranges;
        space->cap = cap;
    }
    memmove(&space->ranges[at + 1], &space->ranges[at], (space->n - at) * sizeof(*space->ranges));
    space->ranges[at] = range;
    space->n++;
    return FOVEA_OK;
}

static void drop(struct fovea_space *space, size_t at) {
    space->n--;
    memmove(&space->ranges[at], &space->ranges[at + 1], (space->n - at) * sizeof(*space->ranges));
}

enum fovea_status fovea_space_release(struct fovea_space *space, size_t offset, size_t size,
                                      struct fovea_error *err) {
    size_t i = 0;
    while (i < space->n && space->ranges[i].offset < offset) {
        i++;
    }
    struct fovea_range *before = i > 0 ? &space->ranges[i - 1] : NULL;
    struct fovea_range *after = i < space->n ? &space->ranges[i] : NULL;
    bool joins_before = before && before->offset + before->size == offset;
    bool joins_after = after && offset + size == after->offset;
    if (joins_before && joins_after) {
        before->size += size + after->size;
        drop(space, i);
    } else if (joins_before) {
        before->size += size;
    } else if (joins_after) {
        after->offset = offset;
        after->size += size;
    } else {
        return insert(space, i, (struct fovea_range){offset, size}, err);
    }
    return FOVEA_OK;
}

/* The end of the space grows. A last range that touches it is used and made longer. */
static size_t take_end(struct fovea_space *space, size_t size) {
    size_t offset = space->end;
    if (space->n > 0) {
        struct fovea_range *last = &space->ranges[space->n - 1];
        if (last->offset + last->size == space->end) {
            offset = last->offset;
            space->n--;
        }
    }
    space->end = offset + size;
    return offset;
}

size_t fovea_space_take(struct fovea_space *space, size_t size) {
    size_t best = space->n;
    for (size_t i = 0; i < space->n; i++) {
        if (space->ranges[i].size >= size &&
            (best == space->n || space->ranges[i].size < space->ranges[best].size)) {
            best = i;
        }
    }
    if (best == space->n) {
        return take_end(space, size);
    }
    struct fovea_range *range = &space->ranges[best];
    size_t offset = range->offset;
    range->offset += size;
    range->size -= size;
    if (range->size == 0) {
        drop(space, best);
    }
    return offset;
}

void fovea_space_finish(struct fovea_space *space) {
    free(space->ranges);
    *space = (struct fovea_space){0};
}
