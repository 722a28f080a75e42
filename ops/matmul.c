/*
 * MatMul as numpy defines it, and Linear, which passes make of it:
 * y[..., n] = x[..., k] w[k, n] + bias[n], w stored as [n, k] with trans_b.
 */
#include "ops/ops.h"

#include "ops/product.h"

#include <string.h>

struct matmul {
    struct fovea_product product;
    struct fovea_prim *prim;
};

static const struct fovea_attr_spec linear_attrs[] = {
    {"trans_b", FOVEA_ATTR_INT, false},
    {0},
};

static enum fovea_status fail_inner(const struct fovea_node *node, struct fovea_error *err) {
    return fovea_fail(err, FOVEA_ERR_INVALID, "shapes %s and %s have inner dimensions that differ",
                      fovea_shape_text(&node->in[0]->t).text,
                      fovea_shape_text(&node->in[1]->t).text);
}

/* ---- infer --------------------------------------------------------------- */

/* Batch dims of both operands, padded on the left with 1. */
static enum fovea_status match_batch(const struct fovea_node *node, struct fovea_product *p,
                                     struct fovea_error *err) {
    const struct fovea_tensor *a = &node->in[0]->t, *b = &node->in[1]->t;
    int na = a->rank > 2 ? a->rank - 2 : 0, nb = b->rank > 2 ? b->rank - 2 : 0;
    p->n_batch = na > nb ? na : nb;
    for (int d = 0; d < p->n_batch; d++) {
        int ia = d - (p->n_batch - na), ib = d - (p->n_batch - nb);
        p->a_batch[d] = ia >= 0 ? a->dims[ia] : 1;
        p->b_batch[d] = ib >= 0 ? b->dims[ib] : 1;
        if (p->a_batch[d] != p->b_batch[d] && p->a_batch[d] != 1 && p->b_batch[d] != 1) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "the batches of %s and %s do not broadcast",
                              fovea_shape_text(a).text, fovea_shape_text(b).text);
        }
    }
    return FOVEA_OK;
}

static enum fovea_status infer_matmul(struct fovea_node *node, struct fovea_error *err) {
    struct fovea_product p = {.scale = 1, .b_constant = node->in[1]->constant};
    const struct fovea_tensor *a = &node->in[0]->t, *b = &node->in[1]->t;
    unsigned types = FOVEA_DTYPE_BIT(FOVEA_F32) | FOVEA_DTYPE_BIT(FOVEA_F64) |
                     FOVEA_DTYPE_BIT(FOVEA_I32) | FOVEA_DTYPE_BIT(FOVEA_U32) |
                     FOVEA_DTYPE_BIT(FOVEA_I64) | FOVEA_DTYPE_BIT(FOVEA_U64);
    enum fovea_status st = fovea_expect_dtype(node, 0, types, err);
    if (!st) {
        st = fovea_expect_dtype(node, 1, FOVEA_DTYPE_BIT(a->dtype), err);
    }
    for (int i = 0; !st && i < 2; i++) {
        st = fovea_expect_rank(node, i, 1, FOVEA_MAX_RANK, err);
    }
    if (!st) {
        st = match_batch(node, &p, err);
    }
    if (st) {
        return st;
    }
    p.m = a->rank == 1 ? 1 : a->dims[a->rank - 2];
    p.k = a->dims[a->rank - 1];
    p.n = b->rank == 1 ? 1 : b->dims[b->rank - 1];
    if (p.k != b->dims[b->rank == 1 ? 0 : b->rank - 2]) {
        return fail_inner(node, err);
    }
    int64_t dims[FOVEA_MAX_RANK];
    int rank = p.n_batch;
    for (int d = 0; d < p.n_batch; d++) {
        dims[d] = p.a_batch[d] == 1 ? p.b_batch[d] : p.a_batch[d];
    }
    if (a->rank > 1) {
        dims[rank++] = p.m;
    }
    if (b->rank > 1) {
        dims[rank++] = p.n;
    }
    ((struct matmul *)node->priv)->product = p;
    return fovea_set_output(node, 0, a->dtype, rank, dims, err);
}

