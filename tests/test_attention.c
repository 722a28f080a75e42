/* fovea.Attention against the definition, over every kind of view. */
#include "tests/attention_reference.h"
#include "tests/check.h"
#include "tests/run_op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 18 };

static float x[MOST], mask[MOST], want[MOST];

static int64_t attr_dims[6], attr_q[5], attr_k[5], attr_v[5], attr_mask[5], attr_out[3];

static void set_view(int64_t *attr, int64_t offset, const int64_t strides[4]) {
    attr[0] = offset;
    memcpy(attr + 1, strides, 4 * sizeof(*attr));
}

/* The operator for `p`, whose operands lie in x, `count` elements, the output being [count_y]. */
static void set_up(struct run_op *r, const struct attention_problem *p, int64_t count,
                   int64_t *count_y, int64_t *count_mask) {
    const int64_t dims[6] = {p->batch, p->heads, p->q_len, p->kv_len, p->head_dim, p->value_dim};
    memcpy(attr_dims, dims, sizeof(dims));
    set_view(attr_q, p->q - x, p->q_strides);
    set_view(attr_k, p->k - x, p->k_strides);
    set_view(attr_v, p->v - x, p->v_strides);
    memcpy(attr_out, p->y_strides, sizeof(attr_out));
    run_op_init(r, "fovea", "Attention", 17);
    run_op_attr_ints(r, "dims", attr_dims, 6);
    run_op_attr_ints(r, "q", attr_q, 5);
    run_op_attr_ints(r, "k", attr_k, 5);
    run_op_attr_ints(r, "v", attr_v, 5);
    run_op_attr_ints(r, "out", attr_out, 3);
    run_op_attr_ints(r, "shape", count_y, 1);
    run_op_attr_float(r, "scale", (float)p->scale);
    for (int i = 0; i < 3; i++) {
        run_op_input(r, FOVEA_F32, 1, &count, x, false);
    }
    if (p->mask) {
        set_view(attr_mask, 0, (int64_t[]){0, 0, p->kv_len, 1});
        run_op_attr_ints(r, "mask", attr_mask, 5);
        *count_mask = p->q_len * p->kv_len;
        run_op_input(r, FOVEA_F32, 1, count_mask, p->mask, false);
    }
}

static void check_problem(const struct attention_problem *p, int64_t count, int threads) {
    struct run_op r;
    int64_t count_mask, count_y = attention_reference(p, want, NULL);
    set_up(&r, p, count, &count_y, &count_mask);
    r.threads = threads;
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(run_op_error(&r, 0, want, count_y) <= 2e-6);
    run_op_finish(&r);
}

/* A fused projection [batch, tokens, 3 heads head_dim], and the output beside it. */
static struct attention_problem packed(int64_t batch, int64_t tokens, int64_t heads, int64_t dim) {
    int64_t width = heads * dim, row = 3 * width;
    struct attention_problem p = {
        .batch = batch,
        .heads = heads,
        .kv_heads = heads,
        .q_len = tokens,
        .kv_len = tokens,
        .head_dim = dim,
        .value_dim = dim,
        .q = x,
        .k = x + width,
        .v = x + 2 * width,
        .q_strides = {tokens * row, dim, row, 1},
        .k_strides = {tokens * row, dim, row, 1},
        .v_strides = {tokens * row, dim, row, 1},
        .y_strides = {tokens * width, dim, width},
        .scale = 1 / sqrt((double)dim),
    };
    fill_random(x, batch * tokens * row, -2, 2, (uint32_t)(tokens + dim));
    return p;
}

static void packed_projection__any_size__agrees_with_the_reference(void) {
    static const int64_t sizes[][4] = {
        {1, 1, 1, 1},   {1, 1, 3, 8},   {2, 7, 1, 5},    {2, 17, 3, 64}, {1, 49, 2, 72},
        {1, 50, 1, 80}, {1, 33, 2, 88}, {2, 10, 1, 104}, {1, 2, 1, 1},   {1, 600, 1, 16},
    };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const int64_t *s = sizes[i];
        struct attention_problem p = packed(s[0], s[1], s[2], s[3]);
        for (int threads = 1; threads <= 2; threads++) {
            check_problem(&p, s[0] * s[1] * s[2] * s[3] * 3, threads);
        }
    }
}

