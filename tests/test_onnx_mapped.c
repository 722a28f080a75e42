/*
 * Large raw_data of initializers stays in the mapped file, wherever in it the
 * bytes happen to lie, and computes what it would if it had been copied.
 */
#include "runtime/tensor.h"
#include "tests/check.h"
#include "tests/onnx_parts.h"

#include <stdlib.h>
#include <string.h>

/* SIDE x SIDE elements are over 64 KiB, even of two bytes. */
enum { SIDE = 192, COUNT = SIDE * SIDE, ONNX_BFLOAT16 = 16 };

static const int64_t square[] = {SIDE, SIDE}, row[] = {1, SIDE};

/* Whole numbers: every sum of products is exact, in any order. */
static float weight(int64_t i) {
    return (float)(i * 37 % 17 - 8);
}

static float image(int64_t i) {
    return (float)(i * 11 % 7 - 3);
}

static void *weights_as(enum fovea_dtype dtype) {
    float *wide = malloc(COUNT * sizeof(float));
    void *data = malloc(COUNT * fovea_dtype_size(dtype));
    if (!wide || !data) {
        exit(1);
    }
    for (int64_t i = 0; i < COUNT; i++) {
        wide[i] = weight(i);
    }
    fovea_convert(FOVEA_F32, wide, dtype, data, COUNT);
    free(wide);
    return data;
}

static void cast_to_float(struct pb *pb, const char *from, const char *to) {
    size_t node = onnx_node_begin(pb, "Cast", "", from, to), attr = pb_begin(pb, 5);
    pb_text(pb, 1, "to");
    pb_int(pb, 3, ONNX_FLOAT);
    pb_int(pb, 20, 2);
    pb_end(pb, attr);
    pb_end(pb, node);
}

/* y = x * w, x and y f32[1,SIDE]; w of `dtype`, behind `shift` bytes that mean nothing. */
static void init_product(struct onnx_parts *parts, int type, enum fovea_dtype dtype, int shift) {
    void *data = weights_as(dtype);
    onnx_parts_init(parts);
    pb_text(&parts->head, 2, "producer" + 8 - shift);
    onnx_anew(&parts->nodes);
    if (type != ONNX_FLOAT) {
        cast_to_float(&parts->nodes, "w", "v");
    }
    onnx_node(&parts->nodes, "MatMul", "", type == ONNX_FLOAT ? "x,w" : "x,v", "y");
    size_t tensor = onnx_tensor_begin(&parts->initializers, "w", type, 2, square);
    pb_bytes(&parts->initializers, 9, data, COUNT * fovea_dtype_size(dtype));
    pb_end(&parts->initializers, tensor);
    onnx_value(onnx_anew(&parts->inputs), 11, "x", ONNX_FLOAT, 2, row);
    onnx_value(onnx_anew(&parts->outputs), 12, "y", ONNX_FLOAT, 2, row);
    free(data);
}

static void check_run(const struct fovea_model *model, const char *passes) {
    struct fovea_session_options options;
    struct fovea_session *session;
    struct fovea_error err;
    float x[SIDE], y[SIDE];
    for (int i = 0; i < SIDE; i++) {
        x[i] = image(i);
    }
    const struct fovea_tensor input = {FOVEA_F32, 2, {1, SIDE}, x},
                              output = {FOVEA_F32, 2, {1, SIDE}, y};
    fovea_session_options_default(&options);
    options.passes = passes;
    CHECK_OK(fovea_session_create(model, &input, &options, &session, &err), err);
    CHECK_OK(fovea_session_run(session, &input, &output, NULL, &err), err);
    fovea_session_destroy(session);
    for (int j = 0; j < SIDE; j++) {
        float sum = 0;
        for (int i = 0; i < SIDE; i++) {
            sum += image(i) * weight(i * SIDE + j);
        }
        CHECK(y[j] == sum);
    }
}

static void check_type(int type, enum fovea_dtype dtype, bool stays_unaligned) {
    for (int shift = 0; shift < 8; shift++) {
        struct onnx_parts parts;
        struct fovea_model *model = NULL;
        struct fovea_error err;
        init_product(&parts, type, dtype, shift);
        CHECK_OK(onnx_parts_load(&parts, &model, &err), err);
        onnx_parts_finish(&parts);
        if (!model) {
            return;
        }
        const struct fovea_value *w = model->graph.first->in[type == ONNX_FLOAT];
        bool aligned = (uintptr_t)w->t.data % fovea_dtype_size(dtype) == 0;
        CHECK(w->constant && model->n_mappings == 1 && model->n_parameters == COUNT);
        CHECK(stays_unaligned ? !w->owned : aligned);
        check_run(model, "off");
        check_run(model, "on");
        fovea_model_destroy(model);
    }
}

