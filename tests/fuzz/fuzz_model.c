/* See fuzz_model.h. */
#include "tests/fuzz/fuzz_model.h"

#include "runtime/tensor.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void fuzz_check_error(enum fovea_status st, const struct fovea_error *err) {
    if (st && (err->status != st || !err->message[0])) {
        abort();
    }
}

void fuzz_model_load(const void *bytes, size_t size, void (*use)(const struct fovea_model *model)) {
    char path[64];
    struct fovea_model *model;
    struct fovea_error err = {.message = ""};
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || (size > 0 && write(fd, bytes, size) != (ssize_t)size)) {
        abort();
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    enum fovea_status st = fovea_model_load(path, NULL, &model, &err);
    fuzz_check_error(st, &err);
    if (!st) {
        use(model);
        fovea_model_destroy(model);
    }
    close(fd);
}

static unsigned sum_of(const struct fovea_tensor *tensor) {
    const unsigned char *bytes = tensor->data;
    unsigned sum = 0;
    for (size_t i = 0; i < fovea_tensor_bytes(tensor); i++) {
        sum += bytes[i];
    }
    return sum;
}

void fuzz_session_run(struct fovea_session *session, size_t n_outputs,
                      const struct fovea_tensor *inputs) {
    struct fovea_tensor outputs[FUZZ_MOST_IO] = {{0}};
    struct fovea_error err = {.message = ""};
    volatile unsigned sum = 0;
    bool made = true;
    for (size_t i = 0; i < n_outputs; i++) {
        fovea_session_output_shape(session, i, &outputs[i]);
        outputs[i].data = malloc(fovea_tensor_bytes(&outputs[i]) + 1);
        made = made && outputs[i].data;
    }
    if (made) {
        enum fovea_status st = fovea_session_run(session, inputs, outputs, NULL, &err);
        fuzz_check_error(st, &err);
        for (size_t i = 0; !st && i < n_outputs; i++) {
            sum += sum_of(&outputs[i]);
        }
    }
    (void)sum;
    for (size_t i = 0; i < n_outputs; i++) {
        free(outputs[i].data);
    }
}