static void heads_first_and_keys_transposed__views__agree(void) {
    struct attention_problem p = packed(2, 12, 3, 8);
    p.y_strides[0] = 3 * 12 * 8; /* the output as [batch, heads, tokens, channels] */
    p.y_strides[1] = 12 * 8;
    p.y_strides[2] = 8;
    check_problem(&p, 2 * 12 * 72, 2);
    /* k as [batch, heads, channels, tokens] */
    memcpy(p.k_strides, (int64_t[]){3 * 12 * 8, 12 * 8, 1, 12}, sizeof(p.k_strides));
    p.k = x;
    check_problem(&p, 2 * 12 * 72, 2);
}

/* A learnt query shared by the batch, as pooling by attention has it. */
static void latent_query__batch_stride_0__serves_every_image(void) {
    struct attention_problem p = packed(3, 20, 4, 6);
    p.q = x + 5;
    p.q_len = 1;
    memcpy(p.q_strides, (int64_t[]){0, 6, 0, 1}, sizeof(p.q_strides));
    memcpy(p.y_strides, (int64_t[]){24, 6, 0}, sizeof(p.y_strides));
    check_problem(&p, 3 * 20 * 72, 2);
}

static void mask__added__agrees(void) {
    struct attention_problem p = packed(2, 9, 2, 4);
    fill_random(mask, 81, -3, 3, 5);
    mask[4] = mask[80] = -INFINITY;
    p.mask = mask;
    check_problem(&p, 2 * 9 * 24, 1);
    p.scale = -0.5; /* nothing forbids it */
    check_problem(&p, 2 * 9 * 24, 1);
}

static void scores__huge__do_not_overflow(void) {
    struct attention_problem p = packed(1, 6, 1, 4);
    p.scale = 1e4;
    check_problem(&p, 6 * 12, 1);
}

static void check_refusal(const struct attention_problem *p, int64_t count, int64_t count_y,
                          enum fovea_status status, const char *message) {
    struct run_op r;
    int64_t count_mask;
    set_up(&r, p, count, &count_y, &count_mask);
    CHECK(run_op_run(&r, 1) == status);
    CHECK_STR(r.err.message, message);
    run_op_finish(&r);
}

static void views__outside_their_tensors__are_refused(void) {
    struct attention_problem p = packed(1, 4, 2, 3), bad = p;
    check_refusal(&p, 71, 24, FOVEA_ERR_INVALID,
                  "node 'test' (Attention): v reaches beyond the 71 elements of its tensor");
    bad.y_strides[0] = INT64_MAX;
    bad.batch = 2;
    check_refusal(&bad, 72, 48, FOVEA_ERR_INVALID,
                  "node 'test' (Attention): out reaches beyond the 48 elements of its tensor");
    bad = p;
    bad.k_strides[1] = INT64_MAX;
    check_refusal(&bad, 72, 24, FOVEA_ERR_INVALID,
                  "node 'test' (Attention): k reaches beyond the 72 elements of its tensor");
    bad = p;
    bad.q_strides[2] = -18;
    check_refusal(&bad, 72, 24, FOVEA_ERR_INVALID,
                  "node 'test' (Attention): q has -18 at 3; it must not be negative");
    check_refusal(&p, 72, 25, FOVEA_ERR_INVALID,
                  "node 'test' (Attention): the output [25] has not 1 * 2 * 4 * 3 elements");
    bad = p;
    bad.v_strides[2] = 2;
    check_refusal(&bad, 72, 24, FOVEA_ERR_UNSUPPORTED,
                  "node 'test' (Attention): v has strides 2 and 1 over 4 tokens of 3 channels; "
                  "one must be 1, and the other at least that extent");
    bad = p;
    bad.heads = INT64_MAX / 2;
    check_refusal(&bad, 72, 24, FOVEA_ERR_INVALID,
                  "node 'test' (Attention): the output [24] has not 1 * 4611686018427387903 * 4 * "
                  "3 elements");
}

static const struct test tests[] = {
    TEST(packed_projection__any_size__agrees_with_the_reference),
    TEST(heads_first_and_keys_transposed__views__agree),
    TEST(latent_query__batch_stride_0__serves_every_image),
    TEST(mask__added__agrees),
    TEST(scores__huge__do_not_overflow),
    TEST(views__outside_their_tensors__are_refused),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
