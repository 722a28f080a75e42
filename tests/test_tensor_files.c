/* Single tensors in .pb and .npy files. */
#include "loaders/npy.h"
#include "loaders/tensor_pb.h"
#include "runtime/tensor.h"
#include "tests/check.h"
#include "tests/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int64_t dims[] = {2, 1, 2};
static const unsigned char contents[32] = {0, 0, 0x80, 0x3f, 1, 0, 1};

static bool same(const struct fovea_tensor *a, const struct fovea_tensor *b) {
    return a->dtype == b->dtype && fovea_tensor_same_shape(a, b) &&
           memcmp(a->data, b->data, fovea_tensor_bytes(a)) == 0;
}

/* ---- .pb ---------------------------------------------------------------- */

static void pb__any_type_written__reads_back(void) {
    for (int dtype = 0; dtype < FOVEA_N_DTYPES; dtype++) {
        struct fovea_tensor tensor = {.data = (void *)contents}, back = {0};
        struct fovea_error err;
        char *name = NULL;
        bool is_bool = dtype == FOVEA_BOOL;
        fovea_tensor_set_shape(&tensor, (enum fovea_dtype)dtype, is_bool ? 0 : 3, dims);
        const char *path = temp_path("t.pb");
        CHECK_OK(fovea_tensor_save_pb(path, &tensor, "a name", &err), err);
        CHECK_OK(fovea_tensor_load_pb(path, &back, &name, &err), err);
        CHECK(back.data && same(&tensor, &back));
        CHECK_STR(name, "a name");
        free(back.data);
        free(name);
    }
}

static void expect_pb(const char *bytes, size_t size, enum fovea_status status, const char *words) {
    struct fovea_tensor tensor;
    struct fovea_error err = {0};
    const char *path = temp_write("bad.pb", bytes, size);
    CHECK(fovea_tensor_load_pb(path, &tensor, NULL, &err) == status);
    if (!strstr(err.message, words) || strncmp(err.message, path, strlen(path)) != 0) {
        check_failed(__FILE__, __LINE__, words, err.message);
    }
}

static void pb__malformed__is_refused(void) {
    expect_pb("", 0, FOVEA_ERR_FORMAT, "not a tensor (the file is empty)");
    expect_pb("\x10", 1, FOVEA_ERR_FORMAT, "byte 1: a varint goes past the end");
    expect_pb("\x08\x02\x10\x01\x4a\x04"
              "abcd",
              10, FOVEA_ERR_INVALID, "raw_data has 4 bytes; [2] of f32 takes 8");
    expect_pb("\x08\x02\x10\x08", 4, FOVEA_ERR_UNSUPPORTED, "data type 8 (STRING)");
    expect_pb("\x10\x01\x70\x01", 4, FOVEA_ERR_INVALID, "external data is only for the tensors of");
}

static void pb__official_test_data__is_read(void) {
    static const char path[] =
        "/usr/share/libonnx-testdata/data/node/test_softmax_axis_1/test_data_set_0/input_0.pb";
    struct fovea_tensor tensor = {0};
    struct fovea_error err;
    char *name = NULL;
    if (access(path, R_OK) != 0) {
        check_skip("libonnx-testdata is not installed");
        return;
    }
    CHECK_OK(fovea_tensor_load_pb(path, &tensor, &name, &err), err);
    CHECK_STR(name, "x");
    CHECK(tensor.dtype == FOVEA_F32 && tensor.rank == 3);
    CHECK_STR(fovea_shape_text(&tensor).text, "[3,4,5]");
    free(tensor.data);
    free(name);
}

