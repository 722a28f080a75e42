/*
 * Winograd convolutions against a plain C reference that sums in double.
 *
 * Inputs and weights are uniform in [-1, 1], so an output has a standard
 * deviation of sqrt(K) / 3 with K = 9 channels. Theory and measurement (see
 * ops/winograd_kernels.h) give a relative error of about 1e-6 in the 2-norm,
 * which grows slowly with the channels; the bounds are 4e-6 for the norm and,
 * for any one output, 4e-5 of that deviation.
 */
#include "tests/check.h"
#include "tests/reference.h"
#include "tests/run_op.h"

#include "ops/winograd.h"
#include "runtime/parallel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shape {
    int64_t images, channels, height, width, outputs, groups;
    int64_t pads[4]; /* top, left, bottom, right */
    bool bias;
    struct fovea_epilogue_step steps[FOVEA_MAX_EPILOGUE];
    int64_t operands[FOVEA_MAX_EPILOGUE][4];
    int n_steps;
    bool plain_operands;
};

struct outcome {
    double rel_l2, worst; /* worst: in units of the outputs' standard deviation */
    bool ran;
};

static float *floats(int64_t count) {
    return fovea_aligned_alloc((size_t)count * sizeof(float));
}

/* Strides of [N,C,H,W] in NHWC or NCHW order. */
static struct fovea_dnn_view view_of(const int64_t *dims, bool channels_last) {
    int64_t c = dims[1], h = dims[2], w = dims[3];
    struct fovea_dnn_view view = {.dtype = FOVEA_F32, .rank = 4};
    memcpy(view.dims, dims, 4 * sizeof(*dims));
    int64_t last[4] = {h * w * c, 1, w * c, c}, plain[4] = {c * h * w, h * w, w, 1};
    memcpy(view.strides, channels_last ? last : plain, sizeof(last));
    return view;
}

/* The elements of a dense NCHW tensor in the order of `view`, or back. */
static void relayout(const struct fovea_dnn_view *view, float *inside, float *outside, bool in) {
    const int64_t *d = view->dims, *s = view->strides;
    for (int64_t i = 0; i < d[0] * d[1] * d[2] * d[3]; i++) {
        int64_t x = i % d[3], y = i / d[3] % d[2], c = i / d[3] / d[2] % d[1];
        int64_t at = i / d[3] / d[2] / d[1] * s[0] + c * s[1] + y * s[2] + x * s[3];
        *(in ? &inside[at] : &outside[i]) = in ? outside[i] : inside[at];
    }
}

static struct fovea_tensor random_tensor(int rank, const int64_t *dims, uint32_t seed) {
    struct fovea_tensor t;
    fovea_tensor_set_shape(&t, FOVEA_F32, rank, dims);
    t.data = floats(fovea_tensor_count(&t));
    fill_random(t.data, fovea_tensor_count(&t), -1, 1, seed);
    return t;
}

static void describe(const struct shape *s, struct fovea_dnn_conv *desc) {
    int64_t x[4] = {s->images, s->channels, s->height, s->width};
    int64_t y[4] = {s->images, s->outputs, s->height + s->pads[0] + s->pads[2] - 2,
                    s->width + s->pads[1] + s->pads[3] - 2};
    *desc = (struct fovea_dnn_conv){
        .src = view_of(x, true),
        .dst = view_of(y, true),
        .kernel = {3, 3, 1},
        .strides = {1, 1, 1},
        .dilations = {1, 1, 1},
        .pads_before = {s->pads[0], s->pads[1]},
        .pads_after = {s->pads[2], s->pads[3]},
        .groups = s->groups,
        .bias = s->bias,
        .packed_weights = true,
        .n_posts = s->n_steps,
    };
    for (int i = 0; i < s->n_steps; i++) {
        const struct fovea_epilogue_step *step = &s->steps[i];
        desc->posts[i] = (struct fovea_dnn_post){.kind = step->kind,
                                                 .act = step->act,
                                                 .alpha = step->alpha,
                                                 .beta = step->beta,
                                                 .scale = step->scale};
        if (step->kind != FOVEA_EPILOGUE_ACT) {
            desc->posts[i].operand = view_of(s->operands[i], !s->plain_operands);
        }
    }
}

