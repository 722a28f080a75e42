/*
 * NonZero: where a tensor is not zero, as many columns of indices as there are such elements. They
 * are counted when the graph is inferred, so the elements must be known by then: exporters make
 * ranges, grids and masks of constants this way.
 */
#include "ops/ops.h"

enum { CHUNK = 256 };

/* The elements from `at` on, at most CHUNK, as f64, in which none that is not zero becomes it. */
static int64_t read_chunk(const struct fovea_tensor *x, int64_t at, double out[CHUNK]) {
    int64_t left = fovea_tensor_count(x) - at, n = left < CHUNK ? left : CHUNK;
    const char *bytes = x->data;
    fovea_convert(x->dtype, bytes + (size_t)at * fovea_dtype_size(x->dtype), FOVEA_F64, out, n);
    return n;
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t;
    enum fovea_status st = fovea_expect_dtype(node, 0, FOVEA_DTYPES_ALL, err);
    if (st) {
        return st;
    }
    double chunk[CHUNK];
    int64_t count = fovea_tensor_count(x), found = 0;
    for (int64_t at = 0; at < count; at += CHUNK) {
        int64_t n = read_chunk(x, at, chunk);
        for (int64_t i = 0; i < n; i++) {
            found += chunk[i] != 0;
        }
    }
    return fovea_set_output(node, 0, FOVEA_I64, 2, (int64_t[]){x->rank, found}, err);
}

/* Column `column` of y: the place of element i of x, in row-major order. */
static void put_place(const struct fovea_tensor *x, int64_t i, const struct fovea_tensor *y,
                      int64_t column) {
    int64_t *out = y->data;
    for (int axis = x->rank - 1; axis >= 0; axis--) {
        out[axis * y->dims[1] + column] = i % x->dims[axis];
        i /= x->dims[axis];
    }
}

/* y: i64 [rank of x, found]. */
static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct fovea_tensor *x = &node->in[0]->t, *y = &node->out[0]->t;
    double chunk[CHUNK];
    int64_t count = fovea_tensor_count(x), column = 0;
    for (int64_t at = 0; at < count; at += CHUNK) {
        int64_t n = read_chunk(x, at, chunk);
        for (int64_t i = 0; i < n; i++) {
            if (chunk[i] != 0 && column < y->dims[1]) {
                put_place(x, at + i, y, column++);
            }
        }
    }
    return FOVEA_OK;
}

const struct fovea_op fovea_op_non_zero = {
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .value_inputs = 1u << 0,
    .infer = infer,
    .run = run,
};
