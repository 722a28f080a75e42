/*
 * Filters and weights as Pillow computes them: every expression here is in the
 * order and the precision of its Resample.c, because the last bit of a weight
 * decides the rounding of some pixel.
 */
#include "loaders/resize_taps.h"

#include <math.h>
#include <stdlib.h>

struct filter {
    double (*weight)(double x);
    double support; /* the filter is zero beyond this, either side */
};

static double box(double x) {
    return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
}

static double bilinear(double x) {
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

/* Keys' cubic convolution, a = -0.5. */
static double bicubic(double x) {
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0) {
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    }
    if (x < 2.0) {
        return (((x - 5) * x + 8) * x - 4) * a;
    }
    return 0.0;
}

static double sinc(double x) {
    if (x == 0.0) {
        return 1.0;
    }
    x = x * M_PI;
    return sin(x) / x;
}

static double lanczos(double x) {
    return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0;
}

static const struct filter filters[FOVEA_N_FILTERS] = {
    [FOVEA_FILTER_BOX] = {box, 0.5},
    [FOVEA_FILTER_BILINEAR] = {bilinear, 1.0},
    [FOVEA_FILTER_BICUBIC] = {bicubic, 2.0},
    [FOVEA_FILTER_LANCZOS] = {lanczos, 3.0},
};

/* Geometry of one axis. */
struct axis {
    const struct filter *filter;
    int in_size;
    double scale;        /* input samples an output sample */
    double filter_scale; /* the same, at least 1: the filter widens, never narrows */
    double support;
};

/* Weights of output sample `index`, in doubles; their first input sample and count. */
static void weigh(const struct axis *axis, int index, double *weights, int *first, int *count) {
    double center = (index + 0.5) * axis->scale;
    double inverse = 1.0 / axis->filter_scale;
    int begin = (int)(center - axis->support + 0.5);
    int end = (int)(center + axis->support + 0.5);
    begin = begin < 0 ? 0 : begin;
    end = end > axis->in_size ? axis->in_size : end;

    double sum = 0.0;
    for (int i = 0; i < end - begin; i++) {
        weights[i] = axis->filter->weight((i + begin - center + 0.5) * inverse);
        sum += weights[i];
    }
    for (int i = 0; i < end - begin && sum != 0.0; i++) {
        weights[i] /= sum;
    }
    *first = begin;
    *count = end - begin;
}

static int32_t to_fixed(double weight) {
    double scaled = weight * (1 << FOVEA_RESIZE_BITS);
    return (int32_t)(weight < 0 ? -0.5 + scaled : 0.5 + scaled);
}

static enum fovea_status allocate(struct fovea_taps *taps, double **scratch,
                                  struct fovea_error *err) {
    size_t n_out = (size_t)taps->n_out, n_weights = (size_t)taps->n_weights, n_bytes;
    if (__builtin_mul_overflow(n_out * sizeof(*taps->weights), n_weights, &n_bytes)) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "a resize of %zu samples with %zu weights each",
                          n_out, n_weights);
    }
    taps->first = malloc(n_out * sizeof(*taps->first));
    taps->count = malloc(n_out * sizeof(*taps->count));
    taps->weights = calloc(1, n_bytes);
    *scratch = calloc(n_weights, sizeof(**scratch));
    if (!taps->first || !taps->count || !taps->weights || !*scratch) {
        return fovea_fail_memory(err, n_bytes, "resize weights");
    }
    return FOVEA_OK;
}

static void fill(struct fovea_taps *taps, const struct axis *axis, int start, double *scratch) {
    int low = axis->in_size, high = 0;
    for (int i = 0; i < taps->n_out; i++) {
        weigh(axis, start + i, scratch, &taps->first[i], &taps->count[i]);
        int32_t *weights = taps->weights + (size_t)i * (size_t)taps->n_weights;
        for (int t = 0; t < taps->count[i]; t++) {
            weights[t] = to_fixed(scratch[t]);
        }
        int end = taps->first[i] + taps->count[i];
        low = taps->first[i] < low ? taps->first[i] : low;
        high = end > high ? end : high;
    }
    taps->in_first = low;
    taps->in_count = high - low;
}

enum fovea_status fovea_taps_init(struct fovea_taps *taps, enum fovea_filter filter, int in_size,
                                  int out_size, int start, int n_out, struct fovea_error *err) {
    struct axis axis = {.filter = &filters[filter], .in_size = in_size};
    axis.scale = (double)in_size / out_size;
    axis.filter_scale = axis.scale < 1.0 ? 1.0 : axis.scale;
    axis.support = axis.filter->support * axis.filter_scale;

    struct fovea_taps made = {.n_out = n_out, .n_weights = (int)ceil(axis.support) * 2 + 1};
    double *scratch = NULL;
    enum fovea_status status = allocate(&made, &scratch, err);
    if (status) {
        fovea_taps_finish(&made);
    } else {
        fill(&made, &axis, start, scratch);
        *taps = made;
    }
    free(scratch);
    return status;
}

void fovea_taps_finish(struct fovea_taps *taps) {
    free(taps->first);
    free(taps->count);
    free(taps->weights);
    *taps = (struct fovea_taps){0};
}
