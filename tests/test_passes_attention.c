/*
 * The attention pass: the self-attention, cross-attention and pooling heads of
 * every exporter become one operator, and what only looks like attention stays.
 */
#include "tests/check.h"
#include "tests/graph_build.h"

#include <math.h>
#include <string.h>

typedef struct fovea_value V;

enum { TOKENS = 5, HEADS = 2, CHANNELS = 8, WIDTH = HEADS * CHANNELS };

/* Where the scale is applied, as exporters do. */
enum scaling { NONE, ON_Q, ON_BOTH, ON_SCORES, BY_DIV };

static V *scaled_by(struct graph_build *b, V *x, double number) {
    return OP(b, "Mul", x, build_scalar(b, (float)number));
}

/* softmax(q kT) v; q [..,L,D], kT [..,D,L], v [..,L,D]. */
static V *attend(struct graph_build *b, V *q, V *kt, V *v, enum scaling scaling, V *mask) {
    double scale = 1 / sqrt(CHANNELS);
    if (scaling == ON_Q) {
        q = scaled_by(b, q, scale);
    } else if (scaling == ON_BOTH) {
        q = scaled_by(b, q, sqrt(scale));
        kt = scaled_by(b, kt, sqrt(scale));
    }
    V *scores = OP(b, "MatMul", q, kt);
    if (scaling == ON_SCORES) {
        scores = scaled_by(b, scores, scale);
    } else if (scaling == BY_DIV) {
        scores = OP(b, "Div", scores, build_scalar(b, (float)(1 / scale)));
    }
    if (mask) {
        scores = OP(b, "Add", scores, mask);
    }
    V *weights = build_set_int(b, OP(b, "Softmax", scores), "axis", -1);
    return OP(b, "MatMul", weights, v);
}

static V *projected(struct graph_build *b, V *x, int64_t n, int64_t k) {
    V *y = OP(b, "MatMul", x, build_random(b, 2, DIMS(k, n)));
    return OP(b, "Add", y, build_random(b, 1, DIMS(n)));
}

/* [B,H,L,D] back to [B,L,W] and through the output projection. */
static void finish(struct graph_build *b, V *context, int64_t batch) {
    V *moved = build_transpose(b, context, 4, DIMS(0, 2, 1, 3));
    V *joined = build_reshape(b, moved, 3, DIMS(batch, TOKENS, WIDTH));
    build_output(b, projected(b, joined, WIDTH, WIDTH));
}

static V *begin(struct graph_build *b, int opset, int64_t batch) {
    build_init(b, opset);
    return build_input(b, FOVEA_F32, 3, DIMS(batch, TOKENS, WIDTH));
}

#define ONE_ATTENTION "fovea.Linear fovea.Attention fovea.Linear"

/* The packed projection as [3,B,H,L,D]. */
static V *packed(struct graph_build *b, V *x, int64_t batch) {
    V *qkv = projected(b, x, 3 * WIDTH, WIDTH);
    qkv = build_reshape(b, qkv, 5, DIMS(batch, TOKENS, 3, HEADS, CHANNELS));
    return build_transpose(b, qkv, 5, DIMS(2, 0, 3, 1, 4));
}

static void split_parts(struct graph_build *b, V *qkv, V *parts[3]) {
    struct fovea_node *split = build_node(b, "Split", &qkv, 1, 3);
    for (int i = 0; i < 3; i++) {
        parts[i] = split ? OP(b, "Squeeze", split->out[i], build_ints(b, DIMS(0), 1)) : NULL;
    }
    if (split) {
        build_set_int(b, split->out[0], "axis", 0);
    }
}

static void gather_parts(struct graph_build *b, V *qkv, V *parts[3]) {
    for (int64_t i = 0; i < 3; i++) {
        V *index = NULL;
        if (!b->status) {
            b->status = fovea_graph_add_constant(b->graph, FOVEA_I64, 0, NULL, &index, &b->err);
        }
        if (index) {
            *(int64_t *)index->t.data = i == 2 ? -1 : i;
        }
        parts[i] = build_set_int(b, OP(b, "Gather", qkv, index), "axis", 0);
    }
}

