/*
 * The oneDNN wrapper by itself: strided views, one primitive in several
 * threads at once, reorders, pooling and refusals.
 */
#include "runtime/dnn.h"

#include "runtime/parallel.h"
#include "tests/check.h"
#include "tests/reference.h"
#include "tests/run_op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct fovea_error err;

static struct fovea_dnn *new_dnn(void) {
    struct fovea_dnn *dnn = NULL;
    CHECK_OK(fovea_dnn_create(&dnn, &err), err);
    return dnn;
}

static struct fovea_dnn_view view_of(int rank, const int64_t *dims, const int64_t *strides) {
    struct fovea_dnn_view view = {.dtype = FOVEA_F32, .rank = rank};
    memcpy(view.dims, dims, (size_t)rank * sizeof(*dims));
    memcpy(view.strides, strides, (size_t)rank * sizeof(*strides));
    return view;
}

static void run_prim(struct fovea_prim *prim, struct fovea_prim_args args) {
    args.scratch = fovea_aligned_alloc(fovea_prim_scratch_bytes(prim));
    CHECK_OK(fovea_prim_run(prim, &args, &err), err);
    free(args.scratch);
}

static void version__is_of_the_library(void) {
    CHECK(strlen(fovea_dnn_version()) >= 5);
}

/* ---- strided products ---------------------------------------------------- */

/* q, k, v interleaved per token, as the projection of a transformer gives them. */
enum { HEADS = 3, TOKENS = 37, DIM = 24, ROW = 3 * HEADS * DIM };

/* scores[h] = scale * q[h] k[h]^T for all heads, straight out of the interleaved rows. */
static struct fovea_dnn_matmul scores_desc(void) {
    struct fovea_dnn_matmul desc = {.scale = 0.125f};
    desc.src = view_of(3, (int64_t[]){HEADS, TOKENS, DIM}, (int64_t[]){DIM, ROW, 1});
    desc.weights = view_of(3, (int64_t[]){HEADS, DIM, TOKENS}, (int64_t[]){DIM, 1, ROW});
    desc.dst =
        view_of(3, (int64_t[]){HEADS, TOKENS, TOKENS}, (int64_t[]){TOKENS * TOKENS, TOKENS, 1});
    return desc;
}

static void expected_scores(const float *qkv, float *want) {
    for (int64_t i = 0; i < HEADS * TOKENS * TOKENS; i++) {
        int64_t h = i / (TOKENS * TOKENS), a = i / TOKENS % TOKENS, b = i % TOKENS;
        double sum = 0;
        for (int64_t d = 0; d < DIM; d++) {
            sum += (double)qkv[a * ROW + h * DIM + d] * qkv[b * ROW + (HEADS + h) * DIM + d];
        }
        want[i] = (float)(0.125 * sum);
    }
}

static double largest_error(const float *got, const float *want, int64_t count) {
    double worst = 0;
    for (int64_t i = 0; i < count; i++) {
        worst = fmax(worst, fabs((double)got[i] - want[i]));
    }
    return worst;
}

static void matmul__interleaved_heads__match_reference(void) {
    float *qkv = malloc(TOKENS * ROW * sizeof(float));
    float *got = malloc(HEADS * TOKENS * TOKENS * sizeof(float));
    float *want = malloc(HEADS * TOKENS * TOKENS * sizeof(float));
    fill_random(qkv, TOKENS * ROW, -1, 1, 1);
    expected_scores(qkv, want);
    struct fovea_dnn *dnn = new_dnn();
    struct fovea_dnn_matmul desc = scores_desc();
    struct fovea_prim *prim = NULL;
    CHECK_OK(fovea_dnn_matmul(dnn, &desc, &prim, &err), err);
    run_prim(prim, (struct fovea_prim_args){.src = qkv, .weights = qkv + HEADS * DIM, .dst = got});
    CHECK(largest_error(got, want, HEADS * TOKENS * TOKENS) < 2e-6);
    fovea_prim_destroy(prim);
    fovea_dnn_destroy(dnn);
    free(qkv);
    free(got);
    free(want);
}

