/* See report_file.h. */
#include "evaluation/report_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static ssize_t write_bytes(void *cookie, const char *bytes, size_t size) {
    struct eval_file *file = cookie;
    if (file->failed || fovea_new_file_write(&file->file, bytes, size, &file->error)) {
        file->failed = true;
        errno = EIO;
        return 0;
    }
    return (ssize_t)size;
}

static enum fovea_status open_file(struct eval_file *file, struct fovea_error *err) {
    enum fovea_status status = fovea_new_file_init(&file->file, file->path, NULL, err);
    if (status) {
        fovea_error_prefix(err, "%s", fovea_quote(file->path).text);
        return status;
    }
    file->open = true;
    file->stream = fopencookie(file, "w", (cookie_io_functions_t){.write = write_bytes});
    return file->stream ? FOVEA_OK : fovea_fail_memory(err, BUFSIZ, "a stream");
}

enum fovea_status eval_file_init(struct eval_file *file, const char *folder, const char *name,
                                 struct fovea_error *err) {
    memset(file, 0, sizeof(*file));
    if (asprintf(&file->path, "%s/%s", folder, name) < 0) {
        file->path = NULL;
        return fovea_fail_memory(err, strlen(folder) + strlen(name) + 2, "a path");
    }
    enum fovea_status status = open_file(file, err);
    if (status) {
        eval_file_finish(file);
    }
    return status;
}

enum fovea_status eval_file_keep(struct eval_file *file, struct fovea_error *err) {
    enum fovea_status status = FOVEA_OK;
    bool bad = ferror(file->stream) != 0;
    bad = fclose(file->stream) != 0 || bad;
    file->stream = NULL;
    if (file->failed) {
        status = fovea_fail(err, FOVEA_ERR_IO, "%s", file->error.message);
    } else if (bad) {
        status = fovea_fail(err, FOVEA_ERR_IO, "cannot be written");
    } else {
        status = fovea_new_file_keep(&file->file, err);
    }
    if (status) {
        fovea_error_prefix(err, "%s", fovea_quote(file->path).text);
    }
    eval_file_finish(file);
    return status;
}

void eval_file_finish(struct eval_file *file) {
    if (file->stream) {
        fclose(file->stream);
    }
    if (file->open) {
        fovea_new_file_finish(&file->file);
    }
    free(file->path);
    memset(file, 0, sizeof(*file));
}
