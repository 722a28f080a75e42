/* Operators by their definition: see reference.h. */
#include "tests/reference.h"

#include <math.h>
#include <stdlib.h>

int64_t reference_window_out(const struct reference_window *w, int d, int64_t in) {
    int64_t extent = (w->kernel[d] - 1) * w->dilations[d] + 1;
    return (in + w->before[d] + w->after[d] - extent) / w->strides[d] + 1;
}

/* Split a flat index over `n` dims, last fastest. */
static void unflatten(int64_t index, const int64_t *dims, int n, int64_t *out) {
    for (int d = n - 1; d >= 0; d--) {
        out[d] = index % dims[d];
        index /= dims[d];
    }
}

static int64_t product(const int64_t *values, int n) {
    int64_t total = 1;
    for (int i = 0; i < n; i++) {
        total *= values[i];
    }
    return total;
}

/* Offset in the plane of a window's tap, -1 in the padding, -2 outside of that. */
static int64_t tap_offset(const int64_t *in, const struct reference_window *w, const int64_t *at,
                          int64_t tap) {
    int64_t k[3], offset = 0;
    bool padding = false;
    unflatten(tap, w->kernel, w->spatial, k);
    for (int d = 0; d < w->spatial; d++) {
        int64_t i = at[d] * w->strides[d] - w->before[d] + k[d] * w->dilations[d];
        if (i >= in[d] + w->after[d]) {
            return -2;
        }
        padding = padding || i < 0 || i >= in[d];
        offset = offset * in[d] + i;
    }
    return padding ? -1 : offset;
}

void reference_conv(const struct fovea_tensor *x, const struct fovea_tensor *w, const float *bias,
                    int64_t groups, const struct reference_window *window, struct fovea_tensor *y) {
    int n = window->spatial;
    int64_t dims[5] = {x->dims[0], w->dims[0]};
    for (int d = 0; d < n; d++) {
        dims[2 + d] = reference_window_out(window, d, x->dims[2 + d]);
    }
    fovea_tensor_set_shape(y, FOVEA_F32, n + 2, dims);
    int64_t taps = product(window->kernel, n), plane = product(x->dims + 2, n);
    int64_t channels = w->dims[1], per_group = w->dims[0] / groups;
    float *out = y->data;
    int64_t *offsets = malloc((size_t)taps * sizeof(*offsets));
    for (int64_t i = 0; i < fovea_tensor_count(y); i++) {
        int64_t at[5];
        unflatten(i, dims, n + 2, at);
        for (int64_t t = 0; t < taps; t++) {
            offsets[t] = tap_offset(x->dims + 2, window, at + 2, t);
        }
        double sum = bias ? bias[at[1]] : 0;
        for (int64_t c = 0; c < channels; c++) {
            int64_t from = at[0] * x->dims[1] + at[1] / per_group * channels + c;
            const float *image = (const float *)x->data + from * plane;
            const float *kernel = (const float *)w->data + (at[1] * channels + c) * taps;
            for (int64_t t = 0; t < taps; t++) {
                sum += offsets[t] < 0 ? 0 : (double)kernel[t] * image[offsets[t]];
            }
        }
        out[i] = (float)sum;
    }
    free(offsets);
}

void reference_pool(const struct fovea_tensor *x, const struct reference_window *w, bool average,
                    bool count_pads, struct fovea_tensor *y, int64_t *indices) {
    int64_t plane = product(x->dims + 2, w->spatial), taps = product(w->kernel, w->spatial);
    for (int64_t i = 0; i < fovea_tensor_count(y); i++) {
        int64_t at[5], counted = 0;
        unflatten(i, y->dims, y->rank, at);
        int64_t base = (at[0] * x->dims[1] + at[1]) * plane;
        double sum = 0, best = -INFINITY;
        for (int64_t t = 0; t < taps; t++) {
            int64_t offset = tap_offset(x->dims + 2, w, at + 2, t);
            counted += offset >= 0 || (count_pads && offset == -1);
            double v = offset >= 0 ? ((const float *)x->data)[base + offset] : 0;
            sum += v;
            if (offset >= 0 && v > best) {
                best = v;
                if (indices) {
                    indices[i] = base + offset;
                }
            }
        }
        ((float *)y->data)[i] = (float)(average ? sum / (double)counted : best);
    }
}

void reference_matmul(const float *a, const float *b, const float *bias, int64_t batch, int64_t m,
                      int64_t k, int64_t n, float scale, float *c) {
    for (int64_t i = 0; i < batch * m; i++) {
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t l = 0; l < k; l++) {
                sum += (double)a[i * k + l] * b[(i / m * k + l) * n + j];
            }
            c[i * n + j] = (float)(scale * sum + (bias ? bias[j] : 0));
        }
    }
}

static double act(const struct fovea_epilogue_step *s, double x) {
    switch (s->act) {
    case FOVEA_ACT_RELU:
        return fmax(x, 0);
    case FOVEA_ACT_LEAKY_RELU:
        return x < 0 ? s->alpha * x : x;
    case FOVEA_ACT_ELU:
        return x < 0 ? s->alpha * (exp(x) - 1) : x;
    case FOVEA_ACT_GELU_ERF:
        return x * 0.5 * erfc(-x / sqrt(2.0));
    case FOVEA_ACT_GELU_TANH:
        return x * 0.5 * (1 + tanh(sqrt(2 / acos(-1.0)) * (x + 0.044715 * pow(x, 3))));
    case FOVEA_ACT_SIGMOID:
        return 1 / (1 + exp(-x));
    case FOVEA_ACT_TANH:
        return tanh(x);
    case FOVEA_ACT_SWISH:
        return x / (1 + exp(-s->alpha * x));
    case FOVEA_ACT_CLIP:
        return fmin(fmax(x, s->alpha), s->beta);
    case FOVEA_ACT_HARD_SWISH:
        return x * fmax(0, fmin(1, x / 6 + 0.5));
    case FOVEA_ACT_HARD_SIGMOID:
        return fmax(0, fmin(1, s->alpha * x + s->beta));
    default:
        return NAN;
    }
}

void reference_step(const struct fovea_epilogue_step *step, const struct fovea_tensor *operand,
                    struct fovea_tensor *y) {
    float *out = y->data;
    for (int64_t i = 0; i < fovea_tensor_count(y); i++) {
        if (step->kind == FOVEA_EPILOGUE_ACT) {
            out[i] = (float)(step->scale * act(step, out[i]));
            continue;
        }
        int64_t at[FOVEA_MAX_RANK], from = 0;
        unflatten(i, y->dims, y->rank, at);
        for (int d = 0; d < operand->rank; d++) {
            int64_t along = at[d + y->rank - operand->rank];
            from = from * operand->dims[d] + (operand->dims[d] == 1 ? 0 : along);
        }
        float b = ((const float *)operand->data)[from];
        out[i] = step->kind == FOVEA_EPILOGUE_ADD ? out[i] + b : out[i] * b;
    }
}
