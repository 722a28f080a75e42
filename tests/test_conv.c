/*
 * Conv against a plain C reference. Inputs and weights are in [-1, 1]; f32
 * sums over K products in another order differ by about sqrt(K) * 6e-8, so the
 * tolerance is 2e-6 * (1 + sqrt(K)); oneDNN's activations add up to 2e-6.
 */
#include "tests/check.h"
#include "tests/reference.h"
#include "tests/run_op.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct conv_case {
    const char *name;
    int rank;
    int64_t x[5], w[5];
    int64_t groups;
    int64_t strides[3], dilations[3], pads[6]; /* 0 for a stride or dilation reads as 1 */
    bool bias;
    struct fovea_epilogue_step steps[FOVEA_MAX_EPILOGUE];
    int64_t operands[FOVEA_MAX_EPILOGUE][5]; /* dims, of the output's rank */
    int n_steps;
    bool plain_operands; /* even where the image is channels-last */
};

static struct fovea_tensor random_tensor(int rank, const int64_t *dims, uint32_t seed) {
    struct fovea_tensor t;
    fovea_tensor_set_shape(&t, FOVEA_F32, rank, dims);
    t.data = fovea_aligned_alloc(fovea_tensor_bytes(&t));
    fill_random(t.data, fovea_tensor_count(&t), -1, 1, seed);
    return t;
}

static void window_of(const struct conv_case *c, struct reference_window *w) {
    w->spatial = c->rank - 2;
    for (int d = 0; d < w->spatial; d++) {
        w->kernel[d] = c->w[2 + d];
        w->strides[d] = c->strides[d] ? c->strides[d] : 1;
        w->dilations[d] = c->dilations[d] ? c->dilations[d] : 1;
        w->before[d] = c->pads[d];
        w->after[d] = c->pads[w->spatial + d];
    }
}

static double conv_error(const struct conv_case *c, bool channels_last, bool constant,
                         int threads) {
    struct run_op r;
    struct reference_window window;
    struct fovea_tensor x = random_tensor(c->rank, c->x, 1), w = random_tensor(c->rank, c->w, 2);
    struct fovea_tensor bias = random_tensor(1, c->w, 3), operands[FOVEA_MAX_EPILOGUE];
    struct fovea_tensor want = {.data = malloc(1 << 22)};
    window_of(c, &window);
    reference_conv(&x, &w, c->bias ? bias.data : NULL, c->groups, &window, &want);
    run_op_init(&r, "", "Conv", 13);
    r.channels_last = channels_last;
    r.plain = c->plain_operands ? ~1u : 1u << 1;
    r.threads = threads;
    run_op_attr_ints(&r, "strides", window.strides, (size_t)window.spatial);
    run_op_attr_ints(&r, "dilations", window.dilations, (size_t)window.spatial);
    run_op_attr_ints(&r, "pads", c->pads, 2 * (size_t)window.spatial);
    run_op_attr_int(&r, "group", c->groups);
    run_op_input(&r, FOVEA_F32, c->rank, c->x, x.data, false);
    run_op_input(&r, FOVEA_F32, c->rank, c->w, w.data, constant);
    if (c->bias) {
        run_op_input(&r, FOVEA_F32, 1, c->w, bias.data, false);
    }
    for (int i = 0; i < c->n_steps; i++) {
        operands[i].data = NULL;
        r.epilogue[i] = c->steps[i];
        if (c->steps[i].kind != FOVEA_EPILOGUE_ACT) {
            r.epilogue[i].input = r.n_in;
            operands[i] = random_tensor(c->rank, c->operands[i], 4 + (uint32_t)i);
            run_op_input(&r, FOVEA_F32, c->rank, c->operands[i], operands[i].data, false);
        }
        reference_step(&c->steps[i], &operands[i], &want);
    }
    r.n_epilogue = c->n_steps;
    double error = INFINITY;
    if (run_op_run(&r, 1)) {
        check_failed(__FILE__, __LINE__, c->name, r.err.message);
    } else {
        error = run_op_error(&r, 0, want.data, fovea_tensor_count(&want));
    }
    run_op_finish(&r);
    for (int i = 0; i < c->n_steps; i++) {
        free(operands[i].data);
    }
    free(x.data);
    free(w.data);
    free(bias.data);
    free(want.data);
    return error;
}

