/* What a model becomes when loaded, and which well-formed models are refused, how. */
#include "tests/check.h"
#include "tests/onnx_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t dims23[] = {2, 3};

/* ---- what is loaded ----------------------------------------------------- */

static void model__smallest__has_all_its_parts(void) {
    struct onnx_parts parts;
    struct fovea_model *model = NULL;
    struct fovea_error err;
    onnx_parts_init(&parts);
    pb_text(&parts.head, 2, "maker");
    pb_text(&parts.head, 3, "1.5");
    size_t entry = pb_begin(&parts.tail, 14);
    pb_text(&parts.tail, 1, "key");
    pb_text(&parts.tail, 2, "value");
    pb_end(&parts.tail, entry);
    CHECK_OK(onnx_parts_load(&parts, &model, &err), err);
    onnx_parts_finish(&parts);
    if (!model) {
        return;
    }
    const struct fovea_io *input = fovea_model_get_input(model, 0);
    CHECK(fovea_model_n_inputs(model) == 1 && fovea_model_n_outputs(model) == 1);
    CHECK_STR(input->name, "x");
    CHECK(input->dtype == FOVEA_F32 && input->rank == 2);
    CHECK(input->dims[0] == 2 && input->dims[1] == 3 && !input->dim_names[0]);
    CHECK_STR(fovea_model_get_output(model, 0)->name, "y");
    CHECK_STR(model->producer, "maker 1.5");
    CHECK(model->ir_version == 8 && model->graph.opset == 17 && model->n_nodes_loaded == 1);
    CHECK_STR(fovea_model_get_metadata(model, "key"), "value");
    CHECK(!fovea_model_get_metadata(model, "other"));
    CHECK(model->graph.first->in[0] == model->graph.inputs[0]);
    CHECK(model->graph.first->out[0] == model->graph.outputs[0]);
    fovea_model_destroy(model);
}

static void input__named_and_missing_dimensions__are_dynamic(void) {
    struct onnx_parts parts;
    struct fovea_model *model = NULL;
    struct fovea_error err;
    onnx_parts_init(&parts);
    onnx_value(onnx_anew(&parts.inputs), 11, "x", ONNX_FLOAT16, 3, (const int64_t[]){-1, 3, 0});
    CHECK_OK(onnx_parts_load(&parts, &model, &err), err);
    onnx_parts_finish(&parts);
    if (!model) {
        return;
    }
    const struct fovea_io *input = fovea_model_get_input(model, 0);
    CHECK(input->dtype == FOVEA_F16 && input->rank == 3);
    CHECK(input->dims[0] == -1 && input->dims[1] == 3 && input->dims[2] == 0);
    CHECK_STR(input->dim_names[0], "N");
    fovea_model_destroy(model);
}

/* Before IR version 4 every initializer was listed as an input too. */
static void input__with_initializer__is_constant(void) {
    struct onnx_parts parts;
    struct fovea_model *model = NULL;
    struct fovea_error err;
    onnx_parts_init(&parts);
    pb_int(onnx_anew(&parts.head), 1, 3);
    onnx_value(&parts.inputs, 11, "w", ONNX_FLOAT, 2, dims23);
    onnx_node(&parts.nodes, "Identity", "", "w", "z");
    size_t tensor = onnx_tensor_begin(&parts.initializers, "w", ONNX_FLOAT, 2, dims23);
    pb_bytes(&parts.initializers, 9, (const float[6]){1, 2, 3, 4, 5, 6}, 24);
    pb_end(&parts.initializers, tensor);
    CHECK_OK(onnx_parts_load(&parts, &model, &err), err);
    onnx_parts_finish(&parts);
    if (!model) {
        return;
    }
    CHECK(fovea_model_n_inputs(model) == 1);
    CHECK(model->n_parameters == 6 && model->parameter_bytes == 24);
    const struct fovea_value *w = model->graph.last->in[0];
    CHECK(w->constant && !w->is_input && ((float *)w->t.data)[5] == 6);
    fovea_model_destroy(model);
}

