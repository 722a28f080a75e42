/*
 * Weights of Resize along one axis: see resize_axis.h. Formulas are those of
 * the ONNX specification (Resize-19) and its reference implementation.
 */
#include "ops/resize_axis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool fovea_resize_is_identity(const struct fovea_resize_rule *rule,
                              const struct fovea_resize_axis *axis) {
    return axis->in == axis->out && axis->scale == 1 &&
           rule->coordinates != FOVEA_RESIZE_TF_CROP_AND_RESIZE &&
           rule->coordinates != FOVEA_RESIZE_TF_HALF_PIXEL_FOR_NN;
}

/* Where output coordinate `x` lies in the input. */
static double original_coordinate(const struct fovea_resize_rule *rule,
                                  const struct fovea_resize_axis *axis, double x) {
    double in = (double)axis->in, length = axis->length;
    double half = (x + 0.5) / axis->scale;
    switch (rule->coordinates) {
    case FOVEA_RESIZE_HALF_PIXEL:
        return half - 0.5;
    case FOVEA_RESIZE_PYTORCH_HALF_PIXEL:
        return axis->out > 1 ? half - 0.5 : 0;
    case FOVEA_RESIZE_ALIGN_CORNERS:
        return length == 1 ? 0 : x * (in - 1) / (length - 1);
    case FOVEA_RESIZE_ASYMMETRIC:
        return x / axis->scale;
    case FOVEA_RESIZE_TF_HALF_PIXEL_FOR_NN:
        return half;
    case FOVEA_RESIZE_HALF_PIXEL_SYMMETRIC:
        return in / 2 * (1 - (double)axis->out / length) + half - 0.5;
    case FOVEA_RESIZE_TF_CROP_AND_RESIZE:
        break;
    }
    double start = axis->roi[0], end = axis->roi[1];
    if (axis->out == 1) {
        return (start + end) / 2 * (in - 1);
    }
    return start * (in - 1) + x * (end - start) * (in - 1) / (length - 1);
}

static double filter(const struct fovea_resize_rule *rule, double x) {
    double a = rule->cubic_a;
    x = fabs(x);
    if (rule->mode == FOVEA_RESIZE_LINEAR) {
        return x < 1 ? 1 - x : 0;
    }
    if (x <= 1) {
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    }
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/*
 * An original coordinate as base + ratio with ratio in (0, 1]: "we prefer the
 * pixel on the left".
 */
static double split_coordinate(double x, double *ratio) {
    double base = ceil(x) - 1;
    *ratio = x - base;
    return base;
}

static int64_t clamp(double index, int64_t in) {
    return index < 0 ? 0 : index > (double)(in - 1) ? in - 1 : (int64_t)index;
}

/* ---- one output element ------------------------------------------------- */

static void set_nearest(struct fovea_resize_table *table, const struct fovea_resize_rule *rule,
                        const struct fovea_resize_axis *axis, int64_t o, double x) {
    double ratio, base = split_coordinate(x, &ratio);
    bool up = ratio == 1;
    switch (rule->nearest) {
    case FOVEA_NEAREST_ROUND_PREFER_FLOOR:
        up |= ratio > 0.5;
        break;
    case FOVEA_NEAREST_ROUND_PREFER_CEIL:
        up |= ratio >= 0.5;
        break;
    case FOVEA_NEAREST_FLOOR:
        break;
    case FOVEA_NEAREST_CEIL:
        up = true;
        break;
    case FOVEA_NEAREST_SIMPLE:
        up |= axis->scale < 1;
        break;
    }
    table->first[o] = clamp(base + up, axis->in);
    table->count[o] = 1;
    table->weights[o * table->taps] = 1;
}

/* Length and first offset of the filter's window. */
static int64_t window(const struct fovea_resize_rule *rule, const struct fovea_resize_axis *axis,
                      double *stretch, double *start) {
    double radius = rule->mode == FOVEA_RESIZE_CUBIC ? 2 : 1;
    *stretch = rule->antialias && axis->scale < 1 ? axis->scale : 1;
    *start = floor(-radius / *stretch) + 1;
    return (int64_t)(2 - 2 * *start);
}

/* Weights of elements beyond the ends go to the ends, or (exclude_outside) nowhere. */
static void set_weighted(struct fovea_resize_table *table, const struct fovea_resize_rule *rule,
                         const struct fovea_resize_axis *axis, int64_t o, double x) {
    double ratio, base = split_coordinate(x, &ratio), stretch, start, sum = 0;
    int64_t n = window(rule, axis, &stretch, &start);
    int64_t first = clamp(base + start, axis->in);
    int64_t last = clamp(base + start + (double)(n - 1), axis->in);
    double *weights = table->weights + o * table->taps;
    for (int64_t i = 0; i < n; i++) {
        double at = base + start + (double)i;
        bool outside = at < 0 || at > (double)(axis->in - 1);
        if (outside && rule->exclude_outside) {
            continue;
        }
        double weight = filter(rule, (start + (double)i - ratio) * stretch);
        weights[clamp(at, axis->in) - first] += weight;
        sum += weight;
    }
    table->first[o] = first;
    table->count[o] = last - first + 1;
    for (int64_t i = 0; sum != 0 && i <= last - first; i++) {
        weights[i] /= sum;
    }
}

/* ---- the table ---------------------------------------------------------- */

enum fovea_status fovea_resize_table_init(struct fovea_resize_table *table,
                                          const struct fovea_resize_rule *rule,
                                          const struct fovea_resize_axis *axis,
                                          struct fovea_error *err) {
    double stretch, start;
    size_t out = (size_t)axis->out;
    int64_t taps = rule->mode == FOVEA_RESIZE_NEAREST ? 1 : window(rule, axis, &stretch, &start);
    memset(table, 0, sizeof(*table));
    table->taps = taps < axis->in ? taps : axis->in;
    table->first = calloc(out + 1, sizeof(*table->first));
    table->count = calloc(out + 1, sizeof(*table->count));
    table->weights = calloc(out + 1, (size_t)table->taps * sizeof(*table->weights));
    if (!table->first || !table->count || !table->weights) {
        fovea_resize_table_finish(table);
        return fovea_fail_memory(err, out * ((size_t)table->taps + 2) * sizeof(double),
                                 "weights of a resize");
    }
    for (int64_t o = 0; o < axis->out; o++) {
        double x = original_coordinate(rule, axis, (double)o);
        if (rule->coordinates == FOVEA_RESIZE_TF_CROP_AND_RESIZE &&
            !(x >= 0 && x <= (double)(axis->in - 1))) {
            continue; /* a count of 0: extrapolate */
        }
        if (rule->mode == FOVEA_RESIZE_NEAREST) {
            set_nearest(table, rule, axis, o, x);
        } else {
            set_weighted(table, rule, axis, o, x);
        }
    }
    return FOVEA_OK;
}

void fovea_resize_table_finish(struct fovea_resize_table *table) {
    free(table->first);
    free(table->count);
    free(table->weights);
    memset(table, 0, sizeof(*table));
}