static void mapped__any_type_at_any_alignment__computes_the_same(void) {
    check_type(ONNX_FLOAT, FOVEA_F32, true);
    check_type(ONNX_FLOAT16, FOVEA_F16, true);
    check_type(ONNX_BFLOAT16, FOVEA_BF16, true);
    check_type(ONNX_DOUBLE, FOVEA_F64, false);
    check_type(ONNX_INT64, FOVEA_I64, false);
    check_type(ONNX_INT32, FOVEA_I32, false);
}

static void mapped__small_contents__are_copied(void) {
    static const float few[6] = {1, 2, 3, 4, 5, 6};
    struct onnx_parts parts;
    struct fovea_model *model = NULL;
    struct fovea_error err;
    onnx_parts_init(&parts);
    size_t tensor =
        onnx_tensor_begin(&parts.initializers, "w", ONNX_FLOAT, 2, (const int64_t[]){2, 3});
    pb_bytes(&parts.initializers, 9, few, sizeof(few));
    pb_end(&parts.initializers, tensor);
    onnx_node(&parts.nodes, "Identity", "", "w", "z");
    CHECK_OK(onnx_parts_load(&parts, &model, &err), err);
    onnx_parts_finish(&parts);
    if (model) {
        CHECK(model->n_mappings == 0 && model->graph.last->in[0]->owned);
        fovea_model_destroy(model);
    }
}

/* ---- what is refused ---------------------------------------------------- */

/* An initializer w of SIDE x SIDE `type` with `bytes` of zeros, left open. */
static size_t begin_zeros(struct onnx_parts *parts, int type, size_t bytes) {
    unsigned char *zeros = calloc(1, bytes);
    onnx_parts_init(parts);
    size_t tensor = onnx_tensor_begin(&parts->initializers, "w", type, 2, square);
    pb_bytes(&parts->initializers, 9, zeros, bytes);
    free(zeros);
    return tensor;
}

static void mapped__wrong_size__is_refused(void) {
    for (int more = -1; more <= 1; more += 2) {
        struct onnx_parts parts;
        size_t tensor = begin_zeros(&parts, ONNX_FLOAT, (size_t)(COUNT * 4 + more));
        pb_end(&parts.initializers, tensor);
        ONNX_EXPECT(&parts, FOVEA_ERR_INVALID,
                    more < 0 ? "('w'): raw_data has 147455 bytes; [192,192] of f32 takes 147456"
                             : "('w'): raw_data has 147457 bytes; [192,192] of f32 takes 147456");
    }
}

static void mapped__two_fields_of_contents__are_refused(void) {
    struct onnx_parts parts;
    size_t tensor = begin_zeros(&parts, ONNX_FLOAT, COUNT * 4);
    pb_float(&parts.initializers, 4, 1);
    pb_end(&parts.initializers, tensor);
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, "both raw_data and float_data are set");
    tensor = begin_zeros(&parts, ONNX_FLOAT, COUNT * 4);
    pb_int(&parts.initializers, 14, 1);
    pb_end(&parts.initializers, tensor);
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, "the data is external, yet raw_data is set");
}

static void mapped__bool_that_is_two__is_refused(void) {
    unsigned char *bytes = calloc(1, 1 << 17);
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    size_t tensor =
        onnx_tensor_begin(&parts.initializers, "w", ONNX_BOOL, 1, (const int64_t[]){1 << 17});
    bytes[99999] = 2;
    pb_bytes(&parts.initializers, 9, bytes, 1 << 17);
    pb_end(&parts.initializers, tensor);
    free(bytes);
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, "element 99999 of a bool tensor is 2");
}

/* The field by which a message says which contents are its own is no field of a file. */
static void mapped__field_of_ours_in_a_file__is_refused(void) {
    for (int large = 0; large < 2; large++) {
        struct onnx_parts parts;
        size_t tensor = begin_zeros(&parts, ONNX_FLOAT, large ? COUNT * 4 : 4);
        pb_tag(&parts.initializers, 536870911, 5);
        pb_raw(&parts.initializers, "\0\0\0\0", 4);
        pb_end(&parts.initializers, tensor);
        ONNX_EXPECT(&parts, FOVEA_ERR_FORMAT, "ONNX has no field 536870911 of TensorProto");
    }
}

static const struct test tests[] = {
    TEST(mapped__any_type_at_any_alignment__computes_the_same),
    TEST(mapped__small_contents__are_copied),
    TEST(mapped__wrong_size__is_refused),
    TEST(mapped__two_fields_of_contents__are_refused),
    TEST(mapped__bool_that_is_two__is_refused),
    TEST(mapped__field_of_ours_in_a_file__is_refused),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
