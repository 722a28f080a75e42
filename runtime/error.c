/* Error messages: see error.h. */
#include "runtime/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum fovea_status fovea_fail(struct fovea_error *err, enum fovea_status status, const char *format,
                             ...) {
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->message, sizeof(err->message), format, args);
        va_end(args);
        err->status = status;
    }
    return status;
}

enum fovea_status fovea_fail_memory(struct fovea_error *err, size_t bytes, const char *what) {
    return fovea_fail(err, FOVEA_ERR_MEMORY, "out of memory: %zu bytes for %s", bytes, what);
}

void fovea_error_prefix(struct fovea_error *err, const char *format, ...) {
    if (!err) {
        return;
    }
    char message[sizeof(err->message)];
    memcpy(message, err->message, sizeof(message));

    va_list args;
    va_start(args, format);
    int written = vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    if (written < 0) {
        written = 0;
    }
    size_t used = (size_t)written;
    if (used >= sizeof(err->message)) {
        used = sizeof(err->message) - 1;
    }
    snprintf(err->message + used, sizeof(err->message) - used, ": %s", message);
}

struct fovea_quoted fovea_quote(const char *text) {
    enum { MOST = 64 };
    struct fovea_quoted quoted;
    size_t used = 0;

    if (!text) {
        text = "(null)";
    }
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        char piece[5] = {(char)c, 0};
        if (c < 0x20 || c >= 0x7f) {
            snprintf(piece, sizeof(piece), "\\x%02x", c);
        }
        size_t length = strlen(piece);
        if (used + length > MOST) {
            memcpy(quoted.text + used, "...", 3);
            used += 3;
            break;
        }
        memcpy(quoted.text + used, piece, length);
        used += length;
    }
    quoted.text[used] = 0;
    return quoted;
}

const char *fovea_status_name(enum fovea_status status) {
    static const char *const names[] = {
        [FOVEA_OK] = "ok",
        [FOVEA_ERR_IO] = "io",
        [FOVEA_ERR_FORMAT] = "format",
        [FOVEA_ERR_UNSUPPORTED] = "unsupported",
        [FOVEA_ERR_INVALID] = "invalid",
        [FOVEA_ERR_LIMIT] = "limit",
        [FOVEA_ERR_MEMORY] = "memory",
        [FOVEA_ERR_BACKEND] = "backend",
        [FOVEA_ERR_CANCELLED] = "cancelled",
        [FOVEA_ERR_DEADLINE] = "deadline",
    };
    size_t count = sizeof(names) / sizeof(names[0]);
    return (size_t)status < count ? names[status] : "unknown";
}
