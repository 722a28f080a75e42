/* Inference and folding: what becomes constant, what is refused before it costs, in which words. */
#include "tests/check.h"
#include "tests/graph_build.h"

#include "runtime/dnn.h"
#include "runtime/infer.h"
#include "runtime/parallel.h"

#include <stdlib.h>
#include <string.h>

typedef struct fovea_value V;

/* A clone of the graph of `b`, inferred with `limit` bytes for constants. */
struct inferred {
    struct fovea_graph graph;
    struct fovea_engine engine;
    enum fovea_status status;
};

static struct inferred infer(struct graph_build *b, size_t limit) {
    struct inferred r = {.engine = {.threads = 2}};
    int former = fovea_parallel_set_threads(2);
    r.status = fovea_dnn_create(&r.engine.dnn, &b->err);
    if (!r.status) {
        r.status = build_model(b) ? fovea_graph_clone(b->graph, &r.graph, &b->err) : b->status;
    }
    for (size_t i = 0; !r.status && i < r.graph.n_inputs; i++) {
        r.graph.inputs[i]->typed = true;
    }
    if (!r.status) {
        r.status = fovea_infer_graph(&r.graph, &r.engine, limit, &b->err);
    }
    fovea_parallel_set_threads(former);
    return r;
}

static void finish(struct graph_build *b, struct inferred *r) {
    fovea_graph_finish(&r->graph);
    fovea_dnn_destroy(r->engine.dnn);
    build_finish(b);
}

/* Inference fails with this status and exactly this message. */
static void expect_refused(int line, struct graph_build *b, size_t limit, enum fovea_status want,
                           const char *message) {
    struct inferred r = infer(b, limit);
    if (r.status != want) {
        check_failed(__FILE__, line, "status", fovea_status_name(r.status));
    }
    check_str(__FILE__, line, "message", b->err.message, message);
    finish(b, &r);
}
#define EXPECT_REFUSED(...) expect_refused(__LINE__, __VA_ARGS__)

/* ---- folding ------------------------------------------------------------------ */

static void folding__chain_of_constants__one_constant(void) {
    struct graph_build b;
    build_init(&b, 17);
    V *x = build_input(&b, FOVEA_F32, 1, DIMS(4));
    V *c = build_floats(&b, 1, DIMS(4), (float[]){1, -2, 3, -4});
    for (int i = 0; i < 3; i++) {
        c = OP(&b, "Relu", OP(&b, "Mul", c, build_scalar(&b, 2)));
    }
    build_output(&b, OP(&b, "Add", x, c));
    struct inferred r = infer(&b, 1 << 20);
    CHECK_OK(r.status, b.err);
    CHECK(r.graph.n_nodes == 1);
    const struct fovea_value *folded = r.graph.first->in[1];
    CHECK(folded->constant && !folded->producer);
    CHECK(memcmp(folded->t.data, (float[]){8, 0, 24, 0}, 16) == 0);
    finish(&b, &r);
}

/* Weight standardisation as TorchScript writes it: BatchNormalization that trains, on weights. */
static void folding__standardised_weights__gone(void) {
    struct graph_build b;
    build_init(&b, 17);
    V *x = build_input(&b, FOVEA_F32, 4, DIMS(1, 3, 8, 8));
    V *w = build_reshape(&b, build_random(&b, 4, DIMS(4, 3, 3, 3)), 3, DIMS(1, 4, 27));
    V *in[5] = {w, build_random(&b, 1, DIMS(4)), build_floats(&b, 1, DIMS(4), (float[4]){0}),
                build_random(&b, 1, DIMS(4)), build_floats(&b, 1, DIMS(4), (float[]){1, 1, 1, 1})};
    struct fovea_node *bn = build_node(&b, "BatchNormalization", in, 5, 3);
    CHECK(bn != NULL);
    build_set_int(&b, bn->out[0], "training_mode", 1);
    w = build_reshape(&b, bn->out[0], 4, DIMS(4, 3, 3, 3));
    build_output(&b, OP(&b, "Conv", x, w));
    struct inferred r = infer(&b, 1 << 20);
    CHECK_OK(r.status, b.err);
    CHECK(r.graph.n_nodes == 1);
    finish(&b, &r);
}

