/*
 * Points of failure: calls on files. See points.h.
 *
 * Each is defined under the names that programs reach it by: with 64-bit
 * offsets, and as gcc calls it in fortified programs.
 */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include "tests/inject/points_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a call can do besides failing for good. */
enum nature {
    PLAIN = 0,
    WRITES = 1,    /* fails with ENOSPC */
    WAITS = 2,     /* a signal may interrupt it */
    TRANSFERS = 4, /* may do less than it was asked for */
};

#define CALLER __builtin_return_address(0)

/* The real function, found once. */
#define REAL(function, name)                                                                       \
    static __typeof__(&function) real;                                                             \
    if (!real) {                                                                                   \
        *(void **)&real = point_next(name);                                                        \
    }

/* Whether the call fails; it then has set errno. `size`, if not NULL, may be halved instead. */
static bool fails(int nature, size_t *size, const void *caller) {
    enum point_fault fault = point_fault();
    bool possible = fault == FAULT_HARD || (fault == FAULT_EINTR && nature & WAITS) ||
                    (fault == FAULT_SHORT && nature & TRANSFERS && *size > 1);
    if (!possible || !point_fails(POINT_FILE, caller)) {
        return false;
    }
    if (fault == FAULT_SHORT) {
        *size /= 2;
        return false;
    }
    errno = fault == FAULT_EINTR ? EINTR : nature & WRITES ? ENOSPC : EIO;
    return true;
}

static int opened(int fd, const void *caller) {
    if (fd >= 0) {
        point_made((uintptr_t)fd + 1, 0, caller);
    }
    return fd;
}

/* ---- descriptors ------------------------------------------------------------- */

static int open_at(int folder, const char *path, int flags, mode_t mode, const void *caller) {
    REAL(openat64, "openat64")
    if (fails(WAITS, NULL, caller)) {
        return -1;
    }
    return opened(real(folder, path, flags, mode), caller);
}

#define MODE_OF(flags)                                                                             \
    mode_t mode = 0;                                                                               \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                         \
        va_list list;                                                                              \
        va_start(list, flags);                                                                     \
        mode = va_arg(list, mode_t);                                                               \
        va_end(list);                                                                              \
    }

int open(const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_at(AT_FDCWD, path, flags, mode, CALLER);
}

int open64(const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_at(AT_FDCWD, path, flags, mode, CALLER);
}

int openat(int folder, const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_at(folder, path, flags, mode, CALLER);
}

int openat64(int folder, const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_at(folder, path, flags, mode, CALLER);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags) {
    return open_at(AT_FDCWD, path, flags, 0, CALLER);
}

int __open64_2(const char *path, int flags);
int __open64_2(const char *path, int flags) {
    return open_at(AT_FDCWD, path, flags, 0, CALLER);
}

int __openat64_2(int folder, const char *path, int flags);
int __openat64_2(int folder, const char *path, int flags) {
    return open_at(folder, path, flags, 0, CALLER);
}

int mkstemp64(char *pattern) {
    REAL(mkstemp64, "mkstemp64")
    const void *caller = CALLER;
    return fails(WRITES, NULL, caller) ? -1 : opened(real(pattern), caller);
}

int dup(int fd) {
    REAL(dup, "dup")
    const void *caller = CALLER;
    return fails(PLAIN, NULL, caller) ? -1 : opened(real(fd), caller);
}

/* Whatever it says, the descriptor is gone. */
int close(int fd) {
    REAL(close, "close")
    bool fail = fails(WAITS, NULL, CALLER);
    int error = errno;
    point_gone((uintptr_t)fd + 1);
    int result = real(fd);
    if (fail) {
        errno = error;
        return -1;
    }
    return result;
}

ssize_t read(int fd, void *bytes, size_t size) {
    REAL(read, "read")
    return fails(WAITS | TRANSFERS, &size, CALLER) ? -1 : real(fd, bytes, size);
}

ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room);
ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room) {
    REAL(__read_chk, "__read_chk")
    return fails(WAITS | TRANSFERS, &size, CALLER) ? -1 : real(fd, bytes, size, room);
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t at) {
    REAL(pread64, "pread64")
    return fails(WAITS | TRANSFERS, &size, CALLER) ? -1 : real(fd, bytes, size, at);
}

ssize_t __pread64_chk(int fd, void *bytes, size_t size, off64_t at, size_t room);
ssize_t __pread64_chk(int fd, void *bytes, size_t size, off64_t at, size_t room) {
    REAL(__pread64_chk, "__pread64_chk")
    return fails(WAITS | TRANSFERS, &size, CALLER) ? -1 : real(fd, bytes, size, at, room);
}

ssize_t write(int fd, const void *bytes, size_t size) {
    REAL(write, "write")
    return fails(WRITES | WAITS | TRANSFERS, &size, CALLER) ? -1 : real(fd, bytes, size);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
    REAL(pwrite64, "pwrite64")
    return fails(WRITES | WAITS | TRANSFERS, &size, CALLER) ? -1 : real(fd, bytes, size, at);
}

int fsync(int fd) {
    REAL(fsync, "fsync")
    return fails(WAITS, NULL, CALLER) ? -1 : real(fd);
}

int fdatasync(int fd) {
    REAL(fdatasync, "fdatasync")
    return fails(WAITS, NULL, CALLER) ? -1 : real(fd);
}

