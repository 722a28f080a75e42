/* Tensors in files beside the model: what is read, and what cannot be reached. */
#include "tests/check.h"
#include "tests/onnx_parts.h"
#include "tests/temp_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const float values[] = {1, 2, 3, 4, 5, 6};

static void entry(struct pb *pb, const char *key, const char *value) {
    size_t begin = pb_begin(pb, 13);
    pb_text(pb, 1, key);
    pb_text(pb, 2, value);
    pb_end(pb, begin);
}

/* Add initializer `name` f32[count] at `location`; offset and length may be NULL. */
static void add_external(struct onnx_parts *parts, const char *name, int64_t count,
                         const char *location, const char *offset, const char *length) {
    struct pb *pb = &parts->initializers;
    size_t tensor = onnx_tensor_begin(pb, name, ONNX_FLOAT, 1, &count);
    pb_int(pb, 14, 1);
    if (location) {
        entry(pb, "location", location);
    }
    if (offset) {
        entry(pb, "offset", offset);
    }
    if (length) {
        entry(pb, "length", length);
    }
    pb_end(pb, tensor);
    onnx_node(&parts->nodes, "Identity", "", name, name[0] == 'w' ? "z" : "u");
}

static void expect_external(const char *location, const char *offset, const char *length,
                            enum fovea_status status, const char *words) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    add_external(&parts, "w", 4, location, offset, length);
    ONNX_EXPECT(&parts, status, words);
}

static struct fovea_model *load(struct onnx_parts *parts,
                                const struct fovea_load_options *options) {
    struct fovea_model *model = NULL;
    struct fovea_error err;
    struct pb pb = {0};
    onnx_parts_encode(parts, &pb);
    const char *path = temp_write("model.onnx", pb.bytes, pb.size);
    CHECK_OK(fovea_model_load(path, options, &model, &err), err);
    pb_finish(&pb);
    onnx_parts_finish(parts);
    return model;
}

/* ---- what is read ------------------------------------------------------- */

static void external__two_tensors_of_a_file__share_its_mapping(void) {
    struct onnx_parts parts;
    temp_write("weights.bin", values, sizeof(values));
    onnx_parts_init(&parts);
    add_external(&parts, "w", 4, "weights.bin", "4", "16");
    add_external(&parts, "v", 6, "weights.bin", NULL, NULL);
    struct fovea_model *model = load(&parts, NULL);
    if (!model) {
        return;
    }
    CHECK(model->n_mappings == 1 && model->n_parameters == 10);
    const struct fovea_value *v = model->graph.last->in[0];
    const struct fovea_value *w = model->graph.last->prev->in[0];
    CHECK(!w->owned && !v->owned);
    CHECK(memcmp(w->t.data, values + 1, 16) == 0);
    CHECK(memcmp(v->t.data, values, 24) == 0);
    fovea_model_destroy(model);
}

static void external__unaligned_offset__is_copied(void) {
    struct onnx_parts parts;
    unsigned char bytes[20] = {0};
    memcpy(bytes + 3, values, 16);
    temp_write("weights.bin", bytes, sizeof(bytes));
    onnx_parts_init(&parts);
    add_external(&parts, "w", 4, "./weights.bin", "3", "16");
    struct fovea_model *model = load(&parts, NULL);
    if (!model) {
        return;
    }
    const struct fovea_value *w = model->graph.last->in[0];
    CHECK(w->owned && memcmp(w->t.data, values, 16) == 0);
    fovea_model_destroy(model);
}

static void external__of_a_model_in_memory__is_refused(void) {
    struct onnx_parts parts;
    struct fovea_model *model = NULL;
    struct fovea_error err = {0};
    struct pb pb = {0};
    temp_write("weights.bin", values, sizeof(values));
    onnx_parts_init(&parts);
    add_external(&parts, "w", 4, "weights.bin", NULL, NULL);
    onnx_parts_encode(&parts, &pb);
    CHECK(fovea_model_load_memory(pb.bytes, pb.size, NULL, &model, &err) == FOVEA_ERR_INVALID);
    CHECK(!model && strstr(err.message, "external file 'weights.bin'") &&
          strstr(err.message, "has no folder"));
    pb_finish(&pb);
    onnx_parts_finish(&parts);
}

