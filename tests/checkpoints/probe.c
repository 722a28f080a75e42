/*
 * What the library makes of checkpoint files.
 *
 *     probe FILE...      for each, in a child of its own, separated by tabs:
 *                        STATUS MILLISECONDS KIB_ABOVE_IDLE MESSAGE
 *                        where STATUS is a status's name, or "crash"
 *     probe -d FILE      its tensors, a line each: NAME TYPE SHAPE SHA256
 */
#include "loaders/checkpoint.h"
#include "loaders/sha256.h"
#include "runtime/clock.h"
#include "runtime/tensor.h"

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

enum { SECONDS = 60, MEMORY_LIMIT = 1 << 30 };

struct result {
    enum fovea_status status;
    double ms;
    char message[512];
};

static enum fovea_status load(const char *path, struct fovea_checkpoint *checkpoint,
                              struct fovea_error *err) {
    return fovea_checkpoint_load(path, MEMORY_LIMIT / 2, false, checkpoint, err);
}

static int dump(const char *path) {
    struct fovea_checkpoint checkpoint;
    struct fovea_error err = {.message = ""};
    if (load(path, &checkpoint, &err)) {
        printf("error: %s\n", err.message);
        return 1;
    }
    for (size_t i = 0; i < checkpoint.dict.count; i++) {
        const struct fovea_named_tensor *entry = &checkpoint.dict.entries[i];
        printf("%s\t%s\t%s\t%s\n", entry->name, fovea_dtype_name(entry->t.dtype),
               fovea_shape_text(&entry->t).text,
               fovea_sha256_text(entry->t.data, fovea_tensor_bytes(&entry->t)).text);
    }
    fovea_checkpoint_finish(&checkpoint);
    return 0;
}

static int child(const char *path, int fd) {
    struct result result = {.message = ""};
    struct rlimit core = {0, 0};
    setrlimit(RLIMIT_CORE, &core);
#ifndef SANITIZED
    struct rlimit memory = {MEMORY_LIMIT, MEMORY_LIMIT};
    setrlimit(RLIMIT_AS, &memory);
#endif
    alarm(SECONDS);
    if (path) {
        struct fovea_checkpoint checkpoint;
        struct fovea_error err = {.message = ""};
        double start = fovea_clock_seconds();
        result.status = load(path, &checkpoint, &err);
        result.ms = 1e3 * (fovea_clock_seconds() - start);
        if (!result.status) {
            fovea_checkpoint_finish(&checkpoint);
        }
        memcpy(result.message, err.message, sizeof(result.message));
    }
    return write(fd, &result, sizeof(result)) != (ssize_t)sizeof(result);
}

/* Peak memory of a child in KiB; false if it crashed. */
static bool in_child(const char *path, struct result *result, long *kib) {
    int fds[2], status = 0;
    struct rusage usage = {0};
    fflush(stdout);
    if (pipe(fds) != 0) {
        exit(1);
    }
    pid_t pid = fork();
    if (pid == 0) {
        exit(child(path, fds[1])); /* exit, so that leaks are looked for */
    }
    close(fds[1]);
    ssize_t n = read(fds[0], result, sizeof(*result));
    close(fds[0]);
    bool ok = pid > 0 && wait4(pid, &status, 0, &usage) == pid && status == 0 &&
              n == (ssize_t)sizeof(*result);
    *kib = usage.ru_maxrss;
    return ok;
}

int main(int argc, char **argv) {
    struct result result;
    long idle = 0, kib = 0;
    if (argc == 3 && strcmp(argv[1], "-d") == 0) {
        return dump(argv[2]);
    }
    in_child(NULL, &result, &idle);
    for (int i = 1; i < argc; i++) {
        bool ok = in_child(argv[i], &result, &kib);
        printf("%s\t%.1f\t%ld\t%s\n", ok ? fovea_status_name(result.status) : "crash",
               ok ? result.ms : 0, kib > idle ? kib - idle : 0, ok ? result.message : "");
    }
    return 0;
}
