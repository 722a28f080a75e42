/*
 * The passes around convolutions: pad, tokens, epilogue and layout.
 */
#include "tests/check.h"
#include "tests/graph_build.h"

#include <string.h>

typedef struct fovea_value V;

static V *begin(struct graph_build *b, int opset, int rank, const int64_t *dims) {
    build_init(b, opset);
    return build_input(b, FOVEA_F32, rank, dims);
}

static V *conv(struct graph_build *b, V *x, int64_t out, int64_t in, int64_t kernel) {
    V *w = build_random(b, 4, DIMS(out, in, kernel, kernel));
    V *y = OP(b, "Conv", x, w, build_random(b, 1, &out));
    int64_t p = kernel / 2;
    return build_set_ints(b, y, "pads", DIMS(p, p, p, p), 4);
}

/* ---- pad -------------------------------------------------------------------- */

static V *padded(struct graph_build *b, V *x, const int64_t *pads, float number) {
    return OP(b, "Pad", x, build_ints(b, pads, 8), build_scalar(b, number));
}

static void pad__zeros_before_conv__taken(void) {
    struct graph_build b;
    V *x = begin(&b, 17, 4, DIMS(2, 3, 8, 9));
    build_output(&b, conv(&b, padded(&b, x, DIMS(0, 0, 0, 1, 0, 0, 1, 2), 0), 4, 3, 3));
    EXPECT_OPS(&b, "pad", "Conv");

    x = begin(&b, 17, 4, DIMS(2, 3, 8, 9)); /* without a number it is zero */
    V *pad = OP(&b, "Pad", x, build_ints(&b, DIMS(0, 0, 1, 1, 0, 0, 1, 1), 8));
    build_output(&b, conv(&b, pad, 4, 3, 1));
    EXPECT_OPS(&b, "pad", "Conv");
}

static void pad__attributes_of_opset_10__taken(void) {
    struct graph_build b;
    V *x = begin(&b, 10, 4, DIMS(2, 3, 8, 9));
    V *pad = build_set_ints(&b, OP(&b, "Pad", x), "pads", DIMS(0, 0, 1, 0, 0, 0, 1, 2), 8);
    build_output(&b, conv(&b, pad, 4, 3, 3));
    EXPECT_OPS(&b, "pad", "Conv");
}

static void pad__of_another_kind__left_alone(void) {
    static const int64_t wrong[3][8] = {
        {0, 1, 0, 0, 0, 0, 0, 0}, {1, 0, 1, 1, 0, 0, 1, 1}, {0, 0, -1, 0, 0, 0, 0, 0}};
    struct graph_build b;
    V *x, *pad;
    for (int i = 0; i < 3; i++) {
        x = begin(&b, 17, 4, DIMS(2, 3, 8, 9));
        int64_t in = i == 0 ? 4 : 3;
        build_output(&b, conv(&b, padded(&b, x, wrong[i], 0), 4, in, 3));
        EXPECT_OPS(&b, "pad", "Pad Conv");
    }
    x = begin(&b, 17, 4, DIMS(2, 3, 8, 9)); /* ones */
    build_output(&b, conv(&b, padded(&b, x, DIMS(0, 0, 1, 1, 0, 0, 1, 1), 1), 4, 3, 3));
    EXPECT_OPS(&b, "pad", "Pad Conv");

    static const char *const modes[] = {"reflect", "edge"};
    for (int i = 0; i < 2; i++) {
        x = begin(&b, 17, 4, DIMS(2, 3, 8, 9));
        pad = OP(&b, "Pad", x, build_ints(&b, DIMS(0, 0, 1, 1, 0, 0, 1, 1), 8));
        build_output(&b, conv(&b, build_set_string(&b, pad, "mode", modes[i]), 4, 3, 3));
        EXPECT_OPS(&b, "pad", "Pad Conv");
    }
    x = begin(&b, 17, 4, DIMS(2, 3, 8, 9));
    pad = padded(&b, x, DIMS(0, 0, 1, 1, 0, 0, 1, 1), 0);
    V *y = OP(&b, "Conv", pad, build_random(&b, 4, DIMS(4, 3, 3, 3)));
    build_output(&b, build_set_string(&b, y, "auto_pad", "SAME_UPPER"));
    EXPECT_OPS(&b, "pad", "Pad Conv");
}

