/*
 * Passes that find activations in the arithmetic they are exported as: GELU of
 * both kinds and swish, in every order of operands.
 */
#include "tests/check.h"
#include "tests/graph_build.h"

#include <math.h>
#include <stdlib.h>

typedef struct fovea_value V;

/* ---- activation ----------------------------------------------------------- */

/* x gate / 2 in each association. */
static V *half_product(struct graph_build *b, V *x, V *gate, int form, bool swap) {
    V *half = build_scalar(b, 0.5f);
    switch (form) {
    case 0: /* (x gate) / 2, TorchScript */
        return build_commuted(b, "Mul", build_commuted(b, "Mul", x, gate, swap), half, swap);
    case 1: /* x (gate / 2), dynamo's erf */
        return build_commuted(b, "Mul", x, build_commuted(b, "Mul", half, gate, swap), swap);
    case 2: /* (x / 2) gate, dynamo's tanh */
        return build_commuted(b, "Mul", build_commuted(b, "Mul", x, half, swap), gate, swap);
    default: /* (x gate) / 2 by division */
        return OP(b, "Div", build_commuted(b, "Mul", x, gate, swap), build_scalar(b, 2));
    }
}

static V *erf_gate(struct graph_build *b, V *x, bool divide, bool swap) {
    V *arg = divide ? OP(b, "Div", x, build_scalar(b, 1.4142135f))
                    : build_commuted(b, "Mul", x, build_scalar(b, 0.70710677f), swap);
    return build_commuted(b, "Add", OP(b, "Erf", arg), build_scalar(b, 1), swap);
}

static void erf_gelu__every_order__one_gelu(void) {
    for (int i = 0; i < 16; i++) {
        struct graph_build b;
        bool swap = i & 1;
        V *x = build_begin(&b, 17, 3, DIMS(2, 3, 5));
        V *gate = erf_gate(&b, x, i & 2, swap);
        build_output(&b, half_product(&b, x, gate, i >> 2, swap));
        EXPECT_OPS(&b, "activation", "fovea.Gelu");
    }
}

static V *cube(struct graph_build *b, V *x, int form) {
    switch (form) {
    case 0:
        return OP(b, "Pow", x, build_scalar(b, 3));
    case 1:
        return OP(b, "Mul", OP(b, "Mul", x, x), x);
    default:
        return OP(b, "Mul", x, OP(b, "Pow", x, build_scalar(b, 2)));
    }
}

/* sqrt(2/pi) (x + 0.044715 x^3), or sqrt(2/pi) x (1 + 0.044715 x^2). */
static V *tanh_argument(struct graph_build *b, V *x, int form, bool swap) {
    V *root = build_scalar(b, 0.7978846f), *factor = build_scalar(b, 0.044715f), *inner;
    if (form == 3) {
        V *square = build_commuted(b, "Mul", OP(b, "Mul", x, x), factor, swap);
        inner = OP(b, "Mul", x, build_commuted(b, "Add", square, build_scalar(b, 1), swap));
    } else {
        inner = build_commuted(b, "Add", x,
                               build_commuted(b, "Mul", factor, cube(b, x, form), swap), swap);
    }
    return build_commuted(b, "Mul", inner, root, swap);
}

static void tanh_gelu__every_order__one_gelu(void) {
    for (int i = 0; i < 32; i++) {
        struct graph_build b;
        bool swap = i & 1;
        V *x = build_begin(&b, 17, 2, DIMS(3, 7));
        V *tanh = OP(&b, "Tanh", tanh_argument(&b, x, i >> 1 & 3, swap));
        V *gate = build_commuted(&b, "Add", tanh, build_scalar(&b, 1), swap);
        build_output(&b, half_product(&b, x, gate, i >> 3, swap));
        EXPECT_OPS(&b, "activation", "fovea.Gelu");
    }
}

static void gelu__with_gamma__gelu_and_factor(void) {
    for (int form = 0; form < 3; form++) {
        struct graph_build b;
        V *x = build_begin(&b, 17, 2, DIMS(3, 7));
        V *gelu = half_product(&b, x, erf_gate(&b, x, true, false), form, false);
        build_output(&b, OP(&b, "Mul", gelu, build_scalar(&b, 1.7015043f)));
        EXPECT_OPS(&b, "activation", "fovea.Gelu Mul");
    }
}

static void gelu__counted_once(void) {
    struct graph_build b;
    struct build_result result;
    V *x = build_begin(&b, 17, 2, DIMS(3, 7));
    V *gelu = half_product(&b, x, erf_gate(&b, x, true, false), 0, false);
    build_output(&b, OP(&b, "Mul", gelu, build_scalar(&b, 1.7015043f)));
    CHECK_OK(build_compare(&b, "activation", &result), b.err);
    CHECK(build_count(&result, "activation") == 1);
    build_finish(&b);
}

