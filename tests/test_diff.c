/* Tensors of two runs: how far apart, which corresponds to which, and where they part. */
#include "tools/diff_lockstep.h"
#include "tools/diff_report.h"

#include "tests/check.h"
#include "tests/graph_build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 8, LAYERS = 4 };

/* ---- measures: worked by hand ------------------------------------------------------------- */

static void measure__two_vectors__by_hand(void) {
    static const float a[] = {1, 2}, b[] = {1, 4};
    struct diff_error e;
    diff_measure(a, b, 2, &e);
    CHECK(fabs(e.max_abs - 2) < 1e-15 && fabs(e.rel_l2 - 2 / sqrt(5)) < 1e-15);
    CHECK(fabs(e.cosine - 9 / sqrt(85)) < 1e-15 && fabs(e.scale - 9.0 / 5) < 1e-15);
    diff_measure(a, a, 2, &e);
    CHECK(e.max_abs == 0 && e.rel_l2 == 0 && fabs(e.cosine - 1) < 1e-15);
}

static void measure__not_finite__only_equal_ones_agree(void) {
    static const float a[] = {1, NAN, INFINITY}, b[] = {1, NAN, INFINITY}, c[] = {1, 2, INFINITY};
    struct diff_error e;
    diff_measure(a, b, 3, &e);
    CHECK(e.max_abs == 0 && e.rel_l2 == 0);
    diff_measure(a, c, 3, &e);
    CHECK(isinf(e.max_abs) && !(e.rel_l2 < 1));
}

/* ---- runs ------------------------------------------------------------------------------- */

/*
 * A perceptron of LAYERS products; `changed` has other weights, and `extra` puts
 * a Neg Neg in. Without names, so that contents decide.
 */
struct network {
    struct graph_build build;
    struct fovea_session *session;
    struct fovea_tensor inputs[BUILD_MAX_IO], outputs[BUILD_MAX_IO];
    struct diff_side side;
};

static void network_init(struct network *n, int changed, bool extra, struct fovea_error *err) {
    const int64_t dims[] = {SIDE, SIDE};
    struct fovea_session_options options;
    memset(n, 0, sizeof(*n));
    build_init(&n->build, 17);
    struct fovea_value *x = build_input(&n->build, FOVEA_F32, 2, dims);
    for (int i = 0; i < LAYERS; i++) {
        n->build.seed = (uint32_t)(i == changed ? 100 + i : i + 1);
        x = OP(&n->build, "MatMul", x, build_random(&n->build, 2, dims));
        x = OP(&n->build, "Tanh", x);
        if (extra && i == 1) {
            x = OP(&n->build, "Neg", OP(&n->build, "Neg", x));
        }
    }
    for (struct fovea_value *v = n->build.graph->values; v; v = v->next) {
        v->name = "";
    }
    build_output(&n->build, x);
    const struct fovea_model *model = build_model(&n->build);
    CHECK_OK(n->build.status, n->build.err);
    CHECK_OK(build_fill_inputs(&n->build, n->inputs), *err);
    fovea_session_options_default(&options);
    options.passes = "off";
    CHECK_OK(fovea_session_create(model, n->inputs, &options, &n->session, err), *err);
    fovea_session_output_shape(n->session, 0, &n->outputs[0]);
    n->outputs[0].data = malloc(SIDE * SIDE * sizeof(float));
    n->side = (struct diff_side){n->session, n->inputs, n->outputs};
}

static void network_finish(struct network *n) {
    fovea_session_destroy(n->session);
    free(n->inputs[0].data);
    free(n->outputs[0].data);
    build_finish(&n->build);
}

/* Two networks, matched and measured. */
struct matched {
    struct network a, b;
    struct diff_trace trace_a, trace_b;
    struct diff_pair *pairs;
    struct diff_error errors[64];
    size_t n;
};

static void match(struct matched *m, int changed, bool extra) {
    struct fovea_error err;
    memset(m, 0, sizeof(*m));
    network_init(&m->a, -1, false, &err);
    network_init(&m->b, changed, extra, &err);
    CHECK_OK(diff_trace_run(&m->a.side, &m->trace_a, &err), err);
    CHECK_OK(diff_trace_run(&m->b.side, &m->trace_b, &err), err);
    CHECK_OK(diff_match(&m->trace_a, &m->trace_b, &m->pairs, &m->n, &err), err);
    CHECK(m->n <= 64);
    CHECK_OK(diff_lockstep(&m->a.side, &m->b.side, m->pairs, m->n, m->errors, &err), err);
}

