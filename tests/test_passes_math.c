/*
 * The passes that canonicalise and fold arithmetic: activation, layer-norm,
 * batch-norm, linear, affine. Every form that exporters write must give the
 * one operator, and forms that only look alike must be left alone.
 */
#include "tests/check.h"
#include "tests/graph_build.h"

#include <math.h>
#include <stdlib.h>

typedef struct fovea_value V;

/* ---- layer-norm ------------------------------------------------------------- */

static V *row_mean(struct graph_build *b, V *x, int64_t axis, bool keep, int opset) {
    V *mean = opset < 18 ? build_set_ints(b, OP(b, "ReduceMean", x), "axes", &axis, 1)
                         : OP(b, "ReduceMean", x, build_ints(b, &axis, 1));
    return build_set_int(b, mean, "keepdims", keep);
}

/* The parts, up to the quotient. form: bit 0 Pow or Mul, bit 1 swapped Add. */
static V *normalised(struct graph_build *b, V *x, int64_t axis, int form, int opset) {
    V *centred = OP(b, "Sub", x, row_mean(b, x, axis, true, opset));
    V *square =
        form & 1 ? OP(b, "Mul", centred, centred) : OP(b, "Pow", centred, build_scalar(b, 2));
    V *variance = row_mean(b, square, axis, true, opset);
    V *sum = build_commuted(b, "Add", variance, build_scalar(b, 1e-6f), form & 2);
    return OP(b, "Div", centred, OP(b, "Sqrt", sum));
}

static void layer_norm__every_form__one_operator(void) {
    for (int i = 0; i < 32; i++) {
        struct graph_build b;
        int opset = i & 16 ? 18 : 14;
        V *x = build_begin(&b, opset, 3, DIMS(2, 5, 24));
        V *y = normalised(&b, x, i & 1 ? 2 : -1, i & 3, opset);
        if (i & 4) {
            y = build_commuted(&b, "Mul", y, build_random(&b, 1, DIMS(24)), i & 2);
        }
        if (i & 8) {
            y = build_commuted(&b, "Add", y, build_random(&b, 1, DIMS(24)), i & 1);
        }
        build_output(&b, y);
        EXPECT_OPS(&b, "layer-norm", "fovea.LayerNormalization");
    }
}

static void layer_norm__over_another_axis__left_alone(void) {
    struct graph_build b;
    V *x = build_begin(&b, 14, 3, DIMS(2, 5, 24));
    build_output(&b, normalised(&b, x, 1, 0, 14));
    EXPECT_OPS(&b, "layer-norm", "ReduceMean Sub Pow ReduceMean Add Sqrt Div");
}

static void layer_norm__gamma_per_token__not_taken(void) {
    struct graph_build b;
    V *x = build_begin(&b, 14, 3, DIMS(2, 5, 24));
    V *y = normalised(&b, x, -1, 0, 14);
    build_output(&b, OP(&b, "Mul", y, build_random(&b, 2, DIMS(5, 1))));
    EXPECT_OPS(&b, "layer-norm", "fovea.LayerNormalization Mul");
}

static void layer_norm__gamma_of_higher_rank__shape_holds(void) {
    struct graph_build b;
    V *x = build_begin(&b, 14, 2, DIMS(5, 24));
    V *y = normalised(&b, x, -1, 0, 14);
    build_output(&b, OP(&b, "Mul", y, build_random(&b, 3, DIMS(1, 1, 24))));
    EXPECT_OPS(&b, "layer-norm", "fovea.LayerNormalization Mul");
}

static void layer_norm__exponent_of_higher_rank__shape_holds(void) {
    struct graph_build b;
    V *x = build_begin(&b, 14, 2, DIMS(5, 24));
    V *centred = OP(&b, "Sub", x, row_mean(&b, x, -1, true, 14));
    V *two = build_floats(&b, 3, DIMS(1, 1, 1), &(float){2});
    V *variance = row_mean(&b, OP(&b, "Pow", centred, two), -1, true, 14);
    V *sum = OP(&b, "Add", variance, build_scalar(&b, 1e-6f));
    build_output(&b, OP(&b, "Div", centred, OP(&b, "Sqrt", sum)));
    EXPECT_OPS(&b, "layer-norm", NULL);
}

