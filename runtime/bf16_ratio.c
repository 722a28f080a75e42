/* Measuring bf16 against f32: see bf16_ratio.h. */
#include "runtime/bf16_ratio.h"

#include "runtime/clock.h"
#include "runtime/dnn.h"
#include "runtime/parallel.h"
#include "runtime/tensor.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A product of SIDE x SIDE matrices: they fit in L2, and take some tenths of a millisecond. */
enum { SIDE = 256, ROUNDS = 6 };

struct product {
    struct fovea_prim *prim;
    void *src, *weights, *dst, *scratch;
};

static void *zeros(size_t bytes) {
    void *data = fovea_aligned_alloc(bytes);
    if (data) {
        memset(data, 0, bytes);
    }
    return data;
}

static void finish(struct product *p) {
    fovea_prim_destroy(p->prim);
    free(p->src);
    free(p->weights);
    free(p->dst);
    free(p->scratch);
}

/* False if anything fails; `p` is to be finished in any case. */
static bool init(struct product *p, struct fovea_dnn *dnn, enum fovea_dtype dtype) {
    const struct fovea_dnn_view view = {dtype, 2, {SIDE, SIDE}, {SIDE, 1}};
    const struct fovea_dnn_matmul desc = {
        .src = view, .weights = view, .dst = view, .scale = 1, .packed_weights = true};
    const size_t bytes = sizeof(float) * SIDE * SIDE;
    if (fovea_dnn_matmul(dnn, &desc, &p->prim, NULL)) {
        return false;
    }
    size_t packed = fovea_prim_packed_bytes(p->prim);
    p->src = zeros(bytes);
    p->dst = zeros(bytes);
    p->weights = zeros(packed > bytes ? packed : bytes);
    p->scratch = zeros(fovea_prim_scratch_bytes(p->prim));
    const struct fovea_tensor plain = {dtype, 2, {SIDE, SIDE}, p->src};
    return p->src && p->dst && p->weights && p->scratch &&
           (packed == 0 || !fovea_prim_pack(p->prim, &plain, p->weights, NULL));
}

/* Seconds; a failure takes none. */
static double run(const struct product *p) {
    const struct fovea_prim_args args = {
        .src = p->src, .weights = p->weights, .dst = p->dst, .scratch = p->scratch};
    double begin = fovea_clock_seconds();
    return fovea_prim_run(p->prim, &args, NULL) ? 0 : fovea_clock_seconds() - begin;
}

/* The shortest of several, in turn: what else the machine does disturbs both alike. */
static double measure(struct fovea_dnn *dnn) {
    struct product wide = {0}, half = {0};
    double f32 = 1, bf16 = 1;
    bool ok = init(&wide, dnn, FOVEA_F32) && init(&half, dnn, FOVEA_BF16);
    for (int i = 0; ok && i < ROUNDS; i++) {
        double a = run(&wide), b = run(&half);
        f32 = a < f32 ? a : f32;
        bf16 = b < bf16 ? b : bf16;
    }
    finish(&wide);
    finish(&half);
    return ok && f32 > 0 ? bf16 / f32 : 0;
}

static double ratio;

static void measure_once(void) {
    struct fovea_dnn *dnn;
    if (!fovea_dnn_has_bf16() || fovea_dnn_create(&dnn, NULL)) {
        return;
    }
    int former = fovea_parallel_set_threads(1);
    ratio = measure(dnn);
    fovea_parallel_set_threads(former);
    fovea_dnn_destroy(dnn);
}

double fovea_bf16_ratio(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, measure_once);
    return ratio;
}