/* dst of a product of one head, in the head's columns of a wider row. */
static void matmul__strided_dst__leaves_the_rest_alone(void) {
    enum { M = 19, K = 37, N = 24, WIDTH = 72 };
    float a[M * K], v[K * WIDTH], y[M * WIDTH], b[K * N], want[M * N];
    fill_random(a, M * K, -1, 1, 1);
    fill_random(v, K * WIDTH, -1, 1, 2);
    for (int i = 0; i < K * N; i++) {
        b[i] = v[i / N * WIDTH + 24 + i % N];
    }
    for (int i = 0; i < M * WIDTH; i++) {
        y[i] = 7;
    }
    reference_matmul(a, b, NULL, 1, M, K, N, 1, want);
    struct fovea_dnn *dnn = new_dnn();
    struct fovea_prim *prim = NULL;
    struct fovea_dnn_matmul desc = {.scale = 1};
    desc.src = view_of(2, (int64_t[]){M, K}, (int64_t[]){K, 1});
    desc.weights = view_of(2, (int64_t[]){K, N}, (int64_t[]){WIDTH, 1});
    desc.dst = view_of(2, (int64_t[]){M, N}, (int64_t[]){WIDTH, 1});
    CHECK_OK(fovea_dnn_matmul(dnn, &desc, &prim, &err), err);
    run_prim(prim, (struct fovea_prim_args){.src = a, .weights = v + 24, .dst = y + 24});
    for (int i = 0; i < M * WIDTH; i++) {
        int column = i % WIDTH;
        float expected = column >= 24 && column < 48 ? want[i / WIDTH * N + column - 24] : 7;
        CHECK(fabsf(y[i] - expected) < 1e-5f);
    }
    fovea_prim_destroy(prim);
    fovea_dnn_destroy(dnn);
}

/* ---- one primitive, several threads -------------------------------------- */

struct many {
    const struct fovea_prim *prim;
    const float *qkv;
    float *out;
    char *scratch;
    size_t scratch_bytes;
    enum fovea_status status[8];
};

static void run_many(void *context, int64_t begin, int64_t end, int thread) {
    struct many *many = context;
    for (int64_t i = begin; i < end; i++) {
        struct fovea_prim_args args = {
            .src = many->qkv,
            .weights = many->qkv + HEADS * DIM,
            .dst = many->out + i * HEADS * TOKENS * TOKENS,
            .scratch = many->scratch + (size_t)thread * many->scratch_bytes,
        };
        many->status[thread] = fovea_prim_run(many->prim, &args, NULL);
    }
}

/* Made for `made_for` threads, run inside a parallel loop of two. */
static void check_concurrent(int made_for) {
    enum { RUNS = 40, COUNT = HEADS * TOKENS * TOKENS };
    float *qkv = malloc(TOKENS * ROW * sizeof(float)), *want = malloc(COUNT * sizeof(float));
    fill_random(qkv, TOKENS * ROW, -1, 1, 1);
    expected_scores(qkv, want);
    struct fovea_dnn *dnn = new_dnn();
    struct fovea_dnn_matmul desc = scores_desc();
    struct fovea_prim *prim = NULL;
    int former = fovea_parallel_set_threads(made_for);
    CHECK_OK(fovea_dnn_matmul(dnn, &desc, &prim, &err), err);
    fovea_parallel_set_threads(2);
    struct many many = {.prim = prim, .qkv = qkv};
    many.out = calloc(RUNS * COUNT, sizeof(float));
    many.scratch_bytes = (fovea_prim_scratch_bytes(prim) + 63) / 64 * 64;
    many.scratch = fovea_aligned_alloc(2 * many.scratch_bytes);
    fovea_parallel_for(RUNS, 1, run_many, &many);
    CHECK(many.status[0] == FOVEA_OK && many.status[1] == FOVEA_OK);
    for (int i = 0; i < RUNS; i++) {
        CHECK(largest_error(many.out + i * COUNT, want, COUNT) < 2e-6);
    }
    fovea_parallel_set_threads(former);
    fovea_prim_destroy(prim);
    fovea_dnn_destroy(dnn);
    free(many.out);
    free(many.scratch);
    free(qkv);
    free(want);
}

