/* Matrix products: see product.h. */
#include "ops/product.h"

#include <string.h>

/* One row of dims (batch dims, then m) of every operand, merged in step. */
enum { IN_Y, IN_A, IN_B, IN_POSTS, MOST_OPERANDS = IN_POSTS + FOVEA_DNN_MAX_POSTS };

struct merge {
    int rank; /* batch dims and m */
    int n_operands;
    int64_t dims[MOST_OPERANDS][FOVEA_MAX_RANK];
};

static void merge_init(struct merge *merge, const struct fovea_product *p) {
    int nb = p->n_batch;
    merge->rank = nb + 1;
    merge->n_operands = IN_POSTS + p->n_posts;
    for (int d = 0; d < nb; d++) {
        int64_t a = p->a_batch[d], b = p->b_batch[d];
        merge->dims[IN_A][d] = a;
        merge->dims[IN_B][d] = b;
        merge->dims[IN_Y][d] = a == 1 ? b : a;
    }
    merge->dims[IN_Y][nb] = merge->dims[IN_A][nb] = p->m;
    merge->dims[IN_B][nb] = 1;
    for (int i = 0; i < p->n_posts; i++) {
        for (int d = 0; d <= nb; d++) {
            bool act = p->posts[i].kind == FOVEA_EPILOGUE_ACT;
            merge->dims[IN_POSTS + i][d] = act ? 1 : p->posts[i].operand.dims[d];
        }
    }
}

/* Dims d and d + 1 are one if each operand goes along both with y, or along neither. */
static bool can_merge(const struct merge *merge, int d, bool rows) {
    const int64_t *y = merge->dims[IN_Y];
    for (int i = 0; i < merge->n_operands; i++) {
        const int64_t *x = merge->dims[i];
        bool neither = x[d] == 1 && x[d + 1] == 1;
        bool both = x[d] == y[d] && x[d + 1] == y[d + 1];
        if (!neither && (!both || (rows && i == IN_B))) {
            return false;
        }
    }
    return true;
}

static void merge_dims(struct merge *merge, bool keep_rows) {
    for (int d = merge->rank - 2; d >= 0; d--) {
        bool rows = d + 1 == merge->rank - 1;
        if ((rows && keep_rows) || !can_merge(merge, d, rows)) {
            continue;
        }
        for (int i = 0; i < merge->n_operands; i++) {
            int64_t *x = merge->dims[i];
            x[d] *= x[d + 1];
            memmove(x + d + 1, x + d + 2, (size_t)(merge->rank - d - 2) * sizeof(*x));
        }
        merge->rank--;
    }
}

/* Batch dims, then rows and columns, dense, or with the last two exchanged in memory. */
static void view_init(struct fovea_dnn_view *view, enum fovea_dtype dtype, const int64_t *batch,
                      int n_batch, int64_t rows, int64_t columns, bool exchanged) {
    int r = n_batch + 2;
    view->dtype = dtype;
    view->rank = r;
    memcpy(view->dims, batch, (size_t)n_batch * sizeof(*batch));
    view->dims[r - 2] = rows;
    view->dims[r - 1] = columns;
    view->strides[r - 2] = exchanged ? 1 : columns;
    view->strides[r - 1] = exchanged ? rows : 1;
    int64_t stride = rows * columns;
    for (int d = r - 3; d >= 0; d--) {
        view->strides[d] = stride;
        stride *= view->dims[d];
    }
}

static bool is_one(const int64_t *dims, int n) {
    for (int d = 0; d < n; d++) {
        if (dims[d] != 1) {
            return false;
        }
    }
    return true;
}

void fovea_product_set_types(struct fovea_product *product, const struct fovea_node *node) {
    product->a_dtype = node->in[0]->t.dtype;
    product->b_dtype = node->in[1]->t.dtype;
    product->y_dtype = node->out[0]->t.dtype;
}

enum fovea_status fovea_product_prepare(struct fovea_dnn *dnn, const struct fovea_product *p,
                                        struct fovea_prim **out, struct fovea_error *err) {
    struct merge merge;
    merge_init(&merge, p);
    merge_dims(&merge, p->trans_a);
    int nb = merge.rank - 1;
    struct fovea_dnn_matmul desc = {.scale = p->scale, .bias = p->bias, .n_posts = p->n_posts};
    view_init(&desc.src, p->a_dtype, merge.dims[IN_A], nb, merge.dims[IN_A][nb], p->k, p->trans_a);
    view_init(&desc.weights, p->b_dtype, merge.dims[IN_B], nb, p->k, p->n, p->trans_b);
    view_init(&desc.dst, p->y_dtype, merge.dims[IN_Y], nb, merge.dims[IN_Y][nb], p->n, false);
    desc.packed_weights = p->b_constant && is_one(merge.dims[IN_B], nb);
    for (int i = 0; i < p->n_posts; i++) {
        const int64_t *dims = merge.dims[IN_POSTS + i];
        desc.posts[i] = p->posts[i];
        if (p->posts[i].kind != FOVEA_EPILOGUE_ACT) {
            view_init(&desc.posts[i].operand, p->posts[i].operand.dtype, dims, nb, dims[nb],
                      p->posts[i].operand.dims[p->n_batch + 1], false);
        }
    }
    return fovea_dnn_matmul(dnn, &desc, out, err);
}
