/*
 * Fuzzing tar archives: blocks of any bytes, with header checksums that are
 * right, give entries within the file, or an error.
 */
#include "loaders/tar.h"
#include "runtime/limits.h"
#include "tests/fuzz/fuzz_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CHECKSUM = 148, CHECKSUM_BYTES = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In whatever may be a header: contents do not matter. */
static void mend(uint8_t *block) {
    unsigned sum = CHECKSUM_BYTES * ' ';
    char digits[CHECKSUM_BYTES + 1];
    for (int i = 0; i < FOVEA_TAR_BLOCK; i++) {
        sum += i < CHECKSUM || i >= CHECKSUM + CHECKSUM_BYTES ? block[i] : 0;
    }
    if (sum == CHECKSUM_BYTES * ' ') {
        return; /* the end mark */
    }
    snprintf(digits, sizeof(digits), "%06o", sum);
    memcpy(block + CHECKSUM, digits, 7);
    block[CHECKSUM + 7] = ' ';
}

static void look(const struct fovea_tar *tar, size_t size) {
    for (size_t i = 0; i < tar->count; i++) {
        const struct fovea_tar_entry *e = &tar->entries[i];
        bool content = e->type == FOVEA_TAR_FILE;
        if (!e->path || strlen(e->path) > FOVEA_LIMIT_NAME ||
            (content && (e->offset > size || e->size > size - e->offset))) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fovea_tar tar;
    struct fovea_error err = {.message = ""};
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    uint8_t *copy = malloc(size + 1);
    if (fd < 0 || !copy) {
        abort();
    }
    memcpy(copy, data, size);
    for (size_t at = 0; at + FOVEA_TAR_BLOCK <= size; at += FOVEA_TAR_BLOCK) {
        mend(copy + at);
    }
    if (size > 0 && write(fd, copy, size) != (ssize_t)size) {
        abort();
    }
    enum fovea_status st = fovea_tar_load(fd, size, &tar, &err);
    fuzz_check_error(st, &err);
    if (!st) {
        look(&tar, size);
        fovea_tar_finish(&tar);
    }
    free(copy);
    close(fd);
    return 0;
}
