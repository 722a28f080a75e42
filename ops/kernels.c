/* Which kernel serves an opcode and a type, and those on bool: see kernels.h. */
#include "ops/kernels.h"

#define KERNEL(name, expression)                                                                   \
    static void name(void *py, const void *pa, const void *pb, const void *pc, int64_t n,          \
                     float alpha, float beta) {                                                    \
        uint8_t *y = py;                                                                           \
        const uint8_t *a = pa, *b = pb ? pb : pa;                                                  \
        (void)pc, (void)alpha, (void)beta;                                                         \
        for (int64_t i = 0; i < n; i++) {                                                          \
            bool u = a[i] != 0, v = b[i] != 0;                                                     \
            y[i] = expression;                                                                     \
        }                                                                                          \
    }

/* clang-format off */
KERNEL(and_, u && v)
KERNEL(or_, u || v)
KERNEL(xor_, u != v)
KERNEL(equal, u == v)
KERNEL(not_, !(u && v))
/* clang-format on */

static void where(void *py, const void *pa, const void *pb, const void *pc, int64_t n, float alpha,
                  float beta) {
    fovea_kernels_u8[FOVEA_DO_WHERE](py, pa, pb, pc, n, alpha, beta);
}

const fovea_kernel_fn fovea_kernels_bool[FOVEA_N_OPCODES] = {
    [FOVEA_DO_AND] = and_,    [FOVEA_DO_OR] = or_,   [FOVEA_DO_XOR] = xor_,
    [FOVEA_DO_EQUAL] = equal, [FOVEA_DO_NOT] = not_, [FOVEA_DO_WHERE] = where,
};

static const fovea_kernel_fn *const tables[FOVEA_N_DTYPES] = {
    [FOVEA_F32] = fovea_kernels_f32,   [FOVEA_F64] = fovea_kernels_f64,
    [FOVEA_I8] = fovea_kernels_i8,     [FOVEA_U8] = fovea_kernels_u8,
    [FOVEA_I16] = fovea_kernels_i16,   [FOVEA_U16] = fovea_kernels_u16,
    [FOVEA_I32] = fovea_kernels_i32,   [FOVEA_U32] = fovea_kernels_u32,
    [FOVEA_I64] = fovea_kernels_i64,   [FOVEA_U64] = fovea_kernels_u64,
    [FOVEA_BOOL] = fovea_kernels_bool,
};

fovea_kernel_fn fovea_kernel_find(enum fovea_opcode op, enum fovea_dtype type) {
    if (type == FOVEA_F32 && fovea_kernels_fast[op]) {
        return fovea_kernels_fast[op];
    }
    return tables[type] ? tables[type][op] : NULL;
}
