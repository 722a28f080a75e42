/* Whole files: see mapped_file.h. */
#include "loaders/mapped_file.h"

#include "loaders/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *kind_of(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    case S_IFCHR:
    case S_IFBLK:
        return "a device";
    default:
        return "of no known kind";
    }
}

static int64_t nanoseconds(const struct timespec *time) {
    return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

void fovea_file_id_of(const struct stat *status, struct fovea_file_id *out) {
    *out = (struct fovea_file_id){
        .device = (uint64_t)status->st_dev,
        .inode = (uint64_t)status->st_ino,
        .size = (uint64_t)status->st_size,
        .modified_ns = nanoseconds(&status->st_mtim),
        .changed_ns = nanoseconds(&status->st_ctim),
    };
}

bool fovea_file_id_same(const struct fovea_file_id *a, const struct fovea_file_id *b) {
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

enum fovea_status fovea_descriptor_map(int fd, uint64_t most, struct fovea_mapping *out,
                                       struct fovea_error *err) {
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return fovea_fail(err, FOVEA_ERR_IO, "cannot stat: %s", strerror(errno));
    }
    if (!S_ISREG(status.st_mode)) {
        return fovea_fail(err, FOVEA_ERR_IO, "is %s, not a regular file", kind_of(status.st_mode));
    }
    if ((uint64_t)status.st_size > most) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "the file has %lld bytes; the limit is %llu",
                          (long long)status.st_size, (unsigned long long)most);
    }
    struct fovea_mapping mapping = {.length = (size_t)status.st_size};
    fovea_file_id_of(&status, &mapping.id);
    if (mapping.length > 0) {
        mapping.bytes = mmap(NULL, mapping.length, PROT_READ, MAP_PRIVATE, fd, 0);
        if (mapping.bytes == MAP_FAILED) {
            return fovea_fail(err, FOVEA_ERR_IO, "cannot map %zu bytes: %s", mapping.length,
                              strerror(errno));
        }
    }
    *out = mapping;
    return FOVEA_OK;
}

enum fovea_status fovea_file_map(const char *path, uint64_t most, struct fovea_mapping *out,
                                 struct fovea_error *err) {
    int fd = fovea_file_open(path);
    if (fd < 0) {
        return fovea_fail(err, FOVEA_ERR_IO, "cannot open: %s", strerror(errno));
    }
    enum fovea_status st = fovea_descriptor_map(fd, most, out, err);
    close(fd);
    return st;
}

enum fovea_status fovea_file_save(const char *path, const void *head, size_t head_bytes,
                                  const void *body, size_t body_bytes, struct fovea_error *err) {
    FILE *file = fopen(path, "wbe");
    if (!file) {
        return fovea_fail(err, FOVEA_ERR_IO, "cannot create: %s", strerror(errno));
    }
    bool ok = fwrite(head, 1, head_bytes, file) == head_bytes &&
              (body_bytes == 0 || fwrite(body, 1, body_bytes, file) == body_bytes) &&
              fflush(file) == 0;
    int error = errno;
    struct stat status;
    bool regular = fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode);
    if (fclose(file) != 0 && ok) {
        ok = false;
        error = errno;
    }
    if (ok) {
        return FOVEA_OK;
    }
    if (regular) {
        unlink(path);
    }
    return fovea_fail(err, FOVEA_ERR_IO, "cannot write: %s", strerror(error));
}