/* Plain and channels-last, packed and runtime weights, one thread and two. */
static void check_conv(const struct conv_case *c) {
    double products = 1;
    for (int d = 1; d < c->rank; d++) {
        products *= (double)c->w[d];
    }
    double tolerance = 2e-6 * (1 + sqrt(products)) + (c->n_steps ? 4e-6 : 0);
    for (int variant = 0; variant < 8; variant++) {
        bool last = variant & 1, constant = variant & 2;
        int threads = variant & 4 ? 2 : 1;
        if (last && c->rank != 4) {
            continue;
        }
        double error = conv_error(c, last, constant, threads);
        if (!(error <= tolerance)) {
            char detail[200];
            snprintf(detail, sizeof(detail), "error %g > %g (%s, %s weights, %d threads)", error,
                     tolerance, last ? "channels-last" : "plain", constant ? "packed" : "runtime",
                     threads);
            check_failed(__FILE__, __LINE__, c->name, detail);
        }
    }
}

static void conv__shapes__match_reference(void) {
    static const struct conv_case cases[] = {
        {"1x1", 4, {1, 5, 7, 9}, {6, 5, 1, 1}, 1, .bias = true},
        {"1x1 of 64", 4, {1, 64, 8, 8}, {32, 64, 1, 1}, 1, .bias = true},
        {"3x3", 4, {2, 16, 9, 11}, {16, 16, 3, 3}, 1, .pads = {1, 1, 1, 1}, .bias = true},
        {"3x3 no bias", 4, {1, 3, 9, 11}, {8, 3, 3, 3}, 1, .pads = {1, 1, 1, 1}},
        {"stem", 4, {1, 3, 17, 19}, {16, 3, 3, 3}, 1, {2, 2}, {0}, {0, 0, 1, 1}, .bias = true},
        {"stride 3", 4, {1, 8, 10, 10}, {8, 8, 2, 2}, 1, {3, 3}, .bias = true},
        {"patch", 4, {1, 3, 32, 32}, {24, 3, 8, 8}, 1, {8, 8}, .bias = true},
        {"asymmetric", 4, {1, 4, 6, 7}, {5, 4, 3, 2}, 1, {1, 2}, {0}, {2, 0, 1, 1}, .bias = true},
        {"dilated", 4, {1, 4, 12, 13}, {4, 4, 3, 3}, 1, {1, 1}, {2, 3}, {2, 3, 2, 3}, .bias = true},
        {"groups 2", 4, {1, 32, 6, 6}, {48, 16, 3, 3}, 2, {1, 1}, {0}, {1, 1, 1, 1}, .bias = true},
        {"groups odd", 4, {1, 6, 6, 6}, {9, 2, 3, 3}, 3, {1, 1}, {0}, {1, 1, 1, 1}, .bias = true},
        {"groups 128 wide", 4, {1, 256, 5, 5}, {256, 128, 3, 3}, 2, .pads = {1, 1, 1, 1}},
        {"depthwise", 4, {2, 7, 8, 8}, {7, 1, 3, 3}, 7, {2, 2}, {0}, {1, 1, 1, 1}, .bias = true},
        {"depthwise x2", 4, {1, 4, 8, 8}, {8, 1, 3, 3}, 4, .pads = {1, 1, 1, 1}, .bias = true},
        {"one pixel", 4, {1, 8, 1, 1}, {4, 8, 1, 1}, 1, .bias = true},
        {"one pixel in 3x3", 4, {1, 8, 1, 1}, {4, 8, 3, 3}, 1, .pads = {1, 1, 1, 1}},
        {"one channel", 4, {1, 1, 6, 6}, {1, 1, 3, 3}, 1, .bias = false},
        {"K of 1", 4, {3, 1, 4, 5}, {7, 1, 1, 1}, 1, .bias = true},
        {"pads over kernel", 4, {1, 16, 3, 3}, {16, 16, 3, 3}, 1, .pads = {5, 4, 3, 7}},
        {"leftover", 4, {1, 8, 9, 10}, {8, 8, 3, 3}, 1, {4, 4}, .bias = true},
        {"stride over input", 4, {1, 8, 5, 5}, {8, 8, 3, 3}, 1, {1000000, 70}, .bias = true},
        {"1-d", 3, {2, 6, 20}, {8, 6, 5}, 1, {2}, {2}, {3, 1}, .bias = true},
        {"1-d groups", 3, {1, 6, 20}, {6, 2, 3}, 3, .pads = {1, 1}, .bias = true},
        {"3-d", 5, {1, 4, 5, 6, 7}, {6, 4, 2, 3, 3}, 1, .pads = {0, 1, 1, 1, 1, 1}, .bias = true},
        {"empty batch", 4, {0, 4, 5, 5}, {4, 4, 3, 3}, 1, .bias = true},
        {"no channels", 4, {1, 0, 5, 5}, {4, 0, 3, 3}, 1, .bias = true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_conv(&cases[i]);
    }
}

static void conv__every_act__matches_reference(void) {
    for (int act = 0; act < FOVEA_N_ACTS; act++) {
        struct conv_case c = {"act", 4, {1, 16, 6, 7}, {16, 16, 3, 3}, 1, .bias = true};
        char name[32];
        snprintf(name, sizeof(name), "act %d", act);
        c.name = name;
        c.n_steps = 1;
        c.steps[0] = (struct fovea_epilogue_step){
            FOVEA_EPILOGUE_ACT, (enum fovea_act)act, 0.3f, 0.6f, 1.25f, 0};
        check_conv(&c);
    }
}

static void conv__operands_of_every_shape__match_reference(void) {
    static const int64_t shapes[][4] = {
        {2, 16, 6, 6}, {1, 16, 1, 1}, {1, 1, 1, 1}, {1, 16, 6, 6}, {2, 1, 1, 1},
        {2, 16, 1, 1}, {1, 1, 6, 6},  {1, 1, 1, 6}, {2, 1, 6, 6},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        for (int kind = FOVEA_EPILOGUE_ADD; kind <= FOVEA_EPILOGUE_MUL; kind++) {
            struct conv_case c = {"operand",     4,           {2, 8, 6, 6},
                                  {16, 8, 3, 3}, 1,           .pads = {1, 1, 1, 1},
                                  .bias = true,  .n_steps = 2};
            char name[32];
            snprintf(name, sizeof(name), "operand shape %zu kind %d", i, kind);
            c.name = name;
            c.steps[0] =
                (struct fovea_epilogue_step){(enum fovea_epilogue_kind)kind, 0, 0, 0, 1, 0};
            memcpy(c.operands[0], shapes[i], sizeof(shapes[i]));
            c.steps[1] =
                (struct fovea_epilogue_step){FOVEA_EPILOGUE_ACT, FOVEA_ACT_RELU, 0, 0, 1, 0};
            check_conv(&c);
        }
    }
}

/* A residual in the other layout than the result: not what passes make, but not wrong. */
static void conv__operand_of_other_layout__matches_reference(void) {
    struct conv_case c = {"other layout",         4,           {2, 8, 6, 6},
                          {16, 8, 3, 3},          1,           .pads = {1, 1, 1, 1},
                          .plain_operands = true, .n_steps = 1};
    c.steps[0].kind = FOVEA_EPILOGUE_ADD;
    memcpy(c.operands[0], (int64_t[4]){2, 16, 6, 6}, 4 * sizeof(int64_t));
    check_conv(&c);
}

static void conv__four_steps__match_reference(void) {
    struct conv_case c = {"four steps",   4,           {1, 32, 8, 8},
                          {32, 32, 3, 3}, 1,           .pads = {1, 1, 1, 1},
                          .bias = true,   .n_steps = 4};
    c.steps[0] =
        (struct fovea_epilogue_step){FOVEA_EPILOGUE_ACT, FOVEA_ACT_GELU_ERF, 0, 0, 1.7f, 0};
    c.steps[1] = (struct fovea_epilogue_step){FOVEA_EPILOGUE_MUL, 0, 0, 0, 1, 0};
    c.steps[2] = (struct fovea_epilogue_step){FOVEA_EPILOGUE_ADD, 0, 0, 0, 1, 0};
    c.steps[3] = (struct fovea_epilogue_step){FOVEA_EPILOGUE_ACT, FOVEA_ACT_GELU_TANH, 0, 0, 1, 0};
    memcpy(c.operands[1], (int64_t[4]){1, 32, 1, 1}, 4 * sizeof(int64_t));
    memcpy(c.operands[2], (int64_t[4]){1, 32, 8, 8}, 4 * sizeof(int64_t));
    check_conv(&c);
}

/* As passes make it of a Clip that has only a minimum. */
static void conv__clip_without_an_upper_bound__keeps_infinity(void) {
    enum { CHANNELS = 16, PIXELS = 4 };
    const float x[PIXELS] = {INFINITY, -INFINITY, 3e38f, -1}, y[PIXELS] = {INFINITY, 0, 3e38f, 0};
    float w[CHANNELS], want[CHANNELS * PIXELS];
    for (int i = 0; i < CHANNELS; i++) {
        w[i] = 1;
        memcpy(want + i * PIXELS, y, sizeof(y));
    }
    for (int last = 0; last < 2; last++) {
        struct run_op r;
        run_op_init(&r, "", "Conv", 13);
        r.channels_last = last;
        run_op_input(&r, FOVEA_F32, 4, (const int64_t[]){1, 1, 2, 2}, x, false);
        run_op_input(&r, FOVEA_F32, 4, (const int64_t[]){CHANNELS, 1, 1, 1}, w, true);
        r.epilogue[0] = (struct fovea_epilogue_step){.kind = FOVEA_EPILOGUE_ACT,
                                                     .act = FOVEA_ACT_CLIP,
                                                     .alpha = 0,
                                                     .beta = INFINITY,
                                                     .scale = 1};
        r.n_epilogue = 1;
        CHECK_OK(run_op_run(&r, 1), r.err);
        CHECK(memcmp(r.out[0].data, want, sizeof(want)) == 0);
        run_op_finish(&r);
    }
}

/* oneDNN 2.6.3 gives the second of two eltwise posts of one algorithm the numbers of the first. */
static void conv__two_acts__each_has_its_own_numbers(void) {
    for (int first = 0; first < FOVEA_N_ACTS; first++) {
        for (int second = 0; second < FOVEA_N_ACTS; second++) {
            struct conv_case c = {"two acts", 4, {1, 16, 6, 7}, {16, 16, 1, 1}, 1, .bias = false};
            char name[32];
            snprintf(name, sizeof(name), "acts %d and %d", first, second);
            c.name = name;
            c.n_steps = 2;
            c.steps[0] = (struct fovea_epilogue_step){
                FOVEA_EPILOGUE_ACT, (enum fovea_act)first, 0.3f, 0.6f, 0.25f, 0};
            c.steps[1] = (struct fovea_epilogue_step){
                FOVEA_EPILOGUE_ACT, (enum fovea_act)second, 0.05f, 0.4f, 3, 0};
            check_conv(&c);
        }
    }
}

/*
 * Places whose window is all padding: oneDNN 2.6.3 followed a null pointer there, or left out the
 * second operand, depending on the kernel it chose.
 */
static void conv__padding_wider_than_the_kernel__has_all_operands(void) {
    static const struct conv_case shapes[] = {
        {"1x1", 4, {1, 8, 6, 6}, {8, 8, 1, 1}, 1, .pads = {1, 1, 1, 1}},
        {"1x1 below", 4, {2, 8, 7, 7}, {8, 8, 1, 1}, 1, .pads = {0, 0, 1, 0}},
        {"1x1 asymmetric", 4, {1, 3, 9, 9}, {8, 3, 1, 1}, 1, .pads = {2, 0, 2, 0}},
        {"1x1, stride 2", 4, {1, 32, 9, 9}, {16, 32, 1, 1}, 1, {2, 2}, .pads = {1, 1, 1, 1}},
        {"3x3", 4, {1, 8, 6, 6}, {8, 8, 3, 3}, 1, .pads = {3, 3, 3, 3}},
        {"3x3 below", 4, {1, 10, 20, 20}, {16, 10, 3, 3}, 1, .pads = {1, 0, 3, 0}},
        {"3x3, stride 2", 4, {1, 3, 9, 9}, {8, 3, 3, 3}, 1, {2, 2}, .pads = {4, 1, 1, 1}},
        {"5x5", 4, {1, 8, 20, 20}, {17, 8, 5, 5}, 1, .pads = {2, 2, 6, 2}},
        {"groups", 4, {1, 10, 9, 9}, {8, 5, 1, 1}, 2, .pads = {1, 1, 1, 1}},
        {"depthwise", 4, {1, 16, 20, 20}, {16, 1, 3, 3}, 16, .pads = {4, 0, 4, 0}},
    };
    static const struct fovea_epilogue_step relu = {.act = FOVEA_ACT_RELU, .scale = 1};
    static const struct fovea_epilogue_step swish = {
        .act = FOVEA_ACT_SWISH, .alpha = 1, .scale = 0.25f};
    static const struct fovea_epilogue_step add = {.kind = FOVEA_EPILOGUE_ADD, .scale = 1};
    static const struct fovea_epilogue_step mul = {.kind = FOVEA_EPILOGUE_MUL, .scale = 1};
    static const struct fovea_epilogue_step ends[][4] = {
        {add}, {swish, add}, {add, add, relu}, {add, mul, swish, add}, {mul, add}};
    static const int counts[] = {1, 2, 3, 4, 2};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct reference_window window;
        struct fovea_tensor x = random_tensor(4, shapes[i].x, 1), y = {.data = malloc(1 << 22)};
        struct fovea_tensor w = random_tensor(4, shapes[i].w, 2);
        window_of(&shapes[i], &window);
        reference_conv(&x, &w, NULL, shapes[i].groups, &window, &y); /* for the size of operands */
        for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
            struct conv_case c = shapes[i];
            c.n_steps = counts[k];
            memcpy(c.steps, ends[k], sizeof(ends[k]));
            for (int j = 0; j < c.n_steps; j++) {
                memcpy(c.operands[j], y.dims, 4 * sizeof(int64_t));
            }
            check_conv(&c);
        }
        free(x.data);
        free(w.data);
        free(y.data);
    }
}

