/* See ranks.h. The only place that includes mpi.h. */
#include "tools/ranks.h"

#include "tools/options.h"

#include <mpi.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TAG_ASK = 1, TAG_ANSWER, TAG_SIZE, TAG_BYTES };
enum { RANGE_MAX = 32 };        /* images handed out at once, at most */
enum { PIECE_BYTES = 1 << 28 }; /* of a message: counts are int */
enum { NAP_NS = 300 * 1000 };   /* between looks at whether a message is there */

struct ranks {
    int index, count;
    /* Of rank 0, under the lock: what is left is [next, end). */
    pthread_mutex_t lock;
    size_t next, end;
    uint64_t *done; /* [count] images that each of the others says it has done */
    pthread_t server;
    bool serving;
};

/* Open MPI's own waiting takes a whole CPU; somebody else computes on it here. */
static void nap(void) {
    const struct timespec t = {.tv_nsec = NAP_NS};
    nanosleep(&t, NULL);
}

static void wait_for(MPI_Request *request) {
    int done = 0;
    while (!done) {
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (!done) {
            nap();
        }
    }
}

static bool is_many(const char *number) {
    size_t n;
    return number && option_digits(&number, &n) && n > 1;
}

/*
 * Whether there are others to join. MPI_Init is not called to find out: started
 * by a scheduler that this MPI was not built for, it would end the process.
 */
static bool has_company(void) {
    if (getenv("OMPI_COMM_WORLD_SIZE")) {
        return is_many(getenv("OMPI_COMM_WORLD_SIZE"));
    }
    if (getenv("PMI_SIZE")) {
        return is_many(getenv("PMI_SIZE"));
    }
    /* PMIx has no variable for it, but Slurm's srun, which speaks it, has */
    return getenv("PMIX_RANK") &&
           (!getenv("SLURM_STEP_NUM_TASKS") || is_many(getenv("SLURM_STEP_NUM_TASKS")));
}

enum fovea_status ranks_join(struct ranks **out, struct fovea_error *err) {
    int level;
    *out = NULL;
    if (!has_company()) {
        return FOVEA_OK;
    }
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level) != MPI_SUCCESS ||
        level < MPI_THREAD_SERIALIZED) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "this MPI cannot be called from threads");
    }
    struct ranks *r = calloc(1, sizeof(*r));
    if (!r) {
        return fovea_fail_memory(err, sizeof(*r), "ranks");
    }
    MPI_Comm_rank(MPI_COMM_WORLD, &r->index);
    MPI_Comm_size(MPI_COMM_WORLD, &r->count);
    pthread_mutex_init(&r->lock, NULL);
    *out = r;
    return FOVEA_OK;
}

void ranks_leave(struct ranks *r) {
    if (r) {
        MPI_Finalize();
        pthread_mutex_destroy(&r->lock);
        free(r->done);
        free(r);
    }
}

