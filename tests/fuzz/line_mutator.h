/* Changing text by its lines, for fuzz targets whose input is lists of names and numbers. */
#ifndef FOVEA_TESTS_FUZZ_LINE_MUTATOR_H
#define FOVEA_TESTS_FUZZ_LINE_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/*
 * Change `size` bytes of text, in place, to at most `most`: a line is left out,
 * doubled, moved to another's place or given another number; or bytes change as
 * libFuzzer has it. Returns the new size. For LLVMFuzzerCustomMutator; the same
 * seed makes the same change.
 */
size_t mutate_lines(uint8_t *data, size_t size, size_t most, unsigned seed);

#endif
