/* Normalisations against plain double-precision references. */
#include "tests/check.h"
#include "tests/run_op.h"

#include <math.h>
#include <string.h>

enum { MOST = 8192 };

static float x[MOST], scale[MOST], bias[MOST], mean[MOST], variance[MOST], want[MOST];

static void fill(int64_t count, int64_t operands) {
    fill_random(x, count, -2, 5, 11);
    fill_random(scale, operands, 0.5f, 2, 12);
    fill_random(bias, operands, -1, 1, 13);
    fill_random(mean, operands, -1, 1, 14);
    fill_random(variance, operands, 0.1f, 3, 15);
}

/* Mean and biased variance of n elements, `stride` apart. */
static void measure(const float *from, int64_t n, int64_t stride, double *m, double *v) {
    *m = *v = 0;
    for (int64_t i = 0; i < n; i++) {
        *m += (double)from[i * stride] / (double)n;
    }
    for (int64_t i = 0; i < n; i++) {
        *v += ((double)from[i * stride] - *m) * ((double)from[i * stride] - *m) / (double)n;
    }
}

static void check_layer_norm(bool rms, int64_t rows, int64_t n, bool with_bias, int threads) {
    fill(rows * n, n);
    for (int64_t i = 0; i < rows; i++) {
        double m, v;
        measure(x + i * n, n, 1, &m, &v);
        if (rms) {
            v += m * m;
            m = 0;
        }
        for (int64_t j = 0; j < n; j++) {
            want[i * n + j] =
                (float)(((double)x[i * n + j] - m) / sqrt(v + 1e-6) * (double)scale[j] +
                        (with_bias ? (double)bias[j] : 0));
        }
    }
    struct run_op r;
    run_op_init(&r, "", rms ? "RMSNormalization" : "LayerNormalization", rms ? 23 : 17);
    r.threads = threads;
    run_op_attr_float(&r, "epsilon", 1e-6f);
    run_op_input(&r, FOVEA_F32, 2, (int64_t[]){rows, n}, x, false);
    run_op_input(&r, FOVEA_F32, 1, (int64_t[]){n}, scale, true);
    if (with_bias) {
        run_op_input(&r, FOVEA_F32, 1, (int64_t[]){n}, bias, true);
    }
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(run_op_error(&r, 0, want, rows * n) <= 2e-6);
    run_op_finish(&r);
}

static void layer_norm__many_shapes__agrees_with_the_reference(void) {
    static const int64_t shapes[][2] = {{1, 1}, {3, 2}, {5, 64}, {7, 192}, {31, 257}, {0, 8}};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        for (int variant = 0; variant < 4; variant++) {
            check_layer_norm(false, shapes[i][0], shapes[i][1], variant & 1, 1 + (variant >> 1));
        }
        check_layer_norm(true, shapes[i][0], shapes[i][1], false, 2);
    }
}

static void layer_norm__large_mean__keeps_its_accuracy(void) {
    struct run_op r;
    float far[4] = {10000, 10001, 10002, 10003}, ones[4] = {1, 1, 1, 1};
    run_op_init(&r, "", "LayerNormalization", 17);
    run_op_attr_float(&r, "epsilon", 0);
    run_op_input(&r, FOVEA_F32, 1, (int64_t[]){4}, far, false);
    run_op_input(&r, FOVEA_F32, 1, (int64_t[]){4}, ones, true);
    CHECK_OK(run_op_run(&r, 1), r.err);
    const float expected[4] = {-1.3416408f, -0.4472136f, 0.4472136f, 1.3416408f};
    CHECK(run_op_error(&r, 0, expected, 4) < 1e-6);
    run_op_finish(&r);
}

