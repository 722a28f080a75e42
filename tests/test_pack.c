/* Constants that are computed late, and packed weights that sessions share. */
#include "tests/check.h"
#include "tests/graph_build.h"

#include "runtime/op.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct fovea_value V;

/* Weights standardised as an exporter writes it, large enough to be deferred: [O, I, 3, 3]. */
static V *standardised(struct graph_build *b, int64_t out, int64_t in) {
    int64_t axes[2] = {0, 2};
    V *w = build_reshape(b, build_random(b, 4, DIMS(out, in, 3, 3)), 3, DIMS(1, out, in * 9));
    V *mean = build_set_ints(b, OP(b, "ReduceMean", w), "axes", axes, 2);
    V *off = OP(b, "Sub", w, mean);
    V *var = build_set_ints(b, OP(b, "ReduceMean", OP(b, "Mul", off, off)), "axes", axes, 2);
    V *deviation = OP(b, "Sqrt", OP(b, "Add", var, build_scalar(b, 1e-6f)));
    return build_reshape(b, OP(b, "Div", off, deviation), 4, DIMS(out, in, 3, 3));
}

/* Two standardised convolutions with gains, and a head whose weights come transposed. */
static const struct fovea_model *folding_net(struct graph_build *b, int64_t batch) {
    build_init(b, 17);
    V *x = build_input(b, FOVEA_F32, 4, DIMS(batch, 32, 8, 8));
    V *y = OP(b, "Conv", x, standardised(b, 64, 32), build_random(b, 1, DIMS(64)));
    y = OP(b, "Mul", y, build_random(b, 4, DIMS(1, 64, 1, 1)));
    y = OP(b, "Conv", OP(b, "Relu", y), standardised(b, 64, 64));
    y = OP(b, "Mul", y, build_scalar(b, 0.5f));
    y = OP(b, "Flatten", OP(b, "GlobalAveragePool", y));
    V *head = build_transpose(b, build_random(b, 2, DIMS(512, 64)), 2, DIMS(1, 0));
    y = OP(b, "Add", OP(b, "MatMul", y, head), build_random(b, 1, DIMS(512)));
    build_output(b, y);
    return build_model(b);
}

/* Run `b` with every constant folded at once, and with large ones deferred: the same bits. */
static void expect_same_bits(int line, struct graph_build *b, const char *passes) {
    struct fovea_tensor inputs[BUILD_MAX_IO] = {{0}};
    struct build_run runs[2] = {0};
    struct fovea_session_options options;
    fovea_session_options_default(&options);
    options.threads = 2;
    options.passes = passes;
    enum fovea_status st = build_model(b) ? build_fill_inputs(b, inputs) : b->status;
    for (int i = 0; !st && i < 2; i++) {
        b->graph->defer_bytes = i == 0 ? SIZE_MAX : FOVEA_DEFER_BYTES;
        st = build_run(b, inputs, &options, &runs[i]);
    }
    if (st) {
        check_failed(__FILE__, line, "run", b->err.message);
    }
    for (size_t i = 0; i < runs[1].n_outputs; i++) {
        const struct fovea_tensor *a = &runs[0].outputs[i], *c = &runs[1].outputs[i];
        CHECK(fovea_tensor_same_shape(a, c));
        if (memcmp(a->data, c->data, fovea_tensor_bytes(a)) != 0) {
            check_failed(__FILE__, line, "deferred folding", "gives other bits");
        }
    }
    CHECK(st || strcmp(runs[0].ops, runs[1].ops) == 0);
    for (int i = 0; i < 2; i++) {
        build_run_finish(&runs[i]);
    }
    for (size_t i = 0; i < b->n_inputs; i++) {
        free(inputs[i].data);
    }
    build_finish(b);
}
#define EXPECT_SAME_BITS(b, passes) expect_same_bits(__LINE__, (b), (passes))

/* ---- folding late ----------------------------------------------------------------- */

static void deferred__standardised_weights__bits_of_eager_folding(void) {
    struct graph_build b;
    folding_net(&b, 2);
    EXPECT_SAME_BITS(&b, "off");
    folding_net(&b, 2);
    EXPECT_SAME_BITS(&b, "on");
}

/*
 * Weights standardised row by row, [157, 64, 7, 7]: 12.5 KB a row, so that they
 * are computed by slabs, the last of which is shorter. The deviations are read
 * by others, too, and not all operands have rows.
 */
