/* Joining, cutting and shuffling the channels of images: Join, Shuffle, and copies in any layout.
 */
#include "tests/check.h"
#include "tests/graph_build.h"

#include <stdlib.h>

#define V struct fovea_value
static V *begin(struct graph_build *b, int rank, const int64_t *dims) {
    build_init(b, 17);
    return build_input(b, FOVEA_F32, rank, dims);
}

static V *conv(struct graph_build *b, V *x, int64_t out, int64_t in) {
    V *y = OP(b, "Conv", x, build_random(b, 4, DIMS(out, in, 3, 3)));
    return build_set_ints(b, y, "pads", DIMS(1, 1, 1, 1), 4);
}

/* ---- copies that follow the layout -------------------------------------------- */

static void concat__between_convolutions__needs_no_reorder(void) {
    struct graph_build b;
    V *x = begin(&b, 4, DIMS(2, 3, 7, 9));
    V *one = conv(&b, x, 8, 3), *two = conv(&b, one, 5, 8);
    for (int64_t axis = -3; axis <= 1; axis += 4) {
        V *both = build_set_int(&b, OP(&b, "Concat", one, two, one), "axis", axis);
        build_output(&b, conv(&b, both, 4, 21));
    }
    EXPECT_OPS(&b, "layout",
               "fovea.Reorder Conv Conv Concat Conv Concat Conv fovea.Reorder fovea.Reorder");
}

static void concat__along_any_axis__same_result(void) {
    for (int64_t axis = 0; axis < 4; axis++) {
        struct graph_build b;
        V *x = begin(&b, 4, DIMS(2, 3, 7, 9));
        V *one = conv(&b, x, 6, 3), *two = conv(&b, x, 6, 3);
        build_output(&b, build_set_int(&b, OP(&b, "Concat", one, two), "axis", axis));
        EXPECT_OPS(&b, "layout", "fovea.Reorder Conv Conv Concat fovea.Reorder");
    }
}

static void slice__of_channels_last__same_result(void) {
    static const int64_t from[3][4] = {{0, 1, 2, 0}, {1, 5, 6, 8}, {0, 2, 0, 3}};
    static const int64_t to[3][4] = {{2, 6, 7, 9}, {2, -9, 0, 1}, {2, 3, 7, 9}};
    static const int64_t step[3][4] = {{1, 2, 3, 1}, {1, -1, -2, -3}, {1, 1, 1, 2}};
    for (int i = 0; i < 3; i++) {
        struct graph_build b;
        V *y = conv(&b, begin(&b, 4, DIMS(2, 3, 7, 9)), 6, 3);
        y = OP(&b, "Slice", y, build_ints(&b, from[i], 4), build_ints(&b, to[i], 4),
               build_ints(&b, DIMS(0, 1, 2, 3), 4), build_ints(&b, step[i], 4));
        build_output(&b, OP(&b, "Relu", y));
        EXPECT_OPS(&b, "layout", NULL);
    }
}

static void split__of_channels_last__same_result(void) {
    for (int64_t axis = 0; axis < 4; axis++) {
        struct graph_build b;
        V *y = conv(&b, begin(&b, 4, DIMS(4, 3, 8, 12)), 6, 3);
        V *in[] = {
            y, build_ints(&b, axis == 1 ? DIMS(1, 5) : DIMS(1, axis == 0 ? 3 : 4 * axis - 1), 2)};
        struct fovea_node *split = build_node(&b, "Split", in, 2, 2);
        build_set_int(&b, split->out[0], "axis", axis);
        build_output(&b, OP(&b, "Relu", split->out[0]));
        build_output(&b, OP(&b, "Neg", split->out[1]));
        EXPECT_OPS(&b, "layout", NULL);
    }
}

/* ---- shuffle ------------------------------------------------------------------- */

static V *shuffled(struct graph_build *b, V *x, const int64_t *dims, int64_t groups) {
    x = build_reshape(b, x, 5, DIMS(dims[0], groups, dims[1] / groups, dims[2], dims[3]));
    return build_reshape(b, build_transpose(b, x, 5, DIMS(0, 2, 1, 3, 4)), 4, dims);
}

