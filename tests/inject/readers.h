/* What reads files from outside, for calls to fail in: see inject_readers.c. */
#ifndef FOVEA_TESTS_INJECT_READERS_H
#define FOVEA_TESTS_INJECT_READERS_H

#include "runtime/error.h"

/*
 * Reads a file, takes a sum of what came of it, and destroys that. `sum` is
 * written on success only.
 */
typedef enum fovea_status reader_fn(const char *path, uint64_t *sum, struct fovea_error *err);

struct reader {
    const char *name;
    reader_fn *read;
    const struct reader *chosen; /* of four: the file's first byte, which goes, chooses */
};

/* Ends with a row without a name. */
extern const struct reader readers[];

/* A flat folder of images, for files that say what they show. */
extern const char *readers_folder;

#endif