static void slice_parts(struct graph_build *b, V *qkv, V *parts[3]) {
    for (int64_t i = 0; i < 3; i++) {
        V *slice = OP(b, "Slice", qkv, build_ints(b, &i, 1), build_ints(b, DIMS(i + 1), 1),
                      build_ints(b, DIMS(0), 1));
        parts[i] = OP(b, "Squeeze", slice, build_ints(b, DIMS(0), 1));
    }
}

static void self_attention__every_packing_and_scaling__one_operator(void) {
    static void (*const part[3])(struct graph_build *, V *, V **) = {split_parts, gather_parts,
                                                                     slice_parts};
    static const enum scaling scalings[] = {NONE, ON_Q, ON_BOTH, ON_SCORES, BY_DIV};
    for (int64_t batch = 1; batch <= 3; batch += 2) {
        for (int i = 0; i < 15; i++) {
            struct graph_build b;
            V *parts[3], *x = begin(&b, 17, batch);
            part[i % 3](&b, packed(&b, x, batch), parts);
            V *kt = build_transpose(&b, parts[1], 4, DIMS(0, 1, 3, 2));
            finish(&b, attend(&b, parts[0], kt, parts[2], scalings[i / 3], NULL), batch);
            EXPECT_OPS(&b, "on", ONE_ATTENTION);
        }
    }
}

/* dynamo before opset 23: K goes through three dimensions to be transposed. */
static void self_attention__dynamo_transposed_keys__one_operator(void) {
    for (int64_t batch = 1; batch <= 3; batch += 2) {
        struct graph_build b;
        V *parts[3], *x = begin(&b, 18, batch);
        slice_parts(&b, packed(&b, x, batch), parts);
        V *flat = build_reshape(&b, parts[1], 3, DIMS(batch * HEADS, TOKENS, CHANNELS));
        V *kt = build_transpose(&b, flat, 3, DIMS(0, 2, 1));
        kt = build_reshape(&b, kt, 4, DIMS(batch, HEADS, CHANNELS, TOKENS));
        finish(&b, attend(&b, parts[0], kt, parts[2], ON_BOTH, NULL), batch);
        struct build_result result;
        CHECK_OK(build_compare(&b, "on", &result), b.err);
        CHECK(result.error < 1e-5);
        CHECK(build_count(&result, "attention") == 1);
        CHECK(strstr(result.ops, "Softmax") == NULL);
        build_finish(&b);
    }
}

/* nn.MultiheadAttention: sequence first, [B*H,L,D]. */
static void three_dimensional_heads__one_operator(void) {
    for (int64_t batch = 1; batch <= 3; batch += 2) {
        struct graph_build b;
        V *x = begin(&b, 17, batch), *heads[3];
        V *first = build_transpose(&b, x, 3, DIMS(1, 0, 2));
        for (int i = 0; i < 3; i++) {
            V *y = projected(&b, first, WIDTH, WIDTH);
            y = build_reshape(&b, y, 3, DIMS(TOKENS, batch * HEADS, CHANNELS));
            heads[i] = build_transpose(&b, y, 3, DIMS(1, 0, 2));
        }
        V *kt = build_transpose(&b, heads[1], 3, DIMS(0, 2, 1));
        V *context = attend(&b, heads[0], kt, heads[2], ON_Q, NULL);
        V *joined = build_transpose(&b, context, 3, DIMS(1, 0, 2));
        joined = build_reshape(&b, joined, 2, DIMS(TOKENS * batch, WIDTH));
        V *out = OP(&b, "Gemm", joined, build_random(&b, 2, DIMS(WIDTH, WIDTH)));
        build_output(&b, build_set_int(&b, out, "transB", 1));
        struct build_result result;
        CHECK_OK(build_compare(&b, "on", &result), b.err);
        CHECK(result.error < 1e-5);
        CHECK(build_count(&result, "attention") == 1);
        build_finish(&b);
    }
}

