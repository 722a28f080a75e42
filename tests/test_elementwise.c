/*
 * Elementwise operators: accuracy against the C library's double functions,
 * broadcasting against a plain loop, in place, layouts, threads, programs.
 */
#include "ops/registry.h"
#include "runtime/infer.h"
#include "runtime/parallel.h"
#include "runtime/program.h"
#include "tests/check.h"
#include "tests/run_op.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- accuracy ------------------------------------------------------------- */

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

static double softplus(double x) {
    return x > 30 ? x + exp(-x) : log1p(exp(x));
}

static double gelu(double x) {
    return x * erfc(-x * M_SQRT1_2) / 2;
}

static double gelu_tanh(double x) {
    return x * sigmoid(2 * sqrt(2 / M_PI) * (x + 0.044715 * x * x * x));
}

static double elu(double x) {
    return x < 0 ? expm1(x) : x;
}

static double selu(double x) {
    return 1.05070102214813232421875 * (x < 0 ? 1.67326319217681884765625 * expm1(x) : x);
}

static double mish(double x) {
    return x * tanh(softplus(x));
}

static double swish(double x) {
    return x * sigmoid(x);
}

static double softsign(double x) {
    return x / (1 + fabs(x));
}

static double hard_swish(double x) {
    return x * fmin(1, fmax(0, x / 6 + 0.5));
}

static double hard_sigmoid(double x) {
    return fmin(1, fmax(0, (double)0.2f * x + 0.5));
}

static double leaky(double x) {
    return x < 0 ? (double)0.01f * x : x;
}

static double reciprocal(double x) {
    return 1 / x;
}

static double relu(double x) {
    return x < 0 ? 0 : x;
}

static double sign(double x) {
    return x > 0 ? 1 : (x < 0 ? -1 : x);
}

static double negative(double x) {
    return -x;
}

/* Error allowed: `ulp` units in the last place of the true value, plus `absolute`. */
static const struct accuracy {
    const char *type;
    int opset;
    double (*reference)(double);
    float low, high; /* of the random values */
    double ulp, absolute;
    const char *approximate; /* Gelu's attribute, or NULL */
} accuracies[] = {
    {"Abs", 13, fabs, -9, 9, 0, 0, NULL},
    {"Acos", 7, acos, -1, 1, 1, 0, NULL},
    {"Acosh", 9, acosh, 1, 99, 2, 0, NULL},
    {"Asin", 7, asin, -1, 1, 1, 0, NULL},
    {"Asinh", 9, asinh, -99, 99, 2, 0, NULL},
    {"Atan", 7, atan, -9, 9, 1, 0, NULL},
    {"Atanh", 9, atanh, -1, 1, 2, 0, NULL},
    {"Ceil", 13, ceil, -9, 9, 0, 0, NULL},
    {"Cos", 7, cos, -99, 99, 1, 0, NULL},
    {"Cosh", 9, cosh, -80, 80, 2, 0, NULL},
    {"Elu", 6, elu, -20, 5, 3, 0, NULL},
    {"Erf", 13, erf, -4.5f, 4.5f, 6, 0, NULL},
    {"Exp", 13, exp, -103, 88, 2, 1.5e-45, NULL},
    {"Floor", 13, floor, -9, 9, 0, 0, NULL},
    {"Gelu", 20, gelu, -10, 10, 6, 8e-7, NULL},
    {"Gelu", 20, gelu_tanh, -10, 10, 6, 8e-7, "tanh"},
    {"HardSigmoid", 6, hard_sigmoid, -9, 9, 1, 6e-8, NULL},
    {"HardSwish", 14, hard_swish, -9, 9, 2, 2e-7, NULL},
    {"LeakyRelu", 16, leaky, -9, 9, 0.51, 0, NULL},
    {"Log", 13, log, 0, 1e6f, 2, 0, NULL},
    {"Mish", 18, mish, -80, 30, 6, 0, NULL},
    {"Neg", 13, negative, -9, 9, 0, 0, NULL},
    {"Reciprocal", 13, reciprocal, -9, 9, 0.51, 0, NULL},
    {"Relu", 14, relu, -9, 9, 0, 0, NULL},
    {"Round", 11, rint, -9, 9, 0, 0, NULL},
    {"Selu", 6, selu, -20, 5, 4, 0, NULL},
    {"Sigmoid", 13, sigmoid, -87, 87, 4, 0, NULL},
    {"Sign", 13, sign, -9, 9, 0, 0, NULL},
    {"Sin", 7, sin, -99, 99, 1, 0, NULL},
    {"Sinh", 9, sinh, -80, 80, 2, 0, NULL},
    {"Softplus", 1, softplus, -80, 40, 4, 0, NULL},
    {"Softsign", 1, softsign, -9, 9, 2, 0, NULL},
    {"Sqrt", 13, sqrt, 0, 1e6f, 0.51, 0, NULL},
    {"Swish", 24, swish, -80, 30, 5, 0, NULL},
    {"Tan", 7, tan, -9, 9, 1, 0, NULL},
    {"Tanh", 13, tanh, -10, 10, 6, 0, NULL},
};

