/*
 * Lines to stderr, each in one write.
 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void log_line(const char *format, ...) {
    char line[1024] = "fovea-service: ";
    size_t at = strlen(line);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line + at, sizeof(line) - at - 1, format, args);
    va_end(args);
    if (n < 0) {
        return;
    }
    at = strlen(line);
    line[at++] = '\n';
    (void)!write(STDERR_FILENO, line, at);
}