/* What ops/tiled.h computes, with its ends: posts of the kernel's own, and others. */
static void conv__few_pixels_and_many_weights__match_reference(void) {
    static const struct conv_case cases[] = {
        {"1x1 on 7x7", 4, {1, 256, 7, 7}, {64, 256, 1, 1}, 1, .bias = true},
        {"300 channels", 4, {1, 300, 5, 5}, {128, 300, 1, 1}, 1, .bias = false},
        {"240 pixels", 4, {1, 256, 15, 16}, {64, 256, 1, 1}, 1, .bias = true},
        {"6 pixels", 4, {1, 256, 2, 3}, {192, 256, 1, 1}, 1, .bias = true},
        {"1x1, stride 2", 4, {2, 256, 9, 8}, {64, 256, 1, 1}, 1, {2, 2}, .bias = true},
        {"3x3", 4, {1, 130, 6, 7}, {64, 130, 3, 3}, 1, .pads = {1, 1, 1, 1}, .bias = true},
        {"3x3, stride 2", 4, {3, 64, 9, 8}, {64, 64, 3, 3}, 1, {2, 2}, .pads = {1, 1, 1, 1}},
        {"7x2", 4, {1, 32, 9, 8}, {64, 32, 7, 2}, 1, {1, 2}, {0}, {2, 0, 3, 1}, .bias = true},
        {"dilated", 4, {1, 40, 9, 9}, {64, 40, 3, 3}, 1, .dilations = {2, 3}, .pads = {2, 3, 1, 3}},
        {"groups", 4, {1, 384, 7, 7}, {192, 128, 3, 3}, 3, .pads = {1, 1, 1, 1}, .bias = true},
    };
    static const struct fovea_epilogue_step relu = {.act = FOVEA_ACT_RELU, .scale = 1};
    static const struct fovea_epilogue_step gelu = {.act = FOVEA_ACT_GELU_ERF, .scale = 1.7f};
    static const struct fovea_epilogue_step add = {.kind = FOVEA_EPILOGUE_ADD, .scale = 1};
    static const struct fovea_epilogue_step mul = {.kind = FOVEA_EPILOGUE_MUL, .scale = 1};
    static const struct fovea_epilogue_step ends[][3] = {
        {relu, add}, {add, relu}, {add}, {relu}, {gelu, mul, add}, {add, add, relu}};
    static const int counts[] = {2, 2, 1, 1, 3, 3};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_conv(&cases[i]);
    }
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct conv_case c = {"ends", 4, {1, 256, 7, 7}, {64, 256, 1, 1}, 1, .bias = true};
        c.n_steps = counts[i];
        memcpy(c.steps, ends[i], sizeof(ends[i]));
        for (int j = 0; j < c.n_steps; j++) {
            bool row = c.steps[j].kind == FOVEA_EPILOGUE_MUL;
            memcpy(c.operands[j], (int64_t[4]){1, 64, row ? 1 : 7, row ? 1 : 7},
                   4 * sizeof(int64_t));
        }
        check_conv(&c);
    }
}

