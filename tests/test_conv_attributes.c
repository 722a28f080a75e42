/* Attributes of Conv: those that are refused, with what words, and what auto_pad makes of pads. */
#include "tests/check.h"
#include "tests/run_op.h"

#include <string.h>

struct bad_case {
    const char *attr;
    int64_t values[4];
    size_t count;
    const char *part; /* of the message */
};

static void conv__bad_attributes__are_refused(void) {
    static const struct bad_case cases[] = {
        {"group", {0}, 0, "group is 0"},
        {"group", {-1}, 0, "group is -1"},
        {"group", {2}, 0, "group is 2"},
        {"group", {(int64_t)1 << 62}, 0, "group is 4611686018427387904"},
        {"kernel_shape", {2, 3}, 2, "the weights' kernel is 3 in dimension 0"},
        {"kernel_shape", {0, 3}, 2, "'kernel_shape' has 0 at 0"},
        {"kernel_shape", {3}, 1, "has 1 values; it must have 2"},
        {"strides", {0, 1}, 2, "'strides' has 0 at 0"},
        {"strides", {1, -1}, 2, "'strides' has -1 at 1"},
        {"strides", {(int64_t)1 << 31, 1}, 2, "'strides' has 2147483648"},
        {"strides", {INT64_MIN, 1}, 2, "'strides' has -9223372036854775808"},
        {"dilations", {0, 1}, 2, "'dilations' has 0"},
        {"dilations", {(int64_t)1 << 62, 1}, 2, "'dilations' has 4611686018427387904"},
        {"dilations", {2147483647, 1}, 2, "the kernel spans 4294967295"},
        {"pads", {-1, 0, 0, 0}, 4, "'pads' has -1"},
        {"pads", {(int64_t)1 << 40, 0, 0, 0}, 4, "'pads' has 1099511627776"},
        {"pads", {1, 1}, 2, "has 2 values; it must have 4"},
    };
    float x[3 * 25] = {0}, w[4 * 3 * 9] = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct run_op r;
        run_op_init(&r, "", "Conv", 11);
        if (cases[i].count) {
            run_op_attr_ints(&r, cases[i].attr, cases[i].values, cases[i].count);
        } else {
            run_op_attr_int(&r, cases[i].attr, cases[i].values[0]);
        }
        run_op_input(&r, FOVEA_F32, 4, (int64_t[]){1, 3, 5, 5}, x, false);
        run_op_input(&r, FOVEA_F32, 4, (int64_t[]){4, 3, 3, 3}, w, true);
        CHECK(run_op_run(&r, 1) == FOVEA_ERR_INVALID);
        if (!strstr(r.err.message, cases[i].part)) {
            check_failed(__FILE__, __LINE__, cases[i].part, r.err.message);
        }
        run_op_finish(&r);
    }
}

static void conv__huge_pads__are_over_the_limit(void) {
    struct run_op r;
    float x[3 * 25] = {0}, w[4 * 3 * 9] = {0};
    run_op_init(&r, "", "Conv", 11);
    run_op_attr_ints(&r, "pads", (int64_t[]){0, 2147483647, 0, 1}, 4);
    run_op_input(&r, FOVEA_F32, 4, (int64_t[]){1, 3, 5, 5}, x, false);
    run_op_input(&r, FOVEA_F32, 4, (int64_t[]){4, 3, 3, 3}, w, true);
    CHECK(run_op_run(&r, 1) == FOVEA_ERR_LIMIT);
    CHECK_STR(r.err.message, "node 'test' (Conv): in spatial dimension 1 pads are 2147483647 and "
                             "1; the most are 4096");
    run_op_finish(&r);
}

static void conv__kernel_over_input__is_refused(void) {
    struct run_op r;
    float x[3 * 4] = {0}, w[4 * 3 * 9] = {0};
    run_op_init(&r, "", "Conv", 11);
    run_op_input(&r, FOVEA_F32, 4, (int64_t[]){1, 3, 2, 2}, x, false);
    run_op_input(&r, FOVEA_F32, 4, (int64_t[]){4, 3, 3, 3}, w, true);
    CHECK(run_op_run(&r, 1) == FOVEA_ERR_INVALID);
    CHECK_STR(r.err.message,
              "node 'test' (Conv): in spatial dimension 0 the kernel spans 3 and the padded input "
              "has 2; that must be at least as many and at most 2147483647");
    run_op_finish(&r);
}

/* SAME pads put the odd one at the end or at the beginning; VALID pads nothing. */
static void conv__auto_pad__chooses_pads(void) {
    static const struct {
        const char *mode;
        int64_t count;
        float want[3];
    } cases[] = {
        {"SAME_UPPER", 3, {6, 12, 11}},
        {"SAME_LOWER", 3, {3, 9, 15}},
        {"VALID", 2, {6, 12}},
    };
    /* Sums of three neighbours at stride 2; SAME needs one pad in all for six elements. */
    float x[6] = {1, 2, 3, 4, 5, 6}, w[3] = {1, 1, 1};
    for (int i = 0; i < 3; i++) {
        struct run_op r;
        run_op_init(&r, "", "Conv", 11);
        run_op_attr_string(&r, "auto_pad", cases[i].mode);
        run_op_attr_ints(&r, "strides", (int64_t[]){2}, 1);
        run_op_input(&r, FOVEA_F32, 3, (int64_t[]){1, 1, 6}, x, false);
        run_op_input(&r, FOVEA_F32, 3, (int64_t[]){1, 1, 3}, w, true);
        CHECK_OK(run_op_run(&r, 1), r.err);
        CHECK(run_op_error(&r, 0, cases[i].want, cases[i].count) == 0);
        run_op_finish(&r);
    }
}

static const struct test tests[] = {
    TEST(conv__bad_attributes__are_refused),
    TEST(conv__huge_pads__are_over_the_limit),
    TEST(conv__kernel_over_input__is_refused),
    TEST(conv__auto_pad__chooses_pads),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