static void layer_norm__statistics_wanted__have_the_kept_shape(void) {
    struct run_op r;
    float rows[4] = {1, 3, 5, 5}, ones[2] = {1, 1};
    run_op_init(&r, "", "LayerNormalization", 17);
    run_op_attr_float(&r, "epsilon", 0.25f);
    run_op_input(&r, FOVEA_F32, 3, (int64_t[]){2, 1, 2}, rows, false);
    run_op_input(&r, FOVEA_F32, 1, (int64_t[]){2}, ones, true);
    CHECK_OK(run_op_run(&r, 3), r.err);
    CHECK(r.out[1].rank == 3 && r.out[1].dims[0] == 2 && r.out[1].dims[2] == 1);
    CHECK(run_op_error(&r, 1, (float[]){2, 5}, 2) == 0);
    CHECK(run_op_error(&r, 2, (float[]){0.8944272f, 2}, 2) < 1e-6);
    run_op_finish(&r);
}

/* Batch statistics of every channel, in place of mean[] and variance[]. */
static void measure_channels(const int64_t *dims) {
    int64_t plane = dims[2] * dims[3];
    for (int64_t c = 0; c < dims[1]; c++) {
        double sum = 0, squares = 0;
        for (int pass = 0; pass < 2; pass++) {
            for (int64_t n = 0; n < dims[0]; n++) {
                for (int64_t i = 0; i < plane; i++) {
                    double v = (double)x[(n * dims[1] + c) * plane + i];
                    double d = v - sum / (double)(dims[0] * plane);
                    *(pass ? &squares : &sum) += pass ? d * d : v;
                }
            }
        }
        mean[c] = (float)(sum / (double)(dims[0] * plane));
        variance[c] = (float)(squares / (double)(dims[0] * plane));
    }
}

static void batch_norm_reference(const int64_t *dims) {
    int64_t plane = dims[2] * dims[3];
    for (int64_t i = 0; i < dims[0] * dims[1] * plane; i++) {
        int64_t c = i / plane % dims[1];
        want[i] = (float)(((double)x[i] - (double)mean[c]) / sqrt((double)variance[c] + 1e-5) *
                              (double)scale[c] +
                          (double)bias[c]);
    }
}

static void add_batch_norm_inputs(struct run_op *r, int rank, const int64_t *dims) {
    const float *operands[] = {scale, bias, mean, variance};
    run_op_input(r, FOVEA_F32, rank, dims, x, false);
    for (int i = 0; i < 4; i++) {
        run_op_input(r, FOVEA_F32, 1, dims + 1, operands[i], true);
    }
}

static void check_batch_norm(const int64_t *dims, bool channels_last, int threads) {
    struct run_op r;
    int64_t count = dims[0] * dims[1] * dims[2] * dims[3];
    fill(count, dims[1]);
    batch_norm_reference(dims);
    run_op_init(&r, "", "BatchNormalization", 15);
    r.channels_last = channels_last;
    r.threads = threads;
    add_batch_norm_inputs(&r, 4, dims);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(run_op_error(&r, 0, want, count) <= 4e-6);
    run_op_finish(&r);
}

static const int64_t images[][4] = {
    {1, 1, 1, 1}, {2, 3, 4, 5}, {3, 17, 7, 9}, {1, 64, 2, 2},
    {2, 5, 1, 1}, {0, 3, 2, 2}, {2, 0, 2, 2},
};

static void batch_norm__inference__agrees_in_both_layouts(void) {
    for (size_t i = 0; i < sizeof(images) / sizeof(images[0]); i++) {
        for (int variant = 0; variant < 4; variant++) {
            check_batch_norm(images[i], variant & 1, 1 + (variant >> 1));
        }
    }
}

