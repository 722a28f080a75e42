/*
 * System calls that fail on purpose, preloaded into a program (LD_PRELOAD):
 *
 *     FAULT_EIO=TEXT      reads of files whose path contains TEXT fail with EIO
 *     FAULT_ENOSPC=BYTES  writes at an offset fail with ENOSPC beyond so many bytes of a file, as
 *                         on a full disk: what fits is written
 *     FAULT_SYNC=N        the N-th fdatasync, and all after it, fail with EIO
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

typedef ssize_t (*read_fn)(int, void *, size_t);
typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off_t);
typedef int (*sync_fn)(int);

/* The next definition of a symbol, after this library's. */
static void *next(const char *name) {
    return dlsym(RTLD_NEXT, name);
}

ssize_t read(int fd, void *bytes, size_t size) {
    const char *text = getenv("FAULT_EIO");
    char link[64], path[4096];
    read_fn real;
    *(void **)&real = next("read");
    if (text) {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, path, sizeof(path) - 1);
        path[length > 0 ? length : 0] = 0;
        if (strstr(path, text)) {
            errno = EIO;
            return -1;
        }
    }
    return real(fd, bytes, size);
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
    return real(fd, bytes, size, at);
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