void ranks_abort(struct ranks *r) {
    if (r && r->count > 1) {
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

int ranks_index(const struct ranks *r) {
    return r ? r->index : 0;
}

int ranks_count(const struct ranks *r) {
    return r ? r->count : 1;
}

bool ranks_all(struct ranks *r, bool ok) {
    int mine = ok, all = ok;
    if (r) {
        MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_LAND, MPI_COMM_WORLD);
    }
    return all != 0;
}

static int piece(size_t left) {
    return left < PIECE_BYTES ? (int)left : PIECE_BYTES;
}

bool ranks_spread(struct ranks *r, char **bytes, size_t *size) {
    uint64_t n = *size;
    if (!r) {
        return true;
    }
    MPI_Bcast(&n, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
    if (r->index > 0) {
        *size = (size_t)n;
        *bytes = malloc(*size ? *size : 1);
    }
    if (!ranks_all(r, *bytes != NULL)) {
        return false;
    }
    for (size_t at = 0; at < *size; at += PIECE_BYTES) {
        MPI_Bcast(*bytes + at, piece(*size - at), MPI_BYTE, 0, MPI_COMM_WORLD);
    }
    return true;
}

void ranks_unite(struct ranks *r, uint8_t *flags, size_t count) {
    for (size_t at = 0; r && at < count; at += PIECE_BYTES) {
        MPI_Allreduce(MPI_IN_PLACE, flags + at, piece(count - at), MPI_UINT8_T, MPI_BOR,
                      MPI_COMM_WORLD);
    }
}

/* ---- sharing ----------------------------------------------------------------------- */

/* The next range: large to begin with, single images in the end, so that all end together. */
static void take_range(struct ranks *r, uint64_t range[2]) {
    pthread_mutex_lock(&r->lock);
    size_t left = r->end - r->next, share = left / (16 * (size_t)r->count) + 1;
    share = share < RANGE_MAX ? share : RANGE_MAX;
    share = share < left ? share : left;
    range[0] = r->next;
    range[1] = r->next += share;
    pthread_mutex_unlock(&r->lock);
}

/* What a rank asks with: whether it wants more, and how many it has done. */
enum { MORE, DONE };

static void note_done(struct ranks *r, int rank, uint64_t done) {
    pthread_mutex_lock(&r->lock);
    r->done[rank] = done > r->done[rank] ? done : r->done[rank];
    pthread_mutex_unlock(&r->lock);
}

static void *serve(void *context) {
    struct ranks *r = context;
    int ended = 0;
    while (ended < r->count - 1) {
        MPI_Status status;
        int there = 0;
        uint64_t ask[2], range[2];
        /* No other tag: a rank that has ended may be sending its journal already. */
        MPI_Iprobe(MPI_ANY_SOURCE, TAG_ASK, MPI_COMM_WORLD, &there, &status);
        if (!there) {
            nap();
            continue;
        }
        MPI_Recv(ask, 2, MPI_UINT64_T, status.MPI_SOURCE, TAG_ASK, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
        note_done(r, status.MPI_SOURCE, ask[DONE]);
        if (!ask[MORE]) {
            ended++;
            continue;
        }
        take_range(r, range);
        MPI_Send(range, 2, MPI_UINT64_T, status.MPI_SOURCE, TAG_ANSWER, MPI_COMM_WORLD);
    }
    return NULL;
}

enum fovea_status ranks_begin(struct ranks *r, size_t count, struct fovea_error *err) {
    if (!r || r->index > 0) {
        return FOVEA_OK;
    }
    r->end = count;
    r->done = calloc((size_t)r->count, sizeof(*r->done));
    if (!r->done) {
        return fovea_fail_memory(err, (size_t)r->count * sizeof(*r->done), "ranks");
    }
    int error = pthread_create(&r->server, NULL, serve, r);
    r->serving = error == 0;
    return error ? fovea_fail(err, FOVEA_ERR_MEMORY, "cannot start a thread: %s", strerror(error))
                 : FOVEA_OK;
}

bool ranks_next(struct ranks *r, size_t done, size_t *first, size_t *last) {
    uint64_t range[2] = {0, 0};
    if (r->index == 0) {
        take_range(r, range);
    } else {
        const uint64_t ask[] = {[MORE] = 1, [DONE] = done};
        MPI_Request request;
        MPI_Irecv(range, 2, MPI_UINT64_T, 0, TAG_ANSWER, MPI_COMM_WORLD, &request);
        MPI_Send(ask, 2, MPI_UINT64_T, 0, TAG_ASK, MPI_COMM_WORLD);
        wait_for(&request);
    }
    *first = (size_t)range[0];
    *last = (size_t)range[1];
    return range[0] < range[1];
}

size_t ranks_elsewhere(struct ranks *r) {
    uint64_t sum = 0;
    if (!r || !r->done) {
        return 0;
    }
    pthread_mutex_lock(&r->lock);
    for (int i = 1; i < r->count; i++) {
        sum += r->done[i];
    }
    pthread_mutex_unlock(&r->lock);
    return (size_t)sum;
}

void ranks_end(struct ranks *r) {
    static const uint64_t ask[] = {[MORE] = 0, [DONE] = 0};
    if (r && r->index > 0) {
        MPI_Send(ask, 2, MPI_UINT64_T, 0, TAG_ASK, MPI_COMM_WORLD);
    } else if (r && r->serving) {
        pthread_join(r->server, NULL);
        r->serving = false;
    }
}

/* ---- results ------------------------------------------------------------------------ */

static enum fovea_status receive(int rank, char **bytes, size_t *size, struct fovea_error *err) {
    uint64_t n = 0;
    MPI_Request request;
    MPI_Irecv(&n, 1, MPI_UINT64_T, rank, TAG_SIZE, MPI_COMM_WORLD, &request);
    wait_for(&request);
    *size = (size_t)n;
    *bytes = malloc(*size ? *size : 1);
    if (!*bytes) {
        return fovea_fail_memory(err, *size, "the journal of a rank");
    }
    for (size_t at = 0; at < *size; at += PIECE_BYTES) {
        MPI_Recv(*bytes + at, piece(*size - at), MPI_BYTE, rank, TAG_BYTES, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
    }
    return FOVEA_OK;
}

enum fovea_status ranks_gather(struct ranks *r, const char *bytes, size_t size, ranks_take_fn take,
                               void *context, struct fovea_error *err) {
    enum fovea_status status = FOVEA_OK;
    uint64_t n = size;
    if (r && r->index > 0) {
        MPI_Send(&n, 1, MPI_UINT64_T, 0, TAG_SIZE, MPI_COMM_WORLD);
        for (size_t at = 0; at < size; at += PIECE_BYTES) {
            MPI_Send(bytes + at, piece(size - at), MPI_BYTE, 0, TAG_BYTES, MPI_COMM_WORLD);
        }
        return FOVEA_OK;
    }
    for (int rank = 1; !status && rank < ranks_count(r); rank++) {
        char *theirs = NULL;
        size_t bytes_there = 0;
        status = receive(rank, &theirs, &bytes_there, err);
        if (!status) {
            status = take(context, theirs, bytes_there, err);
        }
        free(theirs);
    }
    return status;
}
