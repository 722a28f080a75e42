/*
 * Elementwise operators: accuracy against the C library's double functions,
 * broadcasting against a plain loop, in place, layouts, threads, programs.
 */
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

static const struct test tests[] = {
    TEST(functions__random_values__are_within_their_ulp),
    TEST(functions__edge_values__agree_with_libm),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