/* ---- versions ----------------------------------------------------------- */

static void expect_ir(int64_t version, const char *words) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    pb_int(onnx_anew(&parts.head), 1, version);
    ONNX_EXPECT(&parts, FOVEA_ERR_UNSUPPORTED, words);
}

static void expect_opset(int64_t version, const char *words) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    onnx_opset(onnx_anew(&parts.opsets), "", version);
    ONNX_EXPECT(&parts, FOVEA_ERR_UNSUPPORTED, words);
}

static void model__other_versions__states_the_range(void) {
    struct onnx_parts parts;
    expect_ir(0, "IR version 0 is outside 3 to 13");
    expect_ir(-1, "IR version -1 is outside");
    expect_ir(9999, "IR version 9999 is outside");
    expect_opset(0, "opset 0 is outside 7 to 25");
    expect_opset(-1, "opset -1 is outside 7 to 25");
    expect_opset(999, "opset 999 is outside 7 to 25");
    expect_opset((int64_t)1 << 40, "opset 1099511627776 is outside 7 to 25");

    onnx_parts_init(&parts);
    onnx_anew(&parts.opsets);
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, "no opset of the domain ai.onnx is imported; 7 to 25");
    onnx_parts_init(&parts);
    onnx_opset(&parts.opsets, "ai.onnx", 17);
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, "domain 'ai.onnx' is imported twice");
}

static void model__without_graph__is_refused(void) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    parts.no_graph = true;
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, "the model has no graph");
    onnx_parts_init(&parts);
    onnx_anew(&parts.outputs);
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, "the graph has no outputs");
    onnx_parts_init(&parts);
    size_t function = pb_begin(&parts.tail, 25);
    pb_text(&parts.tail, 1, "f");
    pb_end(&parts.tail, function);
    ONNX_EXPECT(&parts, FOVEA_ERR_UNSUPPORTED, "functions are not supported; the first is 'f'");
    onnx_parts_init(&parts);
    pb_bytes(&parts.in_graph, 15, "", 0);
    ONNX_EXPECT(&parts, FOVEA_ERR_UNSUPPORTED, "sparse initializers are not supported");
}

/* ---- operators ---------------------------------------------------------- */

static void operators__unsupported__are_all_named(void) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    onnx_node(&parts.nodes, "NoSuchOp", "first", "x", "a");
    onnx_node(&parts.nodes, "NoSuchOp", "second", "x", "b");
    size_t node = onnx_node_begin(&parts.nodes, "Scan", "", "x", "c");
    size_t attr = pb_begin(&parts.nodes, 5);
    pb_text(&parts.nodes, 1, "body");
    pb_int(&parts.nodes, 20, 5);
    pb_bytes(&parts.nodes, 6, "", 0);
    pb_end(&parts.nodes, attr);
    pb_end(&parts.nodes, node);
    node = onnx_node_begin(&parts.nodes, "Identity", "third", "x", "d");
    pb_text(&parts.nodes, 7, "com.example");
    pb_end(&parts.nodes, node);
    node = onnx_node_begin(&parts.nodes, "Convert", "fourth", "x", "e");
    pb_text(&parts.nodes, 7, "fovea");
    pb_end(&parts.nodes, node);
    ONNX_EXPECT(&parts, FOVEA_ERR_UNSUPPORTED,
                "operators not supported at opset 17: NoSuchOp (node 'first'), Scan (node 3), "
                "com.example.Identity (node 'third'), fovea.Convert (node 'fourth')");
}

static void operators__many_unsupported__are_counted(void) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    for (int i = 0; i < 40; i++) {
        char type[32];
        snprintf(type, sizeof(type), "NoSuchOperator%d", i);
        onnx_node(&parts.nodes, type, "a node with a name", "x", "");
    }
    ONNX_EXPECT(&parts, FOVEA_ERR_UNSUPPORTED, " more");
    onnx_parts_init(&parts);
    onnx_node(&parts.nodes, "", "nameless", "x", "z");
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, "node 'nameless' (): has no operator type");
}

