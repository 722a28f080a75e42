/* Softmax, LogSoftmax, Hardmax and the exponential under them. */
#include "ops/math_f32.h"
#include "tests/check.h"
#include "tests/run_op.h"

#include <math.h>
#include <string.h>

enum { MOST = 20000 };

static void exp_negative__whole_range__is_within_two_ulp(void) {
    double worst = 0;
    for (float x = -87.3f; x <= 0; x += 0.00173f) {
        double want = exp((double)x), ulp = ldexp(1, ilogb(want) - 23);
        worst = fmax(worst, fabs((double)f32_exp_negative(x) - want) / ulp);
    }
    CHECK(worst <= 2);
}

static void exp_negative__edges__are_as_stated(void) {
    CHECK(f32_exp_negative(0) == 1);
    CHECK(f32_exp_negative(-0.0f) == 1);
    CHECK(f32_exp_negative(-INFINITY) == 0);
    CHECK(f32_exp_negative(-88) == 0);
    CHECK(isnan(f32_exp_negative(NAN)));
}

/* Over n of a view [outer, n, inner]. */
static void reference(bool log_form, int64_t outer, int64_t n, int64_t inner, const float *x,
                      float *y) {
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t j = 0; j < inner; j++) {
            const float *in = x + o * n * inner + j;
            float *out = y + o * n * inner + j;
            double most = -INFINITY, sum = 0;
            for (int64_t i = 0; i < n; i++) {
                most = fmax(most, (double)in[i * inner]);
            }
            for (int64_t i = 0; i < n; i++) {
                sum += exp((double)in[i * inner] - most);
            }
            for (int64_t i = 0; i < n; i++) {
                double v = (double)in[i * inner] - most;
                out[i * inner] = (float)(log_form ? v - log(sum) : exp(v) / sum);
            }
        }
    }
}

static void check_softmax(const char *type, int64_t outer, int64_t n, int64_t inner, int threads) {
    static float x[MOST], want[MOST];
    int64_t count = outer * n * inner;
    bool log_form = strcmp(type, "LogSoftmax") == 0;
    fill_random(x, count, -9, 9, (uint32_t)(n + inner));
    reference(log_form, outer, n, inner, x, want);
    struct run_op r;
    run_op_init(&r, "", type, 13);
    r.threads = threads;
    run_op_attr_int(&r, "axis", -2);
    run_op_input(&r, FOVEA_F32, 3, (int64_t[]){outer, n, inner}, x, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(run_op_error(&r, 0, want, count) <= (log_form ? 4e-6 : 3e-7));
    run_op_finish(&r);
}

static void softmax__shapes_of_every_kind__agree_with_the_reference(void) {
    static const int64_t shapes[][3] = {
        {1, 1, 1}, {3, 1, 1},   {2, 5, 1},   {2, 16, 1},   {7, 17, 1}, {1, 1000, 1}, {2, 900, 1},
        {2, 5, 3}, {2, 10, 64}, {2, 10, 65}, {1, 40, 200}, {0, 5, 1},  {2, 0, 3},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        for (int threads = 1; threads <= 2; threads++) {
            check_softmax("Softmax", shapes[i][0], shapes[i][1], shapes[i][2], threads);
            check_softmax("LogSoftmax", shapes[i][0], shapes[i][1], shapes[i][2], threads);
        }
    }
}

/* Until opset 12 a row is everything from `axis` on. */
static void softmax__opset_12_and_13__mean_different_axes(void) {
    float x[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    for (int opset = 12; opset <= 13; opset++) {
        struct run_op r;
        float each = opset == 12 ? 0.25f : 0.5f;
        run_op_init(&r, "", "Softmax", opset);
        run_op_input(&r, FOVEA_F32, 3, (int64_t[]){2, 2, 2}, x, false);
        CHECK_OK(run_op_run(&r, 1), r.err);
        CHECK(run_op_error(&r, 0, (float[]){each, each, each, each, each, each, each, each}, 8) <
              1e-7);
        run_op_finish(&r);
    }
}

static void hardmax__ties__takes_the_first(void) {
    struct run_op r;
    run_op_init(&r, "", "Hardmax", 13);
    run_op_attr_int(&r, "axis", 0);
    run_op_input(&r, FOVEA_F32, 2, (int64_t[]){3, 2}, (float[]){1, 5, 3, 2, 3, 5}, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(run_op_error(&r, 0, (float[]){0, 1, 1, 0, 0, 0}, 6) == 0);
    run_op_finish(&r);
}

static const float *softmax_of(struct run_op *r, const float *x, int64_t n) {
    run_op_init(r, "", "Softmax", 13);
    run_op_input(r, FOVEA_F32, 1, &n, x, false);
    CHECK_OK(run_op_run(r, 1), r->err);
    return r->out[0].data;
}

static void softmax__some_minus_infinity__are_zero(void) {
    struct run_op r;
    const float *y = softmax_of(&r, (float[]){-INFINITY, 0, 0, -INFINITY}, 4);
    CHECK(y[0] == 0 && y[1] == 0.5f && y[2] == 0.5f && y[3] == 0);
    run_op_finish(&r);
}

/* What the formula gives, and numpy and PyTorch with it. */
static void softmax__no_finite_maximum_or_nan__is_nan(void) {
    struct run_op r;
    const float rows[3][3] = {{-INFINITY, -INFINITY, -INFINITY}, {1, INFINITY, 2}, {1, NAN, 2}};
    const bool first_is_nan[3] = {true, false, true};
    for (int i = 0; i < 3; i++) {
        const float *y = softmax_of(&r, rows[i], 3);
        CHECK(isnan(y[1]));
        CHECK(isnan(y[0]) || !first_is_nan[i]);
        run_op_finish(&r);
    }
}

static void softmax__huge_values__do_not_overflow(void) {
    struct run_op r;
    const float *y = softmax_of(&r, (float[]){1e30f, 1e30f, -1e30f}, 3);
    CHECK(y[0] == 0.5f && y[1] == 0.5f && y[2] == 0);
    run_op_finish(&r);
}

static void softmax__f64__is_computed_in_f64(void) {
    struct run_op r;
    double x[2] = {0, 1e-12};
    run_op_init(&r, "", "Softmax", 13);
    run_op_input(&r, FOVEA_F64, 1, (int64_t[]){2}, x, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(fabs(((double *)r.out[0].data)[1] - (0.5 + 0.25e-12)) < 1e-15);
    run_op_finish(&r);
}

static void infer__axis_outside_the_input__is_refused(void) {
    struct run_op r;
    run_op_init(&r, "", "Softmax", 13);
    run_op_attr_int(&r, "axis", 999);
    run_op_input(&r, FOVEA_F32, 2, (int64_t[]){1, 2}, (float[]){0, 0}, false);
    CHECK(run_op_run(&r, 1) == FOVEA_ERR_INVALID);
    CHECK_STR(r.err.message, "node 'test' (Softmax): axis 999 is outside a rank-2 input");
    run_op_finish(&r);
}

static const struct test tests[] = {
    TEST(exp_negative__whole_range__is_within_two_ulp),
    TEST(exp_negative__edges__are_as_stated),
    TEST(softmax__shapes_of_every_kind__agree_with_the_reference),
    TEST(softmax__opset_12_and_13__mean_different_axes),
    TEST(hardmax__ties__takes_the_first),
    TEST(softmax__some_minus_infinity__are_zero),
    TEST(softmax__no_finite_maximum_or_nan__is_nan),
    TEST(softmax__huge_values__do_not_overflow),
    TEST(softmax__f64__is_computed_in_f64),
    TEST(infer__axis_outside_the_input__is_refused),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
