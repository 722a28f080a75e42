/* Fuzzing datasets that are one file: any bytes give images that can be asked for, or an error. */
#include "loaders/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_for_images(const struct fovea_dataset *set) {
    for (size_t i = 0; i < set->n_images && i < 8; i++) {
        uint8_t *bytes = NULL;
        size_t n = 0;
        enum fovea_image_fault fault;
        struct fovea_error err;
        enum fovea_status status = FOVEA_OK;
        /* Only what is in an archive: a list names files of this machine. */
        if (set->kind == FOVEA_DATASET_TAR) {
            status = fovea_dataset_read(set, i, &bytes, &n, &fault, &err);
        }
        if (!status && set->kind == FOVEA_DATASET_TAR && n == 0) {
            abort();
        }
        free(bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fovea_dataset set;
    struct fovea_error err = {.message = ""};
    char path[64];
    int fd = memfd_create("fuzz", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
        abort();
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    enum fovea_status status = fovea_dataset_load(path, NULL, &set, &err);
    if (!status) {
        ask_for_images(&set);
        fovea_dataset_finish(&set);
    } else if (err.status != status || !err.message[0]) {
        abort();
    }
    close(fd);
    return 0;
}