int ftruncate64(int fd, off64_t size) {
    REAL(ftruncate64, "ftruncate64")
    return fails(WRITES | WAITS, NULL, CALLER) ? -1 : real(fd, size);
}

off64_t lseek64(int fd, off64_t at, int whence) {
    REAL(lseek64, "lseek64")
    return fails(PLAIN, NULL, CALLER) ? -1 : real(fd, at, whence);
}

int flock(int fd, int operation) {
    REAL(flock, "flock")
    return fails(WAITS, NULL, CALLER) ? -1 : real(fd, operation);
}

/* ---- names -------------------------------------------------------------------- */

int fstat64(int fd, struct stat64 *status) {
    REAL(fstat64, "fstat64")
    return fails(PLAIN, NULL, CALLER) ? -1 : real(fd, status);
}

int stat64(const char *path, struct stat64 *status) {
    REAL(stat64, "stat64")
    return fails(PLAIN, NULL, CALLER) ? -1 : real(path, status);
}

int lstat64(const char *path, struct stat64 *status) {
    REAL(lstat64, "lstat64")
    return fails(PLAIN, NULL, CALLER) ? -1 : real(path, status);
}

int fstatat64(int folder, const char *path, struct stat64 *status, int flags) {
    REAL(fstatat64, "fstatat64")
    return fails(PLAIN, NULL, CALLER) ? -1 : real(folder, path, status, flags);
}

int rename(const char *from, const char *to) {
    REAL(rename, "rename")
    return fails(WRITES, NULL, CALLER) ? -1 : real(from, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    REAL(renameat, "renameat")
    return fails(WRITES, NULL, CALLER) ? -1 : real(from_folder, from, to_folder, to);
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir, "mkdir")
    return fails(WRITES, NULL, CALLER) ? -1 : real(path, mode);
}

char *realpath(const char *path, char *out) {
    static char *(*real)(const char *, char *);
    const void *caller = CALLER;
    if (!real) {
        *(void **)&real = point_next("realpath");
    }
    if (fails(PLAIN, NULL, caller)) {
        return NULL;
    }
    enum point_owner former = points_enter(caller);
    char *resolved = real(path, out);
    points_leave(former);
    return resolved;
}

DIR *opendir(const char *path) {
    REAL(opendir, "opendir")
    const void *caller = CALLER;
    if (fails(PLAIN, NULL, caller)) {
        return NULL;
    }
    enum point_owner former = points_enter(caller);
    DIR *folder = real(path);
    points_leave(former);
    return folder;
}

struct dirent64 *readdir64(DIR *folder) {
    REAL(readdir64, "readdir64")
    return fails(PLAIN, NULL, CALLER) ? NULL : real(folder);
}

/* ---- streams ------------------------------------------------------------------ */

/* With the mark that ferror looks for. */
static bool fails_stream(int nature, FILE *stream, const void *caller) {
    enum { ERROR_SEEN = 0x20 }; /* glibc's _IO_ERR_SEEN */
    if (!fails(nature, NULL, caller)) {
        return false;
    }
    stream->_flags |= ERROR_SEEN;
    return true;
}

static FILE *open_stream(const char *path, const char *mode, const void *caller) {
    static FILE *(*real)(const char *, const char *);
    if (!real) {
        *(void **)&real = point_next("fopen64");
    }
    if (fails(PLAIN, NULL, caller)) {
        return NULL;
    }
    enum point_owner former = points_enter(caller);
    FILE *stream = real(path, mode);
    points_leave(former);
    return stream;
}

FILE *fopen(const char *path, const char *mode) {
    return open_stream(path, mode, CALLER);
}

FILE *fopen64(const char *path, const char *mode) {
    return open_stream(path, mode, CALLER);
}

FILE *fdopen(int fd, const char *mode) {
    REAL(fdopen, "fdopen")
    const void *caller = CALLER;
    if (fails(PLAIN, NULL, caller)) {
        return NULL;
    }
    enum point_owner former = points_enter(caller);
    FILE *stream = real(fd, mode);
    points_leave(former);
    return stream;
}

size_t fread(void *bytes, size_t size, size_t count, FILE *stream) {
    static size_t (*real)(void *, size_t, size_t, FILE *);
    if (!real) {
        *(void **)&real = point_next("fread");
    }
    return fails_stream(PLAIN, stream, CALLER) ? 0 : real(bytes, size, count, stream);
}

size_t fwrite(const void *bytes, size_t size, size_t count, FILE *stream) {
    static size_t (*real)(const void *, size_t, size_t, FILE *);
    if (!real) {
        *(void **)&real = point_next("fwrite");
    }
    return fails_stream(WRITES, stream, CALLER) ? 0 : real(bytes, size, count, stream);
}

int fflush(FILE *stream) {
    REAL(fflush, "fflush")
    return fails_stream(WRITES, stream, CALLER) ? EOF : real(stream);
}

/* Whatever it says, the stream is gone, and with it the descriptor given to fdopen. */
int fclose(FILE *stream) {
    REAL(fclose, "fclose")
    bool fail = fails(WRITES, NULL, CALLER);
    int error = errno, fd = fileno(stream);
    if (fd >= 0) {
        point_gone((uintptr_t)fd + 1);
    }
    int result = real(stream);
    if (fail) {
        errno = error;
        return EOF;
    }
    return result;
}