static void operators__unused_import__is_harmless(void) {
    struct onnx_parts parts;
    struct fovea_model *model = NULL;
    struct fovea_error err;
    onnx_parts_init(&parts);
    onnx_opset(&parts.opsets, "com.microsoft", 1);
    CHECK_OK(onnx_parts_load(&parts, &model, &err), err);
    fovea_model_destroy(model);
    onnx_parts_finish(&parts);
}

/* ---- names -------------------------------------------------------------- */

static void expect_node(const char *inputs, const char *outputs, const char *words) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    onnx_node(&parts.nodes, "Identity", "n", inputs, outputs);
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, words);
}

static void add_weight(struct onnx_parts *parts, const char *name) {
    size_t tensor = onnx_tensor_begin(&parts->initializers, name, ONNX_FLOAT, 0, NULL);
    pb_float(&parts->initializers, 4, 1);
    pb_end(&parts->initializers, tensor);
}

static void names__not_single_assignment__is_refused(void) {
    struct onnx_parts parts;
    expect_node("x", "y", "'y' is defined twice: output of node 0 and output of node 1");
    expect_node("x", "x", "'x' is defined twice: graph input 0 and output of node 1");
    expect_node("x", "z,z", "'z' is defined twice: output of node 1 and output of node 1");

    onnx_parts_init(&parts);
    add_weight(&parts, "w");
    add_weight(&parts, "w");
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, "'w' is defined twice: initializer 0 and initializer 1");
    onnx_parts_init(&parts);
    add_weight(&parts, "y");
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID,
                "'y' is defined twice: initializer 0 and output of node");
    onnx_parts_init(&parts);
    onnx_value(&parts.inputs, 11, "x", ONNX_FLOAT, 2, dims23);
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, "'x' is defined twice: graph input 0 and graph input 1");
    onnx_parts_init(&parts);
    onnx_value(&parts.outputs, 12, "y", ONNX_FLOAT, 2, dims23);
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, "graph output 1 ('y'): is listed as an output twice");
}

static void names__undefined_or_out_of_order__names_the_node(void) {
    struct onnx_parts parts;
    expect_node("q", "z", "node 'n' (Identity): input 0: 'q' is not defined anywhere");
    expect_node("z", "z", "input 0: 'z' is the output of node 1, which does not come before");

    onnx_parts_init(&parts);
    onnx_node(&parts.nodes, "Identity", "n", "b", "a");
    onnx_node(&parts.nodes, "Identity", "m", "a", "b");
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID,
                "node 'n' (Identity): input 0: 'b' is the output of node 2, which does not come");
    onnx_parts_init(&parts);
    onnx_value(&parts.outputs, 12, "q", ONNX_FLOAT, 2, dims23);
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, "graph output 1 ('q'): nothing in the graph produces");
}

static void names__strange_bytes__are_never_printed_raw(void) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    onnx_node(&parts.nodes, "Identity", "a\033[2J\xff%n", "nothing", "z");
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID,
                "node 'a\\x1b[2J\\xff%n' (Identity): input 0: 'nothing'");
    /* Duplicate names of nodes are legal. */
    struct fovea_model *model = NULL;
    struct fovea_error err;
    onnx_parts_init(&parts);
    onnx_node(&parts.nodes, "Identity", "copy", "x", "z\xff");
    CHECK_OK(onnx_parts_load(&parts, &model, &err), err);
    fovea_model_destroy(model);
    onnx_parts_finish(&parts);
}

/* ---- inputs and outputs ------------------------------------------------- */

static void expect_input(int type, int rank, const int64_t *dims, enum fovea_status status,
                         const char *words) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    onnx_value(onnx_anew(&parts.inputs), 11, "x", type, rank, dims);
    ONNX_EXPECT(&parts, status, words);
}

