/* Provenance: which nodes of the file the steps that passes leave stand for. */
#include "runtime/provenance.h"

#include "tests/check.h"
#include "tests/graph_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fovea_value V;

/* Give the node that makes `value` a name, for the lists below. */
static V *named(V *value, const char *name) {
    if (value) {
        value->producer->name = name;
    }
    return value;
}

/* "Type(origin origin) Type(origin)" of the session's graph. */
static void describe(const struct fovea_session *session, char *text, size_t size) {
    const struct fovea_graph *graph = fovea_session_get_graph(session);
    size_t at = 0;
    text[0] = 0;
    for (const struct fovea_node *node = graph->first; node; node = node->next) {
        const struct fovea_node *list[8];
        size_t count = fovea_provenance_of(graph, node, list, 8);
        at += (size_t)snprintf(text + at, size - at, "%s%s(", at ? " " : "", node->type);
        for (size_t i = 0; i < count && i < 8; i++) {
            at += (size_t)snprintf(text + at, size - at, "%s%s", i ? " " : "", list[i]->name);
        }
        at += (size_t)snprintf(text + at, size - at, ")");
    }
}

static void expect_origins(int line, struct graph_build *b, const char *passes, const char *want) {
    char text[512];
    struct fovea_session *session = NULL;
    struct fovea_session_options options;
    struct fovea_tensor inputs[BUILD_MAX_IO];
    const struct fovea_model *model = build_model(b);
    fovea_session_options_default(&options);
    options.passes = passes;
    CHECK_OK(build_fill_inputs(b, inputs), b->err);
    CHECK_OK(fovea_session_create(model, inputs, &options, &session, &b->err), b->err);
    describe(session, text, sizeof(text));
    check_str(__FILE__, line, "origins", text, want);
    fovea_session_destroy(session);
    for (size_t i = 0; i < b->n_inputs; i++) {
        free(inputs[i].data);
    }
    build_finish(b);
}
#define EXPECT_ORIGINS(...) expect_origins(__LINE__, __VA_ARGS__)

/* Two layers with an activation written as its parts, a residual sum between. */
static void layers(struct graph_build *b) {
    build_init(b, 17);
    V *x = build_input(b, FOVEA_F32, 2, DIMS(4, 8));
    V *y = named(OP(b, "MatMul", x, build_random(b, 2, DIMS(8, 8))), "product");
    y = named(OP(b, "Add", y, build_random(b, 1, DIMS(8))), "bias");
    V *s = named(OP(b, "Sigmoid", y), "sigmoid");
    y = named(OP(b, "Mul", y, s), "swish");
    y = named(OP(b, "MatMul", y, build_random(b, 2, DIMS(8, 8))), "second");
    y = named(OP(b, "Add", y, x), "residual");
    build_output(b, y);
}

static void passes_off__every_node__stands_for_itself(void) {
    struct graph_build b;
    layers(&b);
    EXPECT_ORIGINS(&b, "off",
                   "MatMul(product) Add(bias) Sigmoid(sigmoid) Mul(swish) MatMul(second) "
                   "Add(residual)");
}

static void passes_on__merged_nodes__belong_to_the_step_that_does_them(void) {
    struct graph_build b;
    layers(&b);
    EXPECT_ORIGINS(&b, "on", "Linear(product bias sigmoid swish) Linear(second residual)");
}

static void elementwise__a_chain__belongs_to_the_program(void) {
    struct graph_build b;
    build_init(&b, 17);
    V *x = build_input(&b, FOVEA_F32, 2, DIMS(4, 8));
    V *y = named(OP(&b, "Exp", x), "exp");
    y = named(OP(&b, "Neg", y), "neg");
    y = named(OP(&b, "Tanh", y), "tanh");
    build_output(&b, y);
    EXPECT_ORIGINS(&b, "on", "Elementwise(exp neg tanh)");
}

static void gain__moves_into_later_weights__the_activation_stays_where_it_is(void) {
    struct graph_build b;
    build_init(&b, 17);
    V *x = build_input(&b, FOVEA_F32, 2, DIMS(4, 8));
    V *y = named(OP(&b, "MatMul", x, build_random(&b, 2, DIMS(8, 8))), "first");
    V *s = named(OP(&b, "Sigmoid", y), "sigmoid");
    y = named(OP(&b, "Mul", y, s), "swish");
    y = named(OP(&b, "Mul", y, build_scalar(&b, 1.75f)), "gain");
    build_output(&b, named(OP(&b, "MatMul", y, build_random(&b, 2, DIMS(8, 8))), "second"));
    EXPECT_ORIGINS(&b, "on", "Linear(first sigmoid swish gain) Linear(second)");
}

static void list__smaller_than_the_count__has_the_first(void) {
    struct graph_build b;
    struct fovea_session *session = NULL;
    struct fovea_tensor inputs[BUILD_MAX_IO];
    layers(&b);
    const struct fovea_model *model = build_model(&b);
    CHECK_OK(build_fill_inputs(&b, inputs), b.err);
    CHECK_OK(fovea_session_create(model, inputs, NULL, &session, &b.err), b.err);
    const struct fovea_graph *graph = fovea_session_get_graph(session);
    const struct fovea_node *list[3] = {NULL, NULL, graph->first};
    CHECK(fovea_provenance_of(graph, graph->first, list, 2) == 4);
    CHECK_STR(list[0]->name, "product");
    CHECK_STR(list[1]->name, "bias");
    CHECK(list[2] == graph->first);
    fovea_session_destroy(session);
    free(inputs[0].data);
    build_finish(&b);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(passes_off__every_node__stands_for_itself),
        TEST(passes_on__merged_nodes__belong_to_the_step_that_does_them),
        TEST(elementwise__a_chain__belongs_to_the_program),
        TEST(gain__moves_into_later_weights__the_activation_stays_where_it_is),
        TEST(list__smaller_than_the_count__has_the_first),
    };
    return RUN_TESTS(tests, argc, argv);
}
