/* What one model computes does not hang on which others the process ran before. */
#include "runtime/tensor.h"

#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RESULTS = 64 };

struct results {
    size_t bytes;
    unsigned char values[MOST_RESULTS * sizeof(float)];
};

static bool fill_input(const struct fovea_model *model, struct fovea_tensor *t) {
    const struct fovea_io *io = fovea_model_get_input(model, 0);
    int64_t dims[FOVEA_MAX_RANK];
    for (int i = 0; i < io->rank; i++) {
        dims[i] = io->dims[i] < 0 ? 1 : io->dims[i];
    }
    fovea_tensor_set_shape(t, io->dtype, io->rank, dims);
    t->data = malloc(fovea_tensor_bytes(t));
    for (int64_t i = 0; t->data && i < fovea_tensor_count(t); i++) {
        ((float *)t->data)[i] = (float)(i % 255) / 255 - 0.4f;
    }
    return t->data;
}

/* Load, run once, and forget the model of that name. */
static void run_model(const char *name, struct results *out) {
    char path[512];
    struct fovea_error err = {.message = ""};
    struct fovea_model *model = NULL;
    struct fovea_session *session = NULL;
    struct fovea_tensor input = {0}, output;
    snprintf(path, sizeof(path), "%s/examples/shapes/%s", FOVEA_SOURCE_ROOT, name);
    memset(out, 0, sizeof(*out));
    CHECK_OK(fovea_model_load(path, NULL, &model, &err), err);
    CHECK(model && fill_input(model, &input));
    CHECK_OK(fovea_session_create(model, &input, NULL, &session, &err), err);
    fovea_session_output_shape(session, 0, &output);
    out->bytes = fovea_tensor_bytes(&output);
    CHECK(out->bytes > 0 && out->bytes <= sizeof(out->values));
    output.data = out->values;
    CHECK_OK(fovea_session_run(session, &input, &output, NULL, &err), err);
    fovea_session_destroy(session);
    fovea_model_destroy(model);
    free(input.data);
}

static void isolation__other_models_before__change_no_bit(void) {
    static const char nfnet[] = "nfnet_shapes.onnx", vit[] = "vit_map_shapes.onnx";
    struct results first, other, again;
    run_model(nfnet, &first);
    run_model(vit, &other);
    run_model(nfnet, &again);
    CHECK(first.bytes == again.bytes && memcmp(first.values, again.values, first.bytes) == 0);
    run_model(vit, &again);
    CHECK(other.bytes == again.bytes && memcmp(other.values, again.values, other.bytes) == 0);
}

static const struct test tests[] = {
    TEST(isolation__other_models_before__change_no_bit),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
