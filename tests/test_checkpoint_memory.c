/*
 * Checkpoints of ../shared/checkpoints that lie in memory, away from what is beside them: the same
 * network as PyTorch, transformers and big_vision have, or an error that says what is missing.
 */
#include "loaders/file.h"
#include "loaders/tensor_pb.h"
#include "runtime/tensor.h"
#include "tests/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOT FOVEA_SOURCE_ROOT "/../shared/checkpoints/"

static const char *in(const char *folder, const char *name) {
    static char paths[2][512];
    static int turn;
    turn = !turn;
    snprintf(paths[turn], sizeof(paths[turn]), ROOT "%s/%s", folder, name);
    return paths[turn];
}

/* The largest difference of the model's logits from the reference's, over the largest logit. */
static double difference(const struct fovea_model *model, const char *folder) {
    struct fovea_error err = {.message = ""};
    struct fovea_session *session = NULL;
    struct fovea_tensor input = {0}, wanted = {0}, output;
    double worst = 0, largest = 0;
    CHECK_OK(fovea_tensor_load_pb(in(folder, "test_data_set_0/input_0.pb"), &input, NULL, &err),
             err);
    CHECK_OK(fovea_tensor_load_pb(in(folder, "test_data_set_0/output_0.pb"), &wanted, NULL, &err),
             err);
    CHECK_OK(fovea_session_create(model, &input, NULL, &session, &err), err);
    fovea_session_output_shape(session, 0, &output);
    CHECK(fovea_tensor_same_shape(&output, &wanted));
    output.data = malloc(fovea_tensor_bytes(&output));
    CHECK_OK(fovea_session_run(session, &input, &output, NULL, &err), err);
    for (int64_t i = 0; i < fovea_tensor_count(&wanted); i++) {
        double want = ((float *)wanted.data)[i];
        worst = fmax(worst, fabs(((float *)output.data)[i] - want));
        largest = fmax(largest, fabs(want));
    }
    fovea_session_destroy(session);
    free(output.data);
    free(wanted.data);
    free(input.data);
    return worst / largest;
}

struct lone {
    const char *folder, *file;
    int heads; /* what config.json says and tensors do not */
};

static void load_from_memory(const struct lone *c) {
    struct fovea_load_options options;
    struct fovea_error err = {.message = ""};
    struct fovea_model *model = NULL;
    uint8_t *bytes = NULL;
    size_t size = 0;
    CHECK_OK(fovea_file_read(in(c->folder, c->file), 1 << 30, &bytes, &size, NULL, &err), err);
    fovea_load_options_default(&options);
    if (c->heads > 0) {
        CHECK(fovea_model_load_memory(bytes, size, &options, &model, &err) == FOVEA_ERR_INVALID);
        CHECK(strstr(err.message, "neither tensors nor config.json say it"));
        options.heads = c->heads;
    }
    CHECK_OK(fovea_model_load_memory(bytes, size, &options, &model, &err), err);
    free(bytes);
    CHECK(difference(model, c->folder) < 1e-5);
    fovea_model_destroy(model);
}

static void memory__checkpoint__computes_the_reference_logits(void) {
    static const struct lone cases[] = {
        {"hf_siglip_safetensors", "model.safetensors", 4},
        {"hf_vit_safetensors", "model.safetensors", 4},
        {"nfnet_haiku_pickle", "F_haiku.npz", 0},
        {"nfnet_timm_safetensors", "model.safetensors", 0},
        {"vit_cls_timm_pth", "checkpoint.pth", 0},
        {"vit_map_big_vision_npz", "model.npz", 0},
        {"vit_map_timm_safetensors", "model.safetensors", 4},
    };
    if (access(ROOT, F_OK) != 0) {
        check_skip("../shared/checkpoints is not there");
        return;
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        load_from_memory(&cases[i]);
    }
}

static void memory__little__is_enough_for_what_lies_in_place(void) {
    struct fovea_load_options options;
    struct fovea_error err = {.message = ""};
    struct fovea_model *model = NULL;
    fovea_load_options_default(&options);
    options.max_memory = 1 << 16;
    if (access(ROOT, F_OK) != 0) {
        check_skip("../shared/checkpoints is not there");
        return;
    }
    const char *folder = "vit_cls_timm_pth";
    CHECK_OK(fovea_model_load(in(folder, "checkpoint.pth"), &options, &model, &err), err);
    CHECK(difference(model, folder) < 1e-5);
    fovea_model_destroy(model);
}

static const struct test tests[] = {
    TEST(memory__little__is_enough_for_what_lies_in_place),
    TEST(memory__checkpoint__computes_the_reference_logits),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