/* Distance of two floats' neighbours at a true value, at least a denormal step. */
static double ulp_at(double value) {
    int exponent;
    frexp(value, &exponent);
    return ldexp(1, exponent - 24 < -149 ? -149 : exponent - 24);
}

/* Worst error in ulp above what `absolute` allows; infinite where the kind of number differs. */
static double worst_ulp(const struct accuracy *a, const float *x, const float *y, int64_t count,
                        float *worst_x) {
    double worst = 0;
    for (int64_t i = 0; i < count; i++) {
        double want = a->reference(x[i]), error;
        if (isnan(want) || isnan(y[i]) || isinf((float)want) || isinf(y[i])) {
            bool same = isnan(want) ? isnan(y[i]) : (float)want == y[i];
            error = same ? 0 : INFINITY;
        } else {
            error = (fabs(want - y[i]) - a->absolute) / ulp_at(want);
        }
        if (error > worst) {
            worst = error;
            *worst_x = x[i];
        }
    }
    return worst;
}

static void check_accuracy(const struct accuracy *a, const float *x, int64_t count) {
    struct run_op r;
    float at = 0;
    run_op_init(&r, "", a->type, a->opset);
    if (a->approximate) {
        run_op_attr_string(&r, "approximate", a->approximate);
    }
    run_op_input(&r, FOVEA_F32, 1, &count, x, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    if (r.n_out == 1) {
        double worst = worst_ulp(a, x, r.out[0].data, count, &at);
        if (!(worst <= a->ulp)) {
            char detail[128];
            snprintf(detail, sizeof(detail), "%s(%.9g) is %.2f ulp off, %.2f allowed", a->type,
                     (double)at, worst, a->ulp);
            check_failed(__FILE__, __LINE__, "accuracy", detail);
        }
    }
    run_op_finish(&r);
}

static void functions__random_values__are_within_their_ulp(void) {
    enum { COUNT = 100003 };
    float *x = malloc(COUNT * sizeof(*x));
    for (size_t i = 0; x && i < sizeof(accuracies) / sizeof(accuracies[0]); i++) {
        const struct accuracy *a = &accuracies[i];
        fill_random(x, COUNT, a->low, a->high, (uint32_t)i);
        for (int64_t k = 0; k < COUNT;
             k += 3) { /* a third close to 0, where relative errors show */
            x[k] = fmaxf(a->low, fminf(a->high, x[k] * ldexpf(1, -(int)(k % 40))));
        }
        check_accuracy(a, x, COUNT);
    }
    free(x);
}

static void functions__edge_values__agree_with_libm(void) {
    static const float edges[] = {
        0.0f,    -0.0f,   1.0f,   -1.0f,      1e-40f,      -1e-40f, 1e-45f, 3e38f, -3e38f,   88.73f,
        -103.9f, -200.0f, 200.0f, 0.5f,       1.5f,        2.5f,    -0.5f,  -2.5f, INFINITY, NAN,
        1e-20f,  1e20f,   -1e20f, 8388607.5f, 16777216.0f, -1e-20f, 89.5f,  -87.5f};
    static const char *const exact[] = {"Abs",  "Ceil", "Floor", "Neg",        "Relu",   "Round",
                                        "Sign", "Sqrt", "Exp",   "Log",        "Erf",    "Tanh",
                                        "Sin",  "Cos",  "Tan",   "Reciprocal", "Sigmoid"};
    for (size_t i = 0; i < sizeof(accuracies) / sizeof(accuracies[0]); i++) {
        for (size_t k = 0; k < sizeof(exact) / sizeof(exact[0]); k++) {
            if (strcmp(accuracies[i].type, exact[k]) == 0) {
                check_accuracy(&accuracies[i], edges, sizeof(edges) / sizeof(edges[0]));
            }
        }
    }
}

/* ---- broadcasting ---------------------------------------------------------- */

struct shapes {
    int rank_a;
    int64_t a[5];
    int rank_b;
    int64_t b[5];
};

static const struct shapes shapes[] = {
    {0, {0}, 0, {0}},
    {1, {1}, 0, {0}},
    {0, {0}, 3, {2, 3, 4}},
    {1, {5}, 1, {1}},
    {1, {7}, 3, {2, 3, 7}},
    {2, {3, 1}, 3, {2, 3, 4}},
    {2, {3, 1}, 2, {1, 4}},
    {2, {300, 1}, 2, {1, 500}},
    {2, {500, 300}, 2, {500, 1}},
    {3, {3, 1, 4}, 5, {2, 1, 3, 5, 1}},
    {4, {2, 1, 4, 1}, 4, {1, 3, 1, 5}},
    {4, {2, 3, 0, 5}, 4, {2, 1, 1, 5}},
    {2, {0, 4}, 2, {1, 1}},
    {4, {2, 24, 9, 7}, 4, {2, 24, 1, 1}},
    {4, {2, 200, 9, 7}, 4, {2, 200, 1, 1}},
    {4, {1, 3, 20, 70}, 4, {1, 3, 1, 1}},
    {4, {2, 3, 20, 17}, 4, {2, 1, 20, 17}},
    {4, {2, 130, 5, 6}, 3, {130, 1, 1}},
    {4, {2, 130, 5, 6}, 1, {6}},
    {4, {2, 13, 50, 60}, 2, {50, 1}},
    {4, {1, 2, 1, 3000}, 4, {1, 2, 1, 3000}},
};

/* a - b, element by element from the definition of broadcasting. */
static void subtract_plainly(const struct fovea_tensor *y, const struct shapes *s, const float *a,
                             const float *b, float *out) {
    int64_t count = fovea_tensor_count(y);
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = i, ia = 0, ib = 0, step_a = 1, step_b = 1;
        for (int d = 1; d <= y->rank; d++) {
            int64_t at = rest % y->dims[y->rank - d];
            rest /= y->dims[y->rank - d];
            if (d <= s->rank_a) {
                int64_t dim = s->a[s->rank_a - d];
                ia += dim == 1 ? 0 : at * step_a;
                step_a *= dim;
            }
            if (d <= s->rank_b) {
                int64_t dim = s->b[s->rank_b - d];
                ib += dim == 1 ? 0 : at * step_b;
                step_b *= dim;
            }
        }
        out[i] = a[ia] - b[ib];
    }
}

