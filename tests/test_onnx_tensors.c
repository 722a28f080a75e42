/* Loading models: tensors and attributes, with contents right and wrong. */
#include "tests/check.h"
#include "tests/onnx_parts.h"
#include "tests/temp_dir.h"

#include <stdlib.h>
#include <string.h>

static const int64_t dims23[] = {2, 3};

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
    pb_int(onnx_anew(&data), 11, -2);
    expect_tensor(ONNX_UINT32, 0, NULL, &data, FOVEA_ERR_INVALID,
                  "element 0 is 18446744073709551614, outside the range of u32");
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

static void tensor__of_floating_type__is_decoded(void) {
    static const double doubles[] = {-0.5, 1e300};
    static const float floats[] = {-0.5f, 1e30f};
    for (int wide = 0; wide < 2; wide++) {
        struct onnx_parts parts;
        struct fovea_model *model = NULL;
        struct fovea_error err;
        onnx_parts_init(&parts);
        size_t tensor = onnx_tensor_begin(&parts.initializers, "w", wide ? ONNX_DOUBLE : ONNX_FLOAT,
                                          1, (const int64_t[]){2});
        if (wide) {
            pb_bytes(&parts.initializers, 10, doubles, sizeof(doubles));
        } else {
            pb_bytes(&parts.initializers, 4, floats, sizeof(floats));
        }
        pb_end(&parts.initializers, tensor);
        onnx_node(&parts.nodes, "Identity", "", "w", "z");
        CHECK_OK(onnx_parts_load(&parts, &model, &err), err);
        onnx_parts_finish(&parts);
        if (model) {
            const void *data = model->graph.last->in[0]->t.data;
            CHECK(memcmp(data, wide ? (const void *)doubles : floats,
                         wide ? sizeof(doubles) : sizeof(floats)) == 0);
        }
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
    pb_text(&a, 1, "");
    expect_attr(&a, false, FOVEA_ERR_INVALID, "node 'n' (Identity): attribute 0 has no name");
    pb_int(onnx_anew(&a), 3, 5);
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
    pb_int(&a, 20, -1);
    expect_attr(&a, false, FOVEA_ERR_INVALID, "attribute type -1 does not exist");
    pb_text(onnx_anew(&a), 1, "value");
    pb_int(&a, 20, 4); /* a tensor, as it says; of other types, nothing stored is zero or empty */
    expect_attr(&a, false, FOVEA_ERR_INVALID, "attribute 'value': holds no value");
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
    pb_text(onnx_anew(&a), 1, "modes");
    pb_text(&a, 9, "good");
    pb_bytes(&a, 9, "a\0b", 3);
    expect_attr(&a, false, FOVEA_ERR_INVALID, "attribute 'modes': a string contains a NUL byte");
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
    pb_text(&parts.nodes, 21, ""); /* and no reference */
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

/* An attribute's tensor may lie in a file, too; bools are looked at there. */
static void attr__tensor_in_a_file__is_read(void) {
    for (int good = 1; good >= 0; good--) {
        struct onnx_parts parts;
        struct pb *pb = &parts.nodes;
        temp_write("bools.bin", good ? "\1\0\1" : "\1\2\1", 3);
        onnx_parts_init(&parts);
        size_t node = onnx_node_begin(pb, "Constant", "c", "", "z"), attr = pb_begin(pb, 5);
        pb_text(pb, 1, "value");
        size_t tensor = pb_begin(pb, 5);
        pb_int(pb, 1, 3);
        pb_int(pb, 2, ONNX_BOOL);
        pb_int(pb, 14, 1);
        size_t place = pb_begin(pb, 13);
        pb_text(pb, 1, "location");
        pb_text(pb, 2, "bools.bin");
        pb_end(pb, place);
        pb_end(pb, tensor);
        pb_end(pb, attr);
        pb_end(pb, node);
        if (!good) {
            ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, "element 1 of a bool tensor is 2");
            continue;
        }
        struct fovea_model *model = NULL;
        struct fovea_error err;
        CHECK_OK(onnx_parts_load(&parts, &model, &err), err);
        onnx_parts_finish(&parts);
        const struct fovea_attr *value = model ? fovea_node_attr(model->graph.last, "value") : NULL;
        CHECK(value && value->kind == FOVEA_ATTR_TENSOR && memcmp(value->t.data, "\1\0\1", 3) == 0);
        CHECK(model && model->n_buffers == 0);
        fovea_model_destroy(model);
    }
}

static const struct test tests[] = {
    TEST(attr__tensor_in_a_file__is_read),          TEST(tensor__impossible_shape__is_refused),
    TEST(tensor__wrong_amount_of_data__is_refused), TEST(tensor__contradictory_data__is_refused),
    TEST(tensor__typed_fields__are_decoded),        TEST(tensor__of_floating_type__is_decoded),
    TEST(tensor__of_no_elements__needs_no_data),    TEST(attr__contradictory__is_refused),
    TEST(attr__unsupported_contents__is_refused),   TEST(attr__of_every_kind__is_kept),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
