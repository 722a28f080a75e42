/* Which of two elements comes first, for ArgMax, ArgMin and TopK. */
#ifndef FOVEA_OPS_ORDER_H
#define FOVEA_OPS_ORDER_H

#include "runtime/fovea.h"

/*
 * Negative, 0 or positive as element a of `data` is below, equal to or above
 * element b. A NaN is above everything else and equal to other NaNs, as in
 * NumPy, so that this is an order whatever the data.
 */
typedef int (*fovea_order_fn)(const void *data, int64_t a, int64_t b);

/* For any number type but the halves; bool compares as u8. */
fovea_order_fn fovea_order_of(enum fovea_dtype dtype);

#endif
