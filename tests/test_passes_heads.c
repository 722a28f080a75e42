/*
 * The passes around attention: query (pooling heads), packed (separate
 * projections), and in clean the reshapes that join batch and heads.
 */
#include "tests/check.h"
#include "tests/graph_build.h"

#include <math.h>
#include <string.h>

typedef struct fovea_value V;

enum { TOKENS = 7, HEADS = 3, CHANNELS = 4, WIDTH = HEADS * CHANNELS };

static V *linear(struct graph_build *b, V *x, int64_t n, int64_t k, bool bias) {
    V *y = OP(b, "MatMul", x, build_random(b, 2, DIMS(k, n)));
    return bias ? OP(b, "Add", y, build_random(b, 1, DIMS(n))) : y;
}

/* [B,L,W] as [B,H,L,D]. */
static V *split_heads(struct graph_build *b, V *x, int64_t batch, int64_t tokens) {
    V *parted = build_reshape(b, x, 4, DIMS(batch, tokens, HEADS, CHANNELS));
    return build_transpose(b, parted, 4, DIMS(0, 2, 1, 3));
}

/* softmax(q kT) v back as [B,L,W]; `joined`: kT by way of [B*H,L,D], as dynamo does. */
static V *attend(struct graph_build *b, V *q, V *k, V *v, V *mask, int64_t batch, int64_t tokens,
                 bool joined) {
    V *kt;
    if (joined) {
        kt = build_reshape(b, k, 3, DIMS(batch * HEADS, TOKENS, CHANNELS));
        kt = build_transpose(b, kt, 3, DIMS(0, 2, 1));
        kt = build_reshape(b, kt, 4, DIMS(batch, HEADS, CHANNELS, TOKENS));
    } else {
        kt = build_transpose(b, k, 4, DIMS(0, 1, 3, 2));
    }
    q = OP(b, "Mul", q, build_scalar(b, (float)(1 / sqrt(CHANNELS))));
    V *scores = OP(b, "MatMul", q, kt);
    scores = mask ? OP(b, "Add", scores, mask) : scores;
    V *weights = build_set_int(b, OP(b, "Softmax", scores), "axis", -1);
    V *moved = build_transpose(b, OP(b, "MatMul", weights, v), 4, DIMS(0, 2, 1, 3));
    return build_reshape(b, moved, 3, DIMS(batch, tokens, WIDTH));
}

/* ---- query -------------------------------------------------------------------- */

/* A constant query for each of `images`, [images,H,queries,D]. */
static V *constant_query(struct graph_build *b, int64_t images, int64_t queries) {
    return build_random(b, 4, DIMS(images, HEADS, queries, CHANNELS));
}

/* Keys and values of one projection, as timm has them, or of two. */
static void keys_and_values(struct graph_build *b, V *x, int64_t batch, bool packed, bool bias,
                            V *out[2]) {
    if (!packed) {
        out[0] = split_heads(b, linear(b, x, WIDTH, 10, bias), batch, TOKENS);
        out[1] = split_heads(b, linear(b, x, WIDTH, 10, bias), batch, TOKENS);
        return;
    }
    V *y = linear(b, x, 2 * WIDTH, 10, bias);
    y = build_reshape(b, y, 5, DIMS(batch, TOKENS, 2, HEADS, CHANNELS));
    y = build_transpose(b, y, 5, DIMS(2, 0, 3, 1, 4));
    for (int i = 0; i < 2; i++) {
        V *index = build_ints(b, DIMS(i), 1);
        out[i] = OP(b, "Gather", y, index);
        out[i] = build_reshape(b, out[i], 4, DIMS(batch, HEADS, TOKENS, CHANNELS));
    }
}

static void query__pooling_head__no_projections(void) {
    for (int form = 0; form < 16; form++) {
        int64_t batch = form & 1 ? 3 : 1;
        bool bias = form & 2, packed = form & 4;
        struct graph_build b;
        V *kv[2], *mask = NULL;
        build_init(&b, 18);
        V *x = build_input(&b, FOVEA_F32, 3, DIMS(batch, TOKENS, 10));
        if (form & 8) {
            mask = build_input(&b, FOVEA_F32, 4, DIMS(1, HEADS, 1, TOKENS));
        }
        keys_and_values(&b, x, batch, packed, bias, kv);
        V *q = constant_query(&b, form & 1 && packed ? batch : 1, 1);
        V *y = attend(&b, q, kv[0], kv[1], mask, batch, 1, false);
        build_output(&b, linear(&b, y, 5, WIDTH, true));
        EXPECT_OPS(&b, "on",
                   bias ? "fovea.Attention MatMul Add Reshape fovea.Linear"
                        : "fovea.Attention MatMul Reshape fovea.Linear");
    }
}

