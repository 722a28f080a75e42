/*
 * Fuzzing the whole path: any bytes load, plan within a little memory and run,
 * with and without passes, or are refused on the way.
 */
#include "runtime/model.h"
#include "runtime/tensor.h"
#include "tests/fuzz/fuzz_model.h"

#include <stdlib.h>

enum { MOST_NODES = 200, MEMORY = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
        made = fuzz_make_input(fovea_model_get_input(model, i), &inputs[i]);
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
