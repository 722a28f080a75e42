/*
 * Where the last pass lets values lie in memory as bf16: which operators run
 * on it, how many conversions are left, and what "auto" comes to.
 */
#include "runtime/bf16_ratio.h"
#include "runtime/session.h"
#include "tests/check.h"
#include "tests/graph_build.h"

#include <math.h>
#include <stdlib.h>

/* ---- the pass -------------------------------------------------------------- */

/* The operators that are left of `b` in bf16, against `ops`; the results against f32. */
static void expect_bf16(struct graph_build *b, const char *passes, const char *ops) {
    struct fovea_tensor inputs[BUILD_MAX_IO] = {0};
    struct fovea_session_options options;
    struct build_run f32, bf16;
    fovea_session_options_default(&options);
    options.passes = passes;
    CHECK(build_model(b) != NULL);
    CHECK_OK(build_fill_inputs(b, inputs), b->err);
    CHECK_OK(build_run(b, inputs, &options, &f32), b->err);
    options.precision = FOVEA_PRECISION_BF16;
    CHECK_OK(build_run(b, inputs, &options, &bf16), b->err);
    CHECK_STR(bf16.ops, ops);
    double error = 0, norm = 0;
    const float *got = bf16.outputs[0].data, *want = f32.outputs[0].data;
    CHECK(bf16.outputs[0].dtype == FOVEA_F32);
    for (int64_t i = 0; i < fovea_tensor_count(&f32.outputs[0]); i++) {
        error += pow((double)got[i] - (double)want[i], 2);
        norm += pow((double)want[i], 2);
    }
    CHECK(error > 0 && error <= 3e-2 * 3e-2 * norm);
    build_run_finish(&f32);
    build_run_finish(&bf16);
    for (size_t i = 0; i < b->n_inputs; i++) {
        free(inputs[i].data);
    }
    build_finish(b);
}

/* x -> Linear -> Gelu -> Linear, over tokens */
static struct fovea_value *two_products(struct graph_build *b) {
    struct fovea_value *x = build_input(b, FOVEA_F32, 3, (const int64_t[]){1, 20, 32});
    struct fovea_value *w = build_random(b, 2, (const int64_t[]){32, 64});
    struct fovea_value *v = build_random(b, 2, (const int64_t[]){64, 32});
    struct fovea_value *hidden = OP(b, "Gelu", OP(b, "MatMul", x, w));
    return OP(b, "MatMul", hidden, v);
}

static void precision__products_in_a_row__one_conversion_at_the_entry(void) {
    struct graph_build b;
    build_init(&b, 20);
    build_output(&b, two_products(&b));
    expect_bf16(&b, "on", "fovea.Convert fovea.Linear fovea.Linear");
}

static void precision__passes_off__still_bf16(void) {
    struct graph_build b;
    build_init(&b, 20);
    build_output(&b, two_products(&b));
    expect_bf16(&b, "off", "fovea.Convert MatMul Gelu MatMul");
}

/* Reshapes move elements as they come, and the last gives the graph's output in f32. */
static void precision__moved_between_products__no_conversion(void) {
    struct graph_build b;
    build_init(&b, 20);
    struct fovea_value *x = build_input(&b, FOVEA_F32, 2, (const int64_t[]){20, 32});
    struct fovea_value *w = build_random(&b, 2, (const int64_t[]){32, 64});
    struct fovea_value *v = build_random(&b, 2, (const int64_t[]){32, 16});
    struct fovea_value *y = OP(&b, "MatMul", x, w);
    y = OP(&b, "MatMul", build_reshape(&b, y, 2, (const int64_t[]){40, 32}), v);
    build_output(&b, build_reshape(&b, y, 1, (const int64_t[]){640}));
    expect_bf16(&b, "off", "fovea.Convert MatMul Reshape MatMul Reshape");
}

/* Pooling is on the way from one product to another: it reads and writes what they do. */
static void precision__pool_between_convolutions__no_conversion(void) {
    struct graph_build b;
    build_init(&b, 20);
    struct fovea_value *x = build_input(&b, FOVEA_F32, 4, (const int64_t[]){1, 3, 12, 12});
    struct fovea_value *w = build_random(&b, 4, (const int64_t[]){32, 3, 3, 3});
    struct fovea_value *v = build_random(&b, 4, (const int64_t[]){32, 32, 3, 3});
    struct fovea_value *y = OP(&b, "MaxPool", OP(&b, "Conv", x, w));
    build_set_ints(&b, y, "kernel_shape", (const int64_t[]){2, 2}, 2);
    build_output(&b, OP(&b, "Conv", y, v));
    expect_bf16(&b, "on", "fovea.Reorder Conv MaxPool Conv fovea.Reorder");
}

/* An operator without a rule reads f32; its producer then writes that. */
static void precision__operator_without_bf16__reads_f32(void) {
    struct graph_build b;
    build_init(&b, 20);
    struct fovea_value *x = build_input(&b, FOVEA_F32, 2, (const int64_t[]){20, 32});
    struct fovea_value *w = build_random(&b, 2, (const int64_t[]){32, 32});
    struct fovea_value *y = OP(&b, "Softmax", OP(&b, "MatMul", x, w));
    build_output(&b, OP(&b, "MatMul", y, w));
    expect_bf16(&b, "off", "fovea.Convert MatMul Softmax fovea.Convert MatMul");
}

static void precision__convolutions__entry_and_exit_are_reorders(void) {
    struct graph_build b;
    build_init(&b, 20);
    struct fovea_value *x = build_input(&b, FOVEA_F32, 4, (const int64_t[]){1, 3, 12, 12});
    struct fovea_value *w = build_random(&b, 4, (const int64_t[]){32, 3, 3, 3});
    struct fovea_value *v = build_random(&b, 4, (const int64_t[]){32, 32, 3, 3});
    struct fovea_value *y = OP(&b, "Relu", OP(&b, "Conv", x, w));
    build_output(&b, OP(&b, "Conv", y, v));
    expect_bf16(&b, "on", "fovea.Reorder Conv Conv fovea.Reorder");
}

/* ---- auto --------------------------------------------------------------- */

static void precision__auto__is_bf16_where_a_product_takes_less(void) {
    double ratio = fovea_bf16_ratio();
    CHECK(fovea_cpu_has_bf16() == (ratio > 0) && ratio == fovea_bf16_ratio());
    bool pays = ratio > 0 && ratio < FOVEA_BF16_PAYS;
    CHECK(fovea_precision_settle(FOVEA_PRECISION_AUTO) ==
          (pays ? FOVEA_PRECISION_BF16 : FOVEA_PRECISION_F32));
    CHECK(fovea_precision_settle(FOVEA_PRECISION_F32) == FOVEA_PRECISION_F32);
    CHECK(fovea_precision_settle(FOVEA_PRECISION_BF16) == FOVEA_PRECISION_BF16);
}

static const struct test tests[] = {
    TEST(precision__products_in_a_row__one_conversion_at_the_entry),
    TEST(precision__passes_off__still_bf16),
    TEST(precision__moved_between_products__no_conversion),
    TEST(precision__pool_between_convolutions__no_conversion),
    TEST(precision__operator_without_bf16__reads_f32),
    TEST(precision__convolutions__entry_and_exit_are_reorders),
    TEST(precision__auto__is_bf16_where_a_product_takes_less),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
