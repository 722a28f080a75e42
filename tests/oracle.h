/*
 * Reference results from another program: a Python script that writes cases to
 * its stdout, as little-endian 32-bit numbers and raw bytes.
 */
#ifndef FOVEA_TESTS_ORACLE_H
#define FOVEA_TESTS_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Start tests/SCRIPT of the source tree with Debian's Python, or the one named
 * by FOVEA_PYTHON. NULL if there is no Python with a Pillow below 13 (whose
 * order of passes is another): the running test is then marked as skipped.
 */
FILE *oracle_open(const char *script);

/* Wait for the script; a failed check if it did not end well. */
void oracle_close(FILE *oracle);

/* The next number; false, and nothing else, at the end. */
bool oracle_number(FILE *oracle, int *out);

/* The next n bytes in a buffer to free(); NULL, with a failed check, if they are not there. */
uint8_t *oracle_bytes(FILE *oracle, size_t n);

#endif
