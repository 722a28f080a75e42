/*
 * Multiply-adds in registers: see fma_limit.h. Here the f32 loops, and measuring.
 *
 * This file is compiled with -ffp-contract=fast, so that a * b + c is one
 * instruction. Two units of latency 4 or 5 need ten independent chains; the
 * vectors are as wide as the CPU's, so that ten of them fit into registers.
 */
#include "tools/fma_limit.h"

#include "runtime/clock.h"
#include "runtime/parallel.h"
#include "runtime/portability.h"

#include <stddef.h>

enum { CHAINS = 10 };

/*
 * One round: x = x * m + a on every chain. The chains begin apart, or the
 * compiler would see one chain in them all; the numbers come to stay near 1.
 */
#define DEFINE_SPIN(name, vector, target)                                                          \
    target static float name(int64_t rounds) {                                                     \
        vector x0 = {0}, x1 = x0 + 0.1f, x2 = x0 + 0.2f, x3 = x0 + 0.3f, x4 = x0 + 0.4f;           \
        vector x5 = x0 + 0.5f, x6 = x0 + 0.6f, x7 = x0 + 0.7f, x8 = x0 + 0.8f, x9 = x0 + 0.9f;     \
        float m = 0.5f + 1e-12f * (float)rounds, a = m; /* nothing the compiler knows */           \
        for (int64_t i = 0; i < rounds; i++) {                                                     \
            x0 = x0 * m + a;                                                                       \
            x1 = x1 * m + a;                                                                       \
            x2 = x2 * m + a;                                                                       \
            x3 = x3 * m + a;                                                                       \
            x4 = x4 * m + a;                                                                       \
            x5 = x5 * m + a;                                                                       \
            x6 = x6 * m + a;                                                                       \
            x7 = x7 * m + a;                                                                       \
            x8 = x8 * m + a;                                                                       \
            x9 = x9 * m + a;                                                                       \
        }                                                                                          \
        vector sum = x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9;                              \
        return sum[0];                                                                             \
    }

DEFINE_SPIN(spin_16, fovea_f32x16, FOVEA_TARGET_V4)
DEFINE_SPIN(spin_8, fovea_f32x8, FOVEA_TARGET_V3)
DEFINE_SPIN(spin_4, fovea_f32x4, )
#undef DEFINE_SPIN

struct fma_loop fma_loop_f32(void) {
    if (fovea_cpu_has_v4()) {
        return (struct fma_loop){"fma, 512 bits", 2.0 * CHAINS * 16, spin_16};
    }
    if (fovea_cpu_has_v3()) {
        return (struct fma_loop){"fma, 256 bits", 2.0 * CHAINS * 8, spin_8};
    }
    return (struct fma_loop){"128 bits", 2.0 * CHAINS * 4, spin_4};
}

/* ---- measuring ------------------------------------------------------------- */

struct job {
    const struct fma_loop *loop;
    int64_t rounds;
    _Atomic float sink; /* keeps the results, whichever thread's, from being left out */
};

static void work(void *context, int64_t begin, int64_t end, int thread) {
    struct job *job = context;
    (void)thread;
    job->sink = job->loop->spin((end - begin) * job->rounds);
}

/* Seconds that `threads` threads take for job->rounds each. */
static double time_job(struct job *job, int threads) {
    double start = fovea_clock_seconds();
    fovea_parallel_for(threads, 1, work, job);
    return fovea_clock_seconds() - start;
}

double fma_loop_measure(const struct fma_loop *loop, int threads) {
    enum { REPEATS = 8 };
    const double slice_s = 0.01;
    if (!loop->name) {
        return 0;
    }
    struct job job = {.loop = loop, .rounds = 1 << 12};
    double best = 0;
    int former = fovea_parallel_set_threads(threads);
    while (time_job(&job, threads) < slice_s && job.rounds < (int64_t)1 << 40) {
        job.rounds *= 2;
    }
    for (int i = 0; i < REPEATS; i++) {
        double operations = loop->operations * (double)job.rounds * threads;
        double rate = operations / time_job(&job, threads) * 1e-9;
        best = rate > best ? rate : best;
    }
    fovea_parallel_set_threads(former);
    return best;
}