static void layer_norm__parts_read_elsewhere__both_results_hold(void) {
    struct graph_build b;
    V *x = build_begin(&b, 14, 3, DIMS(2, 5, 24));
    V *y = normalised(&b, x, -1, 0, 14);
    build_output(&b, y);
    build_output(&b, OP(&b, "Relu", y->producer->in[0]));
    build_output(&b, OP(&b, "Mul", y, build_random(&b, 1, DIMS(24))));
    EXPECT_OPS(&b, "layer-norm", NULL);
}

/* ---- batch-norm and affine ---------------------------------------------------- */

static V *batch_norm(struct graph_build *b, V *x, int64_t channels) {
    float *variance = malloc((size_t)channels * sizeof(*variance));
    for (int64_t i = 0; variance && i < channels; i++) {
        variance[i] = 0.5f + 0.1f * (float)i;
    }
    V *y = variance ? OP(b, "BatchNormalization", x, build_random(b, 1, &channels),
                         build_random(b, 1, &channels), build_random(b, 1, &channels),
                         build_floats(b, 1, &channels, variance))
                    : NULL;
    free(variance);
    return y;
}

static V *conv(struct graph_build *b, V *x, int64_t out, int64_t in, int64_t kernel, bool bias) {
    V *w = build_random(b, 4, DIMS(out, in, kernel, kernel));
    return bias ? OP(b, "Conv", x, w, build_random(b, 1, &out)) : OP(b, "Conv", x, w);
}

static void batch_norm__after_conv__into_weights(void) {
    for (int bias = 0; bias < 2; bias++) {
        struct graph_build b;
        V *x = build_begin(&b, 17, 4, DIMS(2, 3, 8, 8));
        build_output(&b, batch_norm(&b, conv(&b, x, 5, 3, 3, bias), 5));
        EXPECT_OPS(&b, "batch-norm,affine", "Conv");
    }
}

static void batch_norm__alone__factor_and_offset(void) {
    struct graph_build b;
    V *x = build_begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    build_output(&b, batch_norm(&b, x, 3));
    EXPECT_OPS(&b, "batch-norm", "Mul Add");

    x = build_begin(&b, 17, 2, DIMS(4, 3));
    build_output(&b, batch_norm(&b, x, 3));
    EXPECT_OPS(&b, "on", "fovea.Elementwise");
}

/* Before opset 14 further outputs, read or not, say that statistics are the batch's own. */
static void batch_norm__more_outputs_that_nobody_reads__trains(void) {
    struct graph_build b;
    V *x = build_begin(&b, 9, 4, DIMS(2, 3, 8, 8)), *in[5] = {x};
    for (int i = 1; i < 5; i++) {
        in[i] = build_random(&b, 1, DIMS(3));
    }
    struct fovea_node *node = build_node(&b, "BatchNormalization", in, 5, 5);
    if (node) {
        build_output(&b, node->out[0]);
    }
    EXPECT_OPS(&b, "batch-norm", "BatchNormalization");
}

static void affine__weights_are_an_output__kept(void) {
    struct graph_build b;
    V *x = build_begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    V *w = build_random(&b, 4, DIMS(5, 3, 3, 3));
    build_output(&b, OP(&b, "Mul", OP(&b, "Conv", x, w), build_scalar(&b, 2)));
    build_output(&b, w);
    EXPECT_OPS(&b, "affine", "Conv");
}

