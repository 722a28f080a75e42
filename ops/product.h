/*
 * Matrix products by oneDNN, shared by MatMul, Gemm, Linear and Einsum:
 * y[..., m, n] = scale * a[..., m, k] b[..., k, n] + bias[n], then posts.
 */
#ifndef FOVEA_OPS_PRODUCT_H
#define FOVEA_OPS_PRODUCT_H

#include "runtime/dnn.h"
#include "runtime/op.h"

/*
 * Batch dims in the order of the output, each operand's 1 where it broadcasts;
 * dense row-major, or with trans_a/trans_b the last two dims exchanged in
 * memory.
 */
struct fovea_product {
    int n_batch; /* at most FOVEA_MAX_RANK - 2 */
    int64_t a_batch[FOVEA_MAX_RANK], b_batch[FOVEA_MAX_RANK];
    int64_t m, k, n;
    bool trans_a, trans_b;
    bool bias;
    bool b_constant;
    enum fovea_dtype a_dtype, b_dtype, y_dtype; /* set by fovea_product_set_types */
    float scale;
    struct fovea_dnn_post posts[FOVEA_DNN_MAX_POSTS]; /* operands of rank n_batch + 2 */
    int n_posts;
};

/* The types of a node's first two inputs and its output in memory, for its product. */
void fovea_product_set_types(struct fovea_product *product, const struct fovea_node *node);

/*
 * Make the primitive. Neighbouring batch dims, and the rows with them, become
 * one where all operands allow it: x[8,900,768] times w[768,3072] is one
 * product of 7200 rows.
 */
enum fovea_status fovea_product_prepare(struct fovea_dnn *dnn, const struct fovea_product *product,
                                        struct fovea_prim **out, struct fovea_error *err);

#endif
