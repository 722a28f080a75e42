/* Expand and Tile: a tensor repeated along its dimensions. */
#include "ops/copy.h"
#include "ops/ops.h"
#include "runtime/limits.h"

#include <string.h>

/* ---- Expand ------------------------------------------------------------- */

static enum fovea_status infer_expand(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t;
    int64_t dims[FOVEA_MAX_RANK];
    size_t n;
    int rank;
    enum fovea_status st = fovea_input_ints(node, 1, dims, FOVEA_MAX_RANK, &n, err);
    if (st) {
        return st;
    }
    struct fovea_tensor target = {.dtype = x->dtype};
    fovea_tensor_set_shape(&target, x->dtype, (int)n, dims);
    st = fovea_tensor_check_shape(&target, err);
    if (st) {
        fovea_error_prefix(err, "the shape operand");
        return st;
    }
    st = fovea_broadcast_shape(x, &target, &rank, dims, err);
    return st ? st : fovea_set_output(node, 0, x->dtype, rank, dims, err);
}

static enum fovea_status run_expand(const struct fovea_node *node, const struct fovea_run *run,
                                    struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct fovea_tensor *x = &node->in[0]->t, *y = &node->out[0]->t;
    struct fovea_box box = {.rank = y->rank};
    int64_t strides[FOVEA_MAX_RANK];
    int added = y->rank - x->rank;
    memcpy(box.dims, y->dims, sizeof(y->dims));
    fovea_dense_strides(y->rank, y->dims, box.dst);
    fovea_dense_strides(x->rank, x->dims, strides);
    for (int i = added; i < y->rank; i++) {
        box.src[i] = x->dims[i - added] == 1 ? 0 : strides[i - added];
    }
    fovea_copy_box(&box, fovea_dtype_size(x->dtype), x->data, y->data);
    return FOVEA_OK;
}

const struct fovea_op fovea_op_expand = {
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .value_inputs = 1u << 1,
    .bf16 = FOVEA_BF16_MOVES,
    .bf16_in = 1,
    .bf16_out = 1,
    .infer = infer_expand,
    .run = run_expand,
};

/* ---- Tile --------------------------------------------------------------- */

struct tile {
    int64_t repeats[FOVEA_MAX_RANK];
};

static enum fovea_status infer_tile(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t;
    struct tile *p = node->priv;
    int64_t dims[FOVEA_MAX_RANK];
    size_t n;
    enum fovea_status st = fovea_input_ints(node, 1, p->repeats, FOVEA_MAX_RANK, &n, err);
    if (st) {
        return st;
    }
    if (n != (size_t)x->rank) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "%zu repeats for a rank-%d input", n, x->rank);
    }
    for (int i = 0; i < x->rank; i++) {
        if (p->repeats[i] < 0) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "repeat %d is %lld, below 0", i,
                              (long long)p->repeats[i]);
        }
        if (x->dims[i] > 0 && p->repeats[i] > FOVEA_LIMIT_TENSOR_BYTES / x->dims[i]) {
            return fovea_fail(err, FOVEA_ERR_LIMIT,
                              "repeat %d is %lld, of dimension %lld: over 2^46 together", i,
                              (long long)p->repeats[i], (long long)x->dims[i]);
        }
        dims[i] = x->dims[i] * p->repeats[i];
    }
    return fovea_set_output(node, 0, x->dtype, x->rank, dims, err);
}

/* A dimension becomes two: the repeats, which the source does not move along, and itself. */
static enum fovea_status run_tile(const struct fovea_node *node, const struct fovea_run *run,
                                  struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct tile *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t, *y = &node->out[0]->t;
    struct fovea_box box = {.rank = 2 * x->rank};
    int64_t src[FOVEA_MAX_RANK], dst[FOVEA_MAX_RANK];
    if (fovea_tensor_count(y) == 0) {
        return FOVEA_OK;
    }
    fovea_dense_strides(x->rank, x->dims, src);
    fovea_dense_strides(y->rank, y->dims, dst);
    for (int i = 0; i < x->rank; i++) {
        int whole = 2 * i, part = whole + 1;
        box.dims[whole] = p->repeats[i];
        box.dst[whole] = dst[i] * x->dims[i];
        box.dims[part] = x->dims[i];
        box.src[part] = src[i];
        box.dst[part] = dst[i];
    }
    fovea_copy_box(&box, fovea_dtype_size(x->dtype), x->data, y->data);
    return FOVEA_OK;
}

const struct fovea_op fovea_op_tile = {
    .priv_size = sizeof(struct tile),
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .value_inputs = 1u << 1,
    .bf16 = FOVEA_BF16_MOVES,
    .bf16_in = 1,
    .bf16_out = 1,
    .infer = infer_tile,
    .run = run_tile,
};
