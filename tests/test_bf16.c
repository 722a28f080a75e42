/*
 * bf16 precision: operators whose operands lie in memory as bf16 against
 * naive sums in double over the same rounded operands, and where the pass
 * puts conversions.
 *
 * A result is good to the rounding of what is stored (2^-8 of it) and to that
 * of f32 sums; attention also rounds its weights, to 2^-8 of each.
 */
#include "runtime/bf16_ratio.h"
#include "runtime/half.h"
#include "runtime/session.h"
#include "tests/check.h"
#include "tests/graph_build.h"
#include "tests/reference.h"
#include "tests/run_op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 16 };

static float rounded(float x) {
    return fovea_load_bf16(fovea_store_bf16(x));
}

/* Reproducible values in [-1, 1) that bf16 holds. */
static float *random_halves(int64_t count, uint32_t seed) {
    static float pool[8][MOST];
    static int next;
    float *values = pool[next++ % 8];
    fill_random(values, count, -1, 1, seed);
    for (int64_t i = 0; i < count; i++) {
        values[i] = rounded(values[i]);
    }
    return values;
}

static float got_at(const struct run_op *r, int64_t i) {
    return r->out[0].dtype == FOVEA_BF16 ? fovea_load_bf16(((const uint16_t *)r->out[0].data)[i])
                                         : ((const float *)r->out[0].data)[i];
}

/* Largest |got - want| over its bound; over 1 is wrong. */
static double excess(const struct run_op *r, const float *want, int64_t count, double absolute) {
    double worst = 0, relative = r->out[0].dtype == FOVEA_BF16 ? 0x1p-8 : 0x1p-20;
    if (fovea_tensor_count(&r->out[0]) != count) {
        return INFINITY;
    }
    for (int64_t i = 0; i < count; i++) {
        double error = fabs((double)got_at(r, i) - (double)want[i]);
        double bound = relative * fabs((double)want[i]) + absolute;
        worst = error / bound > worst || isnan(error) ? error / bound : worst;
    }
    return worst;
}

/* ---- operators ------------------------------------------------------------- */

/* halves: the result, and weights that are not constant, are stored as bf16 too */
static void check_conv(int64_t groups, int64_t in, int64_t out, bool channels_last, bool halves) {
    const int64_t x_dims[] = {2, in, 9, 7}, w_dims[] = {out, in / groups, 3, 3};
    struct reference_window window = {
        .spatial = 2,
        .kernel = {3, 3},
        .strides = {1, 1},
        .dilations = {1, 1},
        .before = {1, 1},
        .after = {1, 1},
    };
    float *x = random_halves(2 * in * 63, 1), *w = random_halves(out * in / groups * 9, 2);
    float bias[64], residual[2 * 64 * 63];
    static float want[MOST];
    fill_random(bias, out, -1, 1, 3);
    fill_random(residual, 2 * out * 63, -1, 1, 4);

    struct run_op r;
    run_op_init(&r, "", "Conv", 11);
    run_op_attr_ints(&r, "pads", (const int64_t[]){1, 1, 1, 1}, 4);
    run_op_attr_int(&r, "group", groups);
    run_op_input(&r, FOVEA_F32, 4, x_dims, x, false);
    run_op_input(&r, FOVEA_F32, 4, w_dims, w, !halves);
    run_op_input(&r, FOVEA_F32, 1, &out, bias, true);
    run_op_input(&r, FOVEA_F32, 4, (const int64_t[]){2, out, 9, 7}, residual, false);
    r.epilogue[0] = (struct fovea_epilogue_step){
        .kind = FOVEA_EPILOGUE_ACT, .act = FOVEA_ACT_GELU_ERF, .scale = 1.5f};
    r.epilogue[1] = (struct fovea_epilogue_step){.kind = FOVEA_EPILOGUE_ADD, .input = 3};
    r.n_epilogue = 2;
    r.channels_last = channels_last;
    r.bf16 = halves ? 3 : 1;
    r.plain = 2;
    r.bf16_outputs = halves;

    struct fovea_tensor tx = r.in[0], tw = r.in[1], ty = {.data = want}, tr = r.in[3];
    reference_conv(&tx, &tw, bias, groups, &window, &ty);
    for (int i = 0; i < 2; i++) {
        reference_step(&r.epilogue[i], i ? &tr : NULL, &ty);
    }
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(excess(&r, want, fovea_tensor_count(&ty), 1e-4) <= 1);
    run_op_finish(&r);
}

