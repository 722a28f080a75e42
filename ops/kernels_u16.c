/* Elementwise kernels on u16. */
#include "ops/kernels.h"

#define T uint16_t
#define TABLE fovea_kernels_u16
#define IS_FLOAT 0
#define IS_SIGNED 0

#include "ops/kernels_typed.inc"
