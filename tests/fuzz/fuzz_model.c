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

bool fuzz_make_input(const struct fovea_io *io, struct fovea_tensor *t) {
    int64_t dims[FOVEA_MAX_RANK];
    for (int i = 0; i < io->rank; i++) {
        dims[i] = io->dims[i] < 0 ? 2 : io->dims[i];
    }
    fovea_tensor_set_shape(t, io->dtype, io->rank, dims);
    if (fovea_tensor_check_shape(t, NULL) || fovea_tensor_bytes(t) > FUZZ_MOST_INPUT_BYTES) {
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