static void conv__bf16_operands__as_sums_in_double(void) {
    for (int i = 0; i < 4; i++) {
        check_conv(1, 32, 48, i & 1, i & 2);
        check_conv(2, 32, 32, i & 1, i & 2);
        check_conv(1, 3, 16, i & 1, i & 2);
        check_conv(1, 5, 7, i & 1, i & 2);
        check_conv(16, 16, 16, i & 1, i & 2);
    }
}

/* Windows of 3x3 at steps of 2, padded on one side; channels a whole block of the kernel, or not.
 */
static void check_pool(int64_t channels, bool average, bool channels_last) {
    const int64_t x_dims[] = {2, channels, 9, 7}, y_dims[] = {2, channels, 4, 3};
    const int64_t count = 2 * channels * 12;
    const struct reference_window window = {
        .spatial = 2,
        .kernel = {3, 3},
        .strides = {2, 2},
        .dilations = {1, 1},
        .before = {0, 1},
        .after = {1, 0},
    };
    static float want[MOST];
    float *x = random_halves(2 * channels * 63, 1);
    struct run_op r;
    run_op_init(&r, "", average ? "AveragePool" : "MaxPool", 11);
    run_op_attr_ints(&r, "kernel_shape", window.kernel, 2);
    run_op_attr_ints(&r, "strides", window.strides, 2);
    run_op_attr_ints(&r, "pads", (const int64_t[]){0, 1, 1, 0}, 4);
    run_op_input(&r, FOVEA_F32, 4, x_dims, x, false);
    r.channels_last = channels_last;
    r.bf16 = 1;
    r.bf16_outputs = true;
    struct fovea_tensor tx = r.in[0], ty = {.data = want};
    fovea_tensor_set_shape(&ty, FOVEA_F32, 4, y_dims);
    reference_pool(&tx, &window, average, false, &ty, NULL);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(r.out[0].dtype == FOVEA_BF16);
    if (average) {
        CHECK(excess(&r, want, count, 1e-6) <= 1);
    }
    for (int64_t i = 0; !average && i < count; i++) {
        CHECK(got_at(&r, i) == want[i]);
    }
    run_op_finish(&r);
}

static void pool__bf16_operands__as_sums_in_double(void) {
    for (int i = 0; i < 4; i++) {
        check_pool(64, i & 1, i & 2);
        check_pool(70, i & 1, i & 2);
        check_pool(3, i & 1, i & 2);
    }
}

static void linear__bf16_operands__as_sums_in_double(void) {
    enum { M = 37, K = 70, N = 50 };
    const int64_t x_dims[] = {1, M, K}, w_dims[] = {K, N}, n = N;
    float *x = random_halves(M * K, 1), *w = random_halves(K * N, 2);
    float bias[N], want[M * N], wt[K * N];
    fill_random(bias, N, -1, 1, 3);
    reference_matmul(x, w, bias, 1, M, K, N, 1, want);
    for (int i = 0; i < K * N; i++) {
        wt[i % N * K + i / N] = w[i];
    }
    for (int way = 0; way < 8; way++) {
        struct run_op r;
        bool transposed = way & 1;
        run_op_init(&r, "fovea", "Linear", 13);
        run_op_attr_int(&r, "trans_b", transposed);
        run_op_input(&r, FOVEA_F32, 3, x_dims, x, false);
        run_op_input(&r, FOVEA_F32, 2, transposed ? (const int64_t[]){N, K} : w_dims,
                     transposed ? wt : w, !(way & 4));
        run_op_input(&r, FOVEA_F32, 1, &n, bias, true);
        r.bf16 = way & 4 ? 3 : 1;
        r.bf16_outputs = way & 2;
        CHECK_OK(run_op_run(&r, 1), r.err);
        CHECK(excess(&r, want, M * N, 1e-4) <= 1);
        run_op_finish(&r);
    }
}

