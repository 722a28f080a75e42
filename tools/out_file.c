/* See out_file.h. */
#include "tools/out_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum fovea_status fail_path(struct fovea_error *err, const char *what, const char *path) {
    return fovea_fail(err, FOVEA_ERR_IO, "cannot %s '%s': %s", what, fovea_quote(path).text,
                      strerror(errno));
}

/* A temporary name beside `path`; mkstemp's 0600 is widened to what open would give. */
static FILE *open_beside(const char *path, char **temporary) {
    char *name;
    if (asprintf(&name, "%s.XXXXXX", path) < 0) {
        return NULL;
    }
    int fd = mkstemp(name);
    if (fd < 0) {
        free(name);
        return NULL;
    }
    mode_t mask = umask(0);
    umask(mask);
    (void)!fchmod(fd, 0666 & ~mask);
    *temporary = name;
    FILE *stream = fdopen(fd, "w");
    if (!stream) {
        close(fd);
        unlink(name);
        free(name);
        *temporary = NULL;
    }
    return stream;
}

enum fovea_status out_file_init(struct out_file *file, const char *path, struct fovea_error *err) {
    struct stat there;
    bool special = stat(path, &there) == 0 && !S_ISREG(there.st_mode);
    *file = (struct out_file){.path = strdup(path)};
    if (!file->path) {
        return fovea_fail_memory(err, strlen(path) + 1, "a path");
    }
    file->stream = special ? fopen(path, "w") : open_beside(path, &file->temporary);
    if (!file->stream) {
        fail_path(err, "write", path);
        out_file_finish(file);
        return FOVEA_ERR_IO;
    }
    return FOVEA_OK;
}

enum fovea_status out_file_commit(struct out_file *file, struct fovea_error *err) {
    bool bad = ferror(file->stream);
    bad = fclose(file->stream) != 0 || bad;
    file->stream = NULL;
    if (bad || (file->temporary && rename(file->temporary, file->path) != 0)) {
        fail_path(err, "write", file->path);
        out_file_finish(file);
        return FOVEA_ERR_IO;
    }
    free(file->temporary);
    file->temporary = NULL;
    out_file_finish(file);
    return FOVEA_OK;
}

void out_file_finish(struct out_file *file) {
    if (file->stream) {
        fclose(file->stream);
    }
    if (file->temporary) {
        unlink(file->temporary);
    }
    free(file->temporary);
    free(file->path);
    *file = (struct out_file){0};
}