/* q, k, v as graph inputs [B,H,L,D]. */
static void given(struct graph_build *b, int opset, int64_t batch, V *qkv[3]) {
    build_init(b, opset);
    for (int i = 0; i < 3; i++) {
        qkv[i] = build_input(b, FOVEA_F32, 4, DIMS(batch, HEADS, TOKENS, CHANNELS));
    }
}

static V *transposed_keys(struct graph_build *b, V *k) {
    return build_transpose(b, k, 4, DIMS(0, 1, 3, 2));
}

static void masks__of_every_shape__taken(void) {
    static const struct {
        int rank;
        int64_t dims[4];
    } shapes[] = {{1, {TOKENS}},
                  {2, {TOKENS, TOKENS}},
                  {2, {TOKENS, 1}},
                  {3, {HEADS, TOKENS, TOKENS}},
                  {3, {HEADS, 1, 1}},
                  {4, {3, 1, 1, TOKENS}},
                  {4, {3, HEADS, TOKENS, TOKENS}},
                  {4, {1, HEADS, 1, TOKENS}}};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        for (int is_input = 0; is_input < 2; is_input++) {
            struct graph_build b;
            V *qkv[3];
            given(&b, 17, 3, qkv);
            V *mask = is_input ? build_input(&b, FOVEA_F32, shapes[i].rank, shapes[i].dims)
                               : build_random(&b, shapes[i].rank, shapes[i].dims);
            V *kt = transposed_keys(&b, qkv[1]);
            build_output(&b, attend(&b, qkv[0], kt, qkv[2], ON_SCORES, mask));
            EXPECT_OPS(&b, "on", "fovea.Attention");
        }
    }
}

static void mask__first_operand__taken(void) {
    for (int scaled = 0; scaled < 2; scaled++) {
        struct graph_build b;
        V *qkv[3];
        given(&b, 17, 3, qkv);
        V *scores = OP(&b, "MatMul", qkv[0], transposed_keys(&b, qkv[1]));
        if (scaled) {
            scores = scaled_by(&b, scores, 0.4);
        }
        scores = OP(&b, "Add", build_random(&b, 2, DIMS(TOKENS, TOKENS)), scores);
        V *weights = build_set_int(&b, OP(&b, "Softmax", scores), "axis", 3);
        build_output(&b, OP(&b, "MatMul", weights, qkv[2]));
        EXPECT_OPS(&b, "on", "fovea.Attention");
    }
}

static void mask__scaled_with_the_scores__result_holds(void) {
    struct graph_build b;
    V *qkv[3];
    given(&b, 17, 3, qkv);
    V *scores = OP(&b, "MatMul", qkv[0], transposed_keys(&b, qkv[1]));
    scores = OP(&b, "Add", scores, build_random(&b, 2, DIMS(TOKENS, TOKENS)));
    V *weights = build_set_int(&b, OP(&b, "Softmax", scaled_by(&b, scores, 0.4)), "axis", 3);
    build_output(&b, OP(&b, "MatMul", weights, qkv[2]));
    EXPECT_OPS(&b, "on", NULL);
}

/* Where(IsNaN(w), 0, w), which PyTorch's exporter writes for rows that a mask leaves empty. */
static void weights__guarded_against_nan__taken_where_no_row_is_empty(void) {
    static float zeros[TOKENS * TOKENS], some[TOKENS * TOKENS], all[TOKENS * TOKENS];
    float *const masks[] = {NULL, zeros, some, all};
    for (int j = 0; j < TOKENS * TOKENS; j++) {
        some[j] = j % TOKENS ? -INFINITY : 0;
        all[j] = j < TOKENS ? -INFINITY : 0;
    }
    for (size_t i = 0; i < 4; i++) {
        struct graph_build b;
        V *qkv[3];
        given(&b, 17, 3, qkv);
        V *scores = OP(&b, "MatMul", qkv[0], transposed_keys(&b, qkv[1]));
        if (masks[i]) {
            scores = OP(&b, "Add", scores, build_floats(&b, 2, DIMS(TOKENS, TOKENS), masks[i]));
        }
        V *weights = build_set_int(&b, OP(&b, "Softmax", scores), "axis", 3);
        weights = OP(&b, "Where", OP(&b, "IsNaN", weights), build_scalar(&b, 0), weights);
        build_output(&b, OP(&b, "MatMul", weights, qkv[2]));
        EXPECT_OPS(&b, "attention", i < 3 ? "fovea.Attention" : NULL);
    }
}