static void prim__in_two_threads_at_once__gives_the_same(void) {
    check_concurrent(1);
    check_concurrent(2);
}

/* Made for two threads and run with one, and the other way round, with packed weights. */
static void prim__other_number_of_threads__gives_the_same(void) {
    enum { M = 70, K = 64, N = 96 };
    float *a = malloc(M * K * sizeof(float)), *b = malloc(K * N * sizeof(float));
    float *y = malloc(M * N * sizeof(float)), *want = malloc(M * N * sizeof(float));
    fill_random(a, M * K, -1, 1, 1);
    fill_random(b, K * N, -1, 1, 2);
    reference_matmul(a, b, NULL, 1, M, K, N, 1, want);
    struct fovea_dnn *dnn = new_dnn();
    for (int made_for = 1; made_for <= 2; made_for++) {
        struct fovea_prim *prim = NULL;
        struct fovea_dnn_matmul desc = {.scale = 1, .packed_weights = true};
        desc.src = view_of(2, (int64_t[]){M, K}, (int64_t[]){K, 1});
        desc.weights = view_of(2, (int64_t[]){K, N}, (int64_t[]){N, 1});
        desc.dst = view_of(2, (int64_t[]){M, N}, (int64_t[]){N, 1});
        int former = fovea_parallel_set_threads(made_for);
        CHECK_OK(fovea_dnn_matmul(dnn, &desc, &prim, &err), err);
        struct fovea_tensor plain = {.dtype = FOVEA_F32, .rank = 2, .dims = {K, N}, .data = b};
        CHECK(fovea_prim_packed_bytes(prim) >= K * N * sizeof(float));
        void *packed = fovea_aligned_alloc(fovea_prim_packed_bytes(prim));
        CHECK_OK(fovea_prim_pack(prim, &plain, packed, &err), err);
        fovea_parallel_set_threads(3 - made_for);
        memset(y, 0, M * N * sizeof(float));
        run_prim(prim, (struct fovea_prim_args){.src = a, .weights = packed, .dst = y});
        free(packed);
        CHECK(largest_error(y, want, M * N) < 2e-5);
        fovea_parallel_set_threads(former);
        fovea_prim_destroy(prim);
    }
    fovea_dnn_destroy(dnn);
    free(a);
    free(b);
    free(y);
    free(want);
}

/* ---- reorder, pooling, refusals ------------------------------------------ */

static void reorder__plain_to_channels_last__transposes(void) {
    enum { C = 5, H = 3, W = 7, COUNT = C * H * W };
    float x[COUNT], y[COUNT];
    int64_t dims[4] = {1, C, H, W};
    fill_random(x, COUNT, -1, 1, 1);
    struct fovea_dnn *dnn = new_dnn();
    struct fovea_prim *prim = NULL;
    struct fovea_dnn_view plain = view_of(4, dims, (int64_t[]){COUNT, H * W, W, 1});
    struct fovea_dnn_view last = view_of(4, dims, (int64_t[]){COUNT, 1, W * C, C});
    CHECK_OK(fovea_dnn_reorder(dnn, &plain, &last, &prim, &err), err);
    run_prim(prim, (struct fovea_prim_args){.src = x, .dst = y});
    for (int i = 0; i < COUNT; i++) {
        CHECK(y[i % (H * W) * C + i / (H * W)] == x[i]);
    }
    fovea_prim_destroy(prim);
    fovea_dnn_destroy(dnn);
}

/* fovea.Reorder changes where elements are, not which they are. */
static void reorder_op__both_ways__keeps_the_image(void) {
    enum { COUNT = 2 * 19 * 5 * 33 };
    int64_t dims[4] = {2, 19, 5, 33};
    float *x = malloc(COUNT * sizeof(float));
    fill_random(x, COUNT, -1, 1, 1);
    for (int variant = 0; variant < 3; variant++) {
        struct run_op r;
        run_op_init(&r, "fovea", "Reorder", 13);
        r.channels_last = true;
        r.plain = variant == 0;
        r.plain_outputs = variant == 1;
        run_op_input(&r, FOVEA_F32, 4, dims, x, false);
        CHECK_OK(run_op_run(&r, 1), r.err);
        CHECK(run_op_error(&r, 0, x, COUNT) == 0);
        run_op_finish(&r);
    }
    free(x);
}

