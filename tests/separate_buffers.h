/* A graph's run beside the naive evaluation, in which every value has a buffer of its own. */
#ifndef FOVEA_TESTS_SEPARATE_BUFFERS_H
#define FOVEA_TESTS_SEPARATE_BUFFERS_H

#include "tests/graph_build.h"

/*
 * Run `b` as a session with these passes, and naively: outputs must have the same bits, and the
 * arena at most the bytes of all values. Both go to *arena and *sum, unless arena is NULL. Finishes
 * `b`.
 */
void expect_same_bits(const char *file, int line, struct graph_build *b, const char *passes,
                      size_t *arena, size_t *sum);
#define EXPECT_BITS(b, passes, arena, sum)                                                         \
    expect_same_bits(__FILE__, __LINE__, (b), (passes), (arena), (sum))
#define EXPECT_SAME_BITS(b) EXPECT_BITS(b, "off", NULL, NULL)

#endif
