/* ONNX's Attention against the definition: ranks, masks, caches, scores, refusals. */
#include "tests/attention_reference.h"
#include "tests/check.h"
#include "tests/run_op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 12 };

static float x[MOST], past_k[MOST], past_v[MOST], mask[MOST];
static float want[MOST], want_scores[MOST];

/* Q, K and V after one another in x: [batch, tokens, heads dim], or heads first if rank is 4. */
static struct attention_problem separate(int rank, int64_t heads, int64_t kv_heads, int64_t q_len,
                                         int64_t kv_len) {
    enum { BATCH = 2, DIM = 6, VALUE_DIM = 5 };
    struct attention_problem p = {
        .batch = BATCH,
        .heads = heads,
        .kv_heads = kv_heads,
        .q_len = q_len,
        .kv_len = kv_len,
        .head_dim = DIM,
        .value_dim = VALUE_DIM,
        .scale = 1 / sqrt((double)DIM),
    };
    int64_t lens[3] = {q_len, kv_len, kv_len}, counts[3] = {heads, kv_heads, kv_heads};
    int64_t dims[3] = {DIM, DIM, VALUE_DIM}, strides[3][4];
    const float *at[3] = {x, x + BATCH * heads * q_len * DIM};
    at[2] = at[1] + BATCH * kv_heads * kv_len * DIM;
    for (int i = 0; i < 3; i++) {
        strides[i][0] = counts[i] * lens[i] * dims[i];
        strides[i][1] = rank == 4 ? lens[i] * dims[i] : dims[i];
        strides[i][2] = rank == 4 ? dims[i] : counts[i] * dims[i];
        strides[i][3] = 1;
    }
    memcpy(p.q_strides, strides[0], sizeof(p.q_strides));
    memcpy(p.k_strides, strides[1], sizeof(p.k_strides));
    memcpy(p.v_strides, strides[2], sizeof(p.v_strides));
    p.y_strides[0] = heads * q_len * VALUE_DIM;
    p.y_strides[1] = rank == 4 ? q_len * VALUE_DIM : VALUE_DIM;
    p.y_strides[2] = rank == 4 ? VALUE_DIM : heads * VALUE_DIM;
    p.q = at[0];
    p.k = at[1];
    p.v = at[2];
    fill_random(x, 4096, -2, 2, 21);
    return p;
}

static void start_onnx(struct run_op *r, const struct attention_problem *p, int rank) {
    const int64_t heads[3] = {p->heads, p->kv_heads, p->kv_heads};
    const int64_t lens[3] = {p->q_len, p->kv_len - p->past, p->kv_len - p->past};
    const int64_t dims[3] = {p->head_dim, p->head_dim, p->value_dim};
    const float *data[3] = {p->q, p->k, p->v};
    run_op_init(r, "", "Attention", 23);
    for (int i = 0; i < 3; i++) {
        const int64_t four[4] = {p->batch, heads[i], lens[i], dims[i]};
        const int64_t three[3] = {p->batch, lens[i], heads[i] * dims[i]};
        run_op_input(r, FOVEA_F32, rank, rank == 4 ? four : three, data[i], false);
    }
    if (rank == 3) {
        run_op_attr_int(r, "q_num_heads", p->heads);
        run_op_attr_int(r, "kv_num_heads", p->kv_heads);
    }
    if (p->causal) {
        run_op_attr_int(r, "is_causal", 1);
    }
    if (p->softcap > 0) {
        run_op_attr_float(r, "softcap", (float)p->softcap);
    }
}

static void check_onnx(struct run_op *r, const struct attention_problem *p, int n_out) {
    int64_t count = attention_reference(p, want, want_scores);
    CHECK_OK(run_op_run(r, n_out), r->err);
    CHECK(run_op_error(r, 0, want, count) <= 2e-6);
}

static void onnx__both_ranks_and_shared_heads__agree(void) {
    static const int64_t sizes[][4] = {{1, 1, 1, 1}, {3, 3, 4, 7}, {6, 2, 5, 5}, {4, 1, 1, 9}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (int rank = 3; rank <= 4; rank++) {
            for (int causal = 0; causal < 2; causal++) {
                struct run_op r;
                const int64_t *s = sizes[i];
                struct attention_problem p = separate(rank, s[0], s[1], s[2], s[3]);
                p.causal = causal;
                p.softcap = causal ? 1.5 : 0;
                start_onnx(&r, &p, rank);
                check_onnx(&r, &p, 1);
                CHECK(r.out[0].rank == rank);
                run_op_finish(&r);
            }
        }
    }
}

static void onnx__bool_and_float_masks__agree(void) {
    bool keep[4 * 7];
    struct attention_problem p = separate(3, 3, 3, 4, 7);
    for (int i = 0; i < 28; i++) {
        keep[i] = i % 3 != 1;
        mask[i] = keep[i] ? 0 : -INFINITY;
    }
    p.mask = mask;
    for (int as_bool = 0; as_bool < 2; as_bool++) {
        struct run_op r;
        start_onnx(&r, &p, 3);
        run_op_input(&r, as_bool ? FOVEA_BOOL : FOVEA_F32, as_bool ? 2 : 4,
                     as_bool ? (int64_t[]){4, 7} : (int64_t[]){1, 1, 4, 7},
                     as_bool ? (const void *)keep : mask, false);
        check_onnx(&r, &p, 1);
        run_op_finish(&r);
    }
}