static void mask__that_broadcasts_the_scores__left_alone(void) {
    struct graph_build b;
    build_init(&b, 17);
    V *q = build_input(&b, FOVEA_F32, 3, DIMS(1, TOKENS, CHANNELS));
    V *k = build_input(&b, FOVEA_F32, 3, DIMS(1, CHANNELS, TOKENS));
    V *v = build_input(&b, FOVEA_F32, 3, DIMS(3, TOKENS, CHANNELS));
    V *mask = build_input(&b, FOVEA_F32, 3, DIMS(3, TOKENS, TOKENS));
    build_output(&b, attend(&b, q, k, v, NONE, mask));
    EXPECT_OPS(&b, "attention", "MatMul Add Softmax MatMul");
}

static void softmax__over_another_axis__left_alone(void) {
    struct graph_build b;
    V *qkv[3];
    given(&b, 17, 3, qkv);
    V *scores = OP(&b, "MatMul", qkv[0], transposed_keys(&b, qkv[1]));
    V *weights = build_set_int(&b, OP(&b, "Softmax", scores), "axis", 2);
    build_output(&b, OP(&b, "MatMul", weights, qkv[2]));
    EXPECT_OPS(&b, "attention", "Transpose MatMul Softmax MatMul");
}

static void parts__read_elsewhere__left_alone(void) {
    for (int i = 0; i < 2; i++) {
        struct graph_build b;
        V *qkv[3];
        given(&b, 17, 3, qkv);
        V *scores = OP(&b, "MatMul", qkv[0], transposed_keys(&b, qkv[1]));
        V *weights = build_set_int(&b, OP(&b, "Softmax", scores), "axis", 3);
        build_output(&b, OP(&b, "MatMul", weights, qkv[2]));
        build_output(&b, i ? scores : weights);
        EXPECT_OPS(&b, "attention", "Transpose MatMul Softmax MatMul");
    }
}

/* V^T softmax(..): the weights are the second operand. */
static void weights__on_the_right__left_alone(void) {
    for (int guarded = 0; guarded < 2; guarded++) {
        struct graph_build b;
        V *qkv[3];
        given(&b, 17, 3, qkv);
        V *scores = OP(&b, "MatMul", qkv[0], transposed_keys(&b, qkv[1]));
        V *w = build_set_int(&b, OP(&b, "Softmax", scores), "axis", 3);
        w = guarded ? OP(&b, "Where", OP(&b, "IsNaN", w), build_scalar(&b, 0), w) : w;
        build_output(&b, OP(&b, "MatMul", transposed_keys(&b, qkv[2]), w));
        EXPECT_OPS(&b, "attention", NULL);
    }
}

static void operator_of_opset_23__same_step(void) {
    for (int i = 0; i < 4; i++) {
        struct graph_build b;
        V *qkv[3];
        given(&b, 23, 1 + 2 * (i & 1), qkv);
        V *y = OP(&b, "Attention", qkv[0], qkv[1], qkv[2]);
        if (i & 2) {
            build_set_float(&b, y, "scale", 0.2f);
        }
        build_output(&b, build_transpose(&b, y, 4, DIMS(0, 2, 1, 3)));
        EXPECT_OPS(&b, "on", "fovea.Attention");
    }
}

static void operator_of_opset_23__causal_or_capped__left_alone(void) {
    for (int i = 0; i < 2; i++) {
        struct graph_build b;
        V *qkv[3];
        given(&b, 23, 3, qkv);
        V *y = OP(&b, "Attention", qkv[0], qkv[1], qkv[2]);
        y = i ? build_set_int(&b, y, "is_causal", 1) : build_set_float(&b, y, "softcap", 2);
        build_output(&b, y);
        EXPECT_OPS(&b, "attention", "Attention");
    }
}

