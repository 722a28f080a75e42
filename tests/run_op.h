/*
 * Run one operator as the runtime would: build a graph of one node, infer,
 * prepare, pack, run. For tests of operators.
 *
 *     struct run_op r;
 *     run_op_init(&r, "", "Softmax", 13);
 *     run_op_attr_int(&r, "axis", 1);
 *     run_op_input(&r, FOVEA_F32, 2, (int64_t[]){2, 4}, data, false);
 *     CHECK_OK(run_op_run(&r, 1), r.err);
 *     ... r.out[0]
 *     run_op_finish(&r);
 */
#ifndef FOVEA_TESTS_RUN_OP_H
#define FOVEA_TESTS_RUN_OP_H

#include "runtime/op.h"

enum { RUN_OP_MAX = 16 };

struct run_op {
    const char *domain, *type;
    int opset;
    struct fovea_tensor in[RUN_OP_MAX]; /* contents borrowed */
    bool present[RUN_OP_MAX], constant[RUN_OP_MAX];
    int n_in;
    struct fovea_attr attrs[RUN_OP_MAX]; /* contents borrowed */
    int n_attrs;
    bool channels_last; /* rank-4 inputs are given and outputs returned as NCHW, run as NHWC */
    unsigned plain;     /* bit i: input i stays plain even so */
    bool plain_outputs; /* the outputs stay plain even so */
    struct fovea_epilogue_step epilogue[FOVEA_MAX_EPILOGUE];
    int n_epilogue;
    bool winograd;                       /* as the session option, off unless set */
    int threads;                         /* 0: 2 */
    struct fovea_tensor out[RUN_OP_MAX]; /* owned; data NULL where absent */
    int n_out;
    struct fovea_graph graph;
    struct fovea_engine engine;
    struct fovea_error err;
};

void run_op_init(struct run_op *r, const char *domain, const char *type, int opset);

/* Inputs in order; data NULL is an absent input. A constant one may be read by infer. */
void run_op_input(struct run_op *r, enum fovea_dtype dtype, int rank, const int64_t *dims,
                  const void *data, bool constant);
void run_op_attr(struct run_op *r, const struct fovea_attr *attr);
void run_op_attr_int(struct run_op *r, const char *name, int64_t value);
void run_op_attr_float(struct run_op *r, const char *name, float value);
void run_op_attr_string(struct run_op *r, const char *name, const char *value);
void run_op_attr_ints(struct run_op *r, const char *name, const int64_t *values, size_t count);

/* Run with `n_out` outputs, all wanted. */
enum fovea_status run_op_run(struct run_op *r, int n_out);

/* Frees outputs and graph; `r` may then be set up anew by init. */
void run_op_finish(struct run_op *r);

/* Largest |got - want| over `count` f32 of output `index`; infinite where types or counts differ.
 */
double run_op_error(const struct run_op *r, int index, const float *want, int64_t count);

/* Fill with reproducible values in [low, high). */
void fill_random(float *values, int64_t count, float low, float high, uint32_t seed);

#endif