static void shuffle__between_convolutions__one_copy(void) {
    for (int64_t groups = 2; groups <= 8; groups++) {
        struct graph_build b;
        int64_t c = 3 * groups;
        V *y = conv(&b, begin(&b, 4, DIMS(2, 3, 7, 9)), c, 3);
        build_output(&b, conv(&b, shuffled(&b, y, DIMS(2, c, 7, 9), groups), 4, c));
        EXPECT_OPS(&b, "shuffle,layout", "fovea.Reorder Conv fovea.Shuffle Conv fovea.Reorder");
    }
}

static void shuffle__of_plain_images__one_copy(void) {
    struct graph_build b;
    V *x = begin(&b, 4, DIMS(2, 12, 3, 5));
    build_output(&b, shuffled(&b, x, DIMS(2, 12, 3, 5), 3));
    EXPECT_OPS(&b, "shuffle", "fovea.Shuffle");
}

static void shuffle__of_other_parts__left_alone(void) {
    struct graph_build b;
    V *x = begin(&b, 4, DIMS(2, 12, 3, 5)); /* parts of the rows, too */
    V *y =
        build_transpose(&b, build_reshape(&b, x, 5, DIMS(2, 4, 9, 5, 1)), 5, DIMS(0, 2, 1, 3, 4));
    build_output(&b, build_reshape(&b, y, 4, DIMS(2, 12, 3, 5)));
    EXPECT_OPS(&b, "shuffle", "Reshape Transpose Reshape");

    x = begin(&b, 4, DIMS(2, 12, 3, 5)); /* read in between */
    y = build_transpose(&b, build_reshape(&b, x, 5, DIMS(2, 3, 4, 3, 5)), 5, DIMS(0, 2, 1, 3, 4));
    build_output(&b, build_reshape(&b, y, 4, DIMS(2, 12, 3, 5)));
    build_output(&b, OP(&b, "Relu", y));
    EXPECT_OPS(&b, "shuffle", "Reshape Transpose Reshape Relu");

    x = begin(&b, 4, DIMS(2, 12, 3, 5)); /* ends in another shape */
    y = build_transpose(&b, build_reshape(&b, x, 5, DIMS(2, 3, 4, 3, 5)), 5, DIMS(0, 2, 1, 3, 4));
    build_output(&b, build_reshape(&b, y, 4, DIMS(2, 4, 9, 5)));
    EXPECT_OPS(&b, "shuffle", "Reshape Transpose Reshape");
}

/* ---- join ------------------------------------------------------------------------ */

/* What BatchNormalization and an activation come to, behind a Concat of 5 + 8 channels. */
static V *normalised(struct graph_build *b, V *x, const char *act) {
    V *y = OP(b, "Mul", x, build_random(b, 4, DIMS(1, 13, 1, 1)));
    y = OP(b, "Add", build_random(b, 3, DIMS(13, 1, 1)), y);
    return act ? OP(b, act, y) : y;
}

static V *joined(struct graph_build *b, const int64_t *dims) {
    V *x = begin(b, 4, dims);
    return build_set_int(b, OP(b, "Concat", conv(b, x, 5, 3), conv(b, x, 8, 3)), "axis", 1);
}

static void join__batch_norm_and_relu__done_on_the_way(void) {
    static const char *const acts[] = {"Relu", "Sigmoid", "HardSwish", NULL};
    static const int64_t dims[3][4] = {{2, 3, 7, 9}, {1, 3, 1, 1}, {2, 3, 40, 33}};
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 3; k++) {
            struct graph_build b;
            V *y = normalised(&b, joined(&b, dims[k]), acts[i]);
            build_output(&b, conv(&b, y, 4, 13));
            EXPECT_OPS(&b, "epilogue", "Conv Conv fovea.Join Conv");
            y = normalised(&b, joined(&b, dims[k]), acts[i]);
            build_output(&b, conv(&b, y, 4, 13));
            EXPECT_OPS(&b, "epilogue,layout", NULL);
        }
    }
}