static void pad__read_twice__each_conv_takes_it(void) {
    struct graph_build b;
    V *x = begin(&b, 17, 4, DIMS(2, 3, 8, 9));
    V *pad = padded(&b, x, DIMS(0, 0, 1, 1, 0, 0, 1, 1), 0);
    build_output(&b, conv(&b, pad, 4, 3, 3));
    build_output(&b, OP(&b, "MaxPool", pad));
    build_set_ints(&b, b.outputs[1], "kernel_shape", DIMS(2, 2), 2);
    EXPECT_OPS(&b, "pad", "Pad Conv MaxPool");
}

/* What a convolution would refuse stays outside it, so that the model still runs. */
static void pad__more_than_conv_allows__left_alone(void) {
    struct graph_build b;
    V *x = begin(&b, 17, 4, DIMS(1, 1, 2, 2));
    V *pad = padded(&b, x, DIMS(0, 0, 0, 5000, 0, 0, 0, 5000), 0);
    V *y = OP(&b, "Conv", pad, build_random(&b, 4, DIMS(1, 1, 1, 1)));
    build_output(&b, y);
    EXPECT_OPS(&b, "pad", NULL);
}

/* ---- tokens ------------------------------------------------------------------- */

static void tokens__patches__no_data_moved(void) {
    struct graph_build b;
    V *x = begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    V *w = build_random(&b, 4, DIMS(6, 3, 4, 4));
    V *y = build_set_ints(&b, OP(&b, "Conv", x, w), "strides", DIMS(4, 4), 2);
    y = build_transpose(&b, build_reshape(&b, y, 3, DIMS(2, 6, 4)), 3, DIMS(0, 2, 1));
    build_output(&b, OP(&b, "Add", y, build_random(&b, 3, DIMS(1, 4, 6))));
    EXPECT_OPS(&b, "on", "fovea.Reorder Conv fovea.View Reshape Add");
}

static void tokens__back_to_an_image__result_holds(void) {
    struct graph_build b;
    V *x = begin(&b, 17, 3, DIMS(2, 6, 5));
    V *y = build_transpose(&b, x, 3, DIMS(0, 2, 1));
    y = build_reshape(&b, y, 4, DIMS(2, 5, 2, 3));
    build_output(&b, conv(&b, y, 4, 5, 3));
    EXPECT_OPS(&b, "on", "Reshape fovea.View Conv fovea.Reorder");
}

static void tokens__other_shapes__left_alone(void) {
    struct graph_build b;
    V *x = begin(&b, 17, 4, DIMS(2, 6, 2, 3));
    V *y = build_reshape(&b, x, 3, DIMS(2, 12, 3)); /* not [N,C,HW] */
    build_output(&b, build_transpose(&b, y, 3, DIMS(0, 2, 1)));
    EXPECT_OPS(&b, "tokens", "Reshape Transpose");
}

/* ---- epilogue ------------------------------------------------------------------- */

static void epilogue__activations__taken(void) {
    static const char *const types[] = {"Relu", "LeakyRelu", "Elu",        "Sigmoid",
                                        "Tanh", "HardSwish", "HardSigmoid"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct graph_build b;
        V *x = begin(&b, 17, 4, DIMS(2, 3, 8, 8));
        build_output(&b, OP(&b, types[i], conv(&b, x, 4, 3, 3)));
        EXPECT_OPS(&b, "epilogue", "Conv");

        x = begin(&b, 17, 2, DIMS(4, 6));
        V *y = OP(&b, "MatMul", x, build_random(&b, 2, DIMS(6, 5)));
        build_output(&b, OP(&b, types[i], OP(&b, "Add", y, build_random(&b, 1, DIMS(5)))));
        EXPECT_OPS(&b, "linear,epilogue", "fovea.Linear");
    }
}

static void epilogue__clip__taken_where_constant(void) {
    struct graph_build b;
    V *x = begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    V *y = conv(&b, x, 4, 3, 3);
    build_output(&b, OP(&b, "Clip", y, build_scalar(&b, 0), build_scalar(&b, 6)));
    EXPECT_OPS(&b, "epilogue", "Conv");

    x = begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    build_output(&b, OP(&b, "Clip", conv(&b, x, 4, 3, 3), NULL, build_scalar(&b, 0.5f)));
    EXPECT_OPS(&b, "epilogue", "Conv");

    x = begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    V *low = build_input(&b, FOVEA_F32, 0, NULL);
    build_output(&b, OP(&b, "Clip", conv(&b, x, 4, 3, 3), low));
    EXPECT_OPS(&b, "epilogue", "Conv Clip");
}

