/* Elementwise kernels on u8. */
#include "ops/kernels.h"

#define T uint8_t
#define TABLE fovea_kernels_u8
#define IS_FLOAT 0
#define IS_SIGNED 0

#include "ops/kernels_typed.inc"