static void external__in_a_folder_below__is_read(void) {
    struct onnx_parts parts;
    mkdir(temp_path("sub"), 0700);
    temp_write("sub/weights.bin", values, 16);
    onnx_parts_init(&parts);
    add_external(&parts, "w", 4, "sub/weights.bin", "0", "16");
    struct fovea_model *model = load(&parts, NULL);
    CHECK(model && memcmp(model->graph.last->in[0]->t.data, values, 16) == 0);
    fovea_model_destroy(model);
}

/* Much of a floating-point type is not copied, wherever it lies: infer sees to it. */
static void external__large_and_unaligned__stays_in_the_file(void) {
    enum { COUNT = 20000, SHIFT = 3 };
    struct onnx_parts parts;
    float *wanted = malloc(COUNT * sizeof(*wanted) + SHIFT);
    if (!wanted) {
        CHECK(wanted);
        return;
    }
    for (int i = 0; i < COUNT; i++) {
        wanted[i] = (float)i;
    }
    memmove((char *)wanted + SHIFT, wanted, COUNT * sizeof(*wanted));
    temp_write("weights.bin", wanted, COUNT * sizeof(*wanted) + SHIFT);
    onnx_parts_init(&parts);
    add_external(&parts, "w", COUNT, "weights.bin", "3", NULL);
    struct fovea_model *model = load(&parts, NULL);
    const struct fovea_value *w = model ? model->graph.last->in[0] : NULL;
    CHECK(w && !w->owned &&
          memcmp(w->t.data, (char *)wanted + SHIFT, COUNT * sizeof(*wanted)) == 0);
    fovea_model_destroy(model);
    free(wanted);
}

static void external__of_no_elements__is_empty(void) {
    struct onnx_parts parts;
    temp_write("weights.bin", values, sizeof(values));
    onnx_parts_init(&parts);
    add_external(&parts, "w", 0, "weights.bin", NULL, NULL);
    struct fovea_model *model = load(&parts, NULL);
    CHECK(model && model->n_parameters == 0 && model->graph.last->in[0]->constant);
    fovea_model_destroy(model);
}

static void external__of_two_files__are_both_read(void) {
    struct onnx_parts parts;
    temp_write("weights.bin", values, 16);
    temp_write("others.bin", values + 2, 16);
    onnx_parts_init(&parts);
    add_external(&parts, "w", 4, "weights.bin", NULL, NULL);
    add_external(&parts, "v", 4, "others.bin", NULL, NULL);
    struct fovea_model *model = load(&parts, NULL);
    CHECK(model && model->n_mappings == 2 && model->n_sources == 3);
    CHECK(model && memcmp(model->graph.last->in[0]->t.data, values + 2, 16) == 0);
    CHECK(model && memcmp(model->graph.last->prev->in[0]->t.data, values, 16) == 0);
    fovea_model_destroy(model);
}

/* The model is named without a folder, as from a command line. */
static void external__in_the_working_folder__is_read(void) {
    struct onnx_parts parts;
    struct fovea_model *model = NULL;
    struct fovea_error err;
    int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    temp_write("weights.bin", values, sizeof(values));
    onnx_parts_init(&parts);
    add_external(&parts, "w", 4, "weights.bin", "0", "16");
    fovea_model_destroy(load(&parts, NULL));
    CHECK(chdir(temp_dir()) == 0);
    CHECK_OK(fovea_model_load("model.onnx", NULL, &model, &err), err);
    CHECK(model && memcmp(model->graph.last->in[0]->t.data, values, 16) == 0);
    fovea_model_destroy(model);
    CHECK(fchdir(before) == 0 && close(before) == 0);
}

/* ---- where it may lie --------------------------------------------------- */

