/*
 * Programs of several elementwise operators against those operators one by
 * one, over their inputs and by several threads.
 */
#include "ops/registry.h"
#include "runtime/infer.h"
#include "runtime/parallel.h"
#include "runtime/program.h"
#include "tests/check.h"
#include "tests/run_op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- programs --------------------------------------------------------------- */

/* y = gelu(x s + r) and z = x s + r; whether y is written over x. */
struct fused {
    struct fovea_graph graph;
    struct fovea_node *node;
    float *memory[5]; /* x, s, r, y, z */
};

enum { FUSED_C = 20, FUSED_HW = 31, FUSED_COUNT = 2 * FUSED_C * FUSED_HW * FUSED_HW };

static enum fovea_status fused_program(struct fovea_node *node, struct fovea_error *err) {
    struct fovea_program p;
    int m = 0, a = 0, y = 0;
    fovea_program_init(&p, 3);
    enum fovea_status st =
        fovea_program_add(&p, &(struct fovea_instr){.op = FOVEA_DO_MUL, .arg = {0, 1}}, &m, err);
    if (!st) {
        struct fovea_instr add = {.op = FOVEA_DO_ADD, .arg = {m, 2}};
        st = fovea_program_add(&p, &add, &a, err);
    }
    if (!st) {
        struct fovea_instr gelu = {.op = FOVEA_DO_GELU, .arg = {a}};
        st = fovea_program_add(&p, &gelu, &y, err);
    }
    int outputs[2] = {y, a};
    st = st ? st : fovea_program_store(&p, outputs, 2, node, err);
    fovea_program_finish(&p);
    return st;
}

static enum fovea_status fused_init(struct fused *f, enum fovea_layout layout,
                                    struct fovea_error *err) {
    static const int64_t dims[3][4] = {
        {2, FUSED_C, FUSED_HW, FUSED_HW}, {2, FUSED_C, 1, 1}, {2, FUSED_C, FUSED_HW, FUSED_HW}};
    memset(f, 0, sizeof(*f));
    fovea_graph_init(&f->graph, fovea_op_find, 17);
    enum fovea_status st =
        fovea_graph_add_node(&f->graph, NULL, "fovea", "Elementwise", "fused", 3, 2, &f->node, err);
    for (int i = 0; !st && i < 5; i++) {
        struct fovea_value *value = fovea_graph_add_value(&f->graph, "v");
        value->layout = i == 1 ? FOVEA_PLAIN : layout;
        f->memory[i] = fovea_aligned_alloc(FUSED_COUNT * sizeof(float));
        if (i < 3) {
            fovea_tensor_set_shape(&value->t, FOVEA_F32, 4, dims[i]);
            value->typed = true;
            fill_random(f->memory[i], fovea_tensor_count(&value->t), -2, 2, (uint32_t)i);
            st = fovea_node_set_input(f->node, i, value, err);
        } else {
            fovea_node_set_output(f->node, i - 3, value);
        }
        value->t.data = f->memory[i];
    }
    if (!st) {
        st = fused_program(f->node, err);
    }
    return st ? st : fovea_infer_node(f->node, err);
}

static void fused_finish(struct fused *f) {
    fovea_graph_finish(&f->graph);
    for (int i = 0; i < 5; i++) {
        free(f->memory[i]);
    }
}

/* Run with `y` at `place`, on `threads`. */
static enum fovea_status fused_run(struct fused *f, float *place, int threads,
                                   struct fovea_error *err) {
    struct fovea_engine engine = {.threads = threads};
    f->node->out[0]->t.data = place;
    f->node->prepared = true;
    enum fovea_status st = f->node->op->prepare(f->node, &engine, err);
    if (!st) {
        struct fovea_run run = {.engine = &engine,
                                .scratch = fovea_aligned_alloc(f->node->scratch_bytes)};
        int former = fovea_parallel_set_threads(threads);
        st = f->node->op->run(f->node, &run, err);
        fovea_parallel_set_threads(former);
        free(run.scratch);
    }
    return st;
}

