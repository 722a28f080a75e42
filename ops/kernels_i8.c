/* Elementwise kernels on i8. */
#include "ops/kernels.h"

#define T int8_t
#define TABLE fovea_kernels_i8
#define IS_FLOAT 0
#define IS_SIGNED 1

#include "ops/kernels_typed.inc"
