/*
 * How scattered elements meet what is there: replace, add, multiply, or keep
 * the greater or lesser. Integers wrap around; a NaN on either side stays.
 */
#include "ops/each_type.h"
#include "ops/scatter.h"

#define ADD(a, b) ((a) + (b))
#define MUL(a, b) ((a) * (b))
#define MAX(a, b) ((b) > (a) || (b) != (b) ? (b) : (a))
#define MIN(a, b) ((b) < (a) || (b) != (b) ? (b) : (a))

/* `wide` is the type of the arithmetic: unsigned for integers, so that it cannot overflow. */
#define COMBINE(name, type, wide, OP)                                                              \
    static void name(void *to, const void *from, int64_t count) {                                  \
        type *a = to;                                                                              \
        const type *b = from;                                                                      \
        for (int64_t i = 0; i < count; i++) {                                                      \
            a[i] = (type)OP((wide)a[i], (wide)b[i]);                                               \
        }                                                                                          \
    }
#define COMBINE_FLOAT(suffix, dtype, type)                                                         \
    COMBINE(add_##suffix, type, type, ADD)                                                         \
    COMBINE(mul_##suffix, type, type, MUL)                                                         \
    COMBINE(max_##suffix, type, type, MAX)                                                         \
    COMBINE(min_##suffix, type, type, MIN)
#define COMBINE_INT(suffix, dtype, type)                                                           \
    COMBINE(add_##suffix, type, uint64_t, ADD)                                                     \
    COMBINE(mul_##suffix, type, uint64_t, MUL)                                                     \
    COMBINE(max_##suffix, type, type, MAX)                                                         \
    COMBINE(min_##suffix, type, type, MIN)
FOVEA_EACH_FLOAT(COMBINE_FLOAT)
FOVEA_EACH_INT(COMBINE_INT)

#define ROW(suffix, dtype, type)                                                                   \
    [dtype] = {[FOVEA_SCATTER_ADD] = add_##suffix,                                                 \
               [FOVEA_SCATTER_MUL] = mul_##suffix,                                                 \
               [FOVEA_SCATTER_MAX] = max_##suffix,                                                 \
               [FOVEA_SCATTER_MIN] = min_##suffix},

static const fovea_combine_fn table[FOVEA_N_DTYPES][FOVEA_N_SCATTERS] = {FOVEA_EACH_FLOAT(ROW)
                                                                             FOVEA_EACH_INT(ROW)};

fovea_combine_fn fovea_scatter_combine(enum fovea_scatter_reduction reduction,
                                       enum fovea_dtype dtype) {
    return table[dtype][reduction];
}
