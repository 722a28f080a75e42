/* Graphs of models: what may be left empty, types, limits, and graphs within. */
#include "runtime/limits.h"
#include "runtime/subgraph.h"
#include "tests/check.h"
#include "tests/onnx_parts.h"
#include "tests/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GRAPH_INPUT = 11, GRAPH_OUTPUT = 12, SPARSE = 15 };

static const int64_t dims23[] = {2, 3};

static struct fovea_model *load(struct onnx_parts *parts) {
    struct fovea_model *model = NULL;
    struct fovea_error err;
    CHECK_OK(onnx_parts_load(parts, &model, &err), err);
    onnx_parts_finish(parts);
    return model;
}

/* ---- the model ---------------------------------------------------------- */

static void model__without_version__says_whether_it_is_one(void) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    onnx_anew(&parts.head);
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, "no IR version is given; 3 to 13 are supported");
    onnx_parts_init(&parts);
    pb_text(onnx_anew(&parts.head), 2, "maker");
    parts.no_graph = true;
    ONNX_EXPECT(&parts, FOVEA_ERR_FORMAT, "not an ONNX model (no IR version, no graph)");
}

/* The default domain is spelt in two ways, in imports and in nodes. */
static void domain__of_either_spelling__is_the_default(void) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    onnx_opset(onnx_anew(&parts.opsets), "ai.onnx", 17);
    onnx_opset(&parts.opsets, "", 17);
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, "domain '' is imported twice");

    onnx_parts_init(&parts);
    onnx_opset(onnx_anew(&parts.opsets), "ai.onnx", 17);
    size_t node = onnx_node_begin(&parts.nodes, "Identity", "n", "x", "z");
    pb_text(&parts.nodes, 7, "ai.onnx");
    pb_end(&parts.nodes, node);
    struct fovea_model *model = load(&parts);
    CHECK(model && model->graph.opset == 17);
    CHECK_STR(model->graph.last->type, "Identity");
    CHECK_STR(model->graph.last->domain, "");
    fovea_model_destroy(model);
}

/* An operator of one name in two domains is two operators. */
static void operators__of_two_domains__are_both_named(void) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    for (int i = 0; i < 2; i++) {
        size_t node = onnx_node_begin(&parts.nodes, "Frob", "", "x", i ? "b" : "a");
        pb_text(&parts.nodes, 7, i ? "com.example" : "org.example");
        pb_end(&parts.nodes, node);
    }
    ONNX_EXPECT(&parts, FOVEA_ERR_UNSUPPORTED,
                "opset 17: org.example.Frob (node 1), com.example.Frob (node 2)");
}

static void operators__very_many_unsupported__are_counted_so_far(void) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    for (int i = 0; i < 100; i++) {
        char type[8];
        snprintf(type, sizeof(type), "N%d", i);
        onnx_node(&parts.nodes, type, "", "x", "");
    }
    ONNX_EXPECT(&parts, FOVEA_ERR_UNSUPPORTED, " and 37 or more");
}

static void function__with_nodes__is_scanned_as_well(void) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    size_t function = pb_begin(&parts.tail, 25), node = pb_begin(&parts.tail, 7);
    pb_text(&parts.tail, 4, "Identity");
    pb_end(&parts.tail, node);
    pb_end(&parts.tail, function);
    ONNX_EXPECT(&parts, FOVEA_ERR_UNSUPPORTED, "functions are not supported; the first is ''");
    onnx_parts_init(&parts);
    function = pb_begin(&parts.tail, 25), node = pb_begin(&parts.tail, 7);
    pb_bytes(&parts.tail, 4, "a\0b", 3);
    pb_end(&parts.tail, node);
    pb_end(&parts.tail, function);
    ONNX_EXPECT(&parts, FOVEA_ERR_FORMAT, "'op_type' of NodeProto contains a NUL byte");
}

/* ---- what may be left empty --------------------------------------------- */

static void names__empty__are_as_good_as_none(void) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    size_t node = pb_begin(&parts.nodes, 1);
    pb_text(&parts.nodes, 1, "nothing");
    pb_text(&parts.nodes, 3, "");
    pb_text(&parts.nodes, 4, "Identity");
    pb_end(&parts.nodes, node);
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, "node 1 (Identity): input 0: 'nothing' is not defined");

    onnx_parts_init(&parts);
    pb_bytes(&parts.nodes, 1,
             "\x0a\x01x\x12\x01w\x12\x00\x22\x07"
             "Dropout",
             17); /* input x, outputs w and none */
    struct fovea_model *model = load(&parts);
    CHECK(model && model->graph.last->n_out == 2);
    CHECK(model->graph.last->out[0] && !model->graph.last->out[1]);
    fovea_model_destroy(model);
}