static void query__that_is_no_single_constant__left_alone(void) {
    for (int form = 0; form < 3; form++) {
        struct graph_build b;
        struct build_result result;
        V *kv[2];
        build_init(&b, 18);
        V *x = build_input(&b, FOVEA_F32, 3, DIMS(2, TOKENS, 10));
        keys_and_values(&b, x, 2, false, true, kv);
        int64_t queries = form == 0 ? 2 : 1;
        V *q = form == 1 ? build_input(&b, FOVEA_F32, 4, DIMS(2, HEADS, 1, CHANNELS))
                         : constant_query(&b, 1, queries);
        build_output(&b, attend(&b, q, kv[0], kv[1], NULL, 2, queries, false));
        if (form == 2) {
            build_output(&b, OP(&b, "Relu", kv[1])); /* values are read elsewhere */
        }
        CHECK_OK(build_compare(&b, "on", &result), b.err);
        CHECK(build_count(&result, "query") == 0);
        CHECK(result.error <= 1e-5);
        build_finish(&b);
    }
}

/* ---- packed, and joined axes ------------------------------------------------------- */

static void packed__three_projections__one_linear(void) {
    for (int form = 0; form < 8; form++) {
        int64_t batch = form & 1 ? 3 : 1;
        bool joined = form & 2, bias = form & 4;
        struct graph_build b;
        build_init(&b, 18);
        V *x = build_input(&b, FOVEA_F32, 3, DIMS(batch, TOKENS, WIDTH));
        V *q = split_heads(&b, linear(&b, x, WIDTH, WIDTH, bias), batch, TOKENS);
        V *k = split_heads(&b, linear(&b, x, WIDTH, WIDTH, false), batch, TOKENS);
        V *v = split_heads(&b, linear(&b, x, WIDTH, WIDTH, bias), batch, TOKENS);
        V *y = attend(&b, q, k, v, NULL, batch, TOKENS, joined);
        build_output(&b, linear(&b, y, 5, WIDTH, true));
        EXPECT_OPS(&b, "on", "fovea.Linear fovea.Attention fovea.Linear");
    }
}

static void packed__projection_read_elsewhere__not_taken_in(void) {
    struct graph_build b;
    build_init(&b, 18);
    V *x = build_input(&b, FOVEA_F32, 3, DIMS(2, TOKENS, WIDTH));
    V *first = linear(&b, x, WIDTH, WIDTH, true);
    V *k = split_heads(&b, linear(&b, x, WIDTH, WIDTH, true), 2, TOKENS);
    V *v = split_heads(&b, linear(&b, x, WIDTH, WIDTH, true), 2, TOKENS);
    V *y = attend(&b, split_heads(&b, first, 2, TOKENS), k, v, NULL, 2, TOKENS, false);
    build_output(&b, linear(&b, y, 5, WIDTH, true));
    build_output(&b, OP(&b, "Tanh", first));
    EXPECT_OPS(&b, "on", NULL);
}

static void clean__axes_joined_and_parted__one_transpose(void) {
    struct graph_build b;
    build_init(&b, 18);
    V *x = build_input(&b, FOVEA_F32, 4, DIMS(2, 3, 4, 5));
    V *y = build_transpose(&b, build_reshape(&b, x, 3, DIMS(6, 4, 5)), 3, DIMS(0, 2, 1));
    build_output(&b, build_reshape(&b, y, 4, DIMS(2, 3, 5, 4)));
    EXPECT_OPS(&b, "clean", "Transpose");

    build_init(&b, 18); /* [L,B,HD] to [B,H,L,D] */
    x = build_input(&b, FOVEA_F32, 3, DIMS(7, 2, 12));
    y = build_transpose(&b, build_reshape(&b, x, 3, DIMS(7, 6, 4)), 3, DIMS(1, 0, 2));
    build_output(&b, build_reshape(&b, y, 4, DIMS(2, 3, 7, 4)));
    EXPECT_OPS(&b, "clean", "Reshape Transpose");

    build_init(&b, 18); /* parted otherwise than it was joined: data moves twice */
    x = build_input(&b, FOVEA_F32, 3, DIMS(4, 3, 5));
    y = build_transpose(&b, build_reshape(&b, x, 2, DIMS(12, 5)), 2, DIMS(1, 0));
    build_output(&b, build_reshape(&b, y, 2, DIMS(12, 5)));
    EXPECT_OPS(&b, "clean", "Reshape Transpose Reshape");
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(query__pooling_head__no_projections),
        TEST(query__that_is_no_single_constant__left_alone),
        TEST(packed__three_projections__one_linear),
        TEST(packed__projection_read_elsewhere__not_taken_in),
        TEST(clean__axes_joined_and_parted__one_transpose),
    };
    return RUN_TESTS(tests, argc, argv);
}