/* The running statistics go in, and come out mixed with those of the batch. */
static void check_training(const int64_t *dims, int opset, int n_out, bool channels_last) {
    struct run_op r;
    int64_t count = dims[0] * dims[1] * dims[2] * dims[3];
    float former[64];
    fill(count, dims[1]);
    memcpy(former, mean, sizeof(former));
    run_op_init(&r, "", "BatchNormalization", opset);
    r.channels_last = channels_last;
    run_op_attr_float(&r, "momentum", 0.75f);
    if (opset >= 14) {
        run_op_attr_int(&r, "training_mode", 1);
    }
    add_batch_norm_inputs(&r, 4, dims);
    CHECK_OK(run_op_run(&r, n_out), r.err);
    measure_channels(dims);
    batch_norm_reference(dims);
    CHECK(run_op_error(&r, 0, want, count) <= 1e-5);
    if (n_out == 5) {
        CHECK(run_op_error(&r, 3, mean, dims[1]) < 1e-6);
        CHECK(run_op_error(&r, 4, variance, dims[1]) < 1e-5);
    }
    for (int64_t c = 0; c < dims[1] && n_out > 1; c++) {
        want[c] = former[c] * 0.75f + mean[c] * 0.25f;
    }
    CHECK(n_out == 1 || run_op_error(&r, 1, want, dims[1]) < 1e-6);
    run_op_finish(&r);
}

static void batch_norm__training__uses_the_statistics_of_the_batch(void) {
    static const int64_t dims[4] = {2, 7, 5, 3};
    for (int channels_last = 0; channels_last < 2; channels_last++) {
        check_training(dims, 14, 1, channels_last);
        check_training(dims, 15, 3, channels_last);
        check_training(dims, 9, 5, channels_last);
    }
}

/* As NFNet exporters write weight standardisation: [1, O, fan_in], a row each. */
static void batch_norm__training_on_weights__standardises_rows(void) {
    struct run_op r;
    fill(3 * 40, 3);
    for (int64_t c = 0; c < 3; c++) {
        double m, v;
        measure(x + c * 40, 40, 1, &m, &v);
        for (int64_t i = 0; i < 40; i++) {
            want[c * 40 + i] =
                (float)(((double)x[c * 40 + i] - m) / sqrt(v + 1e-5) * (double)scale[c] +
                        (double)bias[c]);
        }
    }
    run_op_init(&r, "", "BatchNormalization", 17);
    run_op_attr_int(&r, "training_mode", 1);
    run_op_attr_float(&r, "momentum", 1);
    add_batch_norm_inputs(&r, 3, (int64_t[]){1, 3, 40});
    CHECK_OK(run_op_run(&r, 3), r.err);
    CHECK(run_op_error(&r, 0, want, 120) < 5e-6);
    run_op_finish(&r);
}

static void check_refusal(struct run_op *r, int n_out, enum fovea_status status,
                          const char *message) {
    CHECK(run_op_run(r, n_out) == status);
    CHECK_STR(r->err.message, message);
    run_op_finish(r);
}

static void batch_norm__bad_operands__are_refused_precisely(void) {
    struct run_op r;
    fill(64, 8);
    run_op_init(&r, "", "BatchNormalization", 15);
    add_batch_norm_inputs(&r, 4, (int64_t[]){1, 2, 2, 2});
    r.in[3].dims[0] = 3;
    check_refusal(&r, 1, FOVEA_ERR_INVALID,
                  "node 'test' (BatchNormalization): the mean has shape [3]; it must be [2]");
    run_op_init(&r, "", "BatchNormalization", 15);
    run_op_attr_float(&r, "epsilon", NAN);
    add_batch_norm_inputs(&r, 4, (int64_t[]){1, 2, 2, 2});
    check_refusal(&r, 1, FOVEA_ERR_INVALID,
                  "node 'test' (BatchNormalization): epsilon is nan; it must be a finite number, "
                  "not negative");
    run_op_init(&r, "", "BatchNormalization", 15);
    add_batch_norm_inputs(&r, 4, (int64_t[]){1, 2, 2, 2});
    check_refusal(&r, 2, FOVEA_ERR_INVALID,
                  "node 'test' (BatchNormalization): 2 outputs without training_mode; only 1 is "
                  "defined");
}

