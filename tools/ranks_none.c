/* See ranks.h: a build without MPI. */
#include "tools/options.h"
#include "tools/ranks.h"

#include <stdlib.h>

/* mpirun would start as many processes that know nothing of each other. */
enum fovea_status ranks_join(struct ranks **out, struct fovea_error *err) {
    const char *size = getenv("OMPI_COMM_WORLD_SIZE");
    size_t n;
    if (size && option_digits(&size, &n) && n > 1) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "started by mpirun, but built without MPI (meson: -Dmpi=enabled)");
    }
    *out = NULL;
    return FOVEA_OK;
}

void ranks_leave(struct ranks *ranks) {
    (void)ranks;
}

void ranks_abort(struct ranks *ranks) {
    (void)ranks;
}

int ranks_index(const struct ranks *ranks) {
    (void)ranks;
    return 0;
}

int ranks_count(const struct ranks *ranks) {
    (void)ranks;
    return 1;
}

bool ranks_all(struct ranks *ranks, bool ok) {
    (void)ranks;
    return ok;
}

bool ranks_spread(struct ranks *ranks, char **bytes, size_t *size) {
    (void)ranks;
    (void)bytes;
    (void)size;
    return true;
}

void ranks_unite(struct ranks *ranks, uint8_t *flags, size_t count) {
    (void)ranks;
    (void)flags;
    (void)count;
}

enum fovea_status ranks_begin(struct ranks *ranks, size_t count, struct fovea_error *err) {
    (void)ranks;
    (void)count;
    (void)err;
    return FOVEA_OK;
}

bool ranks_next(struct ranks *ranks, size_t done, size_t *first, size_t *last) {
    (void)ranks;
    (void)done;
    (void)first;
    (void)last;
    return false;
}

size_t ranks_elsewhere(struct ranks *ranks) {
    (void)ranks;
    return 0;
}

void ranks_end(struct ranks *ranks) {
    (void)ranks;
}

enum fovea_status ranks_gather(struct ranks *ranks, const char *bytes, size_t size,
                               ranks_take_fn take, void *context, struct fovea_error *err) {
    (void)ranks;
    (void)bytes;
    (void)size;
    (void)take;
    (void)context;
    (void)err;
    return FOVEA_OK;
}