static void gelu__half_read_elsewhere__both_results_hold(void) {
    struct graph_build b;
    V *x = build_begin(&b, 17, 2, DIMS(3, 7));
    V *inner = OP(&b, "Mul", x, erf_gate(&b, x, true, false));
    build_output(&b, OP(&b, "Mul", inner, build_scalar(&b, 0.5f)));
    build_output(&b, OP(&b, "Relu", inner));
    EXPECT_OPS(&b, "activation", NULL);
}

static void gelu__wrong_constants__left_alone(void) {
    static const float wrong[3][3] = {{1.5f, 1, 0.5f}, {1.4142135f, 1.1f, 0.5f}, {0, 0, 0}};
    for (int i = 0; i < 2; i++) {
        struct graph_build b;
        V *x = build_begin(&b, 17, 2, DIMS(3, 7));
        V *erf = OP(&b, "Erf", OP(&b, "Div", x, build_scalar(&b, wrong[i][0])));
        V *gate = OP(&b, "Add", erf, build_scalar(&b, wrong[i][1]));
        build_output(&b, OP(&b, "Mul", OP(&b, "Mul", x, gate), build_scalar(&b, wrong[i][2])));
        EXPECT_OPS(&b, "activation", "Div Erf Add Mul Mul");
    }
}

static void gelu__of_another_value__left_alone(void) {
    struct graph_build b;
    V *x = build_begin(&b, 17, 2, DIMS(3, 7));
    V *z = build_input(&b, FOVEA_F32, 2, DIMS(3, 7));
    build_output(&b, half_product(&b, z, erf_gate(&b, x, true, false), 0, false));
    EXPECT_OPS(&b, "activation", "Div Erf Add Mul Mul");
}

static void gelu__constants_of_higher_rank__shape_holds(void) {
    struct graph_build b;
    float half = 0.5f;
    V *x = build_begin(&b, 17, 2, DIMS(3, 7));
    V *product = OP(&b, "Mul", x, erf_gate(&b, x, true, false));
    build_output(&b, OP(&b, "Mul", product, build_floats(&b, 4, DIMS(1, 1, 1, 1), &half)));
    EXPECT_OPS(&b, "activation", NULL);

    x = build_begin(&b, 17, 2, DIMS(3, 7));
    V *one = build_floats(&b, 4, DIMS(1, 1, 1, 1), &(float){1});
    V *gate = OP(&b, "Add", OP(&b, "Erf", OP(&b, "Div", x, build_scalar(&b, 1.4142135f))), one);
    build_output(&b, half_product(&b, x, gate, 0, false));
    EXPECT_OPS(&b, "activation", NULL);
}

static void gelu__of_f64__results_hold(void) {
    struct graph_build b;
    build_init(&b, 17);
    V *x = build_input(&b, FOVEA_F64, 2, DIMS(3, 7)), *c[3];
    double numbers[3] = {1.4142135623730951, 1, 0.5};
    for (int i = 0; i < 3 && !b.status; i++) {
        b.status = fovea_graph_add_constant(b.graph, FOVEA_F64, 0, NULL, &c[i], &b.err);
        *(double *)c[i]->t.data = numbers[i];
    }
    V *gate = OP(&b, "Add", OP(&b, "Erf", OP(&b, "Div", x, c[0])), c[1]);
    build_output(&b, OP(&b, "Mul", OP(&b, "Mul", x, gate), c[2]));
    build_output(&b, OP(&b, "Mul", x, OP(&b, "Sigmoid", x)));
    EXPECT_OPS(&b, "on", NULL);
}

static void swish__every_order__one_swish(void) {
    for (int i = 0; i < 4; i++) {
        struct graph_build b;
        V *x = build_begin(&b, 17, 2, DIMS(3, 7));
        V *arg = i & 2 ? OP(&b, "Mul", x, build_scalar(&b, 1.702f)) : x;
        build_output(&b, build_commuted(&b, "Mul", x, OP(&b, "Sigmoid", arg), i & 1));
        EXPECT_OPS(&b, "activation", "fovea.Swish");
    }
}

static const struct test tests[] = {
    TEST(erf_gelu__every_order__one_gelu),
    TEST(tanh_gelu__every_order__one_gelu),
    TEST(gelu__with_gamma__gelu_and_factor),
    TEST(gelu__counted_once),
    TEST(gelu__half_read_elsewhere__both_results_hold),
    TEST(gelu__wrong_constants__left_alone),
    TEST(gelu__of_another_value__left_alone),
    TEST(gelu__constants_of_higher_rank__shape_holds),
    TEST(gelu__of_f64__results_hold),
    TEST(swish__every_order__one_swish),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