static void layer_norm__bad_operands__are_refused_precisely(void) {
    struct run_op r;
    fill(64, 8);
    run_op_init(&r, "", "LayerNormalization", 17);
    run_op_attr_int(&r, "axis", 5);
    run_op_input(&r, FOVEA_F32, 2, (int64_t[]){2, 3}, x, false);
    run_op_input(&r, FOVEA_F32, 1, (int64_t[]){3}, scale, true);
    check_refusal(&r, 1, FOVEA_ERR_INVALID,
                  "node 'test' (LayerNormalization): axis 5 is outside a rank-2 input");
    run_op_init(&r, "", "LayerNormalization", 17);
    run_op_input(&r, FOVEA_F32, 2, (int64_t[]){2, 3}, x, false);
    run_op_input(&r, FOVEA_F32, 1, (int64_t[]){2}, scale, true);
    check_refusal(&r, 1, FOVEA_ERR_INVALID,
                  "node 'test' (LayerNormalization): the scale has shape [2]; it must be that of "
                  "the input's axes from 1 on, of [2,3]");
}

/* Groups of neighbouring channels of [batch, channels, plane]; `operands` elements of scale. */
static void group_reference(const int64_t dims[3], int64_t groups, int64_t operands) {
    int64_t per_group = dims[1] / groups, n = per_group * dims[2];
    for (int64_t i = 0; i < dims[0] * groups; i++) {
        double m, v;
        measure(x + i * n, n, 1, &m, &v);
        for (int64_t j = 0; j < n; j++) {
            int64_t channel = i % groups * per_group + j / dims[2];
            int64_t at = channel * operands / dims[1];
            want[i * n + j] =
                (float)(((double)x[i * n + j] - m) / sqrt(v + 1e-5) * (double)scale[at] +
                        (double)bias[at]);
        }
    }
}

static void check_groups(const char *type, int opset, int64_t groups, int64_t operands,
                         int threads) {
    struct run_op r;
    const int64_t dims[3] = {2, 12, 35};
    fill(2 * 12 * 35, 12);
    group_reference(dims, groups, operands);
    run_op_init(&r, "", type, opset);
    r.threads = threads;
    if (strcmp(type, "GroupNormalization") == 0) {
        run_op_attr_int(&r, "num_groups", groups);
    }
    run_op_input(&r, FOVEA_F32, 3, dims, x, false);
    run_op_input(&r, FOVEA_F32, 1, &operands, scale, true);
    run_op_input(&r, FOVEA_F32, 1, &operands, bias, true);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(run_op_error(&r, 0, want, 2 * 12 * 35) <= 4e-6);
    run_op_finish(&r);
}

static void instance_and_group_norm__each_opset__agree_with_the_reference(void) {
    for (int threads = 1; threads <= 2; threads++) {
        check_groups("InstanceNormalization", 6, 12, 12, threads);
        check_groups("GroupNormalization", 18, 3, 3, threads);
        check_groups("GroupNormalization", 21, 3, 12, threads);
        check_groups("GroupNormalization", 21, 1, 12, threads);
        check_groups("GroupNormalization", 21, 12, 12, threads);
    }
}

static void group_norm__groups_that_do_not_divide__are_refused(void) {
    struct run_op r;
    fill(64, 12);
    run_op_init(&r, "", "GroupNormalization", 21);
    run_op_attr_int(&r, "num_groups", 5);
    run_op_input(&r, FOVEA_F32, 2, (int64_t[]){1, 12}, x, false);
    run_op_input(&r, FOVEA_F32, 1, (int64_t[]){12}, scale, true);
    run_op_input(&r, FOVEA_F32, 1, (int64_t[]){12}, bias, true);
    check_refusal(&r, 1, FOVEA_ERR_INVALID,
                  "node 'test' (GroupNormalization): num_groups is 5; it must divide 12 channels");
}