/* What cannot be written leaves no file behind, and what is not there cannot be read. */
static void pb__impossible_tensor__is_not_written(void) {
    static const struct {
        int64_t dim;
        enum fovea_status status;
        const char *words;
    } cases[] = {
        {-1, FOVEA_ERR_INVALID, "dimension 0 is -1"},
        {(int64_t)1 << 31, FOVEA_ERR_LIMIT, "2147483648 bytes are too many for a tensor file"},
        {INT32_MAX - 16, FOVEA_ERR_LIMIT, "2147483631 bytes are too many for a tensor file"},
    };
    const char *path = temp_path("none.pb");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fovea_error err = {0};
        const struct fovea_tensor tensor = {
            .dtype = FOVEA_U8, .rank = 1, .dims = {cases[i].dim}, .data = (void *)contents};
        CHECK(fovea_tensor_save_pb(path, &tensor, "a name", &err) == cases[i].status);
        CHECK(strncmp(err.message, path, strlen(path)) == 0);
        if (!strstr(err.message, cases[i].words)) {
            check_failed(__FILE__, __LINE__, cases[i].words, err.message);
        }
        CHECK(access(path, F_OK) != 0);
    }
    struct fovea_tensor back = {0};
    struct fovea_error err = {0};
    CHECK(fovea_tensor_load_pb(path, &back, NULL, &err) == FOVEA_ERR_IO && !back.data);
}

/* ---- .npy --------------------------------------------------------------- */

static void npy__any_type_written__reads_back(void) {
    static const int ranks[] = {0, 1, 3};
    for (int i = 0; i < FOVEA_N_DTYPES * 3; i++) {
        enum fovea_dtype dtype = (enum fovea_dtype)(i / 3);
        struct fovea_tensor tensor = {.data = (void *)contents}, back = {0};
        struct fovea_error err;
        int rank = dtype == FOVEA_BOOL ? 0 : ranks[i % 3];
        fovea_tensor_set_shape(&tensor, dtype, rank, dims);
        const char *path = temp_path("t.npy");
        if (dtype == FOVEA_BF16) {
            CHECK(fovea_tensor_save_npy(path, &tensor, &err) == FOVEA_ERR_UNSUPPORTED);
            CHECK(strstr(err.message, ".npy has no type for bf16"));
            continue;
        }
        CHECK_OK(fovea_tensor_save_npy(path, &tensor, &err), err);
        CHECK_OK(fovea_tensor_load_npy(path, &back, &err), err);
        CHECK(back.data && same(&tensor, &back));
        free(back.data);
    }
}

/* The bytes numpy.save wrote (1.24) for np.array([[1, 2, 3]], np.int16). */
static void npy__written_by_numpy__is_read(void) {
    static const char head[] = "\x93NUMPY\x01\x00v\x00{'descr': '<i2', 'fortran_order': False, "
                               "'shape': (1, 3), }";
    unsigned char file[134];
    struct fovea_tensor tensor = {0};
    struct fovea_error err;
    memset(file, ' ', sizeof(file));
    memcpy(file, head, sizeof(head) - 1);
    file[127] = '\n';
    memcpy(file + 128, (const int16_t[]){1, 2, 3}, 6);
    CHECK_OK(fovea_tensor_load_npy(temp_write("n.npy", file, sizeof(file)), &tensor, &err), err);
    CHECK(tensor.dtype == FOVEA_I16);
    CHECK_STR(fovea_shape_text(&tensor).text, "[1,3]");
    CHECK(tensor.data && fovea_tensor_get_int(&tensor, 2) == 3);
    free(tensor.data);
}

static void npy__fortran_order__is_transposed(void) {
    static const char file[] = "\x93NUMPY\x01\x00\x3b\x00"
                               "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n"
                               "\1\4\2\5\3\6";
    struct fovea_tensor tensor = {0};
    struct fovea_error err;
    CHECK_OK(fovea_tensor_parse_npy(file, sizeof(file) - 1, &tensor, &err), err);
    CHECK(tensor.data && memcmp(tensor.data, "\1\2\3\4\5\6", 6) == 0);
    free(tensor.data);
}