static void measure(const float *got, const float *want, int64_t count, struct outcome *out) {
    double error = 0, norm = 0, worst = 0;
    for (int64_t i = 0; i < count; i++) {
        double e = (double)got[i] - want[i];
        error += e * e;
        norm += (double)want[i] * want[i];
        worst = fabs(e) <= worst ? worst : fabs(e);
    }
    out->rel_l2 = sqrt(error / norm);
    out->worst = worst / sqrt(norm / (double)count);
    out->ran = true;
}

/* Run packed weights on channels-last operands; `y` plain. */
static bool run(const struct fovea_dnn_conv *desc, struct fovea_engine *engine,
                struct fovea_prim_args *args, const float *plain_weights, float *y) {
    struct fovea_winograd *w = NULL;
    struct fovea_node node = {0};
    struct fovea_error err = {0};
    if (fovea_winograd_create(engine, desc, &w, &err)) {
        printf("%s\n", err.message);
        return false;
    }
    fovea_winograd_describe(w, 1, &node);
    void *packed = fovea_aligned_alloc(node.packed_bytes);
    void *scratch = fovea_aligned_alloc(node.scratch_bytes);
    float *dst = floats(desc->dst.dims[0] * desc->dst.strides[0]);
    fovea_winograd_pack(w, plain_weights, packed);
    memset(scratch, 0xff, node.scratch_bytes); /* NaN: what is read must have been written */
    args->weights = packed;
    args->scratch = scratch;
    args->dst = dst;
    fovea_winograd_run(w, args);
    relayout(&desc->dst, dst, y, false);
    free(packed);
    free(scratch);
    free(dst);
    fovea_winograd_destroy(w);
    return true;
}

/* A convolution, and its result by the definition. */
struct problem {
    const struct shape *shape;
    struct fovea_dnn_conv desc;
    struct fovea_tensor w, bias, want;
    float *src, *posts[FOVEA_MAX_EPILOGUE];
};

static void want_steps(struct problem *p) {
    const struct shape *s = p->shape;
    for (int i = 0; i < s->n_steps; i++) {
        struct fovea_tensor operand = {0};
        if (s->steps[i].kind != FOVEA_EPILOGUE_ACT) {
            operand = random_tensor(4, s->operands[i], 4 + (uint32_t)i);
            p->posts[i] = floats(fovea_tensor_count(&operand));
            relayout(&p->desc.posts[i].operand, p->posts[i], operand.data, true);
        }
        reference_step(&s->steps[i], &operand, &p->want);
        free(operand.data);
    }
}

static void problem_init(struct problem *p, const struct shape *s) {
    *p = (struct problem){.shape = s};
    describe(s, &p->desc);
    const struct fovea_dnn_view *src = &p->desc.src, *dst = &p->desc.dst;
    int64_t kernel[4] = {s->outputs, s->channels / s->groups, 3, 3};
    struct fovea_tensor x = random_tensor(4, src->dims, 1);
    p->w = random_tensor(4, kernel, 2);
    p->bias = random_tensor(1, kernel, 3);
    p->want = (struct fovea_tensor){.data = floats(dst->dims[0] * dst->strides[0])};
    p->src = floats(src->dims[0] * src->strides[0]);
    struct reference_window window = {.spatial = 2,
                                      .kernel = {3, 3},
                                      .strides = {1, 1},
                                      .dilations = {1, 1},
                                      .before = {s->pads[0], s->pads[1]},
                                      .after = {s->pads[2], s->pads[3]}};
    relayout(src, p->src, x.data, true);
    reference_conv(&x, &p->w, s->bias ? p->bias.data : NULL, s->groups, &window, &p->want);
    want_steps(p);
    free(x.data);
}

static void problem_finish(struct problem *p) {
    for (int i = 0; i < p->shape->n_steps; i++) {
        free(p->posts[i]);
    }
    free(p->w.data);
    free(p->bias.data);
    free(p->want.data);
    free(p->src);
}

static struct outcome convolve(const struct problem *p, int threads) {
    struct fovea_prim_args args = {.src = p->src, .bias = p->shape->bias ? p->bias.data : NULL};
    struct fovea_engine engine = {.threads = threads};
    struct fovea_error err;
    struct outcome out = {0};
    float *got = floats(fovea_tensor_count(&p->want));
    for (int i = 0; i < p->shape->n_steps; i++) {
        args.posts[i] = p->posts[i];
    }
    int former = fovea_parallel_set_threads(threads);
    if (fovea_winograd_fits(&p->desc) && !fovea_dnn_create(&engine.dnn, &err) &&
        run(&p->desc, &engine, &args, p->w.data, got)) {
        measure(got, p->want.data, fovea_tensor_count(&p->want), &out);
    }
    fovea_parallel_set_threads(former);
    fovea_dnn_destroy(engine.dnn);
    free(got);
    return out;
}

