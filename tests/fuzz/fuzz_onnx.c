/*
 * Fuzzing the model loader: any bytes load or are refused, and what was loaded
 * can be walked. Built with libFuzzer where the compiler is clang;
 * everywhere replay.c runs it on files.
 */
#include "runtime/model.h"
#include "runtime/tensor.h"
#include "tests/fuzz/fuzz_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Read what a session would, so that a sanitizer sees a pointer to nowhere. */
static void touch(const struct fovea_model *model) {
    volatile unsigned sum = 0;
    for (const struct fovea_node *node = model->graph.first; node; node = node->next) {
        for (int i = 0; i < node->n_in; i++) {
            const struct fovea_value *value = node->in[i];
            size_t bytes = value && value->constant ? fovea_tensor_bytes(&value->t) : 0;
            for (size_t j = 0; j < bytes; j++) {
                sum += ((const unsigned char *)value->t.data)[j];
            }
        }
        sum += (unsigned)node->name[0];
    }
    (void)sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_model_load(data, size, touch);
    return 0;
}