static void epilogue__residual_from_a_later_branch__taken(void) {
    struct graph_build b;
    V *x = begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    V *left = conv(&b, x, 4, 3, 3);
    V *right = OP(&b, "Sigmoid", conv(&b, OP(&b, "Relu", x), 4, 3, 1));
    build_output(&b, OP(&b, "Relu", OP(&b, "Add", left, right)));
    EXPECT_OPS(&b, "epilogue", "Relu Conv Conv");

    x = begin(&b, 17, 4, DIMS(2, 3, 8, 8)); /* both branches are convolutions of one thing */
    left = conv(&b, x, 4, 3, 3);
    right = conv(&b, x, 4, 3, 1);
    build_output(&b, OP(&b, "Add", right, left));
    EXPECT_OPS(&b, "on", NULL);
}

static void epilogue__chain_with_gate_scale_and_residual__one_conv(void) {
    for (int64_t batch = 1; batch <= 2; batch++) {
        struct graph_build b;
        V *x = begin(&b, 17, 4, DIMS(batch, 3, 8, 8));
        V *gate = build_input(&b, FOVEA_F32, 4, DIMS(batch, 4, 1, 1));
        V *y = OP(&b, "Mul", conv(&b, x, 4, 3, 3), gate);
        y = OP(&b, "Mul", OP(&b, "Relu", y), build_scalar(&b, 0.5f));
        build_output(&b, OP(&b, "Add", build_input(&b, FOVEA_F32, 4, DIMS(batch, 4, 8, 8)), y));
        /* A gate an image each is no broadcast that a convolution does in registers. */
        EXPECT_OPS(&b, "epilogue", batch == 1 ? "Conv" : "Conv Mul Relu Mul Add");
    }
}

static void epilogue__operands_of_every_broadcast__results_hold(void) {
    static const struct {
        int rank;
        int64_t dims[4];
    } shapes[] = {{0, {0}},          {1, {8}},          {2, {6, 8}},       {3, {4, 1, 1}},
                  {4, {1, 4, 6, 8}}, {4, {2, 4, 1, 1}}, {4, {2, 1, 6, 8}}, {4, {2, 4, 6, 8}},
                  {4, {1, 1, 6, 1}}, {3, {1, 6, 8}},    {4, {2, 1, 1, 1}}, {4, {1, 1, 1, 1}}};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        for (int form = 0; form < 8; form++) {
            struct graph_build b;
            V *x = begin(&b, 17, 4, DIMS(2, 3, 6, 8));
            V *other = form & 1 ? build_input(&b, FOVEA_F32, shapes[i].rank, shapes[i].dims)
                                : build_random(&b, shapes[i].rank, shapes[i].dims);
            V *y = OP(&b, "Relu", conv(&b, x, 4, 3, 3));
            build_output(&b, OP(&b, form & 2 ? "Add" : "Mul", y, other));
            EXPECT_OPS(&b, form & 4 ? "on" : "epilogue", NULL);
        }
    }
}

static void epilogue__longer_than_it_can_be__results_hold(void) {
    struct graph_build b;
    V *x = begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    V *y = conv(&b, x, 4, 3, 3);
    for (int i = 0; i < 7; i++) {
        y = i % 2 ? OP(&b, "Tanh", y)
                  : OP(&b, "Add", y, build_input(&b, FOVEA_F32, 4, DIMS(2, 4, 8, 8)));
    }
    build_output(&b, y);
    EXPECT_OPS(&b, "epilogue", "Conv Add Tanh Add");
}

static void epilogue__result_read_twice_or_gated_by_itself__left_alone(void) {
    struct graph_build b;
    V *x = begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    V *y = conv(&b, x, 4, 3, 3);
    V *gate = OP(&b, "Sigmoid", OP(&b, "GlobalAveragePool", y));
    build_output(&b, OP(&b, "Mul", y, gate));
    EXPECT_OPS(&b, "epilogue", "Conv GlobalAveragePool Sigmoid Mul");

    x = begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    y = conv(&b, x, 4, 3, 3);
    build_output(&b, OP(&b, "Add", y, y));
    EXPECT_OPS(&b, "epilogue", "Conv Add");
}

