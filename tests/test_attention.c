/* Attention against a plain double-precision reference, over every kind of view. */
#include "tests/check.h"
#include "tests/run_op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 18 };

static float x[MOST], past_k[MOST], past_v[MOST], mask[MOST];
static float want[MOST], want_scores[MOST];

/* An attention in full: all operands as strides, batch head token channel. */
struct problem {
    int64_t batch, heads, kv_heads, q_len, kv_len, head_dim, value_dim;
    const float *q, *k, *v;
    int64_t q_strides[4], k_strides[4], v_strides[4], y_strides[3];
    const float *mask; /* added; dense [q_len, kv_len], or NULL */
    bool causal;
    int64_t past;
    double scale, softcap;
};

static double dot(const float *a, int64_t sa, const float *b, int64_t sb, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)a[i * sa] * (double)b[i * sb];
    }
    return sum;
}

static void softmax_in_place(double *s, int64_t n) {
    double most = -INFINITY, sum = 0;
    for (int64_t j = 0; j < n; j++) {
        most = fmax(most, s[j]);
    }
    for (int64_t j = 0; j < n; j++) {
        s[j] = exp(s[j] - most);
        sum += s[j];
    }
    for (int64_t j = 0; j < n; j++) {
        s[j] /= sum;
    }
}

/* Query i of head h of image b; weights also go to want_scores. */
static void reference_row(const struct problem *p, int64_t b, int64_t h, int64_t i) {
    static double s[4096];
    int64_t kv = h / (p->heads / p->kv_heads);
    const float *q = p->q + b * p->q_strides[0] + h * p->q_strides[1] + i * p->q_strides[2];
    const float *k = p->k + b * p->k_strides[0] + kv * p->k_strides[1];
    const float *v = p->v + b * p->v_strides[0] + kv * p->v_strides[1];
    for (int64_t j = 0; j < p->kv_len; j++) {
        s[j] = p->scale *
               dot(q, p->q_strides[3], k + j * p->k_strides[2], p->k_strides[3], p->head_dim);
        s[j] = p->softcap > 0 ? p->softcap * tanh(s[j] / p->softcap) : s[j];
        s[j] += p->mask ? (double)p->mask[i * p->kv_len + j] : 0;
        s[j] = p->causal && j > i + p->past ? -INFINITY : s[j];
    }
    softmax_in_place(s, p->kv_len);
    float *y = want + b * p->y_strides[0] + h * p->y_strides[1] + i * p->y_strides[2];
    for (int64_t c = 0; c < p->value_dim; c++) {
        double sum = 0;
        for (int64_t j = 0; j < p->kv_len; j++) {
            sum += s[j] * (double)v[j * p->v_strides[2] + c * p->v_strides[3]];
        }
        y[c] = (float)sum;
    }
    for (int64_t j = 0; j < p->kv_len && p->kv_len * p->heads * p->q_len < MOST; j++) {
        want_scores[((b * p->heads + h) * p->q_len + i) * p->kv_len + j] = (float)s[j];
    }
}

static int64_t reference(const struct problem *p) {
    for (int64_t b = 0; b < p->batch; b++) {
        for (int64_t h = 0; h < p->heads; h++) {
            for (int64_t i = 0; i < p->q_len; i++) {
                reference_row(p, b, h, i);
            }
        }
    }
    return p->batch * p->heads * p->q_len * p->value_dim;
}

/* ---- fovea.Attention -------------------------------------------------------- */

static int64_t attr_dims[6], attr_q[5], attr_k[5], attr_v[5], attr_mask[5], attr_out[3];

static void set_view(int64_t *attr, int64_t offset, const int64_t strides[4]) {
    attr[0] = offset;
    memcpy(attr + 1, strides, 4 * sizeof(*attr));
}