static enum fovea_status infer_linear(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_value *bias = fovea_own_input(node, 2);
    const struct fovea_tensor *x = &node->in[0]->t, *w = &node->in[1]->t;
    struct fovea_product p = {.scale = 1, .b_constant = node->in[1]->constant};
    enum fovea_status st = fovea_expect_rank(node, 0, 1, FOVEA_MAX_RANK, err);
    if (!st) {
        st = fovea_expect_rank(node, 1, 2, 2, err);
    }
    for (int i = 0; !st && i < (bias ? 3 : 2); i++) {
        st = fovea_expect_dtype(node, i, FOVEA_DTYPE_BIT(FOVEA_F32), err);
    }
    if (st) {
        return st;
    }
    p.trans_b = fovea_attr_int(node, "trans_b", 0) != 0;
    p.bias = bias != NULL;
    p.k = w->dims[p.trans_b];
    p.n = w->dims[!p.trans_b];
    p.m = x->rank == 1 ? 1 : x->dims[x->rank - 2];
    p.n_batch = x->rank > 2 ? x->rank - 2 : 0;
    for (int d = 0; d < p.n_batch; d++) {
        p.a_batch[d] = x->dims[d];
        p.b_batch[d] = 1;
    }
    if (x->dims[x->rank - 1] != p.k) {
        return fail_inner(node, err);
    }
    if (bias && (bias->t.rank != 1 || bias->t.dims[0] != p.n)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "the bias has shape %s; it must be [%lld]",
                          fovea_shape_text(&bias->t).text, (long long)p.n);
    }
    int64_t dims[FOVEA_MAX_RANK];
    memcpy(dims, x->dims, sizeof(dims));
    dims[x->rank - 1] = p.n;
    ((struct matmul *)node->priv)->product = p;
    return fovea_set_output(node, 0, FOVEA_F32, x->rank, dims, err);
}

/* ---- f32, by oneDNN ------------------------------------------------------ */

/* Give a post's operand, of the output's rank, the dims m and n that 1-d inputs took away. */
static void restore_dims(const struct fovea_node *node, struct fovea_product *p) {
    bool no_m = node->in[0]->t.rank == 1, no_n = node->in[1]->t.rank == 1;
    for (int i = 0; i < p->n_posts; i++) {
        struct fovea_dnn_view *view = &p->posts[i].operand;
        if (p->posts[i].kind == FOVEA_EPILOGUE_ACT) {
            continue;
        }
        int64_t last = no_n ? 1 : view->dims[view->rank - 1];
        int64_t rows = no_m ? 1 : view->dims[view->rank - (no_n ? 1 : 2)];
        view->rank = p->n_batch + 2;
        view->dims[p->n_batch] = rows;
        view->dims[p->n_batch + 1] = last;
    }
}

static enum fovea_status prepare(struct fovea_node *node, struct fovea_engine *engine,
                                 struct fovea_error *err) {
    struct matmul *matmul = node->priv;
    struct fovea_product *p = &matmul->product;
    if (node->in[0]->t.dtype != FOVEA_F32 && node->in[0]->t.dtype != FOVEA_BF16) {
        return FOVEA_OK;
    }
    fovea_product_set_types(p, node);
    enum fovea_status st = fovea_dnn_posts_of(node, p->posts, &p->n_posts, err);
    if (st) {
        return st;
    }
    restore_dims(node, p);
    st = fovea_product_prepare(engine->dnn, p, &matmul->prim, err);
    if (!st) {
        fovea_prim_describe(matmul->prim, 1, node);
    }
    return st;
}

static enum fovea_status pack(const struct fovea_node *node, struct fovea_engine *engine,
                              const struct fovea_tensor *plain, void *out,
                              struct fovea_error *err) {
    const struct matmul *matmul = node->priv;
    (void)engine;
    return fovea_prim_pack(matmul->prim, plain, out, err);
}

/* ---- other types, plainly ------------------------------------------------ */