static void location__outside_the_folder__is_refused(void) {
    static const struct {
        const char *location, *words;
    } cases[] = {
        {"../weights.bin", "initializer 0 ('w'): external location '../weights.bin' leads out"},
        {"sub/../../weights.bin", "leads out of the model's folder"},
        {"sub/..", "leads out of the model's folder"},
        {"..", "leads out of the model's folder"},
        {"/etc/passwd", "external location '/etc/passwd' is an absolute path"},
        {"C:\\weights.bin", "is not a relative path"},
        {"..\\weights.bin", "is not a relative path"},
        {"C:weights.bin", "is not a relative path"},
        {"", "external location '' is empty"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect_external(cases[i].location, "0", "16", FOVEA_ERR_INVALID, cases[i].words);
    }
}

static void location__no_regular_file__is_refused(void) {
    mkdir(temp_path("sub"), 0700);
    CHECK(mkfifo(temp_path("pipe"), 0600) == 0);
    expect_external("absent.bin", "0", "16", FOVEA_ERR_IO,
                    "cannot open external file 'absent.bin': No such file or directory");
    expect_external("*/_ORT_MEM_ADDR_/*", "0", "16", FOVEA_ERR_IO, "cannot open external file");
    expect_external(".", "0", "16", FOVEA_ERR_IO, "external file '.': is a directory");
    expect_external("sub", "0", "16", FOVEA_ERR_IO, "external file 'sub': is a directory");
    expect_external("sub/", "0", "16", FOVEA_ERR_IO, "external file 'sub/': is a directory");
    temp_write("weights.bin", values, sizeof(values));
    expect_external("weights.bin/below", "0", "16", FOVEA_ERR_IO,
                    "cannot open external file 'weights.bin/below': Not a directory");
    expect_external("pipe", "0", "16", FOVEA_ERR_IO, "external file 'pipe': is a FIFO");
}

static void location__by_links__only_where_allowed(void) {
    struct fovea_load_options options;
    temp_write("real.bin", values, 16);
    mkdir(temp_path("sub"), 0700);
    CHECK(symlink("real.bin", temp_path("soft.bin")) == 0);
    CHECK(symlink("/etc/passwd", temp_path("outside.bin")) == 0);
    CHECK(symlink("sub", temp_path("softsub")) == 0);
    temp_write("sub/in.bin", values, 16);
    expect_external("soft.bin", "0", "16", FOVEA_ERR_INVALID,
                    "'soft.bin' is reached by a symbolic");
    expect_external("outside.bin", "0", "16", FOVEA_ERR_INVALID, "is reached by a symbolic link");
    expect_external("softsub/in.bin", "0", "16", FOVEA_ERR_INVALID, "reached by a symbolic link");
    CHECK(link(temp_path("real.bin"), temp_path("hard.bin")) == 0);
    expect_external("hard.bin", "0", "16", FOVEA_ERR_INVALID, "'hard.bin': has 2 hard links");

    fovea_load_options_default(&options);
    options.allow_external_links = true;
    static const char *const locations[] = {"soft.bin", "softsub/in.bin", "hard.bin"};
    for (int i = 0; i < 3; i++) {
        struct onnx_parts parts;
        onnx_parts_init(&parts);
        add_external(&parts, "w", 4, locations[i], "0", "16");
        fovea_model_destroy(load(&parts, &options));
    }
    unlink(temp_path("hard.bin"));
}

/* ---- which bytes -------------------------------------------------------- */

static void extent__nonsense__is_refused(void) {
    static const struct {
        const char *offset, *length, *words;
    } cases[] = {
        {"-1", "16", "external offset '-1' is not a decimal number"},
        {"+0", "16", "external offset '+0' is not a decimal number"},
        {" 0", "16", "external offset ' 0' is not a decimal number"},
        {"0 ", "16", "external offset '0 ' is not a decimal number"},
        {"1e1", "16", "external offset '1e1' is not a decimal number"},
        {"0x4", "16", "external offset '0x4' is not a decimal number"},
        {"", "16", "external offset '' is not a decimal number"},
        {"four", "16", "external offset 'four' is not a decimal number"},
        {"18446744073709551600", "16", "external offset '18446744073709551600' is over 2^63 - 1"},
        {"9223372036854775807", "16", "16 bytes from offset 9223372036854775807 go past the end"},
        {"25", "16", "16 bytes from offset 25 go past the end of external file 'weights.bin' (24"},
        {"24", NULL, "16 bytes from offset 24 go past the end"},
        {"9", "16", "16 bytes from offset 9 go past the end"},
        {"0", "0", "external length is 0; [4] of f32 takes 16 bytes"},
        {"0", "15", "external length is 15; [4] of f32 takes 16 bytes"},
        {"0", "24", "external length is 24; [4] of f32 takes 16 bytes"},
        {"0", "-16", "external length '-16' is not a decimal number"},
    };
    temp_write("weights.bin", values, sizeof(values));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect_external("weights.bin", cases[i].offset, cases[i].length, FOVEA_ERR_INVALID,
                        cases[i].words);
    }
    temp_write("empty.bin", "", 0);
    expect_external("empty.bin", "0", "16", FOVEA_ERR_INVALID,
                    "external file 'empty.bin' (0 bytes)");
}