static void folding__shape_of_an_input__constant(void) {
    struct graph_build b;
    build_init(&b, 17);
    V *x = build_input(&b, FOVEA_F32, 4, DIMS(2, 3, 4, 5));
    V *first =
        OP(&b, "Slice", OP(&b, "Shape", x), build_ints(&b, DIMS(0), 1), build_ints(&b, DIMS(1), 1));
    V *target = build_set_int(&b, OP(&b, "Concat", first, build_ints(&b, DIMS(-1), 1)), "axis", 0);
    build_output(&b, OP(&b, "Reshape", x, target));
    struct inferred r = infer(&b, 4096);
    CHECK_OK(r.status, b.err);
    CHECK(r.graph.n_nodes == 1);
    const struct fovea_tensor *t = &r.graph.outputs[0]->t;
    CHECK(t->rank == 2 && t->dims[0] == 2 && t->dims[1] == 60);
    finish(&b, &r);
}

static void folding__everything__session_of_no_steps(void) {
    struct graph_build b;
    build_init(&b, 17);
    build_output(&b, OP(&b, "Neg", build_random(&b, 1, DIMS(5))));
    build_output(&b, OP(&b, "Shape", build_input(&b, FOVEA_F32, 2, DIMS(4, 6))));
    EXPECT_OPS(&b, "on", "");
}

/* ---- inputs that decide shapes --------------------------------------------------- */

static void decides_shapes__through_arithmetic__but_not_through_shape(void) {
    struct graph_build b;
    build_init(&b, 17);
    V *x = build_input(&b, FOVEA_F32, 2, DIMS(4, 6));
    V *sizes = build_input(&b, FOVEA_I64, 1, DIMS(2));
    V *other = build_input(&b, FOVEA_I64, 1, DIMS(2)); /* only its shape matters */
    V *unused = build_input(&b, FOVEA_F32, 1, DIMS(2));
    V *target = OP(&b, "Add", OP(&b, "Neg", sizes), build_ints(&b, DIMS(0, 0), 2));
    V *y = OP(&b, "Expand", x, OP(&b, "Abs", target));
    build_output(&b, OP(&b, "Expand", y, OP(&b, "Shape", OP(&b, "Shape", other))));
    build_output(&b, OP(&b, "Relu", unused));
    CHECK(build_model(&b) != NULL);
    for (size_t i = 0; i < 4; i++) {
        const struct fovea_node *node = NULL;
        CHECK(!fovea_input_find_decided(b.graph, i, &node, NULL));
        CHECK((node != NULL) == (i == 1));
    }
    build_finish(&b);
}

/* ---- refusals ---------------------------------------------------------------------- */

static void limit__constant_of_a_tebibyte__refused_before_allocation(void) {
    struct graph_build b;
    build_init(&b, 17);
    V *bomb = OP(&b, "ConstantOfShape", build_ints(&b, DIMS(1 << 20, 1 << 18), 2));
    build_output(&b, OP(&b, "Relu", bomb));
    EXPECT_REFUSED(&b, 1 << 20, FOVEA_ERR_LIMIT,
                   "node 'ConstantOfShape' (ConstantOfShape): its constant result takes "
                   "1099511627776 bytes; 1048576 are left of the memory limit of 1048576");

    build_init(&b, 17); /* over what one tensor may be */
    bomb = OP(&b, "ConstantOfShape", build_ints(&b, DIMS(1 << 30, 1 << 30), 2));
    build_output(&b, bomb);
    EXPECT_REFUSED(
        &b, SIZE_MAX, FOVEA_ERR_LIMIT,
        "node 'ConstantOfShape' (ConstantOfShape): output 0: shape [1073741824,1073741824] is "
        "over the limit of 2^46 bytes a tensor");
}

