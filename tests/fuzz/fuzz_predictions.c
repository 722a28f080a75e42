/* Fuzzing files of predictions: any bytes give rows in order of their paths, or an error. */
#include "evaluation/predictions.h"
#include "tests/fuzz/fuzz_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct eval_predictions *p) {
    volatile size_t sum = 0; /* so that every byte is read */
    for (size_t i = 0; i < p->n; i++) {
        sum += strlen(p->rows[i].path) + strlen(p->rows[i].labels);
        if (i > 0 && strcmp(p->rows[i - 1].path, p->rows[i].path) > 0) {
            abort();
        }
        if ((p->rows[i].scored && !p->rows[i].answered) || p->rows[i].label < -1 ||
            p->rows[i].pred < -1) {
            abort();
        }
    }
    (void)sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct eval_predictions predictions;
    struct fovea_error err = {.message = ""};
    char path[64];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || (size > 0 && write(fd, data, size) != (ssize_t)size)) {
        abort();
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    enum fovea_status st = eval_predictions_load(path, &predictions, &err);
    fuzz_check_error(st, &err);
    if (!st) {
        look(&predictions);
        eval_predictions_finish(&predictions);
    }
    close(fd);
    return 0;
}