/* A Conv that qualifies gives the same with and without, but not the same bits. */
static void conv__winograd_on_or_off__differs_by_rounding_only(void) {
    int64_t x[4] = {1, 64, 24, 24}, w[4] = {64, 64, 3, 3}, pads[4] = {1, 1, 1, 1};
    static float image[64 * 24 * 24], weights[64 * 64 * 9];
    struct run_op r[2];
    fill_random(image, 64 * 24 * 24, -1, 1, 1);
    fill_random(weights, 64 * 64 * 9, -1, 1, 2);
    for (int i = 0; i < 2; i++) {
        run_op_init(&r[i], "", "Conv", 13);
        r[i].channels_last = true;
        r[i].winograd = i;
        run_op_attr_ints(&r[i], "pads", pads, 4);
        run_op_input(&r[i], FOVEA_F32, 4, x, image, false);
        run_op_input(&r[i], FOVEA_F32, 4, w, weights, true);
        CHECK_OK(run_op_run(&r[i], 1), r[i].err);
    }
    double error = run_op_error(&r[1], 0, r[0].out[0].data, 64 * 24 * 24);
    CHECK(error > 0);
    CHECK(error < 4e-5 * 8);
    run_op_finish(&r[0]);
    run_op_finish(&r[1]);
}

static const struct test tests[] = {
    TEST(conv__shapes__match_reference),
    TEST(conv__every_act__matches_reference),
    TEST(conv__operands_of_every_shape__match_reference),
    TEST(conv__operand_of_other_layout__matches_reference),
    TEST(conv__four_steps__match_reference),
    TEST(conv__clip_without_an_upper_bound__keeps_infinity),
    TEST(conv__two_acts__each_has_its_own_numbers),
    TEST(conv__padding_wider_than_the_kernel__has_all_operands),
    TEST(conv__few_pixels_and_many_weights__match_reference),
    TEST(conv__winograd_on_or_off__differs_by_rounding_only),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
