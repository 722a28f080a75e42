/* Sliding windows: see window.h. */
#include "ops/window.h"

#include "runtime/limits.h"

#include <string.h>

/* Attribute `name`, `count` values in [least, INT32_MAX]; absent gives `otherwise` for each. */
static enum fovea_status read_list(const struct fovea_node *node, const char *name, int count,
                                   int64_t least, int64_t otherwise, int64_t *out,
                                   struct fovea_error *err) {
    size_t given;
    const int64_t *values = fovea_attr_ints(node, name, &given);
    if (given != 0 && given != (size_t)count) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "attribute '%s' has %zu values; it must have %d",
                          name, given, count);
    }
    for (int i = 0; i < count; i++) {
        out[i] = given ? values[i] : otherwise;
        if (out[i] < least || out[i] > INT32_MAX) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "attribute '%s' has %lld at %d; it must be in [%lld, %d]", name,
                              (long long)out[i], i, (long long)least, INT32_MAX);
        }
    }
    return FOVEA_OK;
}

static enum fovea_status read_kernel(const struct fovea_node *node, const int64_t *expected,
                                     struct fovea_window *w, struct fovea_error *err) {
    size_t given;
    fovea_attr_ints(node, "kernel_shape", &given);
    if (!expected && given == 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "attribute 'kernel_shape' is missing");
    }
    enum fovea_status st = read_list(node, "kernel_shape", w->spatial, 1, 1, w->kernel, err);
    for (int i = 0; !st && expected && i < w->spatial; i++) {
        if (expected[i] < 1 || expected[i] > INT32_MAX || (given && w->kernel[i] != expected[i])) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "the weights' kernel is %lld in dimension %d, attribute "
                              "'kernel_shape' says %lld",
                              (long long)expected[i], i, (long long)w->kernel[i]);
        }
        w->kernel[i] = expected[i];
    }
    return st;
}

enum pad_mode { PAD_GIVEN, PAD_SAME_UPPER, PAD_SAME_LOWER, PAD_VALID, N_PAD_MODES };

static enum fovea_status read_pads(const struct fovea_node *node, struct fovea_window *w,
                                   enum pad_mode *mode, struct fovea_error *err) {
    static const char *const names[N_PAD_MODES] = {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"};
    const char *name = fovea_attr_string(node, "auto_pad", "NOTSET");
    int found = 0;
    while (found < N_PAD_MODES && strcmp(names[found], name) != 0) {
        found++;
    }
    if (found == N_PAD_MODES) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "auto_pad is '%s'; it must be NOTSET, SAME_UPPER, SAME_LOWER or VALID",
                          fovea_quote(name).text);
    }
    int64_t pads[6];
    enum fovea_status st = read_list(node, "pads", 2 * w->spatial, 0, 0, pads, err);
    if (st) {
        return st;
    }
    for (int i = 0; i < w->spatial; i++) {
        w->before[i] = pads[i];
        w->after[i] = pads[w->spatial + i];
        if (found != PAD_GIVEN && (w->before[i] || w->after[i])) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "auto_pad is %s and pads are given as well",
                              name);
        }
    }
    *mode = (enum pad_mode)found;
    return FOVEA_OK;
}

/* Pads such that there are ceil(in / stride) windows; the odd one goes where the mode says. */
static void same_pads(struct fovea_window *w, int d, int64_t extent, enum pad_mode mode) {
    int64_t windows = (w->in[d] + w->strides[d] - 1) / w->strides[d];
    int64_t total = (windows - 1) * w->strides[d] + extent - w->in[d];
    if (windows == 0 || total < 0) {
        total = 0;
    }
    w->before[d] = mode == PAD_SAME_UPPER ? total / 2 : total - total / 2;
    w->after[d] = total - w->before[d];
}

static enum fovea_status fit(struct fovea_window *w, int d, const struct fovea_window_rules *rules,
                             enum pad_mode mode, struct fovea_error *err) {
    int64_t extent = (w->kernel[d] - 1) * w->dilations[d] + 1;
    if (mode == PAD_SAME_UPPER || mode == PAD_SAME_LOWER) {
        same_pads(w, d, extent, mode);
    }
    if (w->before[d] > FOVEA_LIMIT_WINDOW_PADDING || w->after[d] > FOVEA_LIMIT_WINDOW_PADDING) {
        return fovea_fail(
            err, FOVEA_ERR_LIMIT, "in spatial dimension %d pads are %lld and %lld; the most are %d",
            d, (long long)w->before[d], (long long)w->after[d], FOVEA_LIMIT_WINDOW_PADDING);
    }
    int64_t padded = w->in[d] + w->before[d] + w->after[d];
    if (extent > padded || padded > INT32_MAX) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "in spatial dimension %d the kernel spans %lld and the padded input has "
                          "%lld; that must be at least as many and at most %d",
                          d, (long long)extent, (long long)padded, INT32_MAX);
    }
    if (rules->within && (w->before[d] >= extent || w->after[d] >= extent)) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "in spatial dimension %d pads are %lld and %lld; they must be below the "
                          "kernel's span of %lld",
                          d, (long long)w->before[d], (long long)w->after[d], (long long)extent);
    }
    int64_t room = padded - extent, stride = w->strides[d];
    w->out[d] = (rules->ceil_mode ? (room + stride - 1) / stride : room / stride) + 1;
    /* A window that would begin behind the input and the pads before it is dropped. */
    if (rules->ceil_mode && (w->out[d] - 1) * stride >= w->in[d] + w->before[d]) {
        w->out[d]--;
    }
    /* What cannot matter is made small, so that oneDNN sees no outlandish values. */
    if (w->out[d] == 1 && stride > room + 1) {
        w->strides[d] = room + 1;
    }
    if (w->kernel[d] == 1) {
        w->dilations[d] = 1;
    }
    return FOVEA_OK;
}

enum fovea_status fovea_window_of(const struct fovea_node *node, const struct fovea_tensor *x,
                                  const struct fovea_window_rules *rules, struct fovea_window *out,
                                  struct fovea_error *err) {
    struct fovea_window w = {.spatial = x->rank - 2};
    enum pad_mode mode = PAD_GIVEN;
    enum fovea_status st = read_kernel(node, rules->kernel, &w, err);
    if (!st) {
        st = read_list(node, "strides", w.spatial, 1, 1, w.strides, err);
    }
    if (!st) {
        st = read_list(node, "dilations", w.spatial, 1, 1, w.dilations, err);
    }
    if (!st) {
        st = read_pads(node, &w, &mode, err);
    }
    for (int d = 0; !st && d < w.spatial; d++) {
        w.in[d] = x->dims[2 + d];
        st = fit(&w, d, rules, mode, err);
    }
    if (!st) {
        *out = w;
    }
    return st;
}
