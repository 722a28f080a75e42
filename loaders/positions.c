/* Position embeddings for another grid: see positions.h. */
#include "loaders/positions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[FOVEA_N_POSITIONS_RULES] = {"big-vision", "timm", "timm-npz", "hf"};

const char *fovea_positions_name(enum fovea_positions_rule rule) {
    return names[rule];
}

enum fovea_status fovea_positions_find(const char *name, enum fovea_positions_rule *out,
                                       struct fovea_error *err) {
    for (int i = 0; i < FOVEA_N_POSITIONS_RULES; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum fovea_positions_rule)i;
            return FOVEA_OK;
        }
    }
    return fovea_fail(err, FOVEA_ERR_INVALID, "positions '%s' is none of %s, %s, %s, %s",
                      fovea_quote(name).text, names[0], names[1], names[2], names[3]);
}

/* ---- kernels ----------------------------------------------------------------- */

/* Keys' cubic convolution (1981) with parameter a; 0 from 2 on. */
static double cubic(double x, double a) {
    x = fabs(x);
    if (x < 1) {
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    }
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static int64_t clamp(int64_t i, int64_t n) {
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/* Weights of the old places for new place `i`, added to `weights`, which is zero. */
static void weigh_linear(double at, int64_t n_old, double *weights) {
    int64_t low = (int64_t)floor(at);
    double share = at - (double)low;
    weights[clamp(low, n_old)] += 1 - share;
    weights[clamp(low + 1, n_old)] += share;
}

static void weigh_cubic(double at, int64_t n_old, double *weights) {
    int64_t low = (int64_t)floor(at);
    for (int64_t k = low - 1; k <= low + 2; k++) {
        weights[clamp(k, n_old)] += cubic(at - (double)k, -0.75);
    }
}

/* The kernel is as much wider as the grid gets smaller; what lies outside does not count. */
static void weigh_antialiased(double at, double ratio, int64_t n_old, double *weights) {
    double scale = ratio > 1 ? ratio : 1, centre = at + 0.5, sum = 0;
    int64_t from = clamp((int64_t)(centre - 2 * scale + 0.5), n_old + 1);
    int64_t to = clamp((int64_t)(centre + 2 * scale + 0.5), n_old + 1);
    for (int64_t k = from; k < to; k++) {
        weights[k] = cubic(((double)k - centre + 0.5) / scale, -0.5);
        sum += weights[k];
    }
    for (int64_t k = from; k < to; k++) {
        weights[k] /= sum;
    }
}

static void weigh(enum fovea_positions_rule rule, int64_t i, int64_t n_old, int64_t n_new,
                  double *weights) {
    double ratio = (double)n_old / (double)n_new, at = ((double)i + 0.5) * ratio - 0.5;
    switch (rule) {
    case FOVEA_POSITIONS_BIG_VISION:
        at = n_new > 1 ? (double)i * (double)(n_old - 1) / (double)(n_new - 1) : 0;
        weigh_linear(at, n_old, weights);
        break;
    case FOVEA_POSITIONS_TIMM:
        weigh_antialiased(at, ratio, n_old, weights);
        break;
    case FOVEA_POSITIONS_TIMM_NPZ:
        weigh_linear(at > 0 ? at : 0, n_old, weights);
        break;
    default:
        weigh_cubic(at, n_old, weights);
    }
}

/* ---- an axis -------------------------------------------------------------------- */

/* [outer, n_old, inner] to [outer, n_new, inner]; `weights` has room for n_old. */
static void resample_axis(enum fovea_positions_rule rule, const double *from, int64_t outer,
                          int64_t n_old, int64_t n_new, int64_t inner, double *weights,
                          double *to) {
    memset(to, 0, (size_t)(outer * n_new * inner) * sizeof(*to));
    for (int64_t i = 0; i < n_new; i++) {
        memset(weights, 0, (size_t)n_old * sizeof(*weights));
        weigh(rule, i, n_old, n_new, weights);
        for (int64_t o = 0; o < outer; o++) {
            double *sum = to + (o * n_new + i) * inner;
            for (int64_t k = 0; k < n_old; k++) {
                const double *row = from + (o * n_old + k) * inner;
                for (int64_t c = 0; weights[k] != 0 && c < inner; c++) {
                    sum[c] += weights[k] * row[c];
                }
            }
        }
    }
}

enum fovea_status fovea_positions_resample(enum fovea_positions_rule rule, const float *from,
                                           int64_t old_h, int64_t old_w, int64_t new_h,
                                           int64_t new_w, int64_t width, float *to,
                                           struct fovea_error *err) {
    int64_t n_from = old_h * old_w * width, n_middle = old_h * new_w * width;
    int64_t n_to = new_h * new_w * width, longest = old_h > old_w ? old_h : old_w;
    size_t count = (size_t)(n_from + n_middle + n_to + longest);
    double *start = malloc(count * sizeof(*start));
    if (!start) {
        return fovea_fail_memory(err, count * sizeof(*start), "position embeddings");
    }
    double *middle = start + n_from, *end = middle + n_middle, *weights = end + n_to;
    for (int64_t i = 0; i < n_from; i++) {
        start[i] = from[i];
    }
    resample_axis(rule, start, old_h, old_w, new_w, width, weights, middle);
    resample_axis(rule, middle, 1, old_h, new_h, new_w * width, weights, end);
    for (int64_t i = 0; i < n_to; i++) {
        to[i] = (float)end[i];
    }
    free(start);
    return FOVEA_OK;
}
