/* A model with passes and without: what the fuzz targets of whole networks hold it to. */
#ifndef FOVEA_TESTS_FUZZ_BOTH_WAYS_H
#define FOVEA_TESTS_FUZZ_BOTH_WAYS_H

#include "runtime/fovea.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Plan and run `plain` without passes, and `other`, the same model or one that
 * computes the same, with them, on the same small whole numbers and within
 * `memory` bytes each. Aborts if the first runs and the second fails for
 * another reason than that limit, if shapes or types differ, or, where the
 * network is `continuous`, if values differ by more than rounding.
 */
void both_ways(const struct fovea_model *plain, const struct fovea_model *other, size_t memory,
               bool continuous);

#endif