static void deferred__rows_standardised_by_slabs__bits_of_eager_folding(void) {
    struct graph_build b;
    const int64_t axes[3] = {1, 2, 3};
    build_init(&b, 17);
    V *x = build_input(&b, FOVEA_F32, 4, DIMS(1, 64, 9, 9));
    V *w = build_random(&b, 4, DIMS(157, 64, 7, 7));
    V *off = OP(&b, "Sub", w, build_set_ints(&b, OP(&b, "ReduceMean", w), "axes", axes, 3));
    V *var = build_set_ints(&b, OP(&b, "ReduceMean", OP(&b, "Mul", off, off)), "axes", axes, 3);
    V *deviation = OP(&b, "Sqrt", OP(&b, "Max", var, build_scalar(&b, 1e-4f)));
    V *gain = OP(&b, "Mul", build_random(&b, 4, DIMS(157, 1, 1, 1)), build_scalar(&b, 1.7f));
    V *scaled = OP(&b, "Mul", off, OP(&b, "Div", gain, deviation));
    V *last = OP(&b, "Mul", scaled, build_random(&b, 4, DIMS(1, 64, 1, 1)));
    build_output(&b, OP(&b, "Conv", x, last));
    build_output(&b, OP(&b, "Conv", x, OP(&b, "Tanh", off)));
    EXPECT_SAME_BITS(&b, "off");
}

/* One large constant: packed by two, read plain by a third, standing in a fourth's weights. */
static void deferred__weights_of_many_readers__evaluated_once(void) {
    struct graph_build b;
    build_init(&b, 17);
    V *x = build_input(&b, FOVEA_F32, 2, DIMS(3, 192));
    V *w = OP(&b, "Tanh", build_random(&b, 2, DIMS(192, 192)));
    V *more = OP(&b, "Add", OP(&b, "Neg", w), build_scalar(&b, 0.25f));
    build_output(&b, OP(&b, "MatMul", x, w));
    build_output(&b, OP(&b, "Relu", OP(&b, "MatMul", OP(&b, "Exp", x), w)));
    build_output(&b, OP(&b, "Add", OP(&b, "ReduceMax", x), w));
    build_output(&b, OP(&b, "MatMul", x, more));
    build_output(&b, OP(&b, "MatMul", x, build_transpose(&b, more, 2, DIMS(1, 0))));
    EXPECT_SAME_BITS(&b, "off");
}

static void deferred__split_weights__each_part_packed(void) {
    struct graph_build b;
    build_init(&b, 17);
    V *x = build_input(&b, FOVEA_F32, 2, DIMS(3, 128));
    V *in[1] = {OP(&b, "Sin", build_random(&b, 2, DIMS(128, 512)))};
    struct fovea_node *split = build_node(&b, "Split", in, 1, 2);
    build_set_int(&b, split->out[0], "axis", 1);
    build_output(&b, OP(&b, "MatMul", x, split->out[0]));
    build_output(&b, OP(&b, "MatMul", x, split->out[1]));
    EXPECT_SAME_BITS(&b, "on");
}

static void deferred__graph_output__has_contents(void) {
    struct graph_build b;
    build_init(&b, 17);
    V *w = OP(&b, "Neg", build_random(&b, 2, DIMS(192, 192)));
    build_output(&b, w);
    build_output(&b, OP(&b, "Reshape", w, build_ints(&b, DIMS(-1), 1)));
    build_output(&b, OP(&b, "Relu", build_input(&b, FOVEA_F32, 1, DIMS(4))));
    EXPECT_SAME_BITS(&b, "on");
}

/* Scales of a Resize come from weights: infer reads what would have been deferred. */
static void deferred__operand_that_decides_a_shape__computed_for_infer(void) {
    struct graph_build b;
    build_init(&b, 10);
    V *w = OP(&b, "Abs", build_random(&b, 2, DIMS(2, 16384)));
    int64_t axes[1] = {1};
    V *scales = build_set_ints(&b, OP(&b, "ReduceMax", w), "axes", axes, 1);
    scales =
        OP(&b, "Ceil", OP(&b, "Mul", build_reshape(&b, scales, 1, DIMS(2)), build_scalar(&b, 2)));
    build_output(&b, OP(&b, "Resize", build_input(&b, FOVEA_F32, 2, DIMS(4, 4)), scales));
    EXPECT_SAME_BITS(&b, "on");
}

static void deferred__over_the_memory_limit__refused_at_create(void) {
    struct graph_build b;
    const struct fovea_model *model = folding_net(&b, 1);
    struct fovea_tensor x = {.dtype = FOVEA_F32, .rank = 4, .dims = {1, 32, 8, 8}};
    struct fovea_session_options options;
    struct fovea_session *session = NULL;
    fovea_session_options_default(&options);
    options.max_memory = 200000;
    CHECK(fovea_session_create(model, &x, &options, &session, &b.err) == FOVEA_ERR_LIMIT);
    CHECK(session == NULL);
    build_finish(&b);
}

