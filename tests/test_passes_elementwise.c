/* The elementwise and clean passes: what may be joined, and what order forbids. */
#include "tests/check.h"
#include "tests/graph_build.h"

typedef struct fovea_value V;

static V *begin(struct graph_build *b, int rank, const int64_t *dims) {
    build_init(b, 17);
    return build_input(b, FOVEA_F32, rank, dims);
}

/* ---- elementwise ------------------------------------------------------------ */

static void chain__any_length__programs(void) {
    for (int length = 2; length <= 60; length += 29) {
        struct graph_build b;
        V *x = begin(&b, 2, DIMS(5, 7)), *y = x;
        for (int i = 0; i < length; i++) {
            y = i % 2 ? OP(&b, "Tanh", y) : OP(&b, "Add", y, build_random(&b, 1, DIMS(7)));
        }
        build_output(&b, y);
        EXPECT_OPS(&b, "elementwise", length == 2 ? "fovea.Elementwise" : NULL);
    }
}

static void group__inner_value_is_output__second_output(void) {
    struct graph_build b;
    V *x = begin(&b, 2, DIMS(5, 7));
    V *inner = OP(&b, "Tanh", OP(&b, "Neg", x));
    build_output(&b, OP(&b, "Mul", inner, inner));
    build_output(&b, inner);
    EXPECT_OPS(&b, "elementwise", "fovea.Elementwise");
}

static void group__inner_value_read_by_others_later__second_output(void) {
    struct graph_build b;
    V *x = begin(&b, 2, DIMS(5, 7));
    V *inner = OP(&b, "Tanh", x);
    V *end = OP(&b, "Add", OP(&b, "Neg", inner), x);
    build_output(&b, end);
    build_output(&b, OP(&b, "Softmax", inner));
    EXPECT_OPS(&b, "elementwise", "fovea.Elementwise Softmax");
}

/* tanh -> softmax -> add with the tanh: the group must not swallow what softmax needs first. */
static void group__reader_within_a_cycle__not_joined(void) {
    struct graph_build b;
    V *x = begin(&b, 2, DIMS(5, 7));
    V *inner = OP(&b, "Tanh", x);
    V *outside = OP(&b, "Softmax", inner);
    build_output(&b, OP(&b, "Neg", OP(&b, "Add", inner, outside)));
    EXPECT_OPS(&b, "elementwise", "Tanh Softmax fovea.Elementwise");
}

static void group__operand_that_grows_the_shape__own_program(void) {
    struct graph_build b;
    V *x = begin(&b, 2, DIMS(1, 7));
    V *small = OP(&b, "Tanh", OP(&b, "Neg", x));
    V *large = OP(&b, "Add", small, build_input(&b, FOVEA_F32, 2, DIMS(5, 7)));
    build_output(&b, OP(&b, "Relu", large));
    EXPECT_OPS(&b, "elementwise", "fovea.Elementwise fovea.Elementwise");
}

static void group__more_inputs_than_fit__results_hold(void) {
    struct graph_build b;
    V *x = begin(&b, 2, DIMS(5, 7)), *y = x;
    for (int i = 0; i < 30; i++) {
        y = OP(&b, "Add", y, build_random(&b, 2, DIMS(5, 7)));
    }
    build_output(&b, y);
    EXPECT_OPS(&b, "elementwise", NULL);
}

/* Limits count values, of which one may be an operand many times. */
static void group__one_operand_40_times__results_hold(void) {
    struct graph_build b;
    V *y = OP(&b, "Relu", begin(&b, 2, DIMS(5, 7))), *operands[40];
    for (int i = 0; i < 40; i++) {
        operands[i] = y;
    }
    build_output(&b, OP(&b, "Neg", build_op(&b, "Sum", operands, 40)));
    EXPECT_OPS(&b, "elementwise", NULL);
}

static void group__many_outputs__results_hold(void) {
    struct graph_build b;
    V *y = begin(&b, 2, DIMS(5, 7));
    for (int i = 0; i < 7; i++) {
        y = OP(&b, i % 2 ? "Tanh" : "Neg", y);
        build_output(&b, y);
    }
    EXPECT_OPS(&b, "elementwise", NULL);
}

static void group__other_types__left_alone(void) {
    struct graph_build b;
    V *x = begin(&b, 2, DIMS(5, 7));
    V *more = OP(&b, "Greater", OP(&b, "Neg", x), x);
    build_output(&b, OP(&b, "Where", more, OP(&b, "Tanh", x), x));
    EXPECT_OPS(&b, "elementwise", NULL);
}

