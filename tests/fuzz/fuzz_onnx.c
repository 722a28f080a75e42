/*
 * Fuzzing the model loader: any bytes load or are refused, and what was loaded
 * can be walked. Built with libFuzzer where the compiler is clang;
 * everywhere replay.c runs it on files.
 */
#include "runtime/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Read what a session would, so that a sanitizer sees a pointer to nowhere. */
static unsigned touch(const struct fovea_model *model) {
    unsigned sum = 0;
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
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    struct fovea_model *model;
    struct fovea_error err = {.message = ""};
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || (size > 0 && write(fd, data, size) != (ssize_t)size)) {
        abort();
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    enum fovea_status st = fovea_model_load(path, NULL, &model, &err);
    if (!st) {
        volatile unsigned sum = touch(model);
        (void)sum;
        fovea_model_destroy(model);
    } else if (err.status != st || !err.message[0]) {
        abort();
    }
    close(fd);
    return 0;
}