/* From 1024x1 to 1x1024 by way of 1024x1024, in two buffers. */
static void limit__scratch_of_a_small_constant__refused(void) {
    struct graph_build b;
    build_init(&b, 10);
    V *scales = build_floats(&b, 1, DIMS(2), (float[]){1.0f / 1024, 1024});
    build_output(&b, OP(&b, "Resize", build_random(&b, 2, DIMS(1024, 1)), scales));
    EXPECT_REFUSED(&b, 1 << 20, FOVEA_ERR_LIMIT,
                   "node 'Resize' (Resize): computing its constant result takes 8388608 bytes; "
                   "1044480 are left of the memory limit of 1048576");
}

static void limit__many_constants__add_up(void) {
    struct graph_build b;
    build_init(&b, 17);
    for (int i = 0; i < 3; i++) {
        build_output(&b, OP(&b, "ConstantOfShape", build_ints(&b, DIMS(100), 1)));
    }
    EXPECT_REFUSED(&b, 1000, FOVEA_ERR_LIMIT,
                   "node 'ConstantOfShape' (ConstantOfShape): its constant result takes 400 "
                   "bytes; 200 are left of the memory limit of 1000");
}

static void attribute__unknown_or_of_another_kind__named(void) {
    struct graph_build b;
    build_init(&b, 17);
    V *x = build_input(&b, FOVEA_F32, 2, DIMS(4, 6));
    build_output(&b, build_set_int(&b, OP(&b, "Softmax", x), "axes", 1));
    EXPECT_REFUSED(&b, 4096, FOVEA_ERR_UNSUPPORTED,
                   "node 'Softmax' (Softmax): attribute 'axes' is not known at opset 17");

    build_init(&b, 17);
    x = build_input(&b, FOVEA_F32, 2, DIMS(4, 6));
    build_output(&b, build_set_float(&b, OP(&b, "Softmax", x), "axis", 1));
    EXPECT_REFUSED(&b, 4096, FOVEA_ERR_INVALID,
                   "node 'Softmax' (Softmax): attribute 'axis' is of kind float, not int");

    build_init(&b, 17);
    x = build_input(&b, FOVEA_F32, 2, DIMS(4, 6));
    build_output(&b, OP(&b, "Cast", x));
    EXPECT_REFUSED(&b, 4096, FOVEA_ERR_INVALID, "node 'Cast' (Cast): attribute 'to' is missing");
}

static void inputs__missing_or_too_many__counted(void) {
    struct graph_build b;
    build_init(&b, 17);
    V *x = build_input(&b, FOVEA_F32, 2, DIMS(4, 6));
    build_output(&b, OP(&b, "MatMul", x, NULL));
    EXPECT_REFUSED(&b, 4096, FOVEA_ERR_INVALID,
                   "node 'MatMul' (MatMul): input 1 is missing; 2 are required");

    build_init(&b, 17);
    x = build_input(&b, FOVEA_F32, 2, DIMS(4, 6));
    build_output(&b, OP(&b, "Softmax", x, x));
    EXPECT_REFUSED(&b, 4096, FOVEA_ERR_INVALID,
                   "node 'Softmax' (Softmax): 2 inputs; the operator takes at most 1");
}

static void shape_operand__that_a_run_brings__refused(void) {
    struct graph_build b;
    build_init(&b, 17);
    V *x = build_input(&b, FOVEA_F32, 1, DIMS(4));
    V *shape = build_set_int(&b, OP(&b, "Cast", x), "to", 7);
    build_output(&b, OP(&b, "ConstantOfShape", shape));
    EXPECT_REFUSED(&b, 4096, FOVEA_ERR_UNSUPPORTED,
                   "node 'ConstantOfShape' (ConstantOfShape): input 0 ('y') decides the output's "
                   "shape, so it must not depend on what a run brings");
}

/* ---- half types at the edges ---------------------------------------------------------- */

