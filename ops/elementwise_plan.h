/*
 * What the elementwise engine has decided before it runs: see elementwise.h.
 * Between elementwise_plan.c, which decides, and elementwise.c, which executes.
 */
#ifndef FOVEA_OPS_ELEMENTWISE_PLAN_H
#define FOVEA_OPS_ELEMENTWISE_PLAN_H

#include "ops/elementwise.h"
#include "ops/kernels.h"

enum {
    FOVEA_TILE_BYTES = 4096, /* of one register: a dozen of them fit a cache of 48 KiB */
};

/* Where a value of the program is during a tile. */
enum fovea_place {
    FOVEA_IN_INPUT,
    FOVEA_IN_REGISTER,
    FOVEA_IN_OUTPUT, /* straight in the result's memory */
    FOVEA_NOWHERE,
};

struct fovea_slot {
    enum fovea_place place;
    int index; /* of the input, register or output */
    enum fovea_dtype type;
    size_t size;
};

struct fovea_step {
    fovea_kernel_fn kernel; /* NULL: a conversion */
    int result, n_args, arg[3];
    float alpha, beta;
};

/* How an input lies in memory, against the merged dimensions of the result. */
struct fovea_operand {
    bool linear;             /* just as the result */
    bool present;            /* the program may be given fewer than all */
    enum fovea_dtype stored; /* in memory: the value's type, or a half one where that is f32 */
    int64_t strides[FOVEA_MAX_RANK];
};

struct fovea_elementwise {
    int n_inputs, n_steps, n_outputs, n_values, n_registers;
    struct fovea_slot *slots;       /* by value */
    struct fovea_step *steps;       /* by instruction */
    struct fovea_operand *operands; /* by input */
    int *outputs;                   /* values */
    enum fovea_dtype *stored;       /* outputs in memory */
    int rank;                       /* merged dimensions, at least 1 */
    int64_t dims[FOVEA_MAX_RANK];
    int64_t count, row, tile, tiles_per_row;
    size_t bytes_per_thread;
};

#endif