/* With each number of threads from `least` to `most`. */
static bool agrees(const struct shape *s, int least, int most) {
    struct problem problem;
    bool all_good = true;
    problem_init(&problem, s);
    for (int threads = least; threads <= most; threads++) {
        struct outcome got = convolve(&problem, threads);
        bool good = got.ran && got.rel_l2 <= 4e-6 && got.worst <= 4e-5;
        if (!good) {
            printf("  [%lld,%lld,%lld,%lld] to %lld in %lld groups, %d threads: rel_l2 %.3g, "
                   "worst %.3g\n",
                   (long long)s->images, (long long)s->channels, (long long)s->height,
                   (long long)s->width, (long long)s->outputs, (long long)s->groups, threads,
                   got.rel_l2, got.worst);
        }
        all_good = all_good && good;
    }
    problem_finish(&problem);
    return all_good;
}

static void winograd__images_1_to_9_wide__agree_with_the_definition(void) {
    for (int64_t h = 1; h <= 9; h++) {
        for (int64_t w = 1; w <= 9; w++) {
            struct shape s = {1, 16, h, w, 16, 1, {1, 1, 1, 1}, .bias = true};
            CHECK(agrees(&s, 1, 1));
        }
    }
}

static void winograd__pads_of_0_to_2_on_any_side__agree_with_the_definition(void) {
    for (int i = 0; i < 81; i++) {
        struct shape s = {1, 16, 7, 10, 32, 1, {i % 3, i / 3 % 3, i / 9 % 3, i / 27}, .bias = true};
        CHECK(agrees(&s, 1, 1));
    }
}

static void winograd__groups_batches_and_widths__agree_for_any_number_of_threads(void) {
    static const struct shape shapes[] = {
        {1, 128, 15, 15, 128, 1, {1, 1, 1, 1}, .bias = true},
        {3, 96, 13, 6, 192, 6, {1, 1, 1, 1}, .bias = true},
        {2, 48, 21, 17, 80, 1, {1, 1, 1, 1}, .bias = false},
        {5, 32, 4, 4, 96, 2, {1, 1, 1, 1}, .bias = false},
        {1, 384, 8, 8, 384, 3, {1, 1, 1, 1}, .bias = true},
        {1, 512, 7, 7, 512, 1, {1, 1, 1, 1}, .bias = true},
        {1, 16, 61, 67, 16, 1, {0, 1, 2, 0}, .bias = true},
        {1, 112, 12, 12, 16, 1, {1, 1, 1, 1}, .bias = true},
        {1, 16, 33, 30, 208, 1, {1, 1, 1, 1}, .bias = true},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        CHECK(agrees(&shapes[i], 1, 4));
    }
}

static void winograd__every_activation__is_applied(void) {
    for (int act = 0; act < FOVEA_N_ACTS; act++) {
        struct shape s = {1, 32, 9, 11, 32, 1, {1, 1, 1, 1}, .bias = true, .n_steps = 1};
        s.steps[0] = (struct fovea_epilogue_step){
            FOVEA_EPILOGUE_ACT, (enum fovea_act)act, 0.2f, 0.7f, 1.5f, 0};
        CHECK(agrees(&s, 2, 2));
    }
}

/* The residual block of an NFNet: y = (conv * gain + x) * gate, with the kinds of broadcast. */
static void winograd__posts_with_operands__broadcast_as_onnx_does(void) {
    static const int64_t kinds[][4] = {
        {2, 32, 9, 6}, {1, 32, 9, 6}, {2, 32, 1, 1}, {1, 32, 1, 1},
        {1, 1, 1, 1},  {2, 1, 9, 6},  {1, 1, 9, 1},  {1, 32, 1, 6},
    };
    int n = sizeof(kinds) / sizeof(kinds[0]);
    for (int i = 0; i < n * n; i++) {
        for (int plain = 0; plain < 2; plain++) {
            struct shape s = {2, 32, 9, 6, 32, 2, {1, 1, 1, 1}, .bias = true, .n_steps = 3};
            s.steps[0] = (struct fovea_epilogue_step){.kind = FOVEA_EPILOGUE_ADD};
            s.steps[1] =
                (struct fovea_epilogue_step){FOVEA_EPILOGUE_ACT, FOVEA_ACT_GELU_ERF, 0, 0, 1.7f, 0};
            s.steps[2] = (struct fovea_epilogue_step){.kind = FOVEA_EPILOGUE_MUL};
            memcpy(s.operands[0], kinds[i % n], sizeof(kinds[0]));
            memcpy(s.operands[2], kinds[i / n], sizeof(kinds[0]));
            s.plain_operands = plain;
            CHECK(agrees(&s, 2, 2));
        }
    }
}

