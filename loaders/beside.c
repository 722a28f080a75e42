/* Files beside a model: see beside.h. */
#include "loaders/beside.h"

#include "loaders/file.h"
#include "loaders/os_error.h"
#include "loaders/paths.h"
#include "runtime/limits.h"

#include <stdlib.h>
#include <string.h>

/* Whether trying again would end the same way; without an errno, what a file is made it fail. */
static bool is_for_good(enum fovea_status status, int os_error) {
    return status == FOVEA_ERR_LIMIT ||
           (status == FOVEA_ERR_IO && (os_error == 0 || fovea_is_for_good(os_error)));
}

enum fovea_status fovea_beside_read(const char *model_path, const char *name, uint8_t **bytes,
                                    size_t *size, struct fovea_error *why,
                                    struct fovea_error *err) {
    struct fovea_error reason = {0};
    uint8_t *read = NULL;
    size_t n = 0;
    int os_error = 0;
    char *path = fovea_path_beside(model_path, name);
    if (!path) {
        return fovea_fail_memory(err, strlen(model_path), "a path");
    }
    enum fovea_status status =
        fovea_file_read(path, FOVEA_LIMIT_JSON_BYTES, &read, &n, &os_error, &reason);
    free(path);
    bool absent = status == FOVEA_ERR_IO && fovea_is_absent(os_error);
    if (status && !absent && !is_for_good(status, os_error)) {
        return fovea_fail(err, status, "%s beside the model: %s", name, reason.message);
    }
    if (absent) {
        memset(&reason, 0, sizeof(reason));
    }
    *why = reason;
    *bytes = read;
    *size = n;
    return FOVEA_OK;
}
