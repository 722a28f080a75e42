/* See probe_child.h. */
#include "tests/probe_child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif

static int child(void (*work)(const char *path, void *result), const char *path, void *result,
                 size_t size, int fd) {
    struct rlimit core = {0, 0};
    setrlimit(RLIMIT_CORE, &core);
#ifndef SANITIZED
    struct rlimit memory = {PROBE_MEMORY, PROBE_MEMORY};
    setrlimit(RLIMIT_AS, &memory);
#endif
    alarm(PROBE_SECONDS);
    work(path, result);
    return write(fd, result, size) != (ssize_t)size;
}

bool probe_child(void (*work)(const char *path, void *result), const char *path, void *result,
                 size_t size, long *kib, int *how) {
    int fds[2];
    struct rusage usage = {0};
    fflush(stdout);
    memset(result, 0, size);
    if (pipe(fds) != 0) {
        exit(1);
    }
    pid_t pid = fork();
    if (pid == 0) {
        exit(child(work, path, result, size, fds[1])); /* exit, so that leaks are looked for */
    }
    close(fds[1]);
    ssize_t n = read(fds[0], result, size);
    close(fds[0]);
    *how = 0;
    bool ok = pid > 0 && wait4(pid, how, 0, &usage) == pid && *how == 0 && n == (ssize_t)size;
    if (!ok) {
        memset(result, 0, size);
    }
    *kib = usage.ru_maxrss;
    return ok;
}
