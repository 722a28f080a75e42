/* See compare_tensors.h. */
#include "tools/compare_tensors.h"

#include <math.h>
#include <stdio.h>

/* What rounding allows each type after a network's worth of arithmetic. */
static struct tolerance tolerance_of(enum fovea_dtype dtype, const struct tolerance *asked) {
    struct tolerance t = {0};
    if (fovea_dtype_is_half(dtype)) {
        t = (struct tolerance){.atol = 2e-2, .rtol = 2e-2};
    } else if (dtype == FOVEA_F32) {
        t = (struct tolerance){.atol = 1e-4, .rtol = 1e-3};
    } else if (dtype == FOVEA_F64) {
        t = (struct tolerance){.atol = 1e-7, .rtol = 1e-7};
    }
    t.atol = asked->atol >= 0 ? asked->atol : t.atol;
    t.rtol = asked->rtol >= 0 ? asked->rtol : t.rtol;
    return t;
}

/* "[0,2,17]" of element `index`, in the place of a shape. */
static struct fovea_shape_text position_text(const struct fovea_tensor *tensor, int64_t index) {
    struct fovea_tensor position = {.rank = tensor->rank};
    for (int d = tensor->rank - 1; d >= 0; d--) {
        position.dims[d] = index % tensor->dims[d];
        index /= tensor->dims[d];
    }
    return fovea_shape_text(&position);
}

static double difference(double got, double want) {
    if (got == want || (isnan(got) && isnan(want))) {
        return 0;
    }
    double d = fabs(got - want);
    return isnan(d) ? INFINITY : d;
}

/* Sums over a pair of float tensors. */
struct sums {
    double error, norm; /* of squares */
    int64_t worst;      /* the element farthest outside */
    double excess;      /* by how much */
    bool gross;         /* an element is outside four times its bound */
};

/* Element `index`, which is `d` from what is wanted. */
static void add_element(struct comparison *c, struct sums *s, const struct tolerance *t,
                        int64_t index, double d, double want) {
    double bound = t->atol + (isfinite(want) ? t->rtol * fabs(want) : 0);
    s->error += d * d;
    s->norm += isfinite(want) ? want * want : 0;
    c->max_abs = d > c->max_abs ? d : c->max_abs;
    if (d > bound) {
        if (c->n_bad == 0 || d - bound > s->excess) {
            s->worst = index;
            s->excess = d - bound;
        }
        c->n_bad++;
        s->gross |= !(d <= 4 * bound);
    }
}

/* The rule for half types with the default tolerance: see compare_tensors.h. */
static bool is_half_noise(const struct fovea_tensor *want, const struct tolerance *asked,
                          const struct tolerance *t, const struct comparison *c,
                          const struct sums *s) {
    int64_t few = fovea_tensor_count(want) / 50;
    return fovea_dtype_is_half(want->dtype) && asked->atol < 0 && asked->rtol < 0 && !s->gross &&
           c->rel_l2 <= t->rtol && c->n_bad <= (few > 2 ? few : 2);
}

static void compare_floats(const struct fovea_tensor *got, const struct fovea_tensor *want,
                           const struct tolerance *t, struct comparison *c, struct sums *s) {
    int64_t count = fovea_tensor_count(want);
    for (int64_t i = 0; i < count; i++) {
        double x = fovea_tensor_get_float(got, i), y = fovea_tensor_get_float(want, i);
        add_element(c, s, t, i, difference(x, y), y);
    }
}

/* Exact: a difference of 1 between large 64-bit values is lost between doubles of them. */
static void compare_ints(const struct fovea_tensor *got, const struct fovea_tensor *want,
                         struct comparison *c, struct sums *s) {
    static const struct tolerance exact = {0};
    int64_t count = fovea_tensor_count(want);
    for (int64_t i = 0; i < count; i++) {
        int64_t a = fovea_tensor_get_int(got, i), b = fovea_tensor_get_int(want, i);
        uint64_t apart = a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
        add_element(c, s, &exact, i, (double)apart, (double)b);
    }
}

/* An element as text: integers whole, whatever their size. */
static void element_text(const struct fovea_tensor *t, int64_t index, char text[32]) {
    if (fovea_dtype_is_float(t->dtype)) {
        snprintf(text, 32, "%.9g", fovea_tensor_get_float(t, index));
    } else {
        snprintf(text, 32, "%lld", (long long)fovea_tensor_get_int(t, index));
    }
}

static void explain(const struct fovea_tensor *got, const struct fovea_tensor *want,
                    const struct tolerance *t, struct comparison *c, int64_t worst) {
    char is[32], should_be[32];
    element_text(got, worst, is);
    element_text(want, worst, should_be);
    snprintf(c->message, sizeof(c->message),
             "%lld of %lld elements differ, worst at %s: got %s, expected %s "
             "(allowed: %g + %g * |expected|)",
             (long long)c->n_bad, (long long)fovea_tensor_count(want),
             position_text(want, worst).text, is, should_be, t->atol, t->rtol);
}

bool compare_tensors(const struct fovea_tensor *got, const struct fovea_tensor *want,
                     const struct tolerance *tolerance, struct comparison *out) {
    struct sums sums = {0};
    *out = (struct comparison){0};
    if (got->dtype != want->dtype || !fovea_tensor_same_shape(got, want)) {
        snprintf(out->message, sizeof(out->message), "got %s%s, expected %s%s",
                 fovea_dtype_name(got->dtype), fovea_shape_text(got).text,
                 fovea_dtype_name(want->dtype), fovea_shape_text(want).text);
        return false;
    }
    struct tolerance t = {0};
    if (fovea_dtype_is_float(want->dtype)) {
        t = tolerance_of(want->dtype, tolerance);
        compare_floats(got, want, &t, out, &sums);
    } else {
        compare_ints(got, want, out, &sums);
    }
    out->rel_l2 = sums.error == 0 ? 0 : sqrt(sums.error / sums.norm);
    bool by_norm = tolerance->rel_l2 > 0 && tolerance->atol < 0 && tolerance->rtol < 0;
    out->passed = out->n_bad == 0 || is_half_noise(want, tolerance, &t, out, &sums);
    if (by_norm && fovea_dtype_is_float(want->dtype)) {
        out->passed = out->rel_l2 <= tolerance->rel_l2;
    }
    if (!out->passed && by_norm && fovea_dtype_is_float(want->dtype)) {
        snprintf(out->message, sizeof(out->message), "rel_l2 is %.3g (allowed: %g)", out->rel_l2,
                 tolerance->rel_l2);
    } else if (!out->passed) {
        explain(got, want, &t, out, sums.worst);
    }
    return true;
}
