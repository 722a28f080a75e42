/*
 * Fuzzing the whole path: any bytes load, plan within a little memory and run,
 * with and without passes, or are refused on the way.
 */
#include "runtime/model.h"
#include "runtime/tensor.h"
#include "tests/fuzz/fuzz_model.h"

#include <stdlib.h>

enum { MOST_NODES = 200, MOST_INPUT = 1 << 16, MEMORY = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Contents that are neither all alike nor out of any range: small whole numbers. */
static bool make_input(const struct fovea_io *io, struct fovea_tensor *t) {
    int64_t dims[FOVEA_MAX_RANK];
    for (int i = 0; i < io->rank; i++) {
        dims[i] = io->dims[i] < 0 ? 2 : io->dims[i];
    }
    fovea_tensor_set_shape(t, io->dtype, io->rank, dims);
    if (fovea_tensor_check_shape(t, NULL) || fovea_tensor_bytes(t) > MOST_INPUT) {
        return false;
    }
    int64_t count = fovea_tensor_count(t);
    t->data = malloc(fovea_tensor_bytes(t) + 1);
    float values[64];
    for (int i = 0; i < 64; i++) {
        values[i] = io->dtype == FOVEA_BOOL ? (float)(i % 2) : (float)(i % 3);
    }
    for (int64_t at = 0; t->data && at < count; at += 64) {
        int64_t n = count - at < 64 ? count - at : 64;
        char *to = (char *)t->data + (size_t)at * fovea_dtype_size(t->dtype);
        fovea_convert(FOVEA_F32, values, t->dtype, to, n);
    }
    return t->data;
}

static void plan_and_run(const struct fovea_model *model, const struct fovea_tensor *inputs,
                         const char *passes) {
    struct fovea_session_options options;
    struct fovea_session *session;
    struct fovea_error err = {.message = ""};
    fovea_session_options_default(&options);
    options.threads = 1;
    options.max_memory = MEMORY;
    options.passes = passes;
    enum fovea_status st = fovea_session_create(model, inputs, &options, &session, &err);
    fuzz_check_error(st, &err);
    if (!st) {
        fuzz_session_run(session, fovea_model_n_outputs(model), inputs);
        fovea_session_destroy(session);
    }
}

static void try_model(const struct fovea_model *model) {
    struct fovea_tensor inputs[FUZZ_MOST_IO] = {0};
    size_t n = fovea_model_n_inputs(model);
    bool made = n <= FUZZ_MOST_IO && fovea_model_n_outputs(model) <= FUZZ_MOST_IO &&
                model->graph.n_nodes <= MOST_NODES;
    for (size_t i = 0; made && i < n; i++) {
        made = make_input(fovea_model_get_input(model, i), &inputs[i]);
    }
    if (made) {
        plan_and_run(model, inputs, "off");
        plan_and_run(model, inputs, "on");
    }
    for (size_t i = 0; i < n && i < FUZZ_MOST_IO; i++) {
        free(inputs[i].data);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_model_load(data, size, try_model);
    return 0;
}