static void lp_norm__each_p__divides_by_the_norm(void) {
    for (int64_t p = 1; p <= 2; p++) {
        struct run_op r;
        const float in[6] = {3, 0, -4, 0, 0, 0};
        const float by_p[2][6] = {{3 / 7.0f, 0, -4 / 7.0f, 0, 0, 0}, {0.6f, 0, -0.8f, 0, 0, 0}};
        run_op_init(&r, "", "LpNormalization", 1);
        run_op_attr_int(&r, "p", p);
        run_op_attr_int(&r, "axis", 0);
        run_op_input(&r, FOVEA_F32, 2, (int64_t[]){3, 2}, in, false);
        CHECK_OK(run_op_run(&r, 1), r.err);
        CHECK(run_op_error(&r, 0, by_p[p - 1], 6) < 1e-7);
        run_op_finish(&r);
    }
}

static void lrn__window_at_the_edges__is_cut(void) {
    struct run_op r;
    const float in[4] = {1, 2, 3, 4};
    /* size 4: one channel before, two after */
    const float sums[4] = {14, 30, 29, 25};
    float expected[4];
    for (int c = 0; c < 4; c++) {
        expected[c] = in[c] / (float)pow(2 + 0.5 / 4 * (double)sums[c], 0.5);
    }
    run_op_init(&r, "", "LRN", 13);
    run_op_attr_int(&r, "size", 4);
    run_op_attr_float(&r, "alpha", 0.5f);
    run_op_attr_float(&r, "beta", 0.5f);
    run_op_attr_float(&r, "bias", 2);
    run_op_input(&r, FOVEA_F32, 4, (int64_t[]){1, 4, 1, 1}, in, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(run_op_error(&r, 0, expected, 4) < 1e-6);
    run_op_finish(&r);
}

static void mean_variance_norm__default_axes__normalises_channels(void) {
    struct run_op r;
    const float in[4] = {1, 5, 3, 7}, expected[4] = {-1, -1, 1, 1};
    run_op_init(&r, "", "MeanVarianceNormalization", 13);
    run_op_input(&r, FOVEA_F32, 4, (int64_t[]){2, 2, 1, 1}, in, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(run_op_error(&r, 0, expected, 4) < 1e-6);
    run_op_finish(&r);
}

static void lrn_and_lp_norm__bad_attributes__are_refused(void) {
    struct run_op r;
    run_op_init(&r, "", "LRN", 13);
    run_op_attr_int(&r, "size", 0);
    run_op_input(&r, FOVEA_F32, 4, (int64_t[]){1, 1, 1, 1}, x, false);
    check_refusal(&r, 1, FOVEA_ERR_INVALID, "node 'test' (LRN): size is 0; it must be at least 1");
    run_op_init(&r, "", "LpNormalization", 1);
    run_op_attr_int(&r, "p", 3);
    run_op_input(&r, FOVEA_F32, 1, (int64_t[]){1}, x, false);
    check_refusal(&r, 1, FOVEA_ERR_INVALID,
                  "node 'test' (LpNormalization): p is 3; it must be 1 or 2");
}

static const struct test tests[] = {
    TEST(layer_norm__many_shapes__agrees_with_the_reference),
    TEST(layer_norm__large_mean__keeps_its_accuracy),
    TEST(layer_norm__statistics_wanted__have_the_kept_shape),
    TEST(layer_norm__bad_operands__are_refused_precisely),
    TEST(batch_norm__inference__agrees_in_both_layouts),
    TEST(batch_norm__training__uses_the_statistics_of_the_batch),
    TEST(batch_norm__training_on_weights__standardises_rows),
    TEST(batch_norm__bad_operands__are_refused_precisely),
    TEST(instance_and_group_norm__each_opset__agree_with_the_reference),
    TEST(group_norm__groups_that_do_not_divide__are_refused),
    TEST(lp_norm__each_p__divides_by_the_norm),
    TEST(lrn__window_at_the_edges__is_cut),
    TEST(mean_variance_norm__default_axes__normalises_channels),
    TEST(lrn_and_lp_norm__bad_attributes__are_refused),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
