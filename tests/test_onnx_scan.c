/*
 * Bytes that are no well-formed ONNX model, or one made to exhaust stack or
 * memory: refused before protobuf-c sees them, with the offset.
 */
#include "loaders/onnx_scan.h"
#include "runtime/limits.h"
#include "tests/check.h"
#include "tests/onnx_parts.h"
#include "tests/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- what is not ONNX --------------------------------------------------- */

static void bytes__other_formats__shows_how_they_begin(void) {
    static const unsigned char safetensors[] = "\x40\0\0\0\0\0\0\0{\"a\":{}}";
    static const unsigned char lfs[] = "version https://git-lfs.github.com/spec/v1\noid sha256:00";
    ONNX_EXPECT_BYTES("", 0, FOVEA_ERR_FORMAT, "not an ONNX model (the file is empty)");
    ONNX_EXPECT_BYTES("\x08", 1, FOVEA_ERR_FORMAT, "not an ONNX model (first bytes 08)");
    ONNX_EXPECT_BYTES("\x89PNG\r\n\x1a\n", 8, FOVEA_ERR_FORMAT,
                      "not an ONNX model (first bytes 89 50 4e 47 0d 0a 1a 0a)");
    ONNX_EXPECT_BYTES("PK\3\4abcdef", 10, FOVEA_ERR_FORMAT, "first bytes 50 4b 03 04");
    ONNX_EXPECT_BYTES("\xff\xd8\xff\xe0", 4, FOVEA_ERR_FORMAT, "first bytes ff d8 ff e0)");
    ONNX_EXPECT_BYTES(safetensors, sizeof(safetensors) - 1, FOVEA_ERR_FORMAT, "not an ONNX model");
    ONNX_EXPECT_BYTES(lfs, sizeof(lfs) - 1, FOVEA_ERR_FORMAT, "Git LFS pointer");
}

static void expect_path(const char *path, const char *words) {
    struct fovea_error err = {0};
    struct fovea_model *model = NULL;
    CHECK(fovea_model_load(path, NULL, &model, &err) == FOVEA_ERR_IO);
    if (!strstr(err.message, words) || model) {
        check_failed(__FILE__, __LINE__, words, err.message);
    }
}

static void path__not_a_regular_file__says_what_it_is(void) {
    const char *fifo = temp_path("fifo");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CHECK(mkfifo(fifo, 0600) == 0);
    expect_path(fifo, "is a FIFO, not a regular file");
    expect_path(temp_dir(), "is a directory, not a regular file");
    expect_path("/dev/zero", "is a device, not a regular file");
    expect_path(temp_path("absent.onnx"), "cannot open: No such file or directory");

    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    const char *path = temp_path("socket");
    if (fd >= 0 && strlen(path) < sizeof(address.sun_path)) {
        memcpy(address.sun_path, path, strlen(path) + 1);
        CHECK(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
        expect_path(path, "cannot open");
    }
    close(fd);
}

static void file__over_2_gib__is_refused_unread(void) {
    const char *path = temp_write("big.onnx", "\x08\x08", 2);
    struct fovea_error err = {0};
    struct fovea_model *model = NULL;
    if (truncate(path, (off_t)1 << 31) != 0) {
        check_skip("the file system takes no sparse file of 2 GiB");
        return;
    }
    CHECK(fovea_model_load(path, NULL, &model, &err) == FOVEA_ERR_LIMIT);
    CHECK(strstr(err.message, "the file has 2147483648 bytes; the limit is 2147483647"));
    CHECK(truncate(path, 0) == 0);
}

/* ---- malformed ---------------------------------------------------------- */

/* No prefix of a model is one; those that end between fields lack something. */
static void model__truncated_at_any_byte__is_refused(void) {
    struct onnx_parts parts;
    struct pb pb = {0};
    onnx_parts_init(&parts);
    size_t tensor =
        onnx_tensor_begin(&parts.initializers, "w", ONNX_FLOAT, 1, (const int64_t[]){4});
    pb_bytes(&parts.initializers, 9, (const float[4]){1, 2, 3, 4}, 16);
    pb_end(&parts.initializers, tensor);
    onnx_parts_encode(&parts, &pb);
    for (size_t size = 0; size < pb.size; size++) {
        struct fovea_error err = {0};
        struct fovea_model *model = NULL;
        const char *path = temp_write("cut.onnx", pb.bytes, size);
        enum fovea_status st = fovea_model_load(path, NULL, &model, &err);
        CHECK(st == FOVEA_ERR_FORMAT || st == FOVEA_ERR_INVALID);
        CHECK(err.message[0] && !model);
    }
    pb_finish(&pb);
    onnx_parts_finish(&parts);
}

/* Flip every byte in turn: whatever comes of it, nothing is read or written out of place. */
static void model__any_byte_changed__never_crashes(void) {
    struct onnx_parts parts;
    struct pb pb = {0};
    onnx_parts_init(&parts);
    onnx_parts_encode(&parts, &pb);
    for (size_t i = 0; i < pb.size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            struct fovea_model *model = NULL;
            pb.bytes[i] ^= (uint8_t)(1 << bit);
            fovea_model_load(temp_write("flip.onnx", pb.bytes, pb.size), NULL, &model, NULL);
            fovea_model_destroy(model);
            pb.bytes[i] ^= (uint8_t)(1 << bit);
        }
    }
    pb_finish(&pb);
    onnx_parts_finish(&parts);
}