/* ---- sharing ------------------------------------------------------------------------ */

static struct fovea_session *open_session(struct graph_build *b, int64_t batch) {
    struct fovea_tensor x = {.dtype = FOVEA_F32, .rank = 4, .dims = {batch, 32, 8, 8}};
    struct fovea_session *session = NULL;
    CHECK_OK(fovea_session_create(b->model, &x, NULL, &session, &b->err), b->err);
    return session;
}

/* How many packing steps two sessions have, and how many of those read the same bytes. */
static void count_shared(const struct fovea_session *a, const struct fovea_session *b, int *packed,
                         int *shared) {
    const struct fovea_node *x = fovea_session_get_graph(a)->first;
    const struct fovea_node *y = fovea_session_get_graph(b)->first;
    *packed = *shared = 0;
    for (; x && y; x = x->next, y = y->next) {
        *packed += x->packed_bytes > 0;
        *shared += x->packed_bytes > 0 && x->packed_data == y->packed_data;
    }
}

static void run_once(struct fovea_session *session, int64_t batch, float *y) {
    struct fovea_tensor x = {.dtype = FOVEA_F32, .rank = 4, .dims = {batch, 32, 8, 8}}, out;
    struct fovea_error err;
    x.data = malloc(fovea_tensor_bytes(&x));
    for (int64_t i = 0; i < fovea_tensor_count(&x); i++) {
        ((float *)x.data)[i] = (float)(i % (32 * 64) % 13) - 6;
    }
    fovea_session_output_shape(session, 0, &out);
    out.data = malloc(fovea_tensor_bytes(&out));
    CHECK_OK(fovea_session_run(session, &x, &out, NULL, &err), err);
    memcpy(y, out.data, 512 * sizeof(*y));
    free(x.data);
    free(out.data);
}

static void store__second_session__packs_nothing_and_outlives_the_first(void) {
    for (int first = 0; first < 2; first++) {
        struct graph_build b;
        int packed, shared;
        float before[512], after[512];
        folding_net(&b, -1);
        struct fovea_session *s[2] = {open_session(&b, 1), open_session(&b, 1)};
        if (!s[0] || !s[1]) {
            return;
        }
        count_shared(s[0], s[1], &packed, &shared);
        CHECK(packed == 3 && shared == 3);
        run_once(s[first], 1, before);
        fovea_session_destroy(s[first]);
        run_once(s[1 - first], 1, after);
        CHECK(memcmp(before, after, sizeof(before)) == 0);
        fovea_session_destroy(s[1 - first]);
        s[0] = open_session(&b, 1); /* after all were gone */
        run_once(s[0], 1, after);
        CHECK(memcmp(before, after, sizeof(before)) == 0);
        fovea_session_destroy(s[0]);
        build_finish(&b);
    }
}

struct opener {
    struct graph_build *b;
    int64_t batch;
    float y[512];
};

static void *open_and_run(void *context) {
    struct opener *o = context;
    for (int i = 0; i < 8; i++) {
        struct fovea_session *session = open_session(o->b, o->batch);
        if (session) {
            run_once(session, o->batch, o->y);
        }
        fovea_session_destroy(session);
    }
    return NULL;
}

static void store__sessions_come_and_go_in_threads__agree(void) {
    enum { THREADS = 3 };
    struct graph_build b;
    pthread_t threads[THREADS];
    struct opener openers[THREADS];
    folding_net(&b, -1);
    for (int i = 0; i < THREADS; i++) {
        openers[i] = (struct opener){.b = &b, .batch = 1 + i};
        CHECK(pthread_create(&threads[i], NULL, open_and_run, &openers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 1; i < THREADS; i++) {
        for (int k = 0; k < 512; k++) {
            /* Of some hundreds; batches of other sizes may be convolved by another method. */
            CHECK(fabsf(openers[i].y[k] - openers[0].y[k]) <= 2e-3f);
        }
    }
    build_finish(&b);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(deferred__standardised_weights__bits_of_eager_folding),
        TEST(deferred__rows_standardised_by_slabs__bits_of_eager_folding),
        TEST(deferred__weights_of_many_readers__evaluated_once),
        TEST(deferred__split_weights__each_part_packed),
        TEST(deferred__graph_output__has_contents),
        TEST(deferred__operand_that_decides_a_shape__computed_for_infer),
        TEST(deferred__over_the_memory_limit__refused_at_create),
        TEST(store__second_session__packs_nothing_and_outlives_the_first),
        TEST(store__sessions_come_and_go_in_threads__agree),
    };
    return RUN_TESTS(tests, argc, argv);
}