static void match_finish(struct matched *m) {
    free(m->pairs);
    diff_trace_finish(&m->trace_a);
    diff_trace_finish(&m->trace_b);
    network_finish(&m->a);
    network_finish(&m->b);
}

static void diff__same_network_with_more_steps__all_by_content(void) {
    struct matched m;
    match(&m, -1, true);
    CHECK(m.trace_a.count == 2 * LAYERS && m.trace_b.count == 2 * LAYERS + 2);
    CHECK(m.n == 2 * LAYERS);
    for (size_t i = 0; i < m.n; i++) {
        CHECK(m.pairs[i].a == i && m.pairs[i].by == DIFF_BY_CONTENT);
        CHECK(m.errors[i].rel_l2 == 0);
    }
    match_finish(&m);
}

/* Values up to the changed layer agree; from there on shapes and order pair them. */
static void diff__one_layer_changed__parts_there(void) {
    struct matched m;
    match(&m, 2, false);
    CHECK(m.n == 2 * LAYERS);
    for (size_t i = 0; i < m.n; i++) {
        bool before = i < 4;
        CHECK(m.pairs[i].a == i && m.pairs[i].b == i);
        CHECK(m.pairs[i].by == (before ? DIFF_BY_CONTENT : DIFF_BY_ORDER));
        CHECK(before ? m.errors[i].rel_l2 == 0 : m.errors[i].rel_l2 > 0.1);
    }
    match_finish(&m);
}

static void judge__a_pair_is_nan__is_the_worst(void) {
    struct matched m;
    struct fovea_error err;
    match(&m, 2, false);
    m.errors[5].rel_l2 = NAN;
    struct diff d = {.a = m.trace_a, .b = m.trace_b, .pairs = m.pairs, .errors = m.errors};
    d.n_pairs = m.n;
    d.bound = 1e-3;
    CHECK_OK(diff_judge(&d, &err), err);
    CHECK(d.worst == 5);
    match_finish(&m);
}

/* ---- sketches --------------------------------------------------------------------------- */

/* Known distances are told to about a fifth; a common offset is no likeness. */
static void sketch__distance__about_the_true_one(void) {
    struct matched m;
    match(&m, 0, false);
    for (size_t i = 0; i + 1 < m.trace_a.count; i++) {
        const struct diff_value *x = &m.trace_a.values[i], *y = &m.trace_b.values[i];
        CHECK(diff_distance(x, x) == 0);
        CHECK(diff_distance(x, y) > 0.4 && diff_distance(x, y) < 4);
    }
    match_finish(&m);
}

/* ---- watching --------------------------------------------------------------------------- */

static enum fovea_status refuse_second(void *context, const struct fovea_node *node,
                                       struct fovea_error *err) {
    int *steps = context;
    return ++*steps == 2 ? fovea_fail(err, FOVEA_ERR_INVALID, "enough of '%s'", node->type)
                         : FOVEA_OK;
}

static void watch__failure__ends_the_run(void) {
    struct fovea_error err;
    struct network n;
    int steps = 0;
    network_init(&n, -1, false, &err);
    fovea_session_watch(n.session, refuse_second, &steps);
    CHECK(fovea_session_run(n.session, n.inputs, n.outputs, NULL, &err) == FOVEA_ERR_INVALID);
    CHECK_STR(err.message, "enough of 'Tanh'");
    CHECK(steps == 2);
    fovea_session_watch(n.session, NULL, NULL);
    CHECK_OK(fovea_session_run(n.session, n.inputs, n.outputs, NULL, &err), err);
    CHECK(steps == 2);
    network_finish(&n);
}

static const struct test tests[] = {
    TEST(measure__two_vectors__by_hand),
    TEST(measure__not_finite__only_equal_ones_agree),
    TEST(diff__same_network_with_more_steps__all_by_content),
    TEST(diff__one_layer_changed__parts_there),
    TEST(judge__a_pair_is_nan__is_the_worst),
    TEST(sketch__distance__about_the_true_one),
    TEST(watch__failure__ends_the_run),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