/* The whole sequence at once, and its second half with the first as cache, are the same. */
static void onnx__cache__continues_a_sequence(void) {
    enum { PAST = 3, NEW = 4 };
    for (int n_out = 1; n_out <= 3; n_out += 2) {
        struct run_op r;
        static float all_k[2 * 2 * 7 * 6], all_v[2 * 2 * 7 * 5];
        struct attention_problem p = separate(4, 4, 2, NEW, NEW);
        fill_random(past_k, 2 * 2 * PAST * 6, -2, 2, 3);
        fill_random(past_v, 2 * 2 * PAST * 5, -2, 2, 4);
        for (int64_t h = 0; h < 4; h++) {
            memcpy(all_k + h * 42, past_k + h * 18, 18 * sizeof(float));
            memcpy(all_k + h * 42 + 18, p.k + h * 24, 24 * sizeof(float));
            memcpy(all_v + h * 35, past_v + h * 15, 15 * sizeof(float));
            memcpy(all_v + h * 35 + 15, p.v + h * 20, 20 * sizeof(float));
        }
        p.kv_len = PAST + NEW;
        p.past = PAST;
        p.causal = true;
        start_onnx(&r, &p, 4);
        run_op_input(&r, FOVEA_F32, 0, NULL, NULL, false);
        run_op_input(&r, FOVEA_F32, 4, (int64_t[]){2, 2, PAST, 6}, past_k, false);
        run_op_input(&r, FOVEA_F32, 4, (int64_t[]){2, 2, PAST, 5}, past_v, false);
        p.k = all_k;
        p.v = all_v;
        memcpy(p.k_strides, (int64_t[]){84, 42, 6, 1}, sizeof(p.k_strides));
        memcpy(p.v_strides, (int64_t[]){70, 35, 5, 1}, sizeof(p.v_strides));
        check_onnx(&r, &p, n_out);
        CHECK(n_out == 1 || run_op_error(&r, 1, all_k, 168) == 0);
        CHECK(n_out == 1 || run_op_error(&r, 2, all_v, 140) == 0);
        run_op_finish(&r);
    }
}

static void onnx__scores_as_output__show_the_stage_asked_for(void) {
    struct attention_problem p = separate(4, 2, 2, 3, 4);
    fill_random(mask, 12, -1, 1, 9);
    p.mask = mask;
    for (int mode = 0; mode < 4; mode++) {
        struct run_op r;
        start_onnx(&r, &p, 4);
        run_op_attr_int(&r, "qk_matmul_output_mode", mode);
        run_op_input(&r, FOVEA_F32, 2, (int64_t[]){3, 4}, mask, false);
        check_onnx(&r, &p, 4);
        double product = p.scale * attention_dot(p.q, 1, p.k + 6, 1, 6);
        float second = (float)(mode == 0 ? product : product + (double)mask[1]);
        if (mode == 3) {
            CHECK(run_op_error(&r, 3, want_scores, 48) < 1e-6);
        } else {
            CHECK(fabsf(((const float *)r.out[3].data)[1] - second) < 1e-6f);
        }
        run_op_finish(&r);
    }
}

static void onnx__no_keys_or_no_images__are_zeros_or_nothing(void) {
    for (int64_t batch = 0; batch < 2; batch++) {
        struct run_op r;
        run_op_init(&r, "", "Attention", 23);
        run_op_input(&r, FOVEA_F32, 4, (int64_t[]){batch, 2, 3, 4}, x, false);
        run_op_input(&r, FOVEA_F32, 4, (int64_t[]){batch, 2, 1 - batch, 4}, x, false);
        run_op_input(&r, FOVEA_F32, 4, (int64_t[]){batch, 2, 1 - batch, 5}, x, false);
        CHECK_OK(run_op_run(&r, 1), r.err);
        CHECK(run_op_error(&r, 0, (float[30]){0}, batch * 30) == 0);
        run_op_finish(&r);
    }
}

static void check_onnx_error(int64_t heads, int64_t kv_heads, int64_t channels,
                             const char *message) {
    struct run_op r;
    run_op_init(&r, "", "Attention", 23);
    run_op_attr_int(&r, "q_num_heads", heads);
    run_op_attr_int(&r, "kv_num_heads", kv_heads);
    run_op_input(&r, FOVEA_F32, 3, (int64_t[]){1, 2, 12}, x, false);
    run_op_input(&r, FOVEA_F32, 3, (int64_t[]){1, 3, channels}, x, false);
    run_op_input(&r, FOVEA_F32, 3, (int64_t[]){1, 3, 12}, x, false);
    CHECK(run_op_run(&r, 1) == FOVEA_ERR_INVALID);
    CHECK_STR(r.err.message, message);
    run_op_finish(&r);
}

static void onnx__heads_that_do_not_fit__are_refused_precisely(void) {
    check_onnx_error(0, 3, 12,
                     "node 'test' (Attention): q_num_heads is 0; it must divide the 12 channels "
                     "of input 0");
    check_onnx_error(3, 5, 12,
                     "node 'test' (Attention): kv_num_heads is 5; it must divide the 12 channels "
                     "of input 1");
    check_onnx_error(3, 2, 8,
                     "node 'test' (Attention): 3 query heads cannot share 2 key heads and 2 value "
                     "heads");
    check_onnx_error(3, 3, 9,
                     "node 'test' (Attention): heads of size 4 (Q), 3 (K) and 4 (V) do not make a "
                     "product");
}

static const struct test tests[] = {
    TEST(onnx__both_ranks_and_shared_heads__agree),
    TEST(onnx__bool_and_float_masks__agree),
    TEST(onnx__cache__continues_a_sequence),
    TEST(onnx__scores_as_output__show_the_stage_asked_for),
    TEST(onnx__no_keys_or_no_images__are_zeros_or_nothing),
    TEST(onnx__heads_that_do_not_fit__are_refused_precisely),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
