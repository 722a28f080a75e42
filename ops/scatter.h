/* What scatter.c takes from scatter_combine.c. */
#ifndef FOVEA_OPS_SCATTER_H
#define FOVEA_OPS_SCATTER_H

#include "runtime/fovea.h"

enum fovea_scatter_reduction {
    FOVEA_SCATTER_NONE,
    FOVEA_SCATTER_ADD,
    FOVEA_SCATTER_MUL,
    FOVEA_SCATTER_MAX,
    FOVEA_SCATTER_MIN,
    FOVEA_N_SCATTERS,
};

/* to[i] = to[i] combined with from[i]. */
typedef void (*fovea_combine_fn)(void *to, const void *from, int64_t count);

/* NULL for FOVEA_SCATTER_NONE, and for types without arithmetic. */
fovea_combine_fn fovea_scatter_combine(enum fovea_scatter_reduction reduction,
                                       enum fovea_dtype dtype);

#endif
