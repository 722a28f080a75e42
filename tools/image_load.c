/* See image_load.h. */
#include "tools/image_load.h"

#include "loaders/file.h"
#include "runtime/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum fovea_status image_read(const char *path, uint8_t **bytes, size_t *size, bool *missing,
                             struct fovea_error *err) {
    int os_error = 0;
    struct stat info;
    if (missing) {
        *missing = false;
    }
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        return fovea_fail(err, FOVEA_ERR_IO, "is a folder; name the images in it");
    }
    enum fovea_status status =
        fovea_file_read(path, FOVEA_LIMIT_IMAGE_BYTES, bytes, size, &os_error, err);
    if (missing) {
        *missing = status && os_error == ENOENT;
    }
    return status;
}

enum fovea_status image_load(const char *path, const struct fovea_recipe *recipe,
                             const struct fovea_jpeg_options *jpeg, float *out, bool *missing,
                             struct fovea_jpeg_report *report, struct fovea_error *err) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum fovea_status status = image_read(path, &bytes, &size, missing, err);
    if (!status) {
        status = fovea_preprocess_jpeg(recipe, jpeg, bytes, size, out, report, err);
    }
    free(bytes);
    return status;
}