static void layer_norm__bf16_rows__as_sums_in_double(void) {
    enum { ROWS = 5, N = 777 };
    float *x = random_halves(ROWS * N, 1), scale[N], bias[N], want[ROWS * N];
    const int64_t dims[] = {ROWS, N}, n = N;
    fill_random(scale, N, -1, 1, 2);
    fill_random(bias, N, -1, 1, 3);
    for (int i = 0; i < ROWS; i++) {
        double sum = 0, squares = 0;
        for (int j = 0; j < N; j++) {
            x[i * N + j] = rounded(x[i * N + j] + 8);
            sum += (double)x[i * N + j];
        }
        for (int j = 0; j < N; j++) {
            squares += pow((double)x[i * N + j] - sum / N, 2);
        }
        for (int j = 0; j < N; j++) {
            double y = ((double)x[i * N + j] - sum / N) / sqrt(squares / N + 1e-5);
            want[i * N + j] = (float)(y * (double)scale[j] + (double)bias[j]);
        }
    }
    for (int way = 1; way < 4; way++) {
        struct run_op r;
        run_op_init(&r, "", "LayerNormalization", 17);
        run_op_input(&r, FOVEA_F32, 2, dims, x, false);
        run_op_input(&r, FOVEA_F32, 1, &n, scale, true);
        run_op_input(&r, FOVEA_F32, 1, &n, bias, true);
        r.bf16 = way & 1;
        r.bf16_outputs = way & 2;
        CHECK_OK(run_op_run(&r, 1), r.err);
        CHECK(excess(&r, want, ROWS * N, 2e-5) <= 1);
        run_op_finish(&r);
    }
}

static void elementwise__bf16_operands__f32_arithmetic_rounded_once(void) {
    enum { N = 3000 };
    float *a = random_halves(N, 1), *b = random_halves(3, 2), want[N];
    const int64_t a_dims[] = {1000, 3}, b_dims[] = {3};
    for (int i = 0; i < N; i++) {
        want[i] = a[i] * b[i % 3];
    }
    for (int way = 1; way < 8; way++) {
        struct run_op r;
        run_op_init(&r, "", "Mul", 13);
        run_op_input(&r, FOVEA_F32, 2, a_dims, a, false);
        run_op_input(&r, FOVEA_F32, 1, b_dims, b, false);
        r.bf16 = way & 3;
        r.bf16_outputs = way & 4;
        CHECK_OK(run_op_run(&r, 1), r.err);
        for (int i = 0; i < N; i++) {
            CHECK(got_at(&r, i) == (r.bf16_outputs ? rounded(want[i]) : want[i]));
        }
        run_op_finish(&r);
    }
}

/* q, k, v [1, tokens, 3, heads, dim] packed, as a projection leaves them. */
static void attention__bf16_operands__as_softmax_in_double(void) {
    enum { TOKENS = 67, HEADS = 2, DIM = 24, STEP = 3 * HEADS * DIM };
    const int64_t dims[] = {1, TOKENS, STEP}, y_dims[] = {1, TOKENS, HEADS * DIM};
    float *qkv = random_halves(TOKENS * STEP, 1);
    static float want[TOKENS * HEADS * DIM];
    for (int h = 0; h < HEADS; h++) {
        for (int i = 0; i < TOKENS; i++) {
            double weights[TOKENS], sum = 0;
            for (int j = 0; j < TOKENS; j++) {
                double score = 0;
                for (int c = 0; c < DIM; c++) {
                    score += (double)qkv[i * STEP + h * DIM + c] *
                             (double)qkv[j * STEP + (HEADS + h) * DIM + c];
                }
                sum += weights[j] = exp(score * 0.7);
            }
            for (int c = 0; c < DIM; c++) {
                double y = 0;
                for (int j = 0; j < TOKENS; j++) {
                    y += weights[j] * (double)qkv[j * STEP + (2 * HEADS + h) * DIM + c];
                }
                want[(i * HEADS + h) * DIM + c] = (float)(y / sum);
            }
        }
    }
    for (int halves = 0; halves < 2; halves++) {
        struct run_op r;
        run_op_init(&r, "fovea", "Attention", 13);
        for (int i = 0; i < 3; i++) {
            run_op_input(&r, FOVEA_F32, 3, dims, qkv, false);
        }
        run_op_attr_ints(&r, "dims", (const int64_t[]){1, HEADS, TOKENS, TOKENS, DIM, DIM}, 6);
        run_op_attr_ints(&r, "q", (const int64_t[]){0, 0, DIM, STEP, 1}, 5);
        run_op_attr_ints(&r, "k", (const int64_t[]){HEADS * DIM, 0, DIM, STEP, 1}, 5);
        run_op_attr_ints(&r, "v", (const int64_t[]){2 * HEADS * DIM, 0, DIM, STEP, 1}, 5);
        run_op_attr_ints(&r, "out", (const int64_t[]){0, DIM, HEADS * DIM}, 3);
        run_op_attr_ints(&r, "shape", y_dims, 3);
        run_op_attr_float(&r, "scale", 0.7f);
        r.bf16 = 7;
        r.bf16_outputs = halves;
        CHECK_OK(run_op_run(&r, 1), r.err);
        CHECK(excess(&r, want, TOKENS * HEADS * DIM, 1e-3) <= 1);
        run_op_finish(&r);
    }
}