static void entries__unknown_or_repeated__are_refused(void) {
    struct onnx_parts parts;
    expect_external(NULL, "0", "16", FOVEA_ERR_INVALID, "external_data has no location");

    static const char *const keys[] = {"location", "offset", "__class__"};
    static const char *const words[] = {"key 'location' occurs twice", "key 'offset' occurs twice",
                                        "key '__class__' is not one of location, offset"};
    for (int i = 0; i < 3; i++) {
        onnx_parts_init(&parts);
        size_t tensor =
            onnx_tensor_begin(&parts.initializers, "w", ONNX_FLOAT, 1, (const int64_t[]){4});
        pb_int(&parts.initializers, 14, 1);
        entry(&parts.initializers, "location", "weights.bin");
        entry(&parts.initializers, "offset", "0");
        entry(&parts.initializers, keys[i], "0");
        pb_end(&parts.initializers, tensor);
        ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, words[i]);
    }
}

static void entries__beside_inline_data__are_refused(void) {
    struct onnx_parts parts;
    onnx_parts_init(&parts);
    size_t tensor = onnx_tensor_begin(&parts.initializers, "w", ONNX_FLOAT, 0, NULL);
    pb_int(&parts.initializers, 14, 1);
    entry(&parts.initializers, "location", "weights.bin");
    pb_float(&parts.initializers, 4, 1);
    pb_end(&parts.initializers, tensor);
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, "the data is external, yet float_data is set");

    onnx_parts_init(&parts);
    tensor = onnx_tensor_begin(&parts.initializers, "w", ONNX_FLOAT, 0, NULL);
    entry(&parts.initializers, "location", "weights.bin");
    pb_float(&parts.initializers, 4, 1);
    pb_end(&parts.initializers, tensor);
    ONNX_EXPECT(&parts, FOVEA_ERR_INVALID, "data_location 0 with 1 external_data entries");
}

static const struct test tests[] = {
    TEST(external__two_tensors_of_a_file__share_its_mapping),
    TEST(external__unaligned_offset__is_copied),
    TEST(external__of_a_model_in_memory__is_refused),
    TEST(external__in_a_folder_below__is_read),
    TEST(external__large_and_unaligned__stays_in_the_file),
    TEST(external__of_no_elements__is_empty),
    TEST(external__of_two_files__are_both_read),
    TEST(external__in_the_working_folder__is_read),
    TEST(location__outside_the_folder__is_refused),
    TEST(location__no_regular_file__is_refused),
    TEST(location__by_links__only_where_allowed),
    TEST(extent__nonsense__is_refused),
    TEST(entries__unknown_or_repeated__are_refused),
    TEST(entries__beside_inline_data__are_refused),
};

/* From here on openat2 fails with `error`: ENOSYS of an old kernel, EPERM of a sandbox. */
static bool forbid_openat2(unsigned error) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* The status of a child that has no openat2, and runs all tests. */
static int run_without_openat2(unsigned error, int argc, char **argv) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        if (!forbid_openat2(error)) {
            printf("skipped: openat2 cannot be forbidden here\n");
            exit(0);
        }
        exit(RUN_TESTS(tests, argc, argv));
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("fork");
        return 1;
    }
    return status;
}

/* All tests with what the kernel has, and without openat2. */
int main(int argc, char **argv) {
    int old = run_without_openat2(ENOSYS, argc, argv);
    int sandbox = run_without_openat2(EPERM, argc, argv);
    return RUN_TESTS(tests, argc, argv) || old != 0 || sandbox != 0;
}
