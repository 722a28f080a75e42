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

/* ---- tensors ------------------------------------------------------------ */

/* An initializer "w" whose contents are `field` (a whole encoded field). */
static void expect_tensor(int type, int rank, const int64_t *dims, const struct pb *contents,
                          enum fovea_status status, const char *words) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    size_t tensor = onnx_tensor_begin(&parts.initializers, "w", type, rank, dims);
    pb_raw(&parts.initializers, contents->bytes, contents->size);
    pb_end(&parts.initializers, tensor);
    ONNX_EXPECT(&parts, status, words);
}

static void tensor__impossible_shape__is_refused(void) {
    struct pb none = {0};
    static const int64_t negative[] = {2, -1}, wraps[] = {4194305, 4194305, 211106198978564};
    static const int64_t most[] = {INT64_MAX}, many[70] = {1};
    expect_tensor(ONNX_FLOAT, 2, negative, &none, FOVEA_ERR_INVALID,
                  "initializer 0 ('w'): dimension 1 is -1, below 0");
    expect_tensor(ONNX_FLOAT, 3, wraps, &none, FOVEA_ERR_LIMIT, "over the limit of 2^46 bytes");
    expect_tensor(ONNX_UINT8, 1, most, &none, FOVEA_ERR_LIMIT, "over the limit of 2^46 bytes");
    expect_tensor(ONNX_FLOAT, 70, many, &none, FOVEA_ERR_UNSUPPORTED, "rank 70 is over the limit");
    expect_tensor(0, 0, NULL, &none, FOVEA_ERR_INVALID, "the data type is not given");
    expect_tensor(ONNX_STRING, 0, NULL, &none, FOVEA_ERR_UNSUPPORTED, "data type 8 (STRING)");
}

static void tensor__wrong_amount_of_data__is_refused(void) {
    struct pb data = {0};
    expect_tensor(ONNX_FLOAT, 2, dims23, &data, FOVEA_ERR_INVALID, "no data field is set");
    pb_bytes(&data, 9, "01234567890123456789012", 23);
    expect_tensor(ONNX_FLOAT, 2, dims23, &data, FOVEA_ERR_INVALID,
                  "raw_data has 23 bytes; [2,3] of f32 takes 24");
    expect_tensor(ONNX_FLOAT, 0, NULL, &data, FOVEA_ERR_INVALID,
                  "raw_data has 23 bytes; [] of f32");
    pb_float(onnx_anew(&data), 4, 1);
    expect_tensor(ONNX_FLOAT, 2, dims23, &data, FOVEA_ERR_INVALID,
                  "float_data has 1 elements; shape [2,3] takes 6");
    pb_finish(&data);
}

static void tensor__contradictory_data__is_refused(void) {
    struct pb data = {0};
    pb_float(&data, 4, 1);
    expect_tensor(ONNX_INT32, 0, NULL, &data, FOVEA_ERR_INVALID,
                  "float_data is set; contents of type i32 belong in int32_data");
    pb_bytes(&data, 9, "0123", 4);
    expect_tensor(ONNX_FLOAT, 0, NULL, &data, FOVEA_ERR_INVALID,
                  "both raw_data and float_data are set; one must be");
    pb_int(onnx_anew(&data), 5, 256);
    expect_tensor(ONNX_UINT8, 0, NULL, &data, FOVEA_ERR_INVALID,
                  "element 0 is 256, outside the range of u8");
    pb_int(onnx_anew(&data), 5, -1);
    expect_tensor(ONNX_FLOAT16, 0, NULL, &data, FOVEA_ERR_INVALID, "element 0 is -1, outside");
    pb_int(onnx_anew(&data), 11, (int64_t)1 << 32);
    expect_tensor(ONNX_UINT32, 0, NULL, &data, FOVEA_ERR_INVALID, "element 0 is 4294967296");
    pb_bytes(onnx_anew(&data), 9, "\x02", 1);
    expect_tensor(ONNX_BOOL, 0, NULL, &data, FOVEA_ERR_INVALID, "element 0 of a bool tensor is 2");
    pb_bytes(onnx_anew(&data), 3, "", 0);
    expect_tensor(ONNX_FLOAT, 0, NULL, &data, FOVEA_ERR_UNSUPPORTED, "stored in segments");
    pb_int(onnx_anew(&data), 14, 2);
    expect_tensor(ONNX_FLOAT, 0, NULL, &data, FOVEA_ERR_INVALID, "data_location 2");
    pb_finish(&data);
}

