/* See machine_limits.h. */
#include "tools/machine_limits.h"

#include "runtime/clock.h"
#include "runtime/parallel.h"
#include "runtime/portability.h"
#include "runtime/session.h"
#include "runtime/tensor.h"
#include "tools/fma_limit.h"

#include <stdlib.h>
#include <string.h>

/* Half of it is read, and copied to the other half: more than the caches that a CPU shares hold. */
static const size_t most_bytes = (size_t)512 << 20;
enum { PIECE = 1 << 20, REPEATS = 5 };

struct memory {
    unsigned char *from, *to;
    _Atomic float sink; /* keeps sums from being left out */
};

FOVEA_KERNEL static float sum_of(const float *x, int64_t count) {
    float sums[64] = {0};
    for (int64_t i = 0; i < count; i += 64) {
        for (int j = 0; j < 64; j++) {
            sums[j] += x[i + j];
        }
    }
    return sums[0] + sums[63];
}

static void read_pieces(void *context, int64_t begin, int64_t end, int thread) {
    struct memory *m = context;
    (void)thread;
    m->sink = sum_of((const float *)(m->from + begin * PIECE), (end - begin) * PIECE / 4);
}

static void copy_pieces(void *context, int64_t begin, int64_t end, int thread) {
    struct memory *m = context;
    (void)thread;
    memcpy(m->to + begin * PIECE, m->from + begin * PIECE, (size_t)(end - begin) * PIECE);
}

/* The best of several times, as 10^9 bytes a second. */
static double rate_of(fovea_parallel_fn fn, struct memory *memory, size_t half, double bytes) {
    double best = 0;
    for (int i = 0; i < REPEATS; i++) {
        double start = fovea_clock_seconds();
        fovea_parallel_for((int64_t)(half / PIECE), 1, fn, memory);
        double rate = bytes / (fovea_clock_seconds() - start) * 1e-9;
        best = rate > best ? rate : best;
    }
    return best;
}

static void measure_memory(struct machine_limits *limits) {
    size_t half = fovea_default_memory_limit() / 4;
    half = (half < most_bytes / 2 ? half : most_bytes / 2) / PIECE * PIECE;
    unsigned char *room = half > 0 ? fovea_aligned_alloc(2 * half) : NULL;
    if (!room) {
        return;
    }
    memset(room, 0, 2 * half); /* or all pages would be the one page of zeros */
    struct memory memory = {.from = room, .to = room + half};
    limits->read_gbs = rate_of(read_pieces, &memory, half, (double)half);
    limits->copy_gbs = rate_of(copy_pieces, &memory, half, 2.0 * (double)half);
    free(room);
}

void machine_limits_measure(int threads, struct machine_limits *out) {
    const struct fma_loop f32 = fma_loop_f32(), bf16 = fma_loop_bf16(), int8 = fma_loop_int8();
    struct machine_limits limits = {
        .f32 = fma_loop_measure(&f32, threads),
        .bf16 = fma_loop_measure(&bf16, threads),
        .int8 = fma_loop_measure(&int8, threads),
        .f32_by = f32.name,
        .bf16_by = bf16.name,
        .int8_by = int8.name,
    };
    int former = fovea_parallel_set_threads(threads);
    measure_memory(&limits);
    fovea_parallel_set_threads(former);
    *out = limits;
}