/* Where batch `index` of the output finds an operand whose matrices have `size` elements. */
static int64_t batch_offset(const struct fovea_product *p, const int64_t *batch, int64_t index,
                            int64_t size) {
    int64_t offset = 0, stride = size;
    for (int d = p->n_batch - 1; d >= 0; d--) {
        int64_t dim = p->a_batch[d] == 1 ? p->b_batch[d] : p->a_batch[d];
        offset += batch[d] == 1 ? 0 : index % dim * stride;
        index /= dim;
        stride *= batch[d];
    }
    return offset;
}

/* Signed integers wrap as unsigned ones do. */
#define DEFINE_PLAIN(name, type)                                                                   \
    static void name(const struct fovea_product *p, const void *a, const void *b, void *y,         \
                     int64_t batches) {                                                            \
        for (int64_t i = 0; i < batches * p->m * p->n; i++) {                                      \
            int64_t batch = i / (p->m * p->n), row = i / p->n % p->m, column = i % p->n;           \
            const type *x = (const type *)a + batch_offset(p, p->a_batch, batch, p->m * p->k);     \
            const type *w = (const type *)b + batch_offset(p, p->b_batch, batch, p->k * p->n);     \
            type sum = 0;                                                                          \
            for (int64_t l = 0; l < p->k; l++) {                                                   \
                sum += x[row * p->k + l] * w[l * p->n + column];                                   \
            }                                                                                      \
            ((type *)y)[i] = sum;                                                                  \
        }                                                                                          \
    }
DEFINE_PLAIN(plain_f64, double)
DEFINE_PLAIN(plain_32, uint32_t)
DEFINE_PLAIN(plain_64, uint64_t)

static void run_plain(const struct fovea_node *node, const struct fovea_product *p) {
    const struct fovea_tensor *a = &node->in[0]->t, *b = &node->in[1]->t, *y = &node->out[0]->t;
    if (fovea_tensor_count(y) == 0) {
        return;
    }
    int64_t batches = fovea_tensor_count(y) / (p->m * p->n);
    if (a->dtype == FOVEA_F64) {
        plain_f64(p, a->data, b->data, y->data, batches);
    } else if (fovea_dtype_size(a->dtype) == 4) {
        plain_32(p, a->data, b->data, y->data, batches);
    } else {
        plain_64(p, a->data, b->data, y->data, batches);
    }
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    const struct matmul *matmul = node->priv;
    if (!matmul->prim) {
        run_plain(node, &matmul->product);
        return FOVEA_OK;
    }
    struct fovea_prim_args args;
    fovea_prim_args_of(node, run->scratch, &args);
    args.src = node->in[0]->t.data;
    args.weights = args.weights ? args.weights : node->in[1]->t.data;
    args.bias = matmul->product.bias ? node->in[2]->t.data : NULL;
    return fovea_prim_run(matmul->prim, &args, err);
}

static void release(struct fovea_node *node) {
    struct matmul *matmul = node->priv;
    fovea_prim_destroy(matmul->prim);
    matmul->prim = NULL;
}

static int64_t macs(const struct fovea_node *node) {
    const struct matmul *matmul = node->priv;
    return fovea_count_product(fovea_tensor_count(&node->out[0]->t), matmul->product.k);
}

static const char *implementation(const struct fovea_node *node) {
    const struct matmul *matmul = node->priv;
    return matmul->prim ? fovea_prim_implementation(matmul->prim) : NULL;
}

const struct fovea_op fovea_op_linear = {
    .priv_size = sizeof(struct matmul),
    .attrs = linear_attrs,
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .flags = FOVEA_OP_EPILOGUE,
    .bf16 = FOVEA_BF16_MULTIPLIES,
    .bf16_in = 3,
    .bf16_out = 1,
    .infer = infer_linear,
    .prepare = prepare,
    .pack = pack,
    .run = run,
    .release = release,
    .macs = macs,
    .implementation = implementation,
};

const struct fovea_op fovea_op_matmul = {
    .priv_size = sizeof(struct matmul),
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .flags = FOVEA_OP_EPILOGUE,
    .bf16 = FOVEA_BF16_MULTIPLIES,
    .bf16_in = 3,
    .bf16_out = 1,
    .infer = infer_matmul,
    .prepare = prepare,
    .pack = pack,
    .run = run,
    .release = release,
    .macs = macs,
    .implementation = implementation,
};
