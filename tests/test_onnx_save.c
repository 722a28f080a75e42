/* Writing models as ONNX: what is written and read back gives the same bits. */
#include "loaders/onnx_save.h"
#include "runtime/tensor.h"
#include "tests/check.h"
#include "tests/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MEMORY = 1 << 30 };

static const char *const examples[] = {
    FOVEA_SOURCE_ROOT "/examples/shapes/nfnet_shapes.onnx",
    FOVEA_SOURCE_ROOT "/examples/shapes/vit_map_shapes.onnx",
};

enum { N_EXAMPLES = sizeof(examples) / sizeof(examples[0]) };

/* Logits of an image of noise, by a model of one input; to be freed. */
static float *run(const struct fovea_model *model, struct fovea_tensor *output) {
    struct fovea_session *session = NULL;
    struct fovea_error err = {0};
    const struct fovea_io *io = fovea_model_get_input(model, 0);
    struct fovea_tensor input;
    fovea_tensor_set_shape(&input, io->dtype, io->rank, io->dims);
    input.dims[0] = input.dims[0] < 0 ? 2 : input.dims[0];
    input.data = fovea_aligned_alloc(fovea_tensor_bytes(&input));
    uint32_t state = 1;
    for (int64_t i = 0; input.data && i < fovea_tensor_count(&input); i++) {
        state = state * 1664525 + 1013904223;
        ((float *)input.data)[i] = (float)(state >> 8) / (1 << 23) - 1;
    }
    CHECK_OK(fovea_session_create(model, &input, NULL, &session, &err), err);
    fovea_session_output_shape(session, 0, output);
    output->data = fovea_aligned_alloc(fovea_tensor_bytes(output));
    CHECK_OK(fovea_session_run(session, &input, output, NULL, &err), err);
    fovea_session_destroy(session);
    free(input.data);
    return output->data;
}

static struct fovea_model *load(const char *path) {
    struct fovea_model *model = NULL;
    struct fovea_error err;
    CHECK_OK(fovea_model_load(path, NULL, &model, &err), err);
    return model;
}

static size_t count_nodes(const struct fovea_model *model) {
    return model->graph.n_nodes;
}

/* Write a model so, read it back, and compare what both give. */
static void check_written(const char *path, const struct fovea_onnx_save_options *options) {
    struct fovea_model *model = load(path), *back = NULL;
    struct fovea_tensor want = {0}, got = {0};
    struct fovea_error err;
    uint64_t bytes = 0;
    struct stat status;
    const char *saved = temp_path("saved.onnx");
    CHECK_OK(fovea_onnx_save(model, saved, options, &bytes, &err), err);
    back = load(saved);
    CHECK(back && stat(saved, &status) == 0);
    if (options->inline_most > 0) {
        CHECK((uint64_t)status.st_size == bytes);
    } else {
        CHECK(stat(temp_path("saved.onnx.data"), &status) == 0);
        CHECK((uint64_t)status.st_size > bytes / 2 && (uint64_t)status.st_size < bytes);
    }
    float *a = run(model, &want), *b = run(back, &got);
    CHECK(a && b && fovea_tensor_same_shape(&want, &got));
    CHECK(memcmp(a, b, fovea_tensor_bytes(&want)) == 0);
    CHECK(options->fold ? count_nodes(back) < count_nodes(model)
                        : count_nodes(back) == count_nodes(model));
    free(a);
    free(b);
    fovea_model_destroy(model);
    fovea_model_destroy(back);
}

static void save__read_back__gives_the_same_bits(void) {
    for (int i = 0; i < N_EXAMPLES; i++) {
        const struct fovea_onnx_save_options options = {
            .fold = false, .inline_most = FOVEA_ONNX_INLINE_MOST, .max_memory = MEMORY};
        check_written(examples[i], &options);
    }
}

static void save__folded__gives_the_same_bits(void) {
    for (int i = 0; i < N_EXAMPLES; i++) {
        const struct fovea_onnx_save_options options = {
            .fold = true, .inline_most = FOVEA_ONNX_INLINE_MOST, .max_memory = MEMORY};
        check_written(examples[i], &options);
    }
}

static void save__external_data__gives_the_same_bits(void) {
    const struct fovea_onnx_save_options options = {
        .fold = true, .inline_most = 0, .max_memory = MEMORY};
    check_written(examples[0], &options);
}

static void save__metadata__is_added_and_replaced(void) {
    struct fovea_model *model = load(examples[0]), *back;
    struct fovea_error err;
    uint64_t bytes;
    const struct fovea_metadata first[] = {{"a", "1"}, {"labels", "[\"x\"]"}};
    const struct fovea_metadata second[] = {{"a", "2"}};
    struct fovea_onnx_save_options options = {.inline_most = FOVEA_ONNX_INLINE_MOST,
                                              .max_memory = MEMORY,
                                              .metadata = first,
                                              .n_metadata = 2};
    CHECK_OK(fovea_onnx_save(model, temp_path("first.onnx"), &options, &bytes, &err), err);
    fovea_model_destroy(model);
    model = load(temp_path("first.onnx"));
    options.metadata = second;
    options.n_metadata = 1;
    CHECK_OK(fovea_onnx_save(model, temp_path("second.onnx"), &options, &bytes, &err), err);
    back = load(temp_path("second.onnx"));
    CHECK_STR(fovea_model_get_metadata(back, "a"), "2");
    CHECK_STR(fovea_model_get_metadata(back, "labels"), "[\"x\"]");
    fovea_model_destroy(model);
    fovea_model_destroy(back);
}

static void save__nowhere__fails(void) {
    struct fovea_model *model = load(examples[1]);
    struct fovea_error err = {0};
    uint64_t bytes = 7;
    const struct fovea_onnx_save_options options = {.inline_most = FOVEA_ONNX_INLINE_MOST,
                                                    .max_memory = MEMORY};
    CHECK(fovea_onnx_save(model, temp_path("no/such/folder.onnx"), &options, &bytes, &err) ==
          FOVEA_ERR_IO);
    CHECK(strstr(err.message, "cannot open its folder"));
    fovea_model_destroy(model);
}

static const struct test tests[] = {
    TEST(save__read_back__gives_the_same_bits),
    TEST(save__folded__gives_the_same_bits),
    TEST(save__external_data__gives_the_same_bits),
    TEST(save__metadata__is_added_and_replaced),
    TEST(save__nowhere__fails),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
