/*
 * Points of failure, preloaded into a program (LD_PRELOAD):
 *
 *     INJECT_AT=N          the N-th call that may fail does; 0, or unset: none
 *     INJECT_KIND=KIND     of memory (default), threads or files
 *     INJECT_FAULT=HOW     hard (default), eintr or short: how files fail
 *     INJECT_COUNT=PATH    how many such calls there were is written there at the end
 *     INJECT_SHOW=1        the stack of the call that failed goes to stderr at the end
 */
#include "tests/inject/points.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *text_of(const char *variable) {
    const char *text = getenv(variable);
    return text ? text : "";
}

__attribute__((constructor)) static void begin(void) {
    const char *kind = text_of("INJECT_KIND"), *fault = text_of("INJECT_FAULT");
    const struct point_plan plan = {
        .owner = POINT_OURS,
        .kinds = strcmp(kind, "threads") == 0 ? POINT_THREAD
                 : strcmp(kind, "files") == 0 ? POINT_FILE
                                              : POINT_ALLOC,
        .fault = strcmp(fault, "eintr") == 0   ? FAULT_EINTR
                 : strcmp(fault, "short") == 0 ? FAULT_SHORT
                                               : FAULT_HARD,
        .at = strtol(text_of("INJECT_AT"), NULL, 10),
    };
    points_prepare();
    points_arm(&plan);
}

__attribute__((destructor)) static void end(void) {
    char text[32];
    long points = points_disarm();
    if (*text_of("INJECT_SHOW")) {
        points_print();
    }
    const char *path = getenv("INJECT_COUNT");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
    if (fd >= 0) {
        int length = snprintf(text, sizeof(text), "%ld\n", points);
        if (write(fd, text, (size_t)length) != length) {
            abort();
        }
        close(fd);
    }
}