static double gelu(double x) {
    return x * erfc(-x * M_SQRT1_2) / 2;
}

/* The three operators one by one, on the memory order of `layout`. */
static double fused_error(const struct fused *f, const float *x, const float *y,
                          enum fovea_layout layout) {
    double worst = 0;
    for (int i = 0; i < FUSED_COUNT; i++) {
        int plain = i / (FUSED_HW * FUSED_HW);
        int last = i / (FUSED_COUNT / 2) * FUSED_C + i % FUSED_C;
        float s = f->memory[1][layout == FOVEA_PLAIN ? plain : last];
        float sum = x[i] * s + f->memory[2][i];
        worst = fmax(worst, fabs(gelu((double)sum) - (double)y[i]));
        worst = fmax(worst, fabs((double)(sum - f->memory[4][i])) * 1e9); /* exact */
    }
    return worst;
}

static void check_fused(enum fovea_layout layout, bool in_place, int threads) {
    struct fused f;
    struct fovea_error err;
    float *x = malloc(FUSED_COUNT * sizeof(*x));
    CHECK_OK(fused_init(&f, layout, &err), err);
    memcpy(x, f.memory[0], FUSED_COUNT * sizeof(*x));
    float *y = f.memory[in_place ? 0 : 3];
    CHECK_OK(fused_run(&f, y, threads, &err), err);
    CHECK(fused_error(&f, x, y, layout) < 2e-6); /* of values up to 6 */
    fused_finish(&f);
    free(x);
}

static void program__two_outputs__equals_its_operators(void) {
    check_fused(FOVEA_PLAIN, false, 1);
    check_fused(FOVEA_CHANNELS_LAST, false, 1);
    check_fused(FOVEA_CHANNELS_LAST, false, 2);
}

static void program__over_an_input__equals_its_operators(void) {
    check_fused(FOVEA_PLAIN, true, 1);
    check_fused(FOVEA_CHANNELS_LAST, true, 2);
}

/* y = exp(x), z = x + y: y is known before x was read for the last time. */
static void program__over_an_input_read_later__waits(void) {
    enum { COUNT = 3000 };
    struct fused f;
    struct fovea_error err;
    float *x = malloc(COUNT * sizeof(*x));
    CHECK_OK(fused_init(&f, FOVEA_PLAIN, &err), err);
    memcpy(x, f.memory[0], COUNT * sizeof(*x));
    int64_t code[10] = {FOVEA_DO_EXP, 0, -1, -1, 0, FOVEA_DO_ADD, 0, 3, -1, 0};
    struct fovea_attr attr = {.name = "code", .kind = FOVEA_ATTR_INTS, .count = 10, .ints = code};
    CHECK_OK(fovea_node_set_attr(f.node, &attr, &err), err);
    float params[4] = {0};
    attr = (struct fovea_attr){
        .name = "params", .kind = FOVEA_ATTR_FLOATS, .count = 4, .floats = params};
    CHECK_OK(fovea_node_set_attr(f.node, &attr, &err), err);
    int64_t outputs[2] = {3, 4};
    attr = (struct fovea_attr){
        .name = "outputs", .kind = FOVEA_ATTR_INTS, .count = 2, .ints = outputs};
    CHECK_OK(fovea_node_set_attr(f.node, &attr, &err), err);
    CHECK_OK(fovea_infer_node(f.node, &err), err);
    CHECK_OK(fused_run(&f, f.memory[0], 1, &err), err);
    double worst = 0;
    for (int i = 0; i < COUNT; i++) {
        worst = fmax(worst, fabs((double)(f.memory[0][i] + x[i] - f.memory[4][i])));
        worst = fmax(worst, fabs(exp((double)x[i]) - (double)f.memory[0][i]));
    }
    CHECK(worst < 2e-6);
    fused_finish(&f);
    free(x);
}

static const struct test tests[] = {
    TEST(program__two_outputs__equals_its_operators),
    TEST(program__over_an_input__equals_its_operators),
    TEST(program__over_an_input_read_later__waits),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
