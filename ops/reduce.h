/*
 * A reduction as its kernels see it: which elements of the input go into each
 * element of the output. Made by reduce.c, carried out by reduce_kernels.c.
 */
#ifndef FOVEA_OPS_REDUCE_H
#define FOVEA_OPS_REDUCE_H

#include "runtime/tensor.h"

enum fovea_reduce_kind {
    FOVEA_REDUCE_SUM,
    FOVEA_REDUCE_MEAN,
    FOVEA_REDUCE_MAX,
    FOVEA_REDUCE_MIN,
    FOVEA_REDUCE_PROD,
    FOVEA_REDUCE_L1,
    FOVEA_REDUCE_L2,
    FOVEA_REDUCE_SUM_SQUARE,
    FOVEA_REDUCE_LOG_SUM,
    FOVEA_REDUCE_LOG_SUM_EXP,
};

/*
 * Dims in the order of the input's memory, outermost first, those of size 1
 * left out and neighbours that can be walked as one merged. Strides in
 * elements. Kept and reduced dims each in their own list.
 */
struct fovea_reduction {
    enum fovea_reduce_kind kind;
    int n_kept, n_reduced;
    int64_t kept[FOVEA_MAX_RANK], kept_in[FOVEA_MAX_RANK], kept_out[FOVEA_MAX_RANK];
    int64_t reduced[FOVEA_MAX_RANK], reduced_in[FOVEA_MAX_RANK];
    int64_t outputs;    /* elements of the output */
    int64_t per_output; /* elements of the input for each, maybe 0 */
};

/* Types with kernels: f32 f64 i8 u8 i32 u32 i64 bool. x and y do not overlap. */
void fovea_reduce_run(const struct fovea_reduction *reduction, enum fovea_dtype dtype,
                      const void *x, void *y);

#endif
