/* Reductions against a plain double-precision reference, in both layouts. */
#include "tests/check.h"
#include "tests/run_op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4 * 37 * 9 * 7 };

static const char *const types[] = {
    "ReduceL1",   "ReduceL2",  "ReduceLogSum", "ReduceLogSumExp", "ReduceMax",
    "ReduceMean", "ReduceMin", "ReduceProd",   "ReduceSum",       "ReduceSumSquare",
};

static double combine(const char *type, double acc, double v) {
    const char *kind = type + strlen("Reduce");
    if (strcmp(kind, "Max") == 0) {
        return v > acc || isnan(v) ? v : acc;
    }
    if (strcmp(kind, "Min") == 0) {
        return v < acc || isnan(v) ? v : acc;
    }
    if (strcmp(kind, "Prod") == 0) {
        return acc * v;
    }
    if (strcmp(kind, "L1") == 0) {
        return acc + fabs(v);
    }
    if (strcmp(kind, "L2") == 0 || strcmp(kind, "SumSquare") == 0) {
        return acc + v * v;
    }
    return acc + (strcmp(kind, "LogSumExp") == 0 ? exp(v) : v);
}

static double start(const char *type) {
    if (strcmp(type, "ReduceMax") == 0) {
        return -INFINITY;
    }
    if (strcmp(type, "ReduceMin") == 0) {
        return INFINITY;
    }
    return strcmp(type, "ReduceProd") == 0;
}

static double finish(const char *type, double acc, double count) {
    if (strcmp(type, "ReduceMean") == 0) {
        return acc / count;
    }
    if (strcmp(type, "ReduceL2") == 0) {
        return sqrt(acc);
    }
    return strncmp(type, "ReduceLog", 9) == 0 ? log(acc) : acc;
}

/* Reduce the axes in `mask` of a row-major x. */
static int64_t reference(const char *type, int rank, const int64_t *dims, unsigned mask,
                         const float *x, float *y) {
    static double acc[MOST];
    int64_t count = 1, outputs = 1;
    for (int d = 0; d < rank; d++) {
        count *= dims[d];
        outputs *= mask >> d & 1 ? 1 : dims[d];
    }
    for (int64_t i = 0; i < outputs; i++) {
        acc[i] = start(type);
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = i, at = 0, step = 1;
        for (int d = rank - 1; d >= 0; d--) {
            if (!(mask >> d & 1)) {
                at += rest % dims[d] * step;
                step *= dims[d];
            }
            rest /= dims[d];
        }
        acc[at] = combine(type, acc[at], (double)x[i]);
    }
    for (int64_t i = 0; i < outputs; i++) {
        y[i] = (float)finish(type, acc[i], (double)count / (double)outputs);
    }
    return outputs;
}

static void check_reduction(const char *type, int rank, const int64_t *dims, unsigned mask,
                            bool keep, bool channels_last, int threads) {
    static float x[MOST], want[MOST];
    int64_t count = 1, axes[FOVEA_MAX_RANK];
    size_t n_axes = 0;
    for (int d = 0; d < rank; d++) {
        count *= dims[d];
        if (mask >> d & 1) {
            /* Half of them counted from the end. */
            axes[n_axes++] = d % 2 ? d : d - rank;
        }
    }
    fill_random(x, count, 0.5f, 1.4f, mask + 7);
    int64_t outputs = reference(type, rank, dims, mask, x, want);
    struct run_op r;
    run_op_init(&r, "", type, 12);
    r.channels_last = channels_last;
    r.threads = threads;
    run_op_attr_ints(&r, "axes", axes, n_axes);
    run_op_attr_int(&r, "keepdims", keep);
    run_op_input(&r, FOVEA_F32, rank, dims, x, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    double most = 1;
    for (int64_t i = 0; i < outputs; i++) {
        most = fmax(most, fabs((double)want[i]));
    }
    CHECK(run_op_error(&r, 0, want, outputs) <= 2e-7 * most);
    run_op_finish(&r);
}

static void every_kind__every_set_of_axes__agrees_with_the_reference(void) {
    for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
        for (unsigned mask = 1; mask < 16; mask++) {
            for (int variant = 0; variant < 8; variant++) {
                check_reduction(types[t], 4, (int64_t[]){2, 5, 3, 4}, mask, variant & 1,
                                variant & 2, 1 + (variant >> 2));
            }
        }
    }
}

