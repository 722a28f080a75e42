/* Reading a file whole: see file.h. */
#include "loaders/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum fovea_status fail_os(const char *verb, int code, int *os_error,
                                 struct fovea_error *err) {
    char words[128];
    if (os_error) {
        *os_error = code;
    }
    const char *text = strerror_r(code, words, sizeof(words));
    return fovea_fail(err, FOVEA_ERR_IO, "cannot %s the file: %s", verb, text);
}

static const char *kind_of(mode_t mode) {
    if (S_ISDIR(mode)) {
        return "a directory";
    }
    if (S_ISFIFO(mode)) {
        return "a named pipe";
    }
    if (S_ISSOCK(mode)) {
        return "a socket";
    }
    return "a device";
}

static enum fovea_status check_kind(const struct stat *info, size_t max_size,
                                    struct fovea_error *err) {
    if (!S_ISREG(info->st_mode)) {
        return fovea_fail(err, FOVEA_ERR_IO, "%s, not a regular file", kind_of(info->st_mode));
    }
    if (info->st_size < 0 || (uintmax_t)info->st_size > max_size) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "the file has %jd bytes; the limit is %zu",
                          (intmax_t)info->st_size, max_size);
    }
    return FOVEA_OK;
}

int fovea_file_read_at(int fd, uint64_t at, void *out, size_t size, size_t *got) {
    *got = 0;
    while (*got < size) {
        ssize_t n = pread(fd, (char *)out + *got, size - *got, (off_t)(at + *got));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return errno;
        }
        if (n == 0) {
            break;
        }
        *got += (size_t)n;
    }
    return 0;
}

static enum fovea_status read_open(int fd, size_t max_size, uint8_t **bytes, size_t *size,
                                   int *os_error, struct fovea_error *err) {
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return fail_os("examine", errno, os_error, err);
    }
    enum fovea_status status = check_kind(&info, max_size, err);
    if (status) {
        return status;
    }
    size_t expected = (size_t)info.st_size;
    uint8_t *buffer = malloc(expected ? expected : 1);
    if (!buffer) {
        return fovea_fail_memory(err, expected, "a file");
    }
    size_t got;
    int code = fovea_file_read_at(fd, 0, buffer, expected, &got);
    if (code) {
        free(buffer);
        return fail_os("read", code, os_error, err);
    }
    if (got != expected) {
        free(buffer);
        return fovea_fail(err, FOVEA_ERR_IO, "the file shrank from %zu to %zu bytes while read",
                          expected, got);
    }
    *bytes = buffer;
    *size = expected;
    return FOVEA_OK;
}

int fovea_file_open(const char *path) {
    int fd;
    do {
        fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

int fovea_file_open_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    int fd;
    if (!folder) {
        return -1;
    }
    do {
        fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    int error = errno;
    free(folder);
    errno = error;
    return fd;
}

enum fovea_status fovea_file_read(const char *path, size_t max_size, uint8_t **bytes, size_t *size,
                                  int *os_error, struct fovea_error *err) {
    if (os_error) {
        *os_error = 0;
    }
    int fd = fovea_file_open(path);
    if (fd < 0) {
        return fail_os("open", errno, os_error, err);
    }
    enum fovea_status status = read_open(fd, max_size, bytes, size, os_error, err);
    close(fd);
    return status;
}
