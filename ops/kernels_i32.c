/* Elementwise kernels on i32. */
#include "ops/kernels.h"

#define T int32_t
#define TABLE fovea_kernels_i32
#define IS_FLOAT 0
#define IS_SIGNED 1

#include "ops/kernels_typed.inc"
