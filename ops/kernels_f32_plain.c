/* Elementwise kernels on f32 that need not be fast. */
#include "ops/kernels.h"

#include <math.h>

#define T float
#define TABLE fovea_kernels_f32
#define IS_FLOAT 1
#define M(name) name##f

#include "ops/kernels_typed.inc"