static void input__dimension_of_empty_name__is_nameless(void) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    size_t value = pb_begin(onnx_anew(&parts.inputs), GRAPH_INPUT);
    pb_text(&parts.inputs, 1, "x");
    /* A tensor of f32, of one dimension, whose dim_param is "". */
    pb_bytes(&parts.inputs, 2, "\x0a\x08\x08\x01\x12\x04\x0a\x02\x12\x00", 10);
    pb_end(&parts.inputs, value);
    struct fovea_model *model = load(&parts);
    const struct fovea_io *input = model ? fovea_model_get_input(model, 0) : NULL;
    CHECK(input && input->rank == 1 && input->dims[0] == -1 && !input->dim_names[0]);
    fovea_model_destroy(model);
}

/* ---- types -------------------------------------------------------------- */

static void input__of_no_tensor_type__says_which(void) {
    static const struct {
        const char *type, *words;
    } cases[] = {
        {"\x22\x00", "is a sequence; only tensors are supported"},
        {"\x2a\x00", "is a map; only tensors"},
        {"\x42\x00", "is a sparse tensor; only tensors"},
        {"\x4a\x00", "is an optional; only tensors"},
        {"\x3a\x00", "is of a kind unknown; only tensors"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct onnx_parts parts;
        onnx_parts_init(&parts);
        size_t value = pb_begin(onnx_anew(&parts.inputs), GRAPH_INPUT);
        pb_text(&parts.inputs, 1, "x");
        pb_bytes(&parts.inputs, 2, cases[i].type, 2);
        pb_end(&parts.inputs, value);
        ONNX_EXPECT(&parts, FOVEA_ERR_UNSUPPORTED, cases[i].words);
    }
}

/* An input that is an output as well keeps its type. */
static void output__of_an_input__has_its_type(void) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    onnx_value(&parts.outputs, GRAPH_OUTPUT, "x", ONNX_FLOAT16, 2, dims23);
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID,
                "graph output 1 ('x'): is declared as f16, but it is f32");
    onnx_parts_init(&parts);
    onnx_value(&parts.outputs, GRAPH_OUTPUT, "x", ONNX_FLOAT, 2, dims23);
    struct fovea_model *model = load(&parts);
    CHECK(model && model->graph.outputs[1] == model->graph.inputs[0]);
    fovea_model_destroy(model);
}

/* ---- limits ---------------------------------------------------------- */

static void add_many(struct pb *pb, uint32_t field, size_t count, const char *text) {
    for (size_t i = 0; i < count; i++) {
        pb_text(pb, field, text);
    }
}

static void node__over_the_limit_of_values__is_refused(void) {
    struct onnx_parts parts;
    for (uint32_t field = 1; field <= 2; field++) {
        onnx_parts_init(&parts);
        size_t node = onnx_node_begin(&parts.nodes, "Identity", "n", "x", "z");
        add_many(&parts.nodes, field, FOVEA_LIMIT_NODE_VALUES, "");
        pb_end(&parts.nodes, node);
        ONNX_EXPECT(&parts, FOVEA_ERR_LIMIT,
                    field == 1 ? "node 'n' (Identity): 65537 inputs and 1 outputs; the limit"
                               : "node 'n' (Identity): 1 inputs and 65537 outputs; the limit");
    }
}

static void external__of_too_many_files__is_refused(void) {
    struct onnx_parts parts;
    char name[32];
    onnx_parts_init(&parts);
    for (int i = 0; i <= FOVEA_LIMIT_EXTERNAL_FILES; i++) {
        snprintf(name, sizeof(name), "w%d", i);
        temp_write(name, "\0\0\0", 4);
        size_t tensor =
            onnx_tensor_begin(&parts.initializers, name, ONNX_FLOAT, 1, (const int64_t[]){1});
        pb_int(&parts.initializers, 14, 1);
        size_t place = pb_begin(&parts.initializers, 13);
        pb_text(&parts.initializers, 1, "location");
        pb_text(&parts.initializers, 2, name);
        pb_end(&parts.initializers, place);
        pb_end(&parts.initializers, tensor);
    }
    ONNX_EXPECT(&parts, FOVEA_ERR_LIMIT,
                "initializer 1024 ('w1024'): over 1024 files of external data, the limit");
}

/* ---- graphs within ------------------------------------------------------ */

/* A node 'branch' with the graph as an attribute, after one that is a number. */
static void add_subgraph(struct onnx_parts *parts, const char *inputs, const struct pb *graph) {
    struct pb *pb = &parts->nodes;
    size_t node = onnx_node_begin(pb, "If", "branch", inputs, "z");
    size_t attr = pb_begin(pb, 5);
    pb_text(pb, 1, "number");
    pb_int(pb, 3, 1);
    pb_end(pb, attr);
    attr = pb_begin(pb, 5);
    pb_text(pb, 1, "then_branch");
    pb_bytes(pb, 6, graph->bytes, graph->size);
    pb_end(pb, attr);
    pb_end(pb, node);
}