static void operator_of_opset_23__grouped_heads__result_holds(void) {
    struct graph_build b;
    build_init(&b, 23);
    V *q = build_input(&b, FOVEA_F32, 4, DIMS(2, 4, TOKENS, CHANNELS));
    V *k = build_input(&b, FOVEA_F32, 4, DIMS(2, 2, TOKENS, CHANNELS));
    V *v = build_input(&b, FOVEA_F32, 4, DIMS(2, 2, TOKENS, CHANNELS));
    build_output(&b, OP(&b, "Attention", q, k, v));
    EXPECT_OPS(&b, "on", "Attention");
}

/* The MAP head: one constant query for every image. */
static void latent_query__repeated_over_the_batch__one_operator(void) {
    struct graph_build b;
    V *x = begin(&b, 17, 3);
    V *latent = OP(&b, "Expand", build_random(&b, 4, DIMS(1, HEADS, 1, CHANNELS)),
                   build_ints(&b, DIMS(3, HEADS, 1, CHANNELS), 4));
    V *kv[2];
    for (int i = 0; i < 2; i++) {
        V *y =
            build_reshape(&b, projected(&b, x, WIDTH, WIDTH), 4, DIMS(3, TOKENS, HEADS, CHANNELS));
        kv[i] = build_transpose(&b, y, 4, i ? DIMS(0, 2, 1, 3) : DIMS(0, 2, 3, 1));
    }
    build_output(&b, attend(&b, latent, kv[0], kv[1], ON_Q, NULL));
    EXPECT_OPS(&b, "on", "fovea.Attention MatMul Add Reshape");
}

static void heads__of_one_token__result_holds(void) {
    struct graph_build b;
    build_init(&b, 17);
    V *q = build_input(&b, FOVEA_F32, 4, DIMS(2, 3, 1, 4));
    V *k = build_input(&b, FOVEA_F32, 4, DIMS(2, 3, 1, 4));
    V *v = build_input(&b, FOVEA_F32, 4, DIMS(2, 3, 1, 1));
    build_output(&b, attend(&b, q, transposed_keys(&b, k), v, ON_Q, NULL));
    EXPECT_OPS(&b, "on", NULL);
}

static void transposed_result__with_channels_moved__result_holds(void) {
    struct graph_build b;
    V *qkv[3];
    given(&b, 17, 3, qkv);
    V *y = attend(&b, qkv[0], transposed_keys(&b, qkv[1]), qkv[2], ON_Q, NULL);
    build_output(&b, build_transpose(&b, y, 4, DIMS(0, 3, 1, 2)));
    build_output(&b, OP(&b, "Relu", y));
    EXPECT_OPS(&b, "on", NULL);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(self_attention__every_packing_and_scaling__one_operator),
        TEST(self_attention__dynamo_transposed_keys__one_operator),
        TEST(three_dimensional_heads__one_operator),
        TEST(masks__of_every_shape__taken),
        TEST(mask__first_operand__taken),
        TEST(mask__scaled_with_the_scores__result_holds),
        TEST(weights__guarded_against_nan__taken_where_no_row_is_empty),
        TEST(mask__that_broadcasts_the_scores__left_alone),
        TEST(softmax__over_another_axis__left_alone),
        TEST(parts__read_elsewhere__left_alone),
        TEST(weights__on_the_right__left_alone),
        TEST(operator_of_opset_23__same_step),
        TEST(operator_of_opset_23__causal_or_capped__left_alone),
        TEST(operator_of_opset_23__grouped_heads__result_holds),
        TEST(latent_query__repeated_over_the_batch__one_operator),
        TEST(heads__of_one_token__result_holds),
        TEST(transposed_result__with_channels_moved__result_holds),
    };
    return RUN_TESTS(tests, argc, argv);
}