static void batch_norm__conv_read_twice__both_results_hold(void) {
    struct graph_build b;
    V *x = build_begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    V *y = conv(&b, x, 5, 3, 3, true);
    build_output(&b, batch_norm(&b, y, 5));
    build_output(&b, y);
    EXPECT_OPS(&b, "batch-norm,affine", "Conv Mul Add");
}

static void affine__chain_after_conv__one_conv(void) {
    struct graph_build b;
    V *x = build_begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    V *y = conv(&b, x, 5, 3, 3, true);
    y = OP(&b, "Mul", y, build_scalar(&b, 0.7f));
    y = OP(&b, "Add", build_random(&b, 3, DIMS(5, 1, 1)), y);
    y = OP(&b, "Mul", build_random(&b, 4, DIMS(1, 5, 1, 1)), y);
    build_output(&b, OP(&b, "Add", y, build_scalar(&b, -0.3f)));
    EXPECT_OPS(&b, "affine", "Conv");
}

/* With no bias before: its product had run without the one that it was given. */
static void affine__chain_after_products_without_bias__one_each(void) {
    for (int scalar = 0; scalar < 2; scalar++) {
        struct graph_build b;
        V *x = build_begin(&b, 17, 3, DIMS(2, 7, 6));
        V *y = OP(&b, "MatMul", x, build_random(&b, 2, DIMS(6, 5)));
        y = OP(&b, "Mul", y, scalar ? build_scalar(&b, 0.7f) : build_random(&b, 1, DIMS(5)));
        build_output(&b, OP(&b, "Add", y, build_random(&b, 1, DIMS(5))));
        EXPECT_OPS(&b, "linear,affine", "fovea.Linear");
    }
    struct graph_build b;
    V *x = build_begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    V *y = OP(&b, "Mul", conv(&b, x, 5, 3, 3, false), build_random(&b, 3, DIMS(5, 1, 1)));
    build_output(&b, OP(&b, "Add", y, build_random(&b, 3, DIMS(5, 1, 1))));
    EXPECT_OPS(&b, "affine", "Conv");
}

static void affine__not_per_channel__left_alone(void) {
    struct graph_build b;
    V *x = build_begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    V *y = conv(&b, x, 6, 3, 3, true);
    build_output(&b, OP(&b, "Mul", y, build_random(&b, 2, DIMS(6, 1)))); /* per row of H = 6 */
    EXPECT_OPS(&b, "affine", "Conv Mul");

    x = build_begin(&b, 17, 4, DIMS(1, 3, 8, 8));
    y = conv(&b, x, 1, 3, 3, true); /* one channel must not become five */
    build_output(&b, OP(&b, "Mul", y, build_random(&b, 3, DIMS(5, 1, 1))));
    EXPECT_OPS(&b, "affine", "Conv Mul");
}

static void affine__several_readers__each_takes_what_it_can(void) {
    struct graph_build b;
    V *x = build_begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    V *scaled = OP(&b, "Mul", OP(&b, "Relu", x), build_scalar(&b, 0.25f));
    build_output(&b, conv(&b, scaled, 5, 3, 3, true));
    build_output(&b, conv(&b, scaled, 4, 3, 1, false));
    EXPECT_OPS(&b, "affine", "Relu Conv Conv");

    x = build_begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    scaled = OP(&b, "Div", OP(&b, "Relu", x), build_scalar(&b, 4));
    build_output(&b, conv(&b, scaled, 5, 3, 3, true));
    build_output(&b, OP(&b, "Sigmoid", scaled));
    EXPECT_OPS(&b, "affine", "Relu Div Conv Sigmoid");
}

static void affine__number_before_pooling_and_linear__into_weights(void) {
    struct graph_build b;
    V *x = build_begin(&b, 17, 4, DIMS(2, 6, 4, 4));
    V *y = OP(&b, "Mul", OP(&b, "Relu", x), build_scalar(&b, 1.7f));
    y = OP(&b, "GlobalAveragePool", y);
    y = OP(&b, "Flatten", y);
    y = OP(&b, "MatMul", y, build_random(&b, 2, DIMS(6, 5)));
    build_output(&b, OP(&b, "Add", y, build_random(&b, 1, DIMS(5))));
    EXPECT_OPS(&b, "linear,affine", "Relu GlobalAveragePool Flatten fovea.Linear");
}