/* The operator for `p`, whose operands lie in x, `count` elements, the output being [count_y]. */
static void set_up(struct run_op *r, const struct problem *p, int64_t count, int64_t *count_y,
                   int64_t *count_mask) {
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

static void check_problem(const struct problem *p, int64_t count, int threads) {
    struct run_op r;
    int64_t count_mask, count_y = reference(p);
    set_up(&r, p, count, &count_y, &count_mask);
    r.threads = threads;
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(run_op_error(&r, 0, want, count_y) <= 2e-6);
    run_op_finish(&r);
}

/* A fused projection [batch, tokens, 3 heads head_dim], and the output beside it. */
static struct problem packed(int64_t batch, int64_t tokens, int64_t heads, int64_t dim) {
    int64_t width = heads * dim, row = 3 * width;
    struct problem p = {
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
        struct problem p = packed(s[0], s[1], s[2], s[3]);
        for (int threads = 1; threads <= 2; threads++) {
            check_problem(&p, s[0] * s[1] * s[2] * s[3] * 3, threads);
        }
    }
}

static void heads_first_and_keys_transposed__views__agree(void) {
    struct problem p = packed(2, 12, 3, 8);
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
    struct problem p = packed(3, 20, 4, 6);
    p.q = x + 5;
    p.q_len = 1;
    memcpy(p.q_strides, (int64_t[]){0, 6, 0, 1}, sizeof(p.q_strides));
    memcpy(p.y_strides, (int64_t[]){24, 6, 0}, sizeof(p.y_strides));
    check_problem(&p, 3 * 20 * 72, 2);
}

static void mask__added__agrees(void) {
    struct problem p = packed(2, 9, 2, 4);
    fill_random(mask, 81, -3, 3, 5);
    mask[4] = mask[80] = -INFINITY;
    p.mask = mask;
    check_problem(&p, 2 * 9 * 24, 1);
    p.scale = -0.5; /* nothing forbids it */
    check_problem(&p, 2 * 9 * 24, 1);
}

static void scores__huge__do_not_overflow(void) {
    struct problem p = packed(1, 6, 1, 4);
    p.scale = 1e4;
    check_problem(&p, 6 * 12, 1);
}

static void check_refusal(const struct problem *p, int64_t count, int64_t count_y,
                          enum fovea_status status, const char *message) {
    struct run_op r;
    int64_t count_mask;
    set_up(&r, p, count, &count_y, &count_mask);
    CHECK(run_op_run(&r, 1) == status);
    CHECK_STR(r.err.message, message);
    run_op_finish(&r);
}

static void views__outside_their_tensors__are_refused(void) {
    struct problem p = packed(1, 4, 2, 3), bad = p;
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

/* ---- ONNX Attention ---------------------------------------------------------- */

/* Q, K and V after one another in x: [batch, tokens, heads dim], or heads first if rank is 4. */
static struct problem separate(int rank, int64_t heads, int64_t kv_heads, int64_t q_len,
                               int64_t kv_len) {
    enum { BATCH = 2, DIM = 6, VALUE_DIM = 5 };
    struct problem p = {
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

static void start_onnx(struct run_op *r, const struct problem *p, int rank) {
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

static void check_onnx(struct run_op *r, const struct problem *p, int n_out) {
    int64_t count = reference(p);
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
                struct problem p = separate(rank, s[0], s[1], s[2], s[3]);
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
    struct problem p = separate(3, 3, 3, 4, 7);
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
        struct problem p = separate(4, 4, 2, NEW, NEW);
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
    struct problem p = separate(4, 2, 2, 3, 4);
    fill_random(mask, 12, -1, 1, 9);
    p.mask = mask;
    for (int mode = 0; mode < 4; mode++) {
        struct run_op r;
        start_onnx(&r, &p, 4);
        run_op_attr_int(&r, "qk_matmul_output_mode", mode);
        run_op_input(&r, FOVEA_F32, 2, (int64_t[]){3, 4}, mask, false);
        check_onnx(&r, &p, 4);
        double product = p.scale * dot(p.q, 1, p.k + 6, 1, 6);
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
    TEST(packed_projection__any_size__agrees_with_the_reference),
    TEST(heads_first_and_keys_transposed__views__agree),
    TEST(latent_query__batch_stride_0__serves_every_image),
    TEST(mask__added__agrees),
    TEST(scores__huge__do_not_overflow),
    TEST(views__outside_their_tensors__are_refused),
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
