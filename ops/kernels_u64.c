/* Elementwise kernels on u64. */
#include "ops/kernels.h"

#define T uint64_t
#define TABLE fovea_kernels_u64
#define IS_FLOAT 0
#define IS_SIGNED 0

#include "ops/kernels_typed.inc"