static void halves__inputs_and_outputs__keep_their_type(void) {
    static const enum fovea_dtype types[] = {FOVEA_F16, FOVEA_BF16};
    for (int i = 0; i < 2; i++) {
        struct graph_build b;
        build_init(&b, 17);
        V *x = build_input(&b, types[i], 2, DIMS(4, 6));
        V *y = OP(&b, "Tanh", x);
        build_output(&b, y);
        build_output(&b, y);                 /* the same again */
        build_output(&b, OP(&b, "Relu", y)); /* read further on */
        build_output(&b, x);                 /* untouched */
        for (int j = 0; j < 3; j++) {
            b.outputs[j]->t.dtype = types[i]; /* as the file declares */
        }
        V *cast = build_set_int(&b, OP(&b, "Cast", x), "to", 1);
        build_output(&b, OP(&b, "Mul", cast, cast)); /* f32 */
        struct inferred r = infer(&b, 4096);
        CHECK_OK(r.status, b.err);
        for (size_t j = 0; !r.status && j < 5; j++) {
            CHECK(r.graph.outputs[j]->t.dtype == (j < 4 ? types[i] : FOVEA_F32));
            CHECK(r.graph.outputs[j]->is_output);
        }
        CHECK(r.graph.outputs[3] == r.graph.inputs[0]);
        for (const struct fovea_node *n = r.graph.first; n; n = n->next) {
            bool edge = strcmp(n->type, "Convert") == 0;
            CHECK(edge || !fovea_dtype_is_half(n->in[0]->t.dtype));
            CHECK(edge || !fovea_dtype_is_half(n->out[0]->t.dtype));
        }
        finish(&b, &r);
    }
}

static void halves__constants_as_outputs__keep_their_type(void) {
    struct graph_build b;
    build_init(&b, 17);
    V *c = NULL, *x = build_input(&b, FOVEA_F16, 1, DIMS(2));
    CHECK_OK(fovea_graph_add_constant(b.graph, FOVEA_F16, 1, DIMS(2), &c, &b.err), b.err);
    memcpy(c->t.data, (uint16_t[]){0x3c00, 0xc000}, 4); /* 1, -2 */
    build_output(&b, c);
    build_output(&b, OP(&b, "Add", x, c));
    build_output(&b, OP(&b, "Neg", c));
    for (int i = 0; i < 3; i++) {
        b.outputs[i]->t.dtype = FOVEA_F16; /* as the file declares */
    }
    struct fovea_tensor inputs[1];
    struct build_run run;
    struct fovea_session_options options;
    fovea_session_options_default(&options);
    CHECK_OK(build_model(&b) ? build_fill_inputs(&b, inputs) : b.status, b.err);
    memcpy(inputs[0].data, (uint16_t[]){0x3c00, 0x3c00}, 4);
    CHECK_OK(build_run(&b, inputs, &options, &run), b.err);
    static const uint16_t want[3][2] = {{0x3c00, 0xc000}, {0x4000, 0xbc00}, {0xbc00, 0x4000}};
    for (size_t i = 0; i < run.n_outputs; i++) {
        CHECK(run.outputs[i].dtype == FOVEA_F16);
        CHECK(memcmp(run.outputs[i].data, want[i], 4) == 0);
    }
    build_run_finish(&run);
    free(inputs[0].data);
    build_finish(&b);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(folding__chain_of_constants__one_constant),
        TEST(folding__standardised_weights__gone),
        TEST(folding__shape_of_an_input__constant),
        TEST(folding__everything__session_of_no_steps),
        TEST(decides_shapes__through_arithmetic__but_not_through_shape),
        TEST(limit__constant_of_a_tebibyte__refused_before_allocation),
        TEST(limit__many_constants__add_up),
        TEST(limit__scratch_of_a_small_constant__refused),
        TEST(attribute__unknown_or_of_another_kind__named),
        TEST(inputs__missing_or_too_many__counted),
        TEST(shape_operand__that_a_run_brings__refused),
        TEST(halves__inputs_and_outputs__keep_their_type),
        TEST(halves__constants_as_outputs__keep_their_type),
    };
    return RUN_TESTS(tests, argc, argv);
}