static void diamond__one_program(void) {
    struct graph_build b;
    V *x = begin(&b, 2, DIMS(5, 7));
    V *top = OP(&b, "Neg", x);
    V *left = OP(&b, "Tanh", top), *right = OP(&b, "Relu", top);
    build_output(&b, OP(&b, "Sub", OP(&b, "Mul", left, right), top));
    EXPECT_OPS(&b, "elementwise", "fovea.Elementwise");
}

/* ---- clean --------------------------------------------------------------------- */

static void idle_nodes__any__gone(void) {
    struct graph_build b;
    V *x = begin(&b, 3, DIMS(2, 5, 7));
    V *y = OP(&b, "Relu", OP(&b, "Identity", x));
    y = OP(&b, "Dropout", y);
    y = build_set_int(&b, OP(&b, "Cast", y), "to", 1);
    y = build_reshape(&b, y, 3, DIMS(0, -1, 7));
    y = build_transpose(&b, y, 3, DIMS(0, 1, 2));
    y = OP(&b, "Slice", y, build_ints(&b, DIMS(0), 1), build_ints(&b, DIMS(99), 1));
    y = OP(&b, "Pad", y, build_ints(&b, DIMS(0, 0, 0, 0, 0, 0), 6));
    y = build_set_int(&b, OP(&b, "Concat", y), "axis", 1);
    y = OP(&b, "Expand", y, build_ints(&b, DIMS(1, 1, 1), 3));
    build_output(&b, OP(&b, "Tanh", y));
    EXPECT_OPS(&b, "clean", "Relu Tanh");
}

static void slice__backwards__stays(void) {
    struct graph_build b;
    V *x = begin(&b, 1, DIMS(6));
    V *y = OP(&b, "Slice", x, build_ints(&b, DIMS(-1), 1), build_ints(&b, DIMS(-99), 1),
              build_ints(&b, DIMS(0), 1), build_ints(&b, DIMS(-1), 1));
    build_output(&b, OP(&b, "Relu", y));
    EXPECT_OPS(&b, "clean", "Slice Relu");
}

static void transposes__in_a_row__one_or_none(void) {
    struct graph_build b;
    V *x = begin(&b, 3, DIMS(2, 5, 7));
    V *y = build_transpose(&b, build_transpose(&b, x, 3, DIMS(2, 0, 1)), 3, DIMS(1, 2, 0));
    build_output(&b, OP(&b, "Relu", y));
    EXPECT_OPS(&b, "clean", "Relu");

    x = begin(&b, 3, DIMS(2, 5, 7));
    y = build_transpose(&b, build_transpose(&b, x, 3, DIMS(1, 0, 2)), 3, DIMS(1, 2, 0));
    build_output(&b, OP(&b, "Relu", y));
    EXPECT_OPS(&b, "clean", "Transpose Relu");
}

static void reshapes__in_a_row__one(void) {
    struct graph_build b;
    V *x = begin(&b, 3, DIMS(2, 5, 6));
    V *y = build_reshape(&b, build_reshape(&b, x, 2, DIMS(10, 6)), 3, DIMS(3, -1, 4));
    build_output(&b, OP(&b, "Relu", y));
    EXPECT_OPS(&b, "clean", "Reshape Relu");

    x = begin(&b, 3, DIMS(2, 5, 6)); /* 0 copies a dimension of the reshaped value */
    y = build_reshape(&b, build_reshape(&b, x, 2, DIMS(10, 6)), 3, DIMS(0, 3, 2));
    build_output(&b, OP(&b, "Relu", y));
    EXPECT_OPS(&b, "clean", "Reshape Reshape Relu");
}

static void outputs__that_are_inputs_or_each_other__kept(void) {
    struct graph_build b;
    V *x = begin(&b, 2, DIMS(5, 7));
    V *y = OP(&b, "Relu", x);
    build_output(&b, OP(&b, "Identity", x));
    build_output(&b, y);
    build_output(&b, OP(&b, "Identity", y));
    build_output(&b, OP(&b, "Identity", OP(&b, "Identity", x)));
    EXPECT_OPS(&b, "on", NULL);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(chain__any_length__programs),
        TEST(group__inner_value_is_output__second_output),
        TEST(group__inner_value_read_by_others_later__second_output),
        TEST(group__reader_within_a_cycle__not_joined),
        TEST(group__operand_that_grows_the_shape__own_program),
        TEST(group__more_inputs_than_fit__results_hold),
        TEST(group__one_operand_40_times__results_hold),
        TEST(group__many_outputs__results_hold),
        TEST(group__other_types__left_alone),
        TEST(diamond__one_program),
        TEST(idle_nodes__any__gone),
        TEST(slice__backwards__stays),
        TEST(transposes__in_a_row__one_or_none),
        TEST(reshapes__in_a_row__one),
        TEST(outputs__that_are_inputs_or_each_other__kept),
    };
    return RUN_TESTS(tests, argc, argv);
}