static void affine__product_is_output__stays(void) {
    struct graph_build b;
    V *x = build_begin(&b, 17, 4, DIMS(2, 3, 8, 8));
    V *scaled = OP(&b, "Mul", x, build_scalar(&b, 0.25f));
    V *pooled = OP(&b, "GlobalAveragePool", scaled);
    build_output(&b, scaled);
    build_output(&b, pooled);
    build_output(&b, conv(&b, pooled, 4, 3, 1, true));
    EXPECT_OPS(&b, "affine", NULL);
}

static void affine__scaled_weights__not_an_image(void) {
    struct graph_build b; /* the product is the convolution's kernel, not its image */
    V *x = build_begin(&b, 17, 4, DIMS(1, 3, 8, 8));
    V *w = build_input(&b, FOVEA_F32, 4, DIMS(2, 3, 3, 3));
    build_output(&b, OP(&b, "Conv", x, OP(&b, "Mul", w, build_scalar(&b, 3))));
    EXPECT_OPS(&b, "on", NULL);
}

/* ---- linear ----------------------------------------------------------------------- */

static void linear__matmul_and_gemm__one_linear(void) {
    for (int i = 0; i < 4; i++) {
        struct graph_build b;
        V *x = build_begin(&b, 17, 3, DIMS(2, 4, 6));
        V *y = OP(&b, "MatMul", x, build_random(&b, 2, DIMS(6, 5)));
        V *bias = build_random(&b, 1 + (i >> 1), i >> 1 ? DIMS(1, 5) : DIMS(5));
        build_output(&b, build_commuted(&b, "Add", y, bias, i & 1));
        EXPECT_OPS(&b, "linear", "fovea.Linear");

        x = build_begin(&b, 17, 2, DIMS(4, 6));
        V *w = build_random(&b, 2, i & 1 ? DIMS(5, 6) : DIMS(6, 5));
        y = i & 2 ? OP(&b, "Gemm", x, w, build_random(&b, 1, DIMS(5))) : OP(&b, "Gemm", x, w);
        build_output(&b, build_set_int(&b, y, "transB", i & 1));
        EXPECT_OPS(&b, "linear", "fovea.Linear");
    }
}

static void linear__bias_that_grows_the_result__not_taken(void) {
    struct graph_build b;
    V *x = build_begin(&b, 17, 2, DIMS(4, 6));
    V *y = OP(&b, "MatMul", x, build_random(&b, 2, DIMS(6, 5)));
    build_output(&b, OP(&b, "Add", y, build_random(&b, 3, DIMS(1, 1, 5))));
    EXPECT_OPS(&b, "linear", "fovea.Linear Add");

    x = build_begin(&b, 17, 2, DIMS(1, 6));
    y = OP(&b, "MatMul", x, build_random(&b, 2, DIMS(6, 5)));
    build_output(&b, OP(&b, "Add", y, build_random(&b, 2, DIMS(4, 5))));
    EXPECT_OPS(&b, "on", NULL);
}

static void linear__gemm_with_factors__left_alone(void) {
    struct graph_build b;
    V *x = build_begin(&b, 17, 2, DIMS(6, 4));
    V *y = OP(&b, "Gemm", x, build_random(&b, 2, DIMS(6, 5)), build_random(&b, 1, DIMS(5)));
    build_set_int(&b, y, "transA", 1);
    build_set_float(&b, y, "alpha", 0.5f);
    build_output(&b, build_set_float(&b, y, "beta", 2));
    EXPECT_OPS(&b, "linear", "Gemm");
}

/* ---- einsum ------------------------------------------------------------------- */