/* Each type from its typed field; most tensors of real models use raw_data. */
static void tensor__typed_fields__are_decoded(void) {
    static const struct {
        int type;
        uint32_t field;
        int64_t value;
        enum fovea_dtype dtype;
    } cases[] = {
        {2, 5, 200, FOVEA_U8},     {3, 5, -100, FOVEA_I8},  {4, 5, 60000, FOVEA_U16},
        {5, 5, -30000, FOVEA_I16}, {6, 5, -5, FOVEA_I32},   {7, 7, -7, FOVEA_I64},
        {9, 5, 1, FOVEA_BOOL},     {12, 11, 12, FOVEA_U32}, {13, 11, 13, FOVEA_U64},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct onnx_parts parts;
        struct fovea_model *model = NULL;
        struct fovea_error err;
        onnx_parts_init(&parts);
        size_t tensor =
            onnx_tensor_begin(&parts.initializers, "w", cases[i].type, 1, (const int64_t[]){2});
        pb_int(&parts.initializers, cases[i].field, cases[i].value);
        pb_int(&parts.initializers, cases[i].field, 1);
        pb_end(&parts.initializers, tensor);
        onnx_node(&parts.nodes, "Identity", "", "w", "z");
        CHECK_OK(onnx_parts_load(&parts, &model, &err), err);
        onnx_parts_finish(&parts);
        if (!model) {
            continue;
        }
        const struct fovea_tensor *w = &model->graph.last->in[0]->t;
        CHECK(w->dtype == cases[i].dtype && w->rank == 1 && w->dims[0] == 2);
        CHECK(fovea_tensor_get_int(w, 0) == cases[i].value && fovea_tensor_get_int(w, 1) == 1);
        fovea_model_destroy(model);
    }
}

static void tensor__of_no_elements__needs_no_data(void) {
    struct onnx_parts parts;
    struct fovea_model *model = NULL;
    struct fovea_error err;
    onnx_parts_init(&parts);
    size_t tensor =
        onnx_tensor_begin(&parts.initializers, "w", ONNX_DOUBLE, 2, (const int64_t[]){0, 3});
    pb_end(&parts.initializers, tensor);
    CHECK_OK(onnx_parts_load(&parts, &model, &err), err);
    CHECK(model && model->n_parameters == 0);
    fovea_model_destroy(model);
    onnx_parts_finish(&parts);
}

/* ---- attributes --------------------------------------------------------- */

/* A node with attribute fields as given; `twice` adds them in two attributes. */
static void expect_attr(const struct pb *fields, bool twice, enum fovea_status status,
                        const char *words) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    size_t node = onnx_node_begin(&parts.nodes, "Identity", "n", "x", "z");
    for (int i = 0; i < (twice ? 2 : 1); i++) {
        pb_bytes(&parts.nodes, 5, fields->bytes, fields->size);
    }
    pb_end(&parts.nodes, node);
    ONNX_EXPECT(&parts, status, words);
}

static void attr__contradictory__is_refused(void) {
    struct pb a = {0};
    pb_int(&a, 3, 5);
    expect_attr(&a, false, FOVEA_ERR_INVALID, "node 'n' (Identity): attribute 0 has no name");
    pb_text(&a, 1, "axis");
    expect_attr(&a, true, FOVEA_ERR_INVALID, "node 'n' (Identity): attribute 'axis': occurs twice");
    pb_int(&a, 20, 7);
    expect_attr(&a, false, FOVEA_ERR_INVALID, "'axis': is declared as INTS but holds INT");
    pb_text(onnx_anew(&a), 1, "axis");
    pb_int(&a, 3, 5);
    pb_float(&a, 2, 5);
    expect_attr(&a, false, FOVEA_ERR_INVALID, "attribute 'axis': holds both FLOAT and INT");
    pb_text(onnx_anew(&a), 1, "axis");
    expect_attr(&a, false, FOVEA_ERR_INVALID, "attribute 'axis': holds no value");
    pb_int(&a, 20, 99);
    expect_attr(&a, false, FOVEA_ERR_INVALID, "attribute type 99 does not exist");
    pb_text(onnx_anew(&a), 1, "axis");
    pb_text(&a, 21, "outer");
    expect_attr(&a, false, FOVEA_ERR_INVALID, "refers to attribute 'outer' of a function, outside");
    pb_finish(&a);
}