static int64_t product(int rank, const int64_t *dims) {
    int64_t count = 1;
    for (int d = 0; d < rank; d++) {
        count *= dims[d];
    }
    return count;
}

static void check_broadcast(const struct shapes *s, bool channels_last, int threads) {
    int64_t n_a = product(s->rank_a, s->a), n_b = product(s->rank_b, s->b);
    float *a = malloc((size_t)(n_a + 1) * sizeof(*a)), *b = malloc((size_t)(n_b + 1) * sizeof(*b));
    struct run_op r;
    fill_random(a, n_a, -1, 1, 1);
    fill_random(b, n_b, -1, 1, 2);
    run_op_init(&r, "", "Sub", 14);
    r.channels_last = channels_last;
    r.threads = threads;
    run_op_input(&r, FOVEA_F32, s->rank_a, s->a, a, false);
    run_op_input(&r, FOVEA_F32, s->rank_b, s->b, b, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    if (r.n_out == 1) {
        int64_t count = fovea_tensor_count(&r.out[0]);
        float *want = malloc((size_t)(count + 1) * sizeof(*want));
        subtract_plainly(&r.out[0], s, a, b, want);
        CHECK(run_op_error(&r, 0, want, count) == 0);
        free(want);
    }
    run_op_finish(&r);
    free(a);
    free(b);
}

static void broadcast__all_kinds_of_shapes__is_numpys(void) {
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        for (int threads = 1; threads <= 3; threads++) {
            check_broadcast(&shapes[i], false, threads);
        }
    }
}

/* Only operands of rank 4, or that any layout suits: as the runtime would. */
static void broadcast__channels_last__is_numpys(void) {
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (shapes[i].rank_a == 4) {
            check_broadcast(&shapes[i], true, 2);
        }
    }
}

/* CastLike takes a type from its second input, whatever the shape of that. */
static void cast_like__shapes_that_do_not_broadcast__converts(void) {
    static const float x[6] = {-1.75f, -0.5f, 0, 0.5f, 1.75f, 300.25f};
    static const int32_t want[6] = {-1, 0, 0, 0, 1, 300};
    static const int32_t like[8];
    static const struct {
        int rank;
        int64_t dims[4];
    } likes[] = {{0, {0}}, {1, {5}}, {2, {2, 4}}, {4, {2, 1, 2, 2}}, {2, {4, 0}}};
    for (size_t i = 0; i < sizeof(likes) / sizeof(likes[0]); i++) {
        struct run_op r;
        run_op_init(&r, "", "CastLike", 19);
        run_op_input(&r, FOVEA_F32, 2, (int64_t[]){3, 2}, x, false);
        run_op_input(&r, FOVEA_I32, likes[i].rank, likes[i].dims, like, false);
        CHECK_OK(run_op_run(&r, 1), r.err);
        CHECK(r.n_out == 1 && r.out[0].dtype == FOVEA_I32 && r.out[0].rank == 2);
        CHECK(r.n_out == 1 && memcmp(r.out[0].data, want, sizeof(want)) == 0);
        run_op_finish(&r);
    }
}

static const struct test tests[] = {
    TEST(functions__random_values__are_within_their_ulp),
    TEST(functions__edge_values__agree_with_libm),
    TEST(broadcast__all_kinds_of_shapes__is_numpys),
    TEST(broadcast__channels_last__is_numpys),
    TEST(cast_like__shapes_that_do_not_broadcast__converts),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
