/*
 * How a failure is reported inside the library.
 *
 * A function that can fail returns enum fovea_status and takes a struct
 * fovea_error last, which may be NULL. Failing is one line:
 *
 *     return fovea_fail(err, FOVEA_ERR_INVALID, "axis %d is outside a rank-%d input", a, r);
 *
 * The innermost layer says what, which value and which bound; each layer above
 * adds where, with fovea_error_prefix. Text that comes from a file goes
 * through fovea_quote, so that no message carries raw bytes of a model.
 */
#ifndef FOVEA_RUNTIME_ERROR_H
#define FOVEA_RUNTIME_ERROR_H

#include "runtime/fovea.h"

#if defined(__GNUC__)
#define FOVEA_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define FOVEA_PRINTF(text, first)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Write a message into `err` (which may be NULL) and return `status`. */
enum fovea_status fovea_fail(struct fovea_error *err, enum fovea_status status, const char *format,
                             ...) FOVEA_PRINTF(3, 4);

/* The one message for a failed allocation of `bytes` for `what`. */
enum fovea_status fovea_fail_memory(struct fovea_error *err, size_t bytes, const char *what);

/* Put "WHERE: " before the message in `err` (which may be NULL). */
void fovea_error_prefix(struct fovea_error *err, const char *format, ...) FOVEA_PRINTF(2, 3);

/* Text of at most 64 bytes that is safe to print, made by fovea_quote. */
struct fovea_quoted {
    char text[80];
};

/*
 * A printable form of a string from a file: bytes that are not printable ASCII
 * become \xNN, and what is over 64 characters is cut and marked with "...".
 * NULL reads as "(null)". By value, so it can be used inside a call:
 * fovea_quote(name).text
 */
struct fovea_quoted fovea_quote(const char *text);

#ifdef __cplusplus
}
#endif

#endif