static void attr__unsupported_contents__is_refused(void) {
    struct pb a = {0};
    pb_text(&a, 1, "mode");
    pb_bytes(&a, 4, "a\0b", 3);
    expect_attr(&a, false, FOVEA_ERR_INVALID, "attribute 'mode': a string contains a NUL byte");
    pb_text(onnx_anew(&a), 1, "value");
    pb_bytes(&a, 5, "\x10\x08", 2);
    expect_attr(&a, false, FOVEA_ERR_UNSUPPORTED, "attribute 'value': data type 8 (STRING)");
    pb_text(onnx_anew(&a), 1, "value");
    pb_bytes(&a, 22, "", 0);
    expect_attr(&a, false, FOVEA_ERR_UNSUPPORTED, "attributes of type SPARSE_TENSOR");
    pb_finish(&a);
}

static void attr__of_every_kind__is_kept(void) {
    struct onnx_parts parts;
    struct fovea_model *model = NULL;
    struct fovea_error err;
    onnx_parts_init(&parts);
    size_t node = onnx_node_begin(&parts.nodes, "Identity", "n", "x", "z");
    size_t attr = pb_begin(&parts.nodes, 5);
    pb_text(&parts.nodes, 1, "ints");
    pb_int(&parts.nodes, 8, -3);
    pb_bytes(&parts.nodes, 8, "\x04\x05", 2);
    pb_int(&parts.nodes, 20, 7);
    pb_end(&parts.nodes, attr);
    attr = pb_begin(&parts.nodes, 5);
    pb_text(&parts.nodes, 1, "strings");
    pb_text(&parts.nodes, 9, "one");
    pb_text(&parts.nodes, 9, "");
    pb_end(&parts.nodes, attr);
    attr = pb_begin(&parts.nodes, 5);
    pb_text(&parts.nodes, 1, "zero"); /* as proto3 writes an integer 0 */
    pb_int(&parts.nodes, 20, 2);
    pb_end(&parts.nodes, attr);
    attr = pb_begin(&parts.nodes, 5);
    pb_text(&parts.nodes, 1, "value");
    pb_bytes(&parts.nodes, 5, "\x08\x01\x10\x01\x4a\x04\0\0\x80\x3f", 10);
    pb_end(&parts.nodes, attr);
    pb_end(&parts.nodes, node);
    CHECK_OK(onnx_parts_load(&parts, &model, &err), err);
    onnx_parts_finish(&parts);
    if (!model) {
        return;
    }
    size_t count;
    const struct fovea_node *n = model->graph.last;
    const int64_t *ints = fovea_attr_ints(n, "ints", &count);
    CHECK(count == 3 && ints[0] == -3 && ints[1] == 4 && ints[2] == 5);
    const struct fovea_attr *strings = fovea_node_attr(n, "strings");
    CHECK(strings && strings->kind == FOVEA_ATTR_STRINGS && strings->count == 2);
    CHECK_STR(strings->strings[0], "one");
    CHECK_STR(strings->strings[1], "");
    CHECK(fovea_attr_int(n, "zero", 5) == 0);
    const struct fovea_attr *value = fovea_node_attr(n, "value");
    CHECK(value && value->kind == FOVEA_ATTR_TENSOR && value->t.rank == 1);
    CHECK(((const float *)value->t.data)[0] == 1.0f);
    fovea_model_destroy(model);
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
    TEST(tensor__impossible_shape__is_refused),
    TEST(tensor__wrong_amount_of_data__is_refused),
    TEST(tensor__contradictory_data__is_refused),
    TEST(tensor__typed_fields__are_decoded),
    TEST(tensor__of_no_elements__needs_no_data),
    TEST(attr__contradictory__is_refused),
    TEST(attr__unsupported_contents__is_refused),
    TEST(attr__of_every_kind__is_kept),
    TEST(model__long_chain__loads_quickly),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
