/*
 * The loops behind elementwise instructions (runtime/program.h): one for each
 * opcode and type, over tiles of contiguous elements.
 *
 * Every kernel may write over its arguments: y may equal a, b or c, and does
 * not overlap them otherwise. Results do not depend on the instruction set or
 * on where an element stands in a tile.
 */
#ifndef FOVEA_OPS_KERNELS_H
#define FOVEA_OPS_KERNELS_H

#include "runtime/program.h"

/* y[i] = op(a[i], b[i], c[i]) for i in [0, n); what the opcode does not read may be NULL. */
typedef void (*fovea_kernel_fn)(void *y, const void *a, const void *b, const void *c, int64_t n,
                                float alpha, float beta);

/* The kernel of `op` on arguments of `type` (WHERE: of b and c), or NULL. CAST has none. */
fovea_kernel_fn fovea_kernel_find(enum fovea_opcode op, enum fovea_dtype type);

/* Tables by opcode, NULL where there is no kernel. */
extern const fovea_kernel_fn fovea_kernels_fast[FOVEA_N_OPCODES]; /* f32, vectorised */
extern const fovea_kernel_fn fovea_kernels_f32[FOVEA_N_OPCODES];
extern const fovea_kernel_fn fovea_kernels_f64[FOVEA_N_OPCODES];
extern const fovea_kernel_fn fovea_kernels_i8[FOVEA_N_OPCODES];
extern const fovea_kernel_fn fovea_kernels_u8[FOVEA_N_OPCODES];
extern const fovea_kernel_fn fovea_kernels_i16[FOVEA_N_OPCODES];
extern const fovea_kernel_fn fovea_kernels_u16[FOVEA_N_OPCODES];
extern const fovea_kernel_fn fovea_kernels_i32[FOVEA_N_OPCODES];
extern const fovea_kernel_fn fovea_kernels_u32[FOVEA_N_OPCODES];
extern const fovea_kernel_fn fovea_kernels_i64[FOVEA_N_OPCODES];
extern const fovea_kernel_fn fovea_kernels_u64[FOVEA_N_OPCODES];
extern const fovea_kernel_fn fovea_kernels_bool[FOVEA_N_OPCODES];

#endif
