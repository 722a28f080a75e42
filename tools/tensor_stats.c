/* See tensor_stats.h. */
#include "tools/tensor_stats.h"

#include <math.h>

void tensor_stats_get(const struct fovea_tensor *tensor, struct tensor_stats *out) {
    struct tensor_stats s = {.count = fovea_tensor_count(tensor)};
    int64_t n = 0;
    double squares = 0; /* of the distances from the mean so far (Welford) */
    for (int64_t i = 0; i < s.count; i++) {
        double x = fovea_tensor_get_float(tensor, i);
        if (!isfinite(x)) {
            s.n_nan += isnan(x) != 0;
            s.n_infinite += isinf(x) != 0;
            continue;
        }
        s.min = n == 0 || x < s.min ? x : s.min;
        s.max = n == 0 || x > s.max ? x : s.max;
        n++;
        double d = x - s.mean;
        s.mean += d / (double)n;
        squares += d * (x - s.mean);
    }
    s.std = n > 0 ? sqrt(squares / (double)n) : NAN;
    if (n == 0) {
        s.min = s.max = s.mean = NAN;
    }
    *out = s;
}
