/*
 * Checkpoints from text: a line a tensor of f32, its name, a space, and its
 * dimensions with commas between them. Contents are numbers in [-0.25, 0.25),
 * the same each time.
 */
#ifndef FOVEA_TESTS_TENSOR_LINES_H
#define FOVEA_TESTS_TENSOR_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct tensor_lines {
    FILE *header; /* of a safetensors file, as it grows */
    char *header_text;
    size_t header_size, data_size, most;
    int count;
    bool too_large; /* for `most` bytes of contents */
};

/* For contents of `most` bytes altogether. */
void tensor_lines_init(struct tensor_lines *lines, size_t most);

/* Add a tensor. A dimension may be any number where another is 0. */
void tensor_lines_add(struct tensor_lines *lines, const char *line);

/*
 * The safetensors file, for the caller to free; NULL if contents are too large.
 * The lines are finished.
 */
uint8_t *tensor_lines_finish(struct tensor_lines *lines, size_t *size);

#endif