static void bytes__bad_encoding__gives_the_offset(void) {
    static const struct {
        const char *bytes;
        size_t size;
        const char *words;
    } cases[] = {
        {"\x08\x08\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 14,
         "byte 3: a varint is over 10 bytes long"},
        {"\x08\x08\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 13,
         "byte 3: a varint is over 10 bytes long"},
        {"\x08\x08\x28\x80", 4, "byte 3: a varint goes past the end of its ModelProto"},
        {"\x08\x08\xff\xff\xff\xff\xff\x01", 8, "byte 2: a field's tag is over 5 bytes long"},
        {"\x08\x08\x02\x00", 4, "byte 2: field number 0 of ModelProto is outside"},
        {"\x08\x08\x03", 3, "byte 2: field number 0 of ModelProto is outside"},
        {"\x08\x08\x4b", 3, "byte 2: field 9 of ModelProto has wire type 3"},
        {"\x08\x08\x4c", 3, "byte 2: field 9 of ModelProto has wire type 4"},
        {"\x08\x08\x4e", 3, "byte 2: field 9 of ModelProto has wire type 6"},
        {"\x08\x08\x4f", 3, "byte 2: field 9 of ModelProto has wire type 7"},
        {"\x08\x08\x12\x05"
         "ab",
         6, "byte 2: field 2 of ModelProto has length 5, but 2 bytes are left"},
        {"\x08\x08\x12\xff\xff\xff\xff\x0f", 8, "has length 4294967295, but 0 bytes are left"},
        {"\x08\x08\x4d\x00\x00", 5, "byte 2: a fixed-size field goes past the end"},
        {"\x08\x08\x38\x01", 4, "byte 2: field 'graph' of ModelProto has wire type 0, not 2"},
        {"\x08\x08\x10\x01", 4, "byte 2: field 'producer_name' of ModelProto has wire type 0"},
        {"\x08\x08\x0d\0\0\0\0", 7, "byte 2: field 'ir_version' of ModelProto has wire type 5"},
        {"\x08\x08\x3a\x00\x3a\x00", 6, "byte 4: field 'graph' of ModelProto occurs twice"},
        {"\x08\x08\x08\x08", 4, "byte 2: field 'ir_version' of ModelProto occurs twice"},
        {"\x08\x08\x12\x03"
         "a\0b",
         7, "byte 2: 'producer_name' of ModelProto contains a NUL byte"},
        /* graph { initializer { float_data: 3 bytes } } */
        {"\x08\x08\x3a\x07\x2a\x05\x22\x03"
         "abc",
         11, "byte 6: packed field 'float_data' has 3 bytes, not a multiple of 4"},
        /* graph { initializer { int64_data: a varint cut short } } */
        {"\x08\x08\x3a\x05\x2a\x03\x3a\x01\x80", 9, "byte 8: a packed varint goes past the end"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ONNX_EXPECT_BYTES(cases[i].bytes, cases[i].size, FOVEA_ERR_FORMAT, cases[i].words);
    }
}

static void model__unknown_fields__are_skipped(void) {
    struct onnx_parts parts;
    struct fovea_model *model = NULL;
    struct fovea_error err;
    onnx_parts_init(&parts);
    pb_int(&parts.tail, 1000, -1);
    pb_text(&parts.tail, 536870911, "later");
    pb_float(&parts.in_graph, 99, 1);
    pb_text(&parts.in_graph, 10, "a doc string");
    CHECK_OK(onnx_parts_load(&parts, &model, &err), err);
    fovea_model_destroy(model);
    onnx_parts_finish(&parts);
}

static void model__long_name__is_over_the_limit(void) {
    struct onnx_parts parts;
    char *name = malloc(FOVEA_LIMIT_NAME + 2);
    CHECK(name);
    memset(name, 'n', FOVEA_LIMIT_NAME + 1);
    name[FOVEA_LIMIT_NAME + 1] = 0;
    onnx_parts_init(&parts);
    onnx_node(&parts.nodes, "Identity", name, "x", "z");
    ONNX_EXPECT(&parts, FOVEA_ERR_LIMIT,
                "'name' of NodeProto is 4097 bytes long; the limit is 4096");
    free(name);
}

/* ---- nesting ------------------------------------------------------------ */

/* Wrap `pb` in field `outer` of a message in field `inner`, `levels` times, from inside out. */
static void nest(struct pb *pb, int levels, const uint32_t *fields, size_t n_fields) {
    for (int i = 0; i < levels; i++) {
        for (size_t j = 0; j < n_fields; j++) {
            struct pb outer = {0};
            pb_bytes(&outer, fields[j], pb->bytes, pb->size);
            pb_finish(pb);
            *pb = outer;
        }
    }
}

static void expect_nested_graphs(int levels, enum fovea_status status, const char *words) {
    struct onnx_parts parts;
    struct pb pb = {0};
    onnx_parts_init(&parts);
    /* A graph in field 6 of an attribute in field 5 of a node in field 1 of a graph. */
    nest(&pb, levels, (const uint32_t[]){6, 5, 1}, 3);
    pb_raw(&parts.in_graph, pb.bytes, pb.size);
    pb_finish(&pb);
    ONNX_EXPECT(&parts, status, words);
}

static void model__subgraphs__are_limited_in_depth(void) {
    expect_nested_graphs(10, FOVEA_ERR_INVALID, "node 1 (): has no operator type");
    expect_nested_graphs(50, FOVEA_ERR_LIMIT, "messages are nested over 100 deep");
    expect_nested_graphs(500, FOVEA_ERR_LIMIT, "messages are nested over 100 deep");
    expect_nested_graphs(3000, FOVEA_ERR_LIMIT, "messages are nested over 100 deep");
}

static void model__nested_types__are_limited_in_depth(void) {
    struct onnx_parts parts;
    struct pb pb = {0};
    onnx_parts_init(&parts);
    /* elem_type of a sequence_type, 6,000 times, as the type of a value. */
    nest(&pb, 6000, (const uint32_t[]){1, 4}, 2);
    size_t value = pb_begin(onnx_anew(&parts.inputs), 11);
    pb_text(&parts.inputs, 1, "x");
    pb_bytes(&parts.inputs, 2, pb.bytes, pb.size);
    pb_end(&parts.inputs, value);
    pb_finish(&pb);
    ONNX_EXPECT(&parts, FOVEA_ERR_LIMIT, "messages are nested over 100 deep");
}

static void model__nested_functions__are_limited_in_depth(void) {
    struct onnx_parts parts;
    struct pb pb = {0};
    onnx_parts_init(&parts);
    nest(&pb, 200, (const uint32_t[]){1, 6, 5}, 3);
    size_t function = pb_begin(&parts.tail, 25);
    pb_text(&parts.tail, 1, "f");
    pb_bytes(&parts.tail, 7, pb.bytes, pb.size);
    pb_end(&parts.tail, function);
    pb_finish(&pb);
    ONNX_EXPECT(&parts, FOVEA_ERR_LIMIT, "messages are nested over 100 deep");
}

/* ---- amplification ------------------------------------------------------ */

/* 2 million empty fields: 4 MB in the file, up to 560 MB when unpacked. */
static void expect_bomb(uint32_t graph_field, uint32_t node_field, const char *words) {
    enum { COUNT = 2000000, AT_ONCE = 1000 };
    struct onnx_parts parts;
    struct pb some = {0};
    struct rusage before, after;
    onnx_parts_init(&parts);
    size_t node = node_field ? pb_begin(&parts.in_graph, 1) : 0;
    for (int i = 0; i < AT_ONCE; i++) {
        pb_bytes(&some, node_field ? node_field : graph_field, "", 0);
    }
    for (int i = 0; i < COUNT / AT_ONCE; i++) {
        pb_raw(&parts.in_graph, some.bytes, some.size);
    }
    pb_finish(&some);
    if (node_field) {
        pb_end(&parts.in_graph, node);
    }
    struct pb pb = {0};
    onnx_parts_encode(&parts, &pb);
    temp_write("bomb.onnx", pb.bytes, pb.size);
    pb_finish(&pb);
    getrusage(RUSAGE_SELF, &before);
    struct fovea_error err = {0};
    struct fovea_model *model = NULL;
    CHECK(fovea_model_load(temp_path("bomb.onnx"), NULL, &model, &err) == FOVEA_ERR_LIMIT);
    getrusage(RUSAGE_SELF, &after);
    if (!strstr(err.message, words)) {
        check_failed(__FILE__, __LINE__, words, err.message);
    }
    CHECK(after.ru_maxrss - before.ru_maxrss < 32 * 1024);
    onnx_parts_finish(&parts);
}

static void model__millions_of_empty_fields__are_over_the_limit(void) {
    expect_bomb(1, 0, "over");            /* nodes */
    expect_bomb(5, 0, "over");            /* initializers */
    expect_bomb(11, 0, "takes over");     /* inputs */
    expect_bomb(0, 5, "a node has over"); /* attributes */
    expect_bomb(0, 1, "a node has over"); /* strings */
    expect_bomb(99, 0, "takes over");     /* unknown */
}

/* Messages that are small, but not so small that memory is what they take too much of. */
static void expect_count(uint32_t graph_field, uint32_t text_field, const char *words) {
    enum { COUNT = 1000001, AT_ONCE = 1000 };
    struct onnx_parts parts;
    struct pb some = {0};
    onnx_parts_init(&parts);
    for (int i = 0; i < AT_ONCE; i++) {
        size_t message = pb_begin(&some, graph_field);
        pb_text(&some, text_field, "sixteen letters!");
        pb_end(&some, message);
    }
    for (int i = 0; i <= COUNT / AT_ONCE; i++) {
        pb_raw(&parts.in_graph, some.bytes, some.size);
    }
    pb_finish(&some);
    ONNX_EXPECT(&parts, FOVEA_ERR_LIMIT, words);
}

static void model__over_a_million_nodes_or_tensors__is_refused(void) {
    expect_count(1, 4, "over 1000000 nodes, the limit");
    expect_count(5, 8, "over 1000000 tensors, the limit");
}

/* More than a message can have: from memory, and so looked at by nobody before. */
static void bytes__over_2_gib__are_refused_unread(void) {
    const size_t size = (size_t)1 << 31;
    struct fovea_error err = {0};
    struct fovea_model *model = NULL;
    struct fovea_load_options options;
    struct fovea_onnx_scan counts;
    unsigned char *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (bytes == MAP_FAILED) {
        check_skip("no 2 GiB of addresses");
        return;
    }
    memcpy(bytes, "\x08\x08", 2);
    fovea_load_options_default(&options);
    options.lend_memory = true;
    CHECK(fovea_model_load_memory(bytes, size, &options, &model, &err) == FOVEA_ERR_LIMIT);
    CHECK(!model &&
          strstr(err.message, "model in memory: the model has 2147483648 bytes; the limit "
                              "is 2147483647"));
    CHECK(fovea_onnx_scan(bytes, size, NULL, SIZE_MAX, &counts, &err) == FOVEA_ERR_LIMIT);
    CHECK(strstr(err.message, "2147483648 bytes; a protobuf message has at most 2147483647"));
    munmap(bytes, size);
}

static void model__over_max_memory__is_refused(void) {
    struct onnx_parts parts;
    struct fovea_load_options options;
    struct fovea_error err = {0};
    struct fovea_model *model = NULL;
    struct pb pb = {0};
    onnx_parts_init(&parts);
    onnx_parts_encode(&parts, &pb);
    fovea_load_options_default(&options);
    options.max_memory = 500;
    const char *path = temp_write("model.onnx", pb.bytes, pb.size);
    CHECK(fovea_model_load(path, &options, &model, &err) == FOVEA_ERR_LIMIT);
    CHECK(strstr(err.message, "takes over 500 bytes of memory, the limit"));
    options.max_memory = 100000;
    CHECK_OK(fovea_model_load(path, &options, &model, &err), err);
    fovea_model_destroy(model);
    pb_finish(&pb);
    onnx_parts_finish(&parts);
}

static const struct test tests[] = {
    TEST(bytes__other_formats__shows_how_they_begin),
    TEST(path__not_a_regular_file__says_what_it_is),
    TEST(file__over_2_gib__is_refused_unread),
    TEST(model__truncated_at_any_byte__is_refused),
    TEST(model__any_byte_changed__never_crashes),
    TEST(bytes__bad_encoding__gives_the_offset),
    TEST(model__unknown_fields__are_skipped),
    TEST(model__long_name__is_over_the_limit),
    TEST(model__subgraphs__are_limited_in_depth),
    TEST(model__nested_types__are_limited_in_depth),
    TEST(model__nested_functions__are_limited_in_depth),
    TEST(model__millions_of_empty_fields__are_over_the_limit),
    TEST(model__over_a_million_nodes_or_tensors__is_refused),
    TEST(bytes__over_2_gib__are_refused_unread),
    TEST(model__over_max_memory__is_refused),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