static void npy__without_elements__is_read(void) {
    static const char *const orders[] = {"True", "False"};
    for (size_t i = 0; i < 2; i++) {
        struct fovea_tensor tensor = {0};
        struct fovea_error err;
        char file[80];
        memcpy(file, "\x93NUMPY\x01\x00\x40\x00", 10);
        snprintf(file + 10, 65, "{'descr': '<f4', 'fortran_order': %-5s, 'shape': (4, 0, 2)}%3s\n",
                 orders[i], "");
        CHECK_OK(fovea_tensor_parse_npy(file, 74, &tensor, &err), err);
        CHECK_STR(fovea_shape_text(&tensor).text, "[4,0,2]");
        free(tensor.data);
    }
}

static void npy__impossible_shape__is_not_written(void) {
    struct fovea_tensor tensor = {.rank = 1, .dims = {-1}, .data = (void *)contents};
    struct fovea_error err = {0};
    const char *path = temp_path("none.npy");
    CHECK(fovea_tensor_save_npy(path, &tensor, &err) != FOVEA_OK);
    CHECK(strstr(err.message, "-1") && access(path, F_OK) != 0);
}

static void npy__malformed__is_refused(void) {
    static const struct {
        const char *header;
        enum fovea_status status;
        const char *words;
    } cases[] = {
        {"", FOVEA_ERR_FORMAT, "header character 1: '{' expected"},
        {"{'descr': '<f4', 'fortran_order': False}", FOVEA_ERR_FORMAT,
         "lacks descr, fortran_order"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", FOVEA_ERR_UNSUPPORTED,
         "type '>f4' is big-endian"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", FOVEA_ERR_UNSUPPORTED,
         "type '<c8' is not supported"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", FOVEA_ERR_UNSUPPORTED,
         "type '|O' is not supported"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", FOVEA_ERR_FORMAT,
         "a type as a short string expected"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", FOVEA_ERR_FORMAT, "True or False"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1)}", FOVEA_ERR_FORMAT,
         "',' expected"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", FOVEA_ERR_FORMAT,
         "a dimension expected"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,)}",
         FOVEA_ERR_FORMAT, "a dimension below 2^63"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4194305, 4194305, 211106198978564)}",
         FOVEA_ERR_LIMIT, "over the limit of 2^46 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}",
         FOVEA_ERR_UNSUPPORTED, "over 8 dimensions"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}", FOVEA_ERR_FORMAT,
         "header key 'descr' is given twice"},
        {"{'colour': 'red'}", FOVEA_ERR_FORMAT, "header key 'colour' is not known"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)} x", FOVEA_ERR_FORMAT,
         "the end expected"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", FOVEA_ERR_FORMAT,
         "4 bytes of data; [3] of f32 takes 12"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char file[256];
        struct fovea_tensor tensor;
        struct fovea_error err = {0};
        size_t length = strlen(cases[i].header) + 1;
        memcpy(file, "\x93NUMPY\x01\x00", 8);
        file[8] = (char)length;
        file[9] = 0;
        memcpy(file + 10, cases[i].header, length - 1);
        file[9 + length] = '\n';
        memset(file + 10 + length, 0, 4);
        CHECK(fovea_tensor_parse_npy(file, length + 14, &tensor, &err) == cases[i].status);
        if (!strstr(err.message, cases[i].words)) {
            check_failed(__FILE__, __LINE__, cases[i].words, err.message);
        }
        for (size_t cut = 0; cut < length + 14; cut++) {
            char *exact = malloc(cut + 1);
            CHECK(exact);
            memcpy(exact, file, cut);
            CHECK(fovea_tensor_parse_npy(exact, cut, &tensor, NULL) != FOVEA_OK);
            free(exact);
        }
    }
}

static const struct test tests[] = {
    TEST(pb__impossible_tensor__is_not_written),
    TEST(pb__any_type_written__reads_back),
    TEST(pb__malformed__is_refused),
    TEST(pb__official_test_data__is_read),
    TEST(npy__any_type_written__reads_back),
    TEST(npy__written_by_numpy__is_read),
    TEST(npy__fortran_order__is_transposed),
    TEST(npy__without_elements__is_read),
    TEST(npy__impossible_shape__is_not_written),
    TEST(npy__malformed__is_refused),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