static void input__impossible_type__is_refused(void) {
    static const int64_t negative[] = {-2}, huge[] = {(int64_t)1 << 40, (int64_t)1 << 40};
    static const int64_t nine[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    expect_input(0, 2, dims23, FOVEA_ERR_INVALID,
                 "graph input 0 ('x'): the data type is not given");
    expect_input(999, 2, dims23, FOVEA_ERR_INVALID, "data type 999 does not exist");
    expect_input(-1, 2, dims23, FOVEA_ERR_INVALID, "data type -1 does not exist");
    expect_input(ONNX_STRING, 2, dims23, FOVEA_ERR_UNSUPPORTED, "data type 8 (STRING)");
    expect_input(14, 2, dims23, FOVEA_ERR_UNSUPPORTED, "data type 14 (COMPLEX64)");
    expect_input(ONNX_FLOAT, 1, negative, FOVEA_ERR_INVALID, "dimension 0 is -2, below 0");
    expect_input(ONNX_FLOAT, 2, huge, FOVEA_ERR_LIMIT, "shape [1099511627776,1099511627776]");
    expect_input(ONNX_FLOAT, 9, nine, FOVEA_ERR_UNSUPPORTED, "rank 9 is over the limit of 8");
}

static void input__no_type__is_refused(void) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    size_t value = pb_begin(onnx_anew(&parts.inputs), 11);
    pb_text(&parts.inputs, 1, "x");
    pb_end(&parts.inputs, value);
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, "graph input 0 ('x'): has no type");

    onnx_parts_init(&parts);
    value = pb_begin(onnx_anew(&parts.inputs), 11);
    pb_text(&parts.inputs, 1, "x");
    pb_bytes(&parts.inputs, 2, "\x0a\x02\x08\x01", 4);
    pb_end(&parts.inputs, value);
    ONNX_EXPECT(&parts, FOVEA_ERR_UNSUPPORTED, "graph input 0 ('x'): has no shape");

    onnx_parts_init(&parts);
    value = pb_begin(onnx_anew(&parts.inputs), 11);
    pb_text(&parts.inputs, 1, "x");
    pb_bytes(&parts.inputs, 2, "\x22\x00", 2);
    pb_end(&parts.inputs, value);
    ONNX_EXPECT(&parts, FOVEA_ERR_UNSUPPORTED, "is a sequence; only tensors are supported");
}

/* ---- scale -------------------------------------------------------------- */

/* Loading is linear (but for a sort): a chain of 100,000 nodes takes well under a second. */
static void model__long_chain__loads_quickly(void) {
    enum { NODES = 100000 };
    struct onnx_parts parts;
    struct fovea_model *model = NULL;
    struct fovea_error err;
    char from[16] = "x", to[16];
    struct timespec start, end;
    onnx_parts_init(&parts);
    for (int i = 0; i < NODES; i++) {
        snprintf(to, sizeof(to), "v%d", i);
        onnx_node(&parts.nodes, "Identity", "", from, to);
        memcpy(from, to, sizeof(from));
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    CHECK_OK(onnx_parts_load(&parts, &model, &err), err);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    CHECK(model && model->n_nodes_loaded == NODES + 1);
    CHECK((double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec) < 5);
    fovea_model_destroy(model);
    onnx_parts_finish(&parts);
}

static const struct test tests[] = {
    TEST(model__smallest__has_all_its_parts),
    TEST(input__named_and_missing_dimensions__are_dynamic),
    TEST(input__with_initializer__is_constant),
    TEST(model__other_versions__states_the_range),
    TEST(model__without_graph__is_refused),
    TEST(operators__unsupported__are_all_named),
    TEST(operators__many_unsupported__are_counted),
    TEST(operators__unused_import__is_harmless),
    TEST(names__not_single_assignment__is_refused),
    TEST(names__undefined_or_out_of_order__names_the_node),
    TEST(names__strange_bytes__are_never_printed_raw),
    TEST(input__impossible_type__is_refused),
    TEST(input__no_type__is_refused),
    TEST(model__long_chain__loads_quickly),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
