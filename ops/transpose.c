/* Transpose: dimensions in another order. */
#include "ops/copy.h"
#include "ops/ops.h"

struct transpose {
    int perm[FOVEA_MAX_RANK];
};

static enum fovea_status read_perm(const struct fovea_node *node, int *perm,
                                   struct fovea_error *err) {
    int rank = node->in[0]->t.rank;
    size_t n;
    const int64_t *given = fovea_attr_ints(node, "perm", &n);
    if (!fovea_node_attr(node, "perm")) {
        for (int i = 0; i < rank; i++) {
            perm[i] = rank - 1 - i;
        }
        return FOVEA_OK;
    }
    if (n != (size_t)rank) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "perm has %zu elements for a rank-%d input", n,
                          rank);
    }
    unsigned seen = 0;
    for (int i = 0; i < rank; i++) {
        if (given[i] < 0 || given[i] >= rank || (seen >> given[i] & 1)) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "perm element %d is %lld; each of 0 to %d must occur once", i,
                              (long long)given[i], rank - 1);
        }
        seen |= 1u << given[i];
        perm[i] = (int)given[i];
    }
    return FOVEA_OK;
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t;
    struct transpose *p = node->priv;
    int64_t dims[FOVEA_MAX_RANK];
    enum fovea_status st = read_perm(node, p->perm, err);
    if (st) {
        return st;
    }
    for (int i = 0; i < x->rank; i++) {
        dims[i] = x->dims[p->perm[i]];
    }
    return fovea_set_output(node, 0, x->dtype, x->rank, dims, err);
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct transpose *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t, *y = &node->out[0]->t;
    struct fovea_box box = {.rank = x->rank};
    int64_t strides[FOVEA_MAX_RANK];
    fovea_dense_strides(x->rank, x->dims, strides);
    fovea_dense_strides(y->rank, y->dims, box.dst);
    for (int i = 0; i < x->rank; i++) {
        box.dims[i] = y->dims[i];
        box.src[i] = strides[p->perm[i]];
    }
    fovea_copy_box(&box, fovea_dtype_size(x->dtype), x->data, y->data);
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs[] = {{"perm", FOVEA_ATTR_INTS, false}, {0}};

const struct fovea_op fovea_op_transpose = {
    .priv_size = sizeof(struct transpose),
    .attrs = attrs,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .bf16 = FOVEA_BF16_MOVES,
    .bf16_in = 1,
    .bf16_out = 1,
    .infer = infer,
    .run = run,
};
