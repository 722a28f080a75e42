/*
 * The squeeze pass: a gate made of the means of a pointwise convolution, as in
 * the blocks of NFNets, takes its means from the convolution's input.
 */
#include "tests/check.h"
#include "tests/graph_build.h"

#include <string.h>

typedef struct fovea_value V;

enum { IN = 8, OUT = 12, HIDDEN = 6 };

static V *conv(struct graph_build *b, V *x, int64_t out, int64_t in, int64_t kernel) {
    V *w = build_random(b, 4, DIMS(out, in, kernel, kernel));
    V *y = OP(b, "Conv", x, w, build_random(b, 1, &out));
    int64_t p = kernel / 2;
    return build_set_ints(b, y, "pads", DIMS(p, p, p, p), 4);
}

static V *scaled(struct graph_build *b, V *x, float number) {
    return OP(b, "Mul", x, build_scalar(b, number));
}

/* The mean over H and W in the three ways that exporters write it. */
static V *mean_of(struct graph_build *b, V *x, int opset) {
    if (opset >= 18) {
        return OP(b, "ReduceMean", x, build_ints(b, DIMS(2, 3), 2));
    }
    if (opset == 17) {
        return build_set_ints(b, OP(b, "ReduceMean", x), "axes", DIMS(-1, -2), 2);
    }
    return OP(b, "GlobalAveragePool", x);
}

/* y times the gate of its means: fc, ReLU, fc, sigmoid. */
static V *gated(struct graph_build *b, V *y, int opset, int64_t hidden) {
    V *squeezed = OP(b, "Relu", conv(b, mean_of(b, y, opset), hidden, OUT, 1));
    V *gate = OP(b, "Sigmoid", conv(b, squeezed, OUT, hidden, 1));
    return OP(b, "Mul", y, gate);
}

/* A block of an NFNet from its 3x3 convolution on, with `batch` images of 7x5. */
static void begin_block(struct graph_build *b, int opset, int64_t batch, int64_t hidden) {
    build_init(b, opset);
    V *x = build_input(b, FOVEA_F32, 4, DIMS(batch, OUT, 7, 5));
    V *inner = OP(b, "Relu", conv(b, x, IN, OUT, 3));
    V *branch = scaled(b, gated(b, conv(b, inner, OUT, IN, 1), opset, hidden), 2);
    V *sum = OP(b, "Add", scaled(b, scaled(b, branch, 0.7f), 0.2f), x);
    build_output(b, sum);
    build_output(b, scaled(b, OP(b, "Relu", sum), 1.7f));
}

static void squeeze__block_of_one_image__convolutions_and_one_pass(void) {
    static const int opsets[] = {13, 17, 18};
    for (int i = 0; i < 3; i++) {
        struct graph_build b;
        begin_block(&b, opsets[i], 1, HIDDEN);
        EXPECT_OPS(&b, "on",
                   "fovea.Reorder Conv GlobalAveragePool Conv Conv Conv fovea.Elementwise "
                   "fovea.Reorder fovea.Reorder");
    }
}

static void squeeze__several_images__gate_left_to_elementwise(void) {
    struct graph_build b;
    begin_block(&b, 18, 2, HIDDEN);
    EXPECT_OPS(&b, "on",
               "fovea.Reorder Conv Conv GlobalAveragePool Conv Conv fovea.Elementwise "
               "fovea.Reorder fovea.Reorder");
}

static void squeeze__alone__same_results(void) {
    struct graph_build b;
    begin_block(&b, 18, 2, HIDDEN);
    EXPECT_OPS(&b, "squeeze", NULL);
    begin_block(&b, 18, 1, HIDDEN);
    EXPECT_OPS(&b, "squeeze,affine,epilogue", NULL);
}

static void squeeze__product_larger_than_convolution__left_alone(void) {
    struct graph_build b;
    struct build_result result;
    begin_block(&b, 18, 1, 7 * 5 + 1);
    CHECK_OK(build_compare(&b, "squeeze", &result), b.err);
    CHECK(build_count(&result, "squeeze") == 0);
    CHECK(result.error <= 1e-5);
    build_finish(&b);
}

static void squeeze__convolution_that_is_not_pointwise__left_alone(void) {
    static const int64_t strides[2] = {2, 2};
    for (int i = 0; i < 3; i++) {
        struct graph_build b;
        struct build_result result;
        build_init(&b, 18);
        V *x = build_input(&b, FOVEA_F32, 4, DIMS(1, OUT, 8, 8));
        V *y = conv(&b, x, OUT, i == 1 ? OUT / 2 : OUT, i == 0 ? 3 : 1);
        if (i == 1) {
            build_set_int(&b, y, "group", 2);
        } else if (i == 2) {
            build_set_ints(&b, y, "strides", strides, 2);
        }
        build_output(&b, gated(&b, y, 18, HIDDEN));
        CHECK_OK(build_compare(&b, "squeeze", &result), b.err);
        CHECK(build_count(&result, "squeeze") == 0);
        CHECK(result.error <= 1e-5);
        build_finish(&b);
    }
}

static void squeeze__mean_read_twice__left_alone(void) {
    struct graph_build b;
    struct build_result result;
    build_init(&b, 18);
    V *x = build_input(&b, FOVEA_F32, 4, DIMS(1, IN, 8, 8));
    V *y = conv(&b, x, OUT, IN, 1), *mean = mean_of(&b, y, 18);
    V *gate = OP(&b, "Sigmoid", conv(&b, mean, OUT, OUT, 1));
    build_output(&b, OP(&b, "Mul", OP(&b, "Sub", y, mean), gate));
    CHECK_OK(build_compare(&b, "squeeze", &result), b.err);
    CHECK(build_count(&result, "squeeze") == 0);
    CHECK(result.error <= 1e-5);
    build_finish(&b);
}

/* A residual that is read again after the sum, and one that is the convolution's own input. */
static void residual__still_needed__not_overwritten(void) {
    struct graph_build b;
    build_init(&b, 18);
    V *x = build_input(&b, FOVEA_F32, 4, DIMS(2, IN, 9, 9));
    V *first = conv(&b, x, IN, IN, 3);
    V *sum = OP(&b, "Add", conv(&b, first, IN, IN, 1), first);
    V *again = OP(&b, "Add", conv(&b, sum, IN, IN, 3), sum);
    build_output(&b, OP(&b, "Mul", again, OP(&b, "Sigmoid", sum)));
    EXPECT_OPS(&b, "on", NULL);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(squeeze__block_of_one_image__convolutions_and_one_pass),
        TEST(squeeze__several_images__gate_left_to_elementwise),
        TEST(squeeze__alone__same_results),
        TEST(squeeze__product_larger_than_convolution__left_alone),
        TEST(squeeze__convolution_that_is_not_pointwise__left_alone),
        TEST(squeeze__mean_read_twice__left_alone),
        TEST(residual__still_needed__not_overwritten),
    };
    return RUN_TESTS(tests, argc, argv);
}
