/*
 * A tensor in one line: what its elements are like.
 */
#ifndef FOVEA_TOOLS_TENSOR_STATS_H
#define FOVEA_TOOLS_TENSOR_STATS_H

#include "runtime/tensor.h"

/* Over the elements that are finite; NaN if none is. */
struct tensor_stats {
    int64_t count;
    int64_t n_nan, n_infinite;
    double min, max, mean, std;
};

void tensor_stats_get(const struct fovea_tensor *tensor, struct tensor_stats *out);

#endif
