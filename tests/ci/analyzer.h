/*
 * Included before the files that clang-tidy reads (tests/ci/lint). Its analyzer
 * sees one file at a time, so it does not know that these return the status
 * they are given, or set one, and would follow paths on which a failure succeeds.
 */
#include "loaders/byte_reader.h"
#include "runtime/error.h"

#define fovea_fail(err, status, ...) (fovea_fail((err), (status), __VA_ARGS__), (status))
#define fovea_fail_memory(err, bytes, what)                                                        \
    (fovea_fail_memory((err), (bytes), (what)), FOVEA_ERR_MEMORY)
#define fovea_reader_fail(reader, ...)                                                             \
    (fovea_reader_fail((reader), __VA_ARGS__), (reader)->status = FOVEA_ERR_FORMAT)
