/*
 * Whether bf16 is worth it on this CPU. Instructions for it say little: on
 * Sapphire Rapids vdpbf16ps issues at a quarter of the rate of vfmadd231ps, so
 * that it does half of the multiply-adds in a time, where tiles (AMX) do
 * twelve times as many.
 */
#ifndef FOVEA_RUNTIME_BF16_RATIO_H
#define FOVEA_RUNTIME_BF16_RATIO_H

/*
 * The time of a matrix product in bf16 as a multiple of its time in f32, on
 * one thread: measured at the first call, which takes some 10 ms, the same at
 * all others. 0 where there are no instructions for it, or no way to measure.
 */
double fovea_bf16_ratio(void);

/* Below this ratio bf16 is taken to be faster; conversions and norms take their share. */
#define FOVEA_BF16_PAYS 0.9

#endif
