/* The bytes of one image of a dataset, or why there are none. */
#include "loaders/dataset_parts.h"

#include "loaders/file.h"
#include "runtime/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const struct fault {
    const char *name;
    const char *words; /* of those that are known before reading */
    enum fovea_status status;
} faults[FOVEA_IMAGE_N_FAULTS] = {
    [FOVEA_IMAGE_THERE] = {"there", NULL, FOVEA_OK},
    [FOVEA_IMAGE_VANISHED] = {"vanished", "there is no such file", FOVEA_ERR_IO},
    [FOVEA_IMAGE_DANGLING] = {"dangling link", "a link to what is not there", FOVEA_ERR_IO},
    [FOVEA_IMAGE_DIRECTORY] = {"directory", "a directory, not a regular file", FOVEA_ERR_IO},
    [FOVEA_IMAGE_NO_FILE] = {"no file", "not a regular file", FOVEA_ERR_IO},
    [FOVEA_IMAGE_UNREADABLE] = {"unreadable", "cannot be read", FOVEA_ERR_IO},
    [FOVEA_IMAGE_EMPTY] = {"empty", "the file is empty", FOVEA_ERR_FORMAT},
    [FOVEA_IMAGE_TOO_LARGE] = {"too large", "too large", FOVEA_ERR_LIMIT},
    [FOVEA_IMAGE_CHANGED] = {"changed", "changed while it was read", FOVEA_ERR_IO},
};

const char *fovea_image_fault_name(enum fovea_image_fault fault) {
    return faults[fault].name;
}

static enum fovea_status fail_known(enum fovea_image_fault known, enum fovea_image_fault *fault,
                                    struct fovea_error *err) {
    *fault = known;
    return fovea_fail(err, faults[known].status, "%s", faults[known].words);
}

/* What it was that could not be read, by another look at it. */
static enum fovea_image_fault fault_of(const char *path, enum fovea_status status, int os_error) {
    struct stat info;
    if (status == FOVEA_ERR_LIMIT || status == FOVEA_ERR_MEMORY) {
        return FOVEA_IMAGE_TOO_LARGE;
    }
    if (os_error == ENOENT || os_error == ENOTDIR || os_error == ELOOP) {
        bool link = lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
        return link ? FOVEA_IMAGE_DANGLING : FOVEA_IMAGE_VANISHED;
    }
    if (os_error != 0) {
        return FOVEA_IMAGE_UNREADABLE;
    }
    if (stat(path, &info) != 0 || S_ISREG(info.st_mode)) {
        return FOVEA_IMAGE_CHANGED;
    }
    return S_ISDIR(info.st_mode) ? FOVEA_IMAGE_DIRECTORY : FOVEA_IMAGE_NO_FILE;
}

static enum fovea_status read_file(const struct fovea_dataset *set, const char *name,
                                   uint8_t **bytes, size_t *size, enum fovea_image_fault *fault,
                                   struct fovea_error *err) {
    int os_error = 0;
    char *path = NULL;
    const char *root = name[0] == '/' ? "" : set->root;
    if (asprintf(&path, "%s%s%s", root, *root ? "/" : "", name) < 0) {
        *fault = FOVEA_IMAGE_TOO_LARGE;
        return fovea_fail_memory(err, 0, "a path");
    }
    enum fovea_status status =
        fovea_file_read(path, FOVEA_LIMIT_IMAGE_BYTES, bytes, size, &os_error, err);
    if (status) {
        *fault = fault_of(path, status, os_error);
    }
    if (status && *fault == FOVEA_IMAGE_DANGLING) {
        status = fail_known(*fault, fault, err);
    }
    free(path);
    return status;
}

enum fovea_status fovea_dataset_read(const struct fovea_dataset *dataset, size_t index,
                                     uint8_t **bytes, size_t *size, enum fovea_image_fault *fault,
                                     struct fovea_error *err) {
    const struct fovea_dataset_image *image = &dataset->images[index];
    uint8_t *found = NULL;
    size_t length = (size_t)image->size;
    enum fovea_status status = FOVEA_OK;
    enum fovea_image_fault why = FOVEA_IMAGE_THERE;
    if (image->fault) {
        status = fail_known(image->fault, &why, err);
    } else if (!dataset->archive) {
        status = read_file(dataset, image->path, &found, &length, &why, err);
    } else if (image->size > FOVEA_LIMIT_IMAGE_BYTES) {
        why = FOVEA_IMAGE_TOO_LARGE;
        status = fovea_fail(err, FOVEA_ERR_LIMIT, "the file has %llu bytes; the limit is %zu",
                            (unsigned long long)image->size, FOVEA_LIMIT_IMAGE_BYTES);
    } else if (image->size > 0) {
        status = dataset_read_archive(dataset->archive, image, &found, &why, err);
    }
    if (!status && length == 0) {
        free(found);
        status = fail_known(FOVEA_IMAGE_EMPTY, &why, err);
    }
    *fault = why;
    if (!status) {
        *bytes = found;
        *size = length;
    }
    return status;
}
