/* Elementwise kernels on i64. */
#include "ops/kernels.h"

#define T int64_t
#define TABLE fovea_kernels_i64
#define IS_FLOAT 0
#define IS_SIGNED 1

#include "ops/kernels_typed.inc"
