/* Files written in full or not at all: see new_file.h. */
#include "loaders/new_file.h"

#include "loaders/file.h"
#include "loaders/os_error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum fovea_status open_folder(struct fovea_new_file *file, const char *path,
                                     struct fovea_error *err) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t length = strlen(name);
    if (length == 0 || length >= sizeof(file->name) || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "'%s' is no name for a file",
                          fovea_quote(name).text);
    }
    memcpy(file->name, name, length + 1);
    file->folder = fovea_file_open_folder(path);
    if (file->folder < 0) {
        return fovea_fail(err, fovea_status_of_errno(errno), "cannot open its folder: %s",
                          strerror(errno));
    }
    return FOVEA_OK;
}

/* Whether what has that name, or what it links to, is a file that the model is made of. */
static bool is_of_model(const struct fovea_new_file *file, const struct fovea_model *model) {
    struct stat status;
    bool there = fstatat(file->folder, file->name, &status, 0) == 0;
    for (size_t i = 0; there && i < model->n_sources; i++) {
        const struct fovea_file_id *id = &model->sources[i].id;
        if (id->device == (uint64_t)status.st_dev && id->inode == (uint64_t)status.st_ino) {
            return true;
        }
    }
    return false;
}

/* A folder or a device of that name is not to be replaced, nor is what the model is made of. */
static enum fovea_status check_place(const struct fovea_new_file *file,
                                     const struct fovea_model *model, struct fovea_error *err) {
    struct stat status;
    if (fstatat(file->folder, file->name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return FOVEA_OK;
    }
    if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
        return fovea_fail(err, FOVEA_ERR_IO, "there is something that is no regular file");
    }
    if (model && is_of_model(file, model)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "that is a file of the model itself");
    }
    return FOVEA_OK;
}

static enum fovea_status create(struct fovea_new_file *file, struct fovea_error *err) {
    enum { ATTEMPTS = 100 };
    for (int i = 0; i < ATTEMPTS; i++) {
        snprintf(file->temporary, sizeof(file->temporary), ".%.240s.%ld.%d", file->name,
                 (long)getpid(), i);
        file->fd = openat(file->folder, file->temporary,
                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (file->fd >= 0) {
            return FOVEA_OK;
        }
        if (errno != EEXIST && errno != EINTR) {
            break;
        }
    }
    return fovea_fail(err, FOVEA_ERR_IO, "cannot create a file there: %s", strerror(errno));
}

enum fovea_status fovea_new_file_init(struct fovea_new_file *file, const char *path,
                                      const struct fovea_model *model, struct fovea_error *err) {
    struct fovea_new_file made = {.folder = -1, .fd = -1};
    enum fovea_status st = open_folder(&made, path, err);
    if (!st) {
        st = check_place(&made, model, err);
    }
    if (!st) {
        st = create(&made, err);
    }
    if (st) {
        fovea_new_file_finish(&made);
        return st;
    }
    *file = made;
    return FOVEA_OK;
}

static enum fovea_status fail_write(struct fovea_error *err) {
    return fovea_fail(err, FOVEA_ERR_IO, "cannot write: %s", strerror(errno));
}

enum fovea_status fovea_new_file_write(struct fovea_new_file *file, const void *bytes, size_t size,
                                       struct fovea_error *err) {
    const unsigned char *at = bytes;
    while (size > 0) {
        ssize_t n = write(file->fd, at, size);
        if (n < 0 && errno != EINTR) {
            return fail_write(err);
        }
        at += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return FOVEA_OK;
}

enum fovea_status fovea_new_file_write_start(struct fovea_new_file *file, const void *bytes,
                                             size_t size, struct fovea_error *err) {
    if (lseek(file->fd, 0, SEEK_SET) != 0) {
        return fail_write(err);
    }
    return fovea_new_file_write(file, bytes, size, err);
}

enum fovea_status fovea_new_file_keep(struct fovea_new_file *file, struct fovea_error *err) {
    while (fsync(file->fd) != 0) {
        if (errno != EINTR) {
            return fail_write(err);
        }
    }
    if (renameat(file->folder, file->temporary, file->folder, file->name) != 0) {
        return fovea_fail(err, FOVEA_ERR_IO, "cannot rename: %s", strerror(errno));
    }
    file->temporary[0] = 0;
    /* The name is on the disk once the folder is; not all file systems can be asked. */
    int folder = openat(file->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        fsync(folder);
        close(folder);
    }
    return FOVEA_OK;
}

void fovea_new_file_finish(struct fovea_new_file *file) {
    if (file->fd >= 0) {
        close(file->fd);
    }
    if (file->fd >= 0 && file->temporary[0]) {
        unlinkat(file->folder, file->temporary, 0);
    }
    if (file->folder >= 0) {
        close(file->folder);
    }
    file->fd = file->folder = -1;
}