static void epilogue__operand_that_grows_the_result__left_alone(void) {
    struct graph_build b;
    V *x = begin(&b, 17, 4, DIMS(1, 3, 8, 8));
    V *y = OP(&b, "Relu", conv(&b, x, 4, 3, 3));
    build_output(&b, OP(&b, "Add", y, build_input(&b, FOVEA_F32, 4, DIMS(3, 4, 8, 8))));
    EXPECT_OPS(&b, "epilogue", "Conv Add");
}

/* ---- layout --------------------------------------------------------------------- */

static void layout__conv_chain__reordered_at_the_ends(void) {
    struct graph_build b;
    V *x = begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    V *y = OP(&b, "Relu", conv(&b, x, 4, 3, 3));
    V *pool = build_set_ints(&b, OP(&b, "AveragePool", y), "kernel_shape", DIMS(2, 2), 2);
    y = OP(&b, "Add", conv(&b, pool, 4, 4, 3), pool);
    build_output(&b, y);
    EXPECT_OPS(&b, "layout", "fovea.Reorder Conv Relu AveragePool Conv Add fovea.Reorder");
}

static void layout__head__no_reorder_before_the_mean(void) {
    struct graph_build b;
    V *x = begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    V *y = OP(&b, "GlobalAveragePool", OP(&b, "Relu", conv(&b, x, 4, 3, 3)));
    build_output(&b, OP(&b, "Flatten", y));
    EXPECT_OPS(&b, "layout", "fovea.Reorder Conv Relu GlobalAveragePool Flatten");

    x = begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    y = OP(&b, "ReduceMean", conv(&b, x, 4, 3, 3));
    build_set_int(&b, build_set_ints(&b, y, "axes", DIMS(2, 3), 2), "keepdims", 0);
    build_output(&b, y);
    EXPECT_OPS(&b, "layout", NULL);
}

static void layout__concat_split_and_flatten__results_hold(void) {
    struct graph_build b;
    V *x = begin(&b, 17, 4, DIMS(2, 3, 4, 6));
    V *left = conv(&b, x, 4, 3, 3), *right = conv(&b, x, 2, 3, 1);
    V *joined = build_set_int(&b, OP(&b, "Concat", left, right, x), "axis", 1);
    build_output(&b, conv(&b, joined, 3, 9, 3));
    build_output(&b, OP(&b, "Flatten", joined));
    build_output(&b, OP(&b, "Softmax", left));
    build_output(&b, left);
    build_output(&b, build_reshape(&b, right, 2, DIMS(4, -1)));
    EXPECT_OPS(&b, "on", NULL);
}

static void layout__other_types_beside_images__results_hold(void) {
    struct graph_build b;
    V *x = begin(&b, 17, 4, DIMS(2, 3, 4, 6));
    V *choose = build_input(&b, FOVEA_BOOL, 4, DIMS(2, 4, 4, 6));
    V *whole = build_input(&b, FOVEA_I64, 4, DIMS(2, 4, 4, 6));
    V *y = conv(&b, x, 4, 3, 3);
    build_output(&b, OP(&b, "Where", choose, y, build_scalar(&b, -1)));
    build_output(&b, OP(&b, "Greater", y, build_random(&b, 3, DIMS(4, 4, 6))));
    V *cast = build_set_int(&b, OP(&b, "Cast", OP(&b, "Relu", y)), "to", 7);
    build_output(&b, OP(&b, "Add", cast, whole));
    EXPECT_OPS(&b, "on", NULL);
}

static void layout__operands_of_lower_rank__results_hold(void) {
    static const int64_t dims[][3] = {{4, 4, 6}, {4, 1, 1}, {1, 4, 6}, {1, 1, 6}, {4, 4, 1}};
    for (size_t i = 0; i < 5; i++) {
        struct graph_build b;
        V *x = begin(&b, 17, 4, DIMS(2, 3, 4, 6));
        V *y = conv(&b, x, 4, 3, 3);
        V *z = build_input(&b, FOVEA_F32, 3, dims[i]);
        build_output(&b, OP(&b, "Max", y, build_random(&b, 3, dims[i])));
        build_output(&b, OP(&b, "Sub", OP(&b, "Sub", z, y), y));
        EXPECT_OPS(&b, "on", NULL);
    }
}

