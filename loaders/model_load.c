/* Loading a model from whichever kind of file it is (fovea.h). */
#include "loaders/compiled.h"
#include "loaders/mapped_file.h"
#include "loaders/onnx.h"

#include <fcntl.h>
#include <unistd.h>

void fovea_load_options_default(struct fovea_load_options *options) {
    *options = (struct fovea_load_options){0};
}

/* What cannot be read is no compiled file; whoever loads it as ONNX will say why. */
static bool is_compiled(const char *path) {
    unsigned char bytes[8];
    struct stat status;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return false;
    }
    bool is = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
              pread(fd, bytes, sizeof(bytes), 0) == (ssize_t)sizeof(bytes) &&
              fovea_compiled_looks_like(bytes, sizeof(bytes));
    close(fd);
    return is;
}

static enum fovea_status load_compiled(const char *path, const struct fovea_load_options *options,
                                       struct fovea_model **out, struct fovea_error *err) {
    struct fovea_mapping file;
    struct fovea_model *model;
    enum fovea_status st = fovea_file_map(path, INT64_MAX, &file, err);
    if (!st) {
        st = fovea_model_create(path, &model, err);
        if (st) {
            fovea_mapping_finish(&file);
        }
    }
    if (!st) {
        st = fovea_compiled_load(model, &file, options, out, err);
    }
    if (st) {
        fovea_error_prefix(err, "%s", path);
    }
    return st;
}

enum fovea_status fovea_model_load(const char *path, const struct fovea_load_options *options,
                                   struct fovea_model **out, struct fovea_error *err) {
    struct fovea_load_options defaults;
    if (!options) {
        fovea_load_options_default(&defaults);
        options = &defaults;
    }
    return is_compiled(path) ? load_compiled(path, options, out, err)
                             : fovea_onnx_load(path, options, out, err);
}