static void einsum__contractions__matmul(void) {
    static const struct {
        const char *equation;
        int rank_a, rank_b;
        int64_t a[4], b[4];
    } cases[] = {
        {"abc,cd->abd", 3, 2, {2, 3, 4}, {4, 5}},
        {"abc,dc->abd", 3, 2, {2, 3, 4}, {5, 4}},
        {"abc,cde->abde", 3, 3, {2, 3, 4}, {4, 5, 6}},
        {"abcd,cde->abe", 4, 3, {2, 3, 4, 5}, {4, 5, 6}},
        {"abcd,dce->eab", 4, 3, {2, 3, 4, 5}, {5, 4, 6}},
        {"bqhd,bkhd->bhqk", 4, 4, {2, 3, 4, 5}, {2, 6, 4, 5}},
        {"bhqk,bkhd->bqhd", 4, 4, {2, 4, 3, 6}, {2, 6, 4, 5}},
        {"bd, bd -> b", 2, 2, {2, 3}, {2, 3}},
        {"i,ij->j", 1, 2, {3}, {3, 4}},      /* left alone: there are no rows */
        {"ij,ij->ij", 2, 2, {2, 3}, {2, 3}}, /* nothing is summed */
        {"ij,jk->i", 2, 2, {2, 3}, {3, 4}},  /* a column is summed */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int constant = 0; constant < 2; constant++) {
            struct graph_build b;
            V *x = build_begin(&b, 17, cases[i].rank_a, cases[i].a);
            V *w = constant ? build_random(&b, cases[i].rank_b, cases[i].b)
                            : build_input(&b, FOVEA_F32, cases[i].rank_b, cases[i].b);
            V *y = build_set_string(&b, OP(&b, "Einsum", x, w), "equation", cases[i].equation);
            build_output(&b, y);
            EXPECT_OPS(&b, "einsum", i < 8 ? NULL : "Einsum");
        }
    }
}

static void einsum__bias_over_the_columns__linear(void) {
    struct graph_build b;
    V *x = build_begin(&b, 17, 3, DIMS(2, 3, 4));
    V *y = OP(&b, "Einsum", x, build_random(&b, 3, DIMS(4, 5, 6)));
    y = build_set_string(&b, y, "equation", "abc,cde->abde");
    build_output(&b, OP(&b, "Add", y, build_random(&b, 2, DIMS(5, 6))));
    EXPECT_OPS(&b, "einsum,linear", "fovea.Linear Reshape");
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(layer_norm__every_form__one_operator),
        TEST(layer_norm__over_another_axis__left_alone),
        TEST(layer_norm__gamma_per_token__not_taken),
        TEST(layer_norm__gamma_of_higher_rank__shape_holds),
        TEST(layer_norm__exponent_of_higher_rank__shape_holds),
        TEST(layer_norm__parts_read_elsewhere__both_results_hold),
        TEST(batch_norm__after_conv__into_weights),
        TEST(batch_norm__alone__factor_and_offset),
        TEST(batch_norm__conv_read_twice__both_results_hold),
        TEST(affine__chain_after_conv__one_conv),
        TEST(affine__chain_after_products_without_bias__one_each),
        TEST(batch_norm__more_outputs_that_nobody_reads__trains),
        TEST(affine__weights_are_an_output__kept),
        TEST(affine__not_per_channel__left_alone),
        TEST(affine__several_readers__each_takes_what_it_can),
        TEST(affine__number_before_pooling_and_linear__into_weights),
        TEST(affine__product_is_output__stays),
        TEST(affine__scaled_weights__not_an_image),
        TEST(einsum__contractions__matmul),
        TEST(einsum__bias_over_the_columns__linear),
        TEST(linear__matmul_and_gemm__one_linear),
        TEST(linear__bias_that_grows_the_result__not_taken),
        TEST(linear__gemm_with_factors__left_alone),
    };
    return RUN_TESTS(tests, argc, argv);
}
