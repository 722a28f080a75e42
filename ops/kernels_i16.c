/* Elementwise kernels on i16. */
#include "ops/kernels.h"

#define T int16_t
#define TABLE fovea_kernels_i16
#define IS_FLOAT 0
#define IS_SIGNED 1

#include "ops/kernels_typed.inc"