/* ---- operands of posts ------------------------------------------------------- */

/* A 3x3 convolution that Winograd fits, with a residual in bf16, which its posts do not read. */
static void conv__bf16_residual__the_same_with_winograd_on(void) {
    const int64_t x[4] = {1, 64, 24, 24}, w[4] = {64, 64, 3, 3}, pads[4] = {1, 1, 1, 1};
    const float *image = random_halves(64 * 24 * 24, 1), *residual = random_halves(64 * 24 * 24, 2);
    const float *weights = random_halves(64 * 64 * 9, 3);
    struct run_op r[2];
    for (int i = 0; i < 2; i++) {
        run_op_init(&r[i], "", "Conv", 13);
        r[i].channels_last = true;
        r[i].winograd = i;
        r[i].bf16 = 1u << 2;
        run_op_attr_ints(&r[i], "pads", pads, 4);
        run_op_input(&r[i], FOVEA_F32, 4, x, image, false);
        run_op_input(&r[i], FOVEA_F32, 4, w, weights, true);
        run_op_input(&r[i], FOVEA_F32, 4, x, residual, false);
        r[i].epilogue[0] = (struct fovea_epilogue_step){.kind = FOVEA_EPILOGUE_ADD, .input = 2};
        r[i].n_epilogue = 1;
        CHECK_OK(run_op_run(&r[i], 1), r[i].err);
    }
    CHECK(run_op_error(&r[1], 0, r[0].out[0].data, 64 * 24 * 24) < 4e-5 * 8);
    run_op_finish(&r[0]);
    run_op_finish(&r[1]);
}

/* Passes make no such Join; a compiled file may say anything. */
static void join__bf16_operand_of_the_epilogue__is_refused(void) {
    const int64_t x[4] = {1, 4, 2, 2}, channels[4] = {1, 8, 1, 1};
    struct run_op r;
    run_op_init(&r, "fovea", "Join", 1);
    r.bf16 = 1u << 2;
    run_op_input(&r, FOVEA_F32, 4, x, random_halves(16, 1), false);
    run_op_input(&r, FOVEA_F32, 4, x, random_halves(16, 2), false);
    run_op_input(&r, FOVEA_F32, 4, channels, random_halves(8, 3), true);
    r.epilogue[0] = (struct fovea_epilogue_step){.kind = FOVEA_EPILOGUE_ADD, .input = 2};
    r.n_epilogue = 1;
    CHECK(run_op_run(&r, 1) == FOVEA_ERR_INVALID);
    CHECK(strstr(r.err.message, "an operand of its epilogue is not f32"));
    run_op_finish(&r);
}

int main(int argc, char **argv) {
    const struct test tests[] = {
        TEST(attention__bf16_operands__as_softmax_in_double),
        TEST(conv__bf16_operands__as_sums_in_double),
        TEST(conv__bf16_residual__the_same_with_winograd_on),
        TEST(elementwise__bf16_operands__f32_arithmetic_rounded_once),
        TEST(join__bf16_operand_of_the_epilogue__is_refused),
        TEST(layer_norm__bf16_rows__as_sums_in_double),
        TEST(linear__bf16_operands__as_sums_in_double),
        TEST(pool__bf16_operands__as_sums_in_double),
    };
    return RUN_TESTS(tests, argc, argv);
}