static void expect_subgraph(struct pb *graph, enum fovea_status status, const char *words) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    add_subgraph(&parts, "x", graph);
    onnx_node(&parts.nodes, "Identity", "later", "x", "late");
    ONNX_EXPECT(&parts, status, words);
    pb_finish(graph);
}

static void nameless_value(struct pb *pb, uint32_t field, const char *name) {
    size_t value = pb_begin(pb, field);
    pb_text(pb, 1, name);
    pb_end(pb, value);
}

static void subgraph__broken__is_refused(void) {
    struct pb graph = {0};
    pb_bytes(&graph, SPARSE, "", 0);
    expect_subgraph(&graph, FOVEA_ERR_UNSUPPORTED,
                    "node 'branch' (If): attribute 'then_branch': sparse initializers are not");
    nameless_value(&graph, GRAPH_OUTPUT, "late");
    expect_subgraph(&graph, FOVEA_ERR_INVALID,
                    "'late' is the output of node 2, which does not come before");
    nameless_value(&graph, GRAPH_OUTPUT, "gone");
    expect_subgraph(&graph, FOVEA_ERR_INVALID, "output 0 ('gone') of a subgraph: nothing produces");
    nameless_value(&graph, GRAPH_INPUT, "");
    expect_subgraph(&graph, FOVEA_ERR_INVALID, "graph input 0 has no name");
    add_many(&graph, 11, FOVEA_LIMIT_NODE_VALUES + 1, "");
    expect_subgraph(&graph, FOVEA_ERR_LIMIT, "65537 inputs and 0 outputs; the limit is 65536 each");
    add_many(&graph, 12, FOVEA_LIMIT_NODE_VALUES + 1, "");
    expect_subgraph(&graph, FOVEA_ERR_LIMIT, "0 inputs and 65537 outputs; the limit is 65536 each");
}

/* A graph in an attribute is unpacked apart: what that takes is bounded by its own size. */
static void subgraph__that_takes_much_memory__is_refused(void) {
    enum { NODES = 1000000 / 2 };
    struct pb graph = {0};
    add_many(&graph, 1, NODES, "");
    expect_subgraph(&graph, FOVEA_ERR_LIMIT, "attribute 'then_branch': byte ");
}

/* What subgraphs read of the graph around becomes an input of their node, which has so many. */
static void subgraph__that_reads_too_much__is_refused(void) {
    struct onnx_parts parts;
    struct pb graph = {0};
    char *inputs = malloc(2 * FOVEA_LIMIT_NODE_VALUES);
    if (!inputs) {
        CHECK(inputs);
        return;
    }
    memset(inputs, ',', FOVEA_LIMIT_NODE_VALUES);
    inputs[FOVEA_LIMIT_NODE_VALUES] = 0;
    nameless_value(&graph, GRAPH_OUTPUT, "x");
    onnx_parts_init(&parts);
    add_subgraph(&parts, inputs, &graph);
    ONNX_EXPECT(&parts, FOVEA_ERR_LIMIT,
                "subgraphs read over 65536 values of the graph around, the limit");
    free(inputs);
    pb_finish(&graph);
}

/* A value that both branches read is brought in once for each; the node's own inputs come first. */
static void subgraph__that_reads_outside__gets_inputs(void) {
    struct onnx_parts parts;
    struct pb graph = {0};
    nameless_value(&graph, GRAPH_OUTPUT, "x");
    onnx_parts_init(&parts);
    add_subgraph(&parts, "x", &graph);
    struct fovea_model *model = load(&parts);
    if (model) {
        const struct fovea_node *node = model->graph.last;
        const struct fovea_attr *attr = fovea_node_attr(node, "then_branch");
        CHECK(attr && attr->kind == FOVEA_ATTR_GRAPH && attr->graph->n_own == 1);
        CHECK(node->n_in == 2 && node->in[1] == model->graph.inputs[0]);
    }
    fovea_model_destroy(model);
    pb_finish(&graph);
}

static const struct test tests[] = {
    TEST(model__without_version__says_whether_it_is_one),
    TEST(domain__of_either_spelling__is_the_default),
    TEST(operators__of_two_domains__are_both_named),
    TEST(operators__very_many_unsupported__are_counted_so_far),
    TEST(function__with_nodes__is_scanned_as_well),
    TEST(names__empty__are_as_good_as_none),
    TEST(input__dimension_of_empty_name__is_nameless),
    TEST(input__of_no_tensor_type__says_which),
    TEST(output__of_an_input__has_its_type),
    TEST(node__over_the_limit_of_values__is_refused),
    TEST(external__of_too_many_files__is_refused),
    TEST(subgraph__broken__is_refused),
    TEST(subgraph__that_takes_much_memory__is_refused),
    TEST(subgraph__that_reads_too_much__is_refused),
    TEST(subgraph__that_reads_outside__gets_inputs),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
