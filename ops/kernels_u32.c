/* Elementwise kernels on u32. */
#include "ops/kernels.h"

#define T uint32_t
#define TABLE fovea_kernels_u32
#define IS_FLOAT 0
#define IS_SIGNED 0

#include "ops/kernels_typed.inc"
