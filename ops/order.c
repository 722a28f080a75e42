/* Orders of elements: see order.h. */
#include "ops/order.h"

#include "ops/each_type.h"

#define ORDER(suffix, dtype, type)                                                                 \
    static int order_##suffix(const void *data, int64_t a, int64_t b) {                            \
        type x = ((const type *)data)[a], y = ((const type *)data)[b];                             \
        int nan = (x != x) - (y != y);                                                             \
        return nan ? nan : (x > y) - (x < y);                                                      \
    }
FOVEA_EACH_FLOAT(ORDER)
FOVEA_EACH_INT(ORDER)

#define ROW(suffix, dtype, type) [dtype] = order_##suffix,
static const fovea_order_fn table[FOVEA_N_DTYPES] = {FOVEA_EACH_FLOAT(ROW) FOVEA_EACH_INT(ROW)};

fovea_order_fn fovea_order_of(enum fovea_dtype dtype) {
    return table[dtype == FOVEA_BOOL ? FOVEA_U8 : dtype];
}
