/*
 * The machine's limit for f32 arithmetic, measured.
 */
#ifndef FOVEA_TOOLS_FMA_LIMIT_H
#define FOVEA_TOOLS_FMA_LIMIT_H

/*
 * GFLOP/s of `threads` threads doing nothing but multiply-adds in registers, a
 * multiply-add counted as two. What direct convolution and matmul cannot pass.
 * Takes about 0.2 s.
 */
double fma_limit_gflops(int threads);

#endif
