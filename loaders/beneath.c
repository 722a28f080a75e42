/* Files named by others: see beneath.h. */
#include "loaders/beneath.h"

#include "loaders/file.h"
#include "loaders/mapped_file.h"
#include "loaders/os_error.h"
#include "runtime/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The rule as far as text goes; what links do is the kernel's part. */
static enum fovea_status check_location(const char *location, const char *what,
                                        struct fovea_error *err) {
    const char *why = NULL;
    if (!location[0]) {
        why = "is empty";
    } else if (location[0] == '/') {
        why = "is an absolute path";
    } else if (strchr(location, '\\') || (location[1] == ':')) {
        why = "is not a relative path with '/' between folders";
    } else if (strlen(location) >= FOVEA_LIMIT_NAME) {
        why = "is too long";
    }
    for (const char *at = location; !why && *at;) {
        size_t length = strcspn(at, "/");
        if (length == 2 && at[0] == '.' && at[1] == '.') {
            why = "leads out of the model's folder";
        }
        at += length;
        at += *at == '/';
    }
    if (!why) {
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_INVALID, "%s location '%s' %s", what,
                      fovea_quote(location).text, why);
}

enum { OPEN_FLAGS = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY };

static bool is_link(int folder, const char *name) {
    struct stat status;
    int error = errno;
    bool link = fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
    errno = error;
    return link;
}

/* For kernels before 5.6, or where a sandbox forbids openat2: folder by folder. */
static int open_by_steps(int folder, const char *location, int no_links) {
    char step[FOVEA_LIMIT_NAME];
    int at = dup(folder);
    while (at >= 0) {
        size_t length = strcspn(location, "/");
        memcpy(step, location, length);
        step[length] = 0;
        location += length;
        location += strspn(location, "/");
        int flags = *location ? O_PATH | O_DIRECTORY | O_CLOEXEC : OPEN_FLAGS;
        int next = openat(at, step, flags | no_links);
        int error = next < 0 && is_link(at, step) ? ELOOP : errno;
        close(at);
        errno = error;
        at = next;
        if (!*location) {
            break;
        }
    }
    return at;
}

static int try_open(int folder, const char *location, bool allow_links) {
    if (allow_links) {
        return openat(folder, location, OPEN_FLAGS);
    }
    struct open_how how = {.flags = OPEN_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    long fd = syscall(SYS_openat2, folder, location, &how, sizeof(how));
    if (fd < 0 && (errno == ENOSYS || errno == EPERM)) {
        return open_by_steps(folder, location, O_NOFOLLOW);
    }
    return (int)fd;
}

/* An interrupted call is begun again. */
static int open_beneath(int folder, const char *location, bool allow_links) {
    int fd;
    do {
        fd = try_open(folder, location, allow_links);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

int fovea_beneath_open_folder(const char *path, struct fovea_error *err) {
    int fd = fovea_file_open_folder(path);
    if (fd < 0) {
        fovea_fail(err, fovea_status_of_errno(errno), "cannot open the model's folder: %s",
                   strerror(errno));
    }
    return fd;
}

static enum fovea_status map_checked(int fd, bool allow_links, const char *what,
                                     struct fovea_mapping *out, struct fovea_error *err) {
    struct stat status;
    if (!allow_links && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_nlink != 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "has %lu hard links; %s data must have one (or allow links)",
                          (unsigned long)status.st_nlink, what);
    }
    return fovea_descriptor_map(fd, INT64_MAX, out, err);
}

static enum fovea_status open_failed(const char *location, const char *what, int error,
                                     struct fovea_error *err) {
    if (error == ELOOP || error == EXDEV) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "%s file '%s' is reached by a symbolic link, which is not allowed", what,
                          fovea_quote(location).text);
    }
    return fovea_fail(err, FOVEA_ERR_IO, "cannot open %s file '%s': %s", what,
                      fovea_quote(location).text, strerror(error));
}

enum fovea_status fovea_beneath_map(int folder, const char *location, bool allow_links,
                                    const char *what, struct fovea_mapping *out,
                                    struct fovea_error *err) {
    enum fovea_status st = check_location(location, what, err);
    if (st) {
        return st;
    }
    int fd = open_beneath(folder, location, allow_links);
    if (fd < 0) {
        return open_failed(location, what, errno, err);
    }
    st = map_checked(fd, allow_links, what, out, err);
    close(fd);
    if (st) {
        fovea_error_prefix(err, "%s file '%s'", what, fovea_quote(location).text);
    }
    return st;
}
