/*
 * System calls that fail on purpose, preloaded into a program (LD_PRELOAD):
 *
 *     FAULT_EIO=TEXT      reads of files whose path contains TEXT fail with EIO
 *     FAULT_ENOSPC=BYTES  writes at an offset fail with ENOSPC beyond so many bytes of a file, as
 *                         on a full disk: what fits is written
 *     FAULT_SYNC=N        the N-th fdatasync, and all after it, fail with EIO
 *     FAULT_STALL=TEXT    reads of files whose path contains TEXT never end, as those of a network
 *                         file system whose server is gone
 *     FAULT_WRITE=TEXT    writes to files whose path contains TEXT fail with EDQUOT
 *     FAULT_SHORT=BYTES   writes write no more than so many bytes, and every third is interrupted
 *     FAULT_THREADS=N     the N-th thread, and all after it, cannot be started (EAGAIN)
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

typedef ssize_t (*read_fn)(int, void *, size_t);
typedef ssize_t (*pread_fn)(int, void *, size_t, off_t);
typedef ssize_t (*write_fn)(int, const void *, size_t);
typedef int (*thread_fn)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off_t);
typedef int (*sync_fn)(int);

/* The next definition of a symbol, after this library's. */
static void *next(const char *name) {
    return dlsym(RTLD_NEXT, name);
}

/* Whether the path of an open file contains what the variable says. */
static bool is_named(int fd, const char *variable) {
    const char *text = getenv(variable);
    char link[64], path[4096];
    if (!text) {
        return false;
    }
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof(path) - 1);
    path[length > 0 ? length : 0] = 0;
    return strstr(path, text) != NULL;
}

/* What a read of the file comes to first: false, errno says why; never, where it stalls; or true.
 */
static bool may_read(int fd) {
    if (is_named(fd, "FAULT_EIO")) {
        errno = EIO;
        return false;
    }
    while (is_named(fd, "FAULT_STALL")) {
        sleep(1000);
    }
    return true;
}

ssize_t read(int fd, void *bytes, size_t size) {
    read_fn real;
    *(void **)&real = next("read");
    return may_read(fd) ? real(fd, bytes, size) : -1;
}

/* With 64-bit offsets, this is the symbol pread64. */
ssize_t pread(int fd, void *bytes, size_t size, off_t at) {
    pread_fn real;
    *(void **)&real = next("pread64");
    return may_read(fd) ? real(fd, bytes, size, at) : -1;
}

/* What these two are in a program built with _FORTIFY_SOURCE, where the room is known. */
ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room);
ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room) {
    return read(fd, bytes, size < room ? size : room);
}

ssize_t __pread64_chk(int fd, void *bytes, size_t size, off_t at, size_t room);
ssize_t __pread64_chk(int fd, void *bytes, size_t size, off_t at, size_t room) {
    return pread(fd, bytes, size < room ? size : room, at);
}

/* How many of `size` bytes are written; 0: the call fails, errno says why. */
static size_t allow(int fd, size_t size) {
    static atomic_long calls;
    const char *text = getenv("FAULT_SHORT");
    if (is_named(fd, "FAULT_WRITE")) {
        errno = EDQUOT;
        return 0;
    }
    if (!text) {
        return size;
    }
    if (atomic_fetch_add(&calls, 1) % 3 == 2) {
        errno = EINTR;
        return 0;
    }
    size_t most = (size_t)strtoull(text, NULL, 10);
    return size < most ? size : most;
}

ssize_t write(int fd, const void *bytes, size_t size) {
    write_fn real;
    *(void **)&real = next("write");
    size_t n = allow(fd, size);
    return n || size == 0 ? real(fd, bytes, n) : -1;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*start)(void *),
                   void *context) {
    static atomic_long calls;
    const char *text = getenv("FAULT_THREADS");
    thread_fn real;
    *(void **)&real = next("pthread_create");
    if (text && atomic_fetch_add(&calls, 1) + 1 >= strtol(text, NULL, 10)) {
        return EAGAIN;
    }
    return real(thread, how, start, context);
}

/* With 64-bit offsets, this is the symbol pwrite64. */
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) {
    const char *text = getenv("FAULT_ENOSPC");
    pwrite_fn real;
    *(void **)&real = next("pwrite64");
    if (text) {
        off_t room = (off_t)strtoll(text, NULL, 10) - at;
        if (room <= 0) {
            errno = ENOSPC;
            return -1;
        }
        size = (off_t)size > room ? (size_t)room : size;
    }
    size_t n = allow(fd, size);
    return n || size == 0 ? real(fd, bytes, n, at) : -1;
}

int fdatasync(int fd) {
    static atomic_long calls;
    const char *text = getenv("FAULT_SYNC");
    sync_fn real;
    *(void **)&real = next("fdatasync");
    if (text && atomic_fetch_add(&calls, 1) + 1 >= strtol(text, NULL, 10)) {
        errno = EIO;
        return -1;
    }
    return real(fd);
}
