/*
 * The machine's limits for arithmetic, measured: threads doing nothing but
 * multiply-adds in registers. What direct convolution and matmul cannot pass.
 */
#ifndef FOVEA_TOOLS_FMA_LIMIT_H
#define FOVEA_TOOLS_FMA_LIMIT_H

#include <stdint.h>

/* One way to keep the units of this CPU busy. */
struct fma_loop {
    const char *name;              /* of its instruction; NULL: the CPU has none for this type */
    double operations;             /* of one round, a multiply-add counted as two */
    float (*spin)(int64_t rounds); /* the result is of no use */
};

/* The fastest for f32, for bf16 with f32 sums, and for int8 with i32 sums. */
struct fma_loop fma_loop_f32(void);
struct fma_loop fma_loop_bf16(void);
struct fma_loop fma_loop_int8(void);

/* 10^9 operations a second with `threads` threads; 0 where the loop has no name. About 0.1 s. */
double fma_loop_measure(const struct fma_loop *loop, int threads);

#endif
