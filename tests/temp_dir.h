/* A folder for a test program's files, removed at its end. */
#ifndef FOVEA_TESTS_TEMP_DIR_H
#define FOVEA_TESTS_TEMP_DIR_H

#include <stddef.h>

/* The folder, made at the first call, removed at exit. */
const char *temp_dir(void);

/* Path of `name` within; valid until the eighth call after. */
const char *temp_path(const char *name);

/* Write a file within and return its path. */
const char *temp_write(const char *name, const void *bytes, size_t size);

#endif