static void join__numbers_and_scaled_activation__done_on_the_way(void) {
    struct graph_build b;
    V *y = OP(&b, "Mul", joined(&b, DIMS(2, 3, 7, 9)), build_scalar(&b, 0.5f));
    y = OP(&b, "Mul", OP(&b, "Tanh", y), build_scalar(&b, 3));
    build_output(&b, OP(&b, "Add", y, build_scalar(&b, -1)));
    EXPECT_OPS(&b, "epilogue,layout", "fovea.Reorder Conv Conv fovea.Join fovea.Reorder");
}

static void join__other_operands__left_alone(void) {
    struct graph_build b;
    V *y = joined(&b, DIMS(2, 3, 7, 9)); /* as large as the result */
    build_output(&b, OP(&b, "Add", y, build_random(&b, 4, DIMS(2, 13, 7, 9))));
    EXPECT_OPS(&b, "epilogue", "Conv Conv Concat Add");

    y = joined(&b, DIMS(2, 3, 7, 13)); /* along the width */
    build_output(&b, OP(&b, "Mul", y, build_random(&b, 1, DIMS(13))));
    EXPECT_OPS(&b, "epilogue", "Conv Conv Concat Mul");

    y = joined(&b, DIMS(2, 3, 7, 9)); /* read as it is */
    build_output(&b, OP(&b, "Relu", y));
    build_output(&b, y);
    EXPECT_OPS(&b, "epilogue", "Conv Conv Concat Relu");

    V *x = begin(&b, 4, DIMS(2, 3, 7, 9)); /* along the height */
    y = build_set_int(&b, OP(&b, "Concat", conv(&b, x, 5, 3), conv(&b, x, 5, 3)), "axis", 2);
    build_output(&b, OP(&b, "Relu", y));
    EXPECT_OPS(&b, "epilogue", "Conv Conv Concat Relu");
}

static void join__in_bf16__near_the_same(void) {
    struct graph_build b;
    struct fovea_tensor inputs[BUILD_MAX_IO];
    struct build_run runs[2];
    V *y = normalised(&b, joined(&b, DIMS(1, 3, 9, 8)), "Relu");
    build_output(&b, conv(&b, y, 4, 13));
    CHECK_OK(build_fill_inputs(&b, inputs), b.err);
    for (int i = 0; i < 2; i++) {
        struct fovea_session_options options;
        fovea_session_options_default(&options);
        options.precision = i ? FOVEA_PRECISION_BF16 : FOVEA_PRECISION_F32;
        CHECK_OK(build_run(&b, inputs, &options, &runs[i]), b.err);
    }
    const float *want = runs[0].outputs[0].data, *got = runs[1].outputs[0].data;
    double most = 0, error = 0;
    for (int64_t i = 0; i < fovea_tensor_count(&runs[0].outputs[0]); i++) {
        double difference = got[i] > want[i] ? got[i] - want[i] : want[i] - got[i];
        most = want[i] > most ? want[i] : most;
        error = difference > error ? difference : error;
    }
    CHECK(error < 0.03 * most);
    for (int i = 0; i < 2; i++) {
        build_run_finish(&runs[i]);
    }
    free(inputs[0].data);
    build_finish(&b);
}

static const struct test tests[] = {
    TEST(concat__between_convolutions__needs_no_reorder),
    TEST(concat__along_any_axis__same_result),
    TEST(slice__of_channels_last__same_result),
    TEST(split__of_channels_last__same_result),
    TEST(shuffle__between_convolutions__one_copy),
    TEST(shuffle__of_plain_images__one_copy),
    TEST(shuffle__of_other_parts__left_alone),
    TEST(join__batch_norm_and_relu__done_on_the_way),
    TEST(join__numbers_and_scaled_activation__done_on_the_way),
    TEST(join__other_operands__left_alone),
    TEST(join__in_bf16__near_the_same),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