static bool fits(const struct fovea_dnn_conv *desc) {
    return fovea_winograd_fits(desc);
}

static void winograd__what_it_does_not_compute__does_not_fit(void) {
    struct shape s = {1, 32, 9, 9, 32, 1, {1, 1, 1, 1}, .bias = true};
    struct fovea_dnn_conv good, bad;
    describe(&s, &good);
    CHECK(fits(&good));
    bad = good;
    bad.strides[0] = 2;
    CHECK(!fits(&bad));
    bad = good;
    bad.dilations[1] = 2;
    CHECK(!fits(&bad));
    bad = good;
    bad.kernel[1] = 1;
    CHECK(!fits(&bad));
    bad = good;
    bad.pads_before[0] = 3;
    CHECK(!fits(&bad));
    bad = good;
    bad.packed_weights = false;
    CHECK(!fits(&bad));
    bad = good;
    bad.src = view_of(bad.src.dims, false);
    CHECK(!fits(&bad));
    bad = good;
    bad.src.dtype = FOVEA_BF16;
    CHECK(!fits(&bad));
    s.channels = 24;
    describe(&s, &bad);
    CHECK(!fits(&bad));
    s.channels = 32;
    s.groups = 4;
    describe(&s, &bad);
    CHECK(!fits(&bad));
}

static void winograd__weights_of_one_shape__have_one_form_for_any_number_of_threads(void) {
    struct shape s = {1, 128, 30, 30, 256, 1, {1, 1, 1, 1}, .bias = true};
    struct fovea_dnn_conv desc;
    struct fovea_error err;
    struct fovea_engine engine = {0};
    struct fovea_node nodes[2] = {{0}};
    describe(&s, &desc);
    CHECK_OK(fovea_dnn_create(&engine.dnn, &err), err);
    for (int i = 0; i < 2; i++) {
        struct fovea_winograd *w;
        engine.threads = i == 0 ? 1 : 7;
        desc.src.dims[2] += i;
        desc.dst.dims[2] += i;
        desc.src.strides[0] += i * desc.src.strides[2];
        desc.dst.strides[0] += i * desc.dst.strides[2];
        CHECK_OK(fovea_winograd_create(&engine, &desc, &w, &err), err);
        fovea_winograd_describe(w, 1, &nodes[i]);
        fovea_winograd_destroy(w);
    }
    CHECK(nodes[0].packed_form == nodes[1].packed_form);
    CHECK(nodes[0].packed_bytes == nodes[1].packed_bytes);
    CHECK(nodes[0].packed_bytes == 9 * 128 * 256 * sizeof(float));
    fovea_dnn_destroy(engine.dnn);
}

static bool pays(int64_t channels, int64_t size, int64_t outputs, int64_t groups) {
    struct shape s = {1, channels, size, size, outputs, groups, {1, 1, 1, 1}, .bias = true};
    struct fovea_dnn_conv desc;
    describe(&s, &desc);
    return fovea_winograd_pays(&desc);
}

static void winograd__the_cost__favours_it_for_many_tiles_only(void) {
    CHECK(pays(128, 120, 128, 1));
    CHECK(pays(768, 30, 768, 6));
    CHECK(!pays(512, 2, 512, 1));
    CHECK(!pays(16, 8, 16, 1));
}

static const struct test tests[] = {
    TEST(winograd__images_1_to_9_wide__agree_with_the_definition),
    TEST(winograd__pads_of_0_to_2_on_any_side__agree_with_the_definition),
    TEST(winograd__groups_batches_and_widths__agree_for_any_number_of_threads),
    TEST(winograd__every_activation__is_applied),
    TEST(winograd__posts_with_operands__broadcast_as_onnx_does),
    TEST(winograd__what_it_does_not_compute__does_not_fit),
    TEST(winograd__weights_of_one_shape__have_one_form_for_any_number_of_threads),
    TEST(winograd__the_cost__favours_it_for_many_tiles_only),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
