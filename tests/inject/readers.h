/* What reads files from outside, for calls to fail in: see inject_readers.c. */
#ifndef FOVEA_TESTS_INJECT_READERS_H
#define FOVEA_TESTS_INJECT_READERS_H

#include "loaders/dataset.h"

/*
 * Reads a file, takes a sum of what came of it, and destroys that. `sum` is
 * written on success only.
 */
typedef enum fovea_status reader_fn(const char *path, uint64_t *sum, struct fovea_error *err);

struct reader {
    const char *name;
    reader_fn *read;
    const struct reader *chosen; /* of four: the file's first byte, which goes, chooses */
    bool takes_folders;          /* a folder is one thing to read, else each file in it is */
};

/* Ends with a row without a name. */
extern const struct reader readers[];

/* The reader of datasets, with options. */
enum fovea_status readers_read_set(const char *path, const struct fovea_dataset_options *options,
                                   uint64_t *sum, struct fovea_error *err);

/* A flat folder of images, for files that say what they show. */
extern const char *readers_folder;

#endif
