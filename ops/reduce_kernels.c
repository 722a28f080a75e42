/*
 * Reductions over strided views: see reduce.h.
 *
 * Two shapes of loop, by what lies innermost in memory. If that is a reduced
 * dim, every output is a few long runs (rows). If it is a kept dim, runs would
 * jump through memory; instead a strip of neighbouring outputs is accumulated
 * at once (columns). The mean over H and W is the first in plain layout and
 * the second in channels-last.
 */
#include "ops/reduce.h"

#include "runtime/parallel.h"
#include "runtime/portability.h"

#include <math.h>

#define STRIP 128

/* Input elements that are worth a thread of their own. */
#define GRAIN 16384

struct reduce_job {
    const struct fovea_reduction *r;
    const void *x;
    void *y;
    int64_t strips; /* columns: per row of kept neighbours */
};

/* Where item `index` of a row-major walk over `dims` lies. */
static inline int64_t offset_of(int rank, const int64_t *dims, const int64_t *strides,
                                int64_t index) {
    int64_t offset = 0;
    for (int i = rank - 1; i > 0; i--) {
        offset += index % dims[i] * strides[i];
        index /= dims[i];
    }
    return rank > 0 ? offset + index * strides[0] : offset;
}

#define SIMD_SUM _Pragma("omp simd reduction(+ : acc)")
#define ADD(a, b) ((a) + (double)(b))
#define MUL(a, b) ((double)(a) * (double)(b))
#define DIVIDE(a, n) ((a) / (double)(n))
#define IS_NAN(v) isnan(v)

#define T float
#define A double
#define FN(name) name##_f32
#define LOWEST -INFINITY
#define HIGHEST INFINITY
#include "ops/reduce.inc"

#define T double
#define A double
#define FN(name) name##_f64
#define LOWEST -INFINITY
#define HIGHEST INFINITY
#include "ops/reduce.inc"

#undef SIMD_SUM
#undef ADD
#undef MUL
#undef DIVIDE
#undef IS_NAN

#define SIMD_SUM
#define ADD(a, b) ((int64_t)((uint64_t)(a) + (uint64_t)(b)))
#define MUL(a, b) ((int64_t)((uint64_t)(a) * (uint64_t)(b)))
/* The mean of nothing has no value in integers; 0 at least is no trap. */
#define DIVIDE(a, n) ((n) == 0 ? 0 : (a) / (n))
#define IS_NAN(v) 0

#define T int8_t
#define A int64_t
#define FN(name) name##_i8
#define LOWEST INT8_MIN
#define HIGHEST INT8_MAX
#include "ops/reduce.inc"

#define T uint8_t
#define A int64_t
#define FN(name) name##_u8
#define LOWEST 0
#define HIGHEST UINT8_MAX
#include "ops/reduce.inc"

#define T int32_t
#define A int64_t
#define FN(name) name##_i32
#define LOWEST INT32_MIN
#define HIGHEST INT32_MAX
#include "ops/reduce.inc"

#define T uint32_t
#define A int64_t
#define FN(name) name##_u32
#define LOWEST 0
#define HIGHEST UINT32_MAX
#include "ops/reduce.inc"

/* Of bytes that are 0 or 1: the least of none is 1. */
#define T uint8_t
#define A int64_t
#define FN(name) name##_bool
#define LOWEST 0
#define HIGHEST ((uint8_t)1)
#include "ops/reduce.inc"

#define T int64_t
#define A int64_t
#define FN(name) name##_i64
#define LOWEST INT64_MIN
#define HIGHEST INT64_MAX
#include "ops/reduce.inc"

struct kernels {
    fovea_parallel_fn rows, columns;
};

static const struct kernels kernels[FOVEA_N_DTYPES] = {
    [FOVEA_F32] = {rows_f32, columns_f32}, [FOVEA_F64] = {rows_f64, columns_f64},
    [FOVEA_I8] = {rows_i8, columns_i8},    [FOVEA_U8] = {rows_u8, columns_u8},
    [FOVEA_I32] = {rows_i32, columns_i32}, [FOVEA_U32] = {rows_u32, columns_u32},
    [FOVEA_I64] = {rows_i64, columns_i64}, [FOVEA_BOOL] = {rows_bool, columns_bool},
};

static bool in_columns(const struct fovea_reduction *r) {
    int k = r->n_kept - 1, d = r->n_reduced - 1;
    return k >= 0 && d >= 0 && r->kept_in[k] == 1 && r->kept_out[k] == 1 && r->kept[k] >= 4 &&
           r->kind != FOVEA_REDUCE_LOG_SUM_EXP;
}

void fovea_reduce_run(const struct fovea_reduction *r, enum fovea_dtype dtype, const void *x,
                      void *y) {
    struct reduce_job job = {.r = r, .x = x, .y = y};
    int64_t work = r->per_output > 0 ? r->per_output : 1;
    if (!in_columns(r)) {
        fovea_parallel_for(r->outputs, GRAIN / work + 1, kernels[dtype].rows, &job);
        return;
    }
    int64_t neighbours = r->kept[r->n_kept - 1];
    if (r->outputs == 0) {
        return;
    }
    job.strips = (neighbours + STRIP - 1) / STRIP;
    fovea_parallel_for(r->outputs / neighbours * job.strips, GRAIN / (work * STRIP) + 1,
                       kernels[dtype].columns, &job);
}