static void pool__average_of_padded_corner__divides_as_asked(void) {
    float x[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, y[4];
    const float inside[4] = {3, 4, 6, 7}, window[4] = {12 / 9.0f, 16 / 9.0f, 24 / 9.0f, 28 / 9.0f};
    struct fovea_dnn *dnn = new_dnn();
    for (int kind = FOVEA_POOL_AVERAGE; kind <= FOVEA_POOL_AVERAGE_COUNT_PADS; kind++) {
        struct fovea_prim *prim = NULL;
        struct fovea_dnn_pool desc = {
            .kind = (enum fovea_dnn_pool_kind)kind,
            .kernel = {3, 3},
            .strides = {2, 2},
            .dilations = {1, 1},
            .pads_before = {1, 1},
            .pads_after = {1, 1},
        };
        desc.src = view_of(4, (int64_t[]){1, 1, 3, 3}, (int64_t[]){9, 9, 3, 1});
        desc.dst = view_of(4, (int64_t[]){1, 1, 2, 2}, (int64_t[]){4, 4, 2, 1});
        CHECK_OK(fovea_dnn_pool(dnn, &desc, &prim, &err), err);
        run_prim(prim, (struct fovea_prim_args){.src = x, .dst = y});
        CHECK(largest_error(y, kind == FOVEA_POOL_AVERAGE ? inside : window, 4) < 1e-6);
        fovea_prim_destroy(prim);
    }
    fovea_dnn_destroy(dnn);
}

static void matmul__no_unit_stride__is_refused(void) {
    struct fovea_dnn *dnn = new_dnn();
    struct fovea_prim *prim = NULL;
    struct fovea_dnn_matmul desc = {.scale = 1};
    desc.src = view_of(2, (int64_t[]){4, 4}, (int64_t[]){8, 2});
    desc.weights = view_of(2, (int64_t[]){4, 4}, (int64_t[]){4, 1});
    desc.dst = view_of(2, (int64_t[]){4, 4}, (int64_t[]){4, 1});
    CHECK(fovea_dnn_matmul(dnn, &desc, &prim, &err) == FOVEA_ERR_BACKEND);
    CHECK(prim == NULL);
    fovea_dnn_destroy(dnn);
}

static void post__operand_of_another_shape__is_refused(void) {
    struct fovea_dnn *dnn = new_dnn();
    struct fovea_prim *prim = NULL;
    struct fovea_dnn_matmul desc = {.scale = 1, .n_posts = 1};
    desc.src = desc.weights = desc.dst = view_of(2, (int64_t[]){4, 4}, (int64_t[]){4, 1});
    desc.posts[0].kind = FOVEA_EPILOGUE_ADD;
    desc.posts[0].operand = view_of(2, (int64_t[]){4, 3}, (int64_t[]){3, 1});
    CHECK(fovea_dnn_matmul(dnn, &desc, &prim, &err) == FOVEA_ERR_BACKEND);
    CHECK_STR(err.message, "operand of post 0 has dimension 1 of 3, against 4");
    fovea_dnn_destroy(dnn);
}

static const struct test tests[] = {
    TEST(version__is_of_the_library),
    TEST(matmul__interleaved_heads__match_reference),
    TEST(matmul__strided_dst__leaves_the_rest_alone),
    TEST(prim__in_two_threads_at_once__gives_the_same),
    TEST(prim__other_number_of_threads__gives_the_same),
    TEST(reorder__plain_to_channels_last__transposes),
    TEST(reorder_op__both_ways__keeps_the_image),
    TEST(pool__average_of_padded_corner__divides_as_asked),
    TEST(matmul__no_unit_stride__is_refused),
    TEST(post__operand_of_another_shape__is_refused),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
