/* Datasets, journals and results that a test makes, for calls to fail in: see inject_readers.c. */
#ifndef FOVEA_TESTS_INJECT_DATA_INPUTS_H
#define FOVEA_TESTS_INJECT_DATA_INPUTS_H

#include "tests/inject/readers.h"

struct data_input {
    struct reader reader; /* of one thing: `chosen` is NULL */
    const char *path;
};

/*
 * Write what is to be read into the test's folder; `archive` is a tar archive with class folders,
 * for those that need one. The list is static; NULL and *n zero if it could not be made.
 */
const struct data_input *data_inputs_make(const char *archive, size_t *n);

#endif