static void mean__sizes_around_strips_and_vectors__agrees(void) {
    check_reduction("ReduceMean", 3, (int64_t[]){2, 7, 300}, 2, false, false, 2);
    check_reduction("ReduceMean", 3, (int64_t[]){1, 64, 129}, 2, true, false, 2);
    check_reduction("ReduceMean", 4, (int64_t[]){2, 130, 3, 5}, 12, true, true, 2);
    check_reduction("ReduceMean", 4, (int64_t[]){4, 37, 9, 7}, 12, true, false, 2);
    check_reduction("ReduceMean", 2, (int64_t[]){3, 1}, 2, true, false, 1);
    check_reduction("ReduceMean", 1, (int64_t[]){1}, 1, true, false, 1);
    check_reduction("ReduceMax", 2, (int64_t[]){9, 1000}, 2, false, false, 2);
}

static void sum__many_values__keeps_its_accuracy(void) {
    enum { N = 1 << 20 };
    float *x = malloc(N * sizeof(*x));
    for (int i = 0; x && i < N; i++) {
        x[i] = 0.1f;
    }
    struct run_op r;
    run_op_init(&r, "", "ReduceSum", 13);
    run_op_input(&r, FOVEA_F32, 1, (int64_t[]){N}, x, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(r.out[0].rank == 1);
    CHECK(run_op_error(&r, 0, &(float){(float)(N * (double)0.1f)}, 1) == 0);
    run_op_finish(&r);
    free(x);
}

static void reduce_18__axes_as_input__keeps_or_drops_dims(void) {
    struct run_op r;
    float x[6] = {1, 2, 3, 4, 5, 6};
    run_op_init(&r, "", "ReduceMean", 18);
    run_op_attr_int(&r, "keepdims", 0);
    run_op_input(&r, FOVEA_F32, 2, (int64_t[]){2, 3}, x, false);
    run_op_input(&r, FOVEA_I64, 1, (int64_t[]){1}, (int64_t[]){-1}, true);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(r.out[0].rank == 1);
    CHECK(run_op_error(&r, 0, (float[]){2, 5}, 2) == 0);
    run_op_finish(&r);
}

static void noop_with_empty_axes__set_or_not__copies_or_reduces_all(void) {
    struct run_op r;
    float x[4] = {1, -2, 3, 4};
    for (int noop = 0; noop < 2; noop++) {
        run_op_init(&r, "", "ReduceSumSquare", 18);
        run_op_attr_int(&r, "noop_with_empty_axes", noop);
        run_op_attr_int(&r, "keepdims", 0);
        run_op_input(&r, FOVEA_F32, 2, (int64_t[]){2, 2}, x, false);
        run_op_input(&r, FOVEA_I64, 1, (int64_t[]){0}, (int64_t[]){0}, true);
        CHECK_OK(run_op_run(&r, 1), r.err);
        CHECK(run_op_error(&r, 0, noop ? x : &(float){30}, noop ? 4 : 1) == 0);
        run_op_finish(&r);
    }
}

static void scalar__no_axes__is_itself(void) {
    struct run_op r;
    float x = -3;
    run_op_init(&r, "", "ReduceL2", 13);
    run_op_input(&r, FOVEA_F32, 0, NULL, &x, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(r.out[0].rank == 0);
    CHECK(run_op_error(&r, 0, &(float){3}, 1) == 0);
    run_op_finish(&r);
}

static void empty_set__each_kind__has_the_neutral_element(void) {
    static const float want[] = {0, 0, -INFINITY, -INFINITY, -INFINITY, NAN, INFINITY, 1, 0, 0};
    for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
        struct run_op r;
        run_op_init(&r, "", types[t], 11);
        run_op_attr_ints(&r, "axes", (int64_t[]){1}, 1);
        run_op_input(&r, FOVEA_F32, 3, (int64_t[]){2, 0, 5}, (float[]){0}, false);
        CHECK_OK(run_op_run(&r, 1), r.err);
        CHECK(fovea_tensor_count(&r.out[0]) == 10);
        float got = ((const float *)r.out[0].data)[9];
        CHECK(got == want[t] || (isnan(got) && isnan(want[t])));
        run_op_finish(&r);
    }
}

static void empty_input__kept_axis__gives_an_empty_output(void) {
    struct run_op r;
    run_op_init(&r, "", "ReduceMean", 11);
    run_op_attr_ints(&r, "axes", (int64_t[]){2}, 1);
    run_op_input(&r, FOVEA_F32, 3, (int64_t[]){0, 4, 5}, (float[]){0}, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(fovea_tensor_count(&r.out[0]) == 0);
    run_op_finish(&r);
}

static void max__nan__is_passed_on(void) {
    struct run_op r;
    run_op_init(&r, "", "ReduceMax", 11);
    run_op_input(&r, FOVEA_F32, 1, (int64_t[]){4}, (float[]){1, NAN, 3, 2}, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(isnan(*(float *)r.out[0].data));
    run_op_finish(&r);
}

static void log_sum_exp__large_values__does_not_overflow(void) {
    struct run_op r;
    run_op_init(&r, "", "ReduceLogSumExp", 13);
    run_op_input(&r, FOVEA_F32, 1, (int64_t[]){2}, (float[]){1000, 1000}, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(run_op_error(&r, 0, &(float){1000.693147f}, 1) < 1e-4);
    run_op_finish(&r);
}

static int64_t integer_result(const char *type, enum fovea_dtype dtype, const void *x) {
    struct run_op r;
    int64_t got = INT64_MIN;
    run_op_init(&r, "", type, 13);
    run_op_input(&r, dtype, 1, (int64_t[]){3}, x, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    if (r.n_out == 1 && r.out[0].dtype == dtype) {
        got = fovea_tensor_get_int(&r.out[0], 0);
    }
    run_op_finish(&r);
    return got;
}

static void integers__each_type__are_exact(void) {
    CHECK(integer_result("ReduceSum", FOVEA_I64, (int64_t[]){((int64_t)1 << 60) + 1, 1, -3}) ==
          ((int64_t)1 << 60) - 1);
    CHECK(integer_result("ReduceProd", FOVEA_I32, (int32_t[]){-3, 5, 7}) == -105);
    CHECK(integer_result("ReduceMean", FOVEA_I32, (int32_t[]){-3, 5, 8}) == 3);
    CHECK(integer_result("ReduceMax", FOVEA_U8, (uint8_t[]){3, 250, 7}) == 250);
    CHECK(integer_result("ReduceMin", FOVEA_I8, (int8_t[]){3, -128, 7}) == -128);
    CHECK(integer_result("ReduceL1", FOVEA_I64, (int64_t[]){-3, 5, -7}) == 15);
    CHECK(integer_result("ReduceSumSquare", FOVEA_U32, (uint32_t[]){3, 5, 7}) == 83);
    /* Overflow wraps: there is no other answer, and it is no undefined behaviour. */
    CHECK(integer_result("ReduceProd", FOVEA_I64, (int64_t[]){INT64_MIN, -1, 1}) == INT64_MIN);
}

static void check_error(const char *type, int64_t a, int64_t b, enum fovea_dtype dtype,
                        const char *message) {
    struct run_op r;
    run_op_init(&r, "", type, 11);
    run_op_attr_ints(&r, "axes", (int64_t[]){a, b}, 2);
    run_op_input(&r, dtype, 2, (int64_t[]){1, 1}, (int64_t[]){0}, false);
    CHECK(run_op_run(&r, 1) != FOVEA_OK);
    CHECK_STR(r.err.message, message);
    run_op_finish(&r);
}

static void infer__bad_axes_or_types__are_refused_precisely(void) {
    check_error("ReduceMean", 0, 2, FOVEA_F32,
                "node 'test' (ReduceMean): axis 2 is outside a rank-2 input");
    check_error("ReduceMean", INT64_MIN, 0, FOVEA_F32,
                "node 'test' (ReduceMean): axis -9223372036854775808 is outside a rank-2 input");
    check_error("ReduceSum", 1, -1, FOVEA_F32, "node 'test' (ReduceSum): axis 1 is listed twice");
    check_error("ReduceL2", 0, 1, FOVEA_I32,
                "node 'test' (ReduceL2): input 0 ('x') has type i32, not supported here");
}

static const struct test tests[] = {
    TEST(every_kind__every_set_of_axes__agrees_with_the_reference),
    TEST(mean__sizes_around_strips_and_vectors__agrees),
    TEST(sum__many_values__keeps_its_accuracy),
    TEST(reduce_18__axes_as_input__keeps_or_drops_dims),
    TEST(noop_with_empty_axes__set_or_not__copies_or_reduces_all),
    TEST(scalar__no_axes__is_itself),
    TEST(empty_set__each_kind__has_the_neutral_element),
    TEST(empty_input__kept_axis__gives_an_empty_output),
    TEST(max__nan__is_passed_on),
    TEST(log_sum_exp__large_values__does_not_overflow),
    TEST(integers__each_type__are_exact),
    TEST(infer__bad_axes_or_types__are_refused_precisely),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