/* jax2onnx: images as [N,H,W,C], a transpose on either side of every convolution. */
static void layout__jax_graph__transposes_are_names(void) {
    struct graph_build b;
    V *x = begin(&b, 17, 4, DIMS(2, 8, 8, 3));
    V *y = conv(&b, build_transpose(&b, x, 4, DIMS(0, 3, 1, 2)), 4, 3, 3);
    y = build_transpose(&b, y, 4, DIMS(0, 2, 3, 1));
    y = OP(&b, "Relu", OP(&b, "Add", y, build_random(&b, 1, DIMS(4))));
    y = conv(&b, build_transpose(&b, y, 4, DIMS(0, 3, 1, 2)), 5, 4, 3);
    build_output(&b, build_transpose(&b, y, 4, DIMS(0, 2, 3, 1)));
    struct build_result result;
    CHECK_OK(build_compare(&b, "on", &result), b.err);
    CHECK(result.error < 1e-5);
    CHECK(!strstr(result.ops, "Transpose") && !strstr(result.ops, "Reorder"));
    build_finish(&b);
}

static void layout__one_value_as_two_outputs__both_plain(void) {
    struct graph_build b;
    V *x = begin(&b, 17, 4, DIMS(2, 3, 4, 6));
    V *y = conv(&b, x, 4, 3, 3);
    build_output(&b, y);
    build_output(&b, y);
    build_output(&b, x);
    EXPECT_OPS(&b, "on", "fovea.Reorder Conv fovea.Reorder");
}

static void layout__single_pixels_and_channels__results_hold(void) {
    static const int64_t dims[][4] = {
        {2, 3, 1, 1}, {2, 1, 4, 5}, {1, 3, 1, 5}, {2, 1, 1, 1}, {0, 3, 4, 5}};
    for (int i = 0; i < 5; i++) {
        struct graph_build b;
        V *x = begin(&b, 17, 4, dims[i]);
        V *y = OP(&b, "Add", conv(&b, x, 2, dims[i][1], 3), conv(&b, x, 1, dims[i][1], 1));
        build_output(&b, build_transpose(&b, y, 4, DIMS(0, 2, 3, 1)));
        build_output(&b, y);
        EXPECT_OPS(&b, "on", NULL);
    }
}

/* ---- clean ------------------------------------------------------------------ */

static void clean__expanded_gate__not_copied(void) {
    struct graph_build b;
    V *x = begin(&b, 17, 4, DIMS(2, 3, 4, 5));
    V *gate = build_input(&b, FOVEA_F32, 4, DIMS(2, 3, 1, 1));
    V *full = OP(&b, "Expand", gate, build_ints(&b, DIMS(2, 3, 4, 5), 4));
    build_output(&b, OP(&b, "Mul", x, full));
    EXPECT_OPS(&b, "clean", "Mul");

    x = begin(&b, 17, 4, DIMS(2, 3, 1, 5)); /* here it decides the result's shape */
    full = OP(&b, "Expand", x, build_ints(&b, DIMS(2, 3, 4, 5), 4));
    build_output(&b, OP(&b, "Mul", OP(&b, "Relu", x), full));
    build_output(&b, OP(&b, "Add", full, full));
    EXPECT_OPS(&b, "clean", NULL);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(clean__expanded_gate__not_copied),
        TEST(pad__zeros_before_conv__taken),
        TEST(pad__attributes_of_opset_10__taken),
        TEST(pad__of_another_kind__left_alone),
        TEST(pad__read_twice__each_conv_takes_it),
        TEST(pad__more_than_conv_allows__left_alone),
        TEST(tokens__patches__no_data_moved),
        TEST(tokens__back_to_an_image__result_holds),
        TEST(tokens__other_shapes__left_alone),
        TEST(epilogue__activations__taken),
        TEST(epilogue__clip__taken_where_constant),
        TEST(epilogue__residual_from_a_later_branch__taken),
        TEST(epilogue__chain_with_gate_scale_and_residual__one_conv),
        TEST(epilogue__operands_of_every_broadcast__results_hold),
        TEST(epilogue__longer_than_it_can_be__results_hold),
        TEST(epilogue__result_read_twice_or_gated_by_itself__left_alone),
        TEST(epilogue__operand_that_grows_the_result__left_alone),
        TEST(layout__conv_chain__reordered_at_the_ends),
        TEST(layout__head__no_reorder_before_the_mean),
        TEST(layout__concat_split_and_flatten__results_hold),
        TEST(layout__other_types_beside_images__results_hold),
        TEST(layout__operands_of_lower_rank__results_hold),
        TEST(layout__jax_graph__transposes_are_names),
        TEST(layout__one_value_as_two_outputs__both_plain),
        TEST(layout__single_pixels_and_channels__results_hold),
    };
    return RUN_TESTS(tests, argc, argv);
}
