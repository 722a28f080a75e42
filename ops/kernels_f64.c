/* Elementwise kernels on f64. */
#include "ops/kernels.h"

#include <math.h>

#define T double
#define TABLE fovea_kernels_f64
#define IS_FLOAT 1
#define M(name) name

#include "ops/kernels_typed.inc"
