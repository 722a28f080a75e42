/*
 * Gemm: y = alpha * A' B' + beta * C, with A' [m,k] and B' [k,n] transposed on
 * request and C broadcast to [m,n]. A C without rows is a bias; any other is
 * added as a post.
 */
#include "ops/ops.h"

#include "ops/product.h"

#include <string.h>

struct gemm {
    struct fovea_product product;
    struct fovea_prim *prim;
    float beta;
    bool added;      /* C is posts[0] */
    int64_t c_count; /* elements of beta * C in scratch memory; 0 if C is used as it is */
};

static const struct fovea_attr_spec attrs[] = {
    {"alpha", FOVEA_ATTR_FLOAT, false},
    {"beta", FOVEA_ATTR_FLOAT, false},
    {"transA", FOVEA_ATTR_INT, false},
    {"transB", FOVEA_ATTR_INT, false},
    {0},
};

/* C, or NULL where it has no part in the result. */
static const struct fovea_tensor *get_c(const struct fovea_node *node, float beta) {
    const struct fovea_value *c = fovea_own_input(node, 2);
    return c && beta != 0 ? &c->t : NULL;
}

static enum fovea_status check_c(const struct fovea_tensor *c, int64_t m, int64_t n,
                                 struct fovea_error *err) {
    int64_t rows = c->rank == 2 ? c->dims[0] : 1, columns = c->rank ? c->dims[c->rank - 1] : 1;
    if (c->rank > 2 || (rows != 1 && rows != m) || (columns != 1 && columns != n)) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "C has shape %s; it must broadcast to [%lld,%lld]",
                          fovea_shape_text(c).text, (long long)m, (long long)n);
    }
    return FOVEA_OK;
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    struct gemm *gemm = node->priv;
    const struct fovea_value *c = fovea_own_input(node, 2);
    struct fovea_product p = {.b_constant = node->in[1]->constant};
    enum fovea_status st = FOVEA_OK;
    for (int i = 0; !st && i < (c ? 3 : 2); i++) {
        st = fovea_expect_dtype(node, i, FOVEA_DTYPE_BIT(FOVEA_F32), err);
    }
    for (int i = 0; !st && i < 2; i++) {
        st = fovea_expect_rank(node, i, 2, 2, err);
    }
    if (st) {
        return st;
    }
    const struct fovea_tensor *a = &node->in[0]->t, *b = &node->in[1]->t;
    p.trans_a = fovea_attr_int(node, "transA", 0) != 0;
    p.trans_b = fovea_attr_int(node, "transB", 0) != 0;
    p.scale = fovea_attr_float(node, "alpha", 1);
    p.m = a->dims[p.trans_a];
    p.k = a->dims[!p.trans_a];
    p.n = b->dims[!p.trans_b];
    if (b->dims[p.trans_b] != p.k) {
        return fovea_fail(
            err, FOVEA_ERR_INVALID, "A %s%s and B %s%s have inner dimensions %lld and %lld",
            fovea_shape_text(a).text, p.trans_a ? " transposed" : "", fovea_shape_text(b).text,
            p.trans_b ? " transposed" : "", (long long)p.k, (long long)b->dims[p.trans_b]);
    }
    if (c) {
        st = check_c(&c->t, p.m, p.n, err);
        if (st) {
            return st;
        }
    }
    gemm->product = p;
    gemm->beta = fovea_attr_float(node, "beta", 1);
    return fovea_set_output(node, 0, FOVEA_F32, 2, (int64_t[]){p.m, p.n}, err);
}

/* C as a bias of n elements, or as the first post. */
static void place_c(struct gemm *gemm, const struct fovea_tensor *c) {
    struct fovea_product *p = &gemm->product;
    int64_t rows = c->rank == 2 ? c->dims[0] : 1, count = fovea_tensor_count(c);
    gemm->added = rows != 1;
    p->bias = !gemm->added;
    if (gemm->added) {
        gemm->c_count = gemm->beta == 1 ? 0 : count;
        memmove(p->posts + 1, p->posts, (size_t)p->n_posts * sizeof(*p->posts));
        p->posts[0] = (struct fovea_dnn_post){.kind = FOVEA_EPILOGUE_ADD};
        p->posts[0].operand.rank = 2;
        p->posts[0].operand.dims[0] = rows;
        p->posts[0].operand.dims[1] = c->dims[1];
        p->n_posts++;
    } else {
        gemm->c_count = gemm->beta == 1 && count == p->n ? 0 : p->n;
    }
}

static enum fovea_status prepare(struct fovea_node *node, struct fovea_engine *engine,
                                 struct fovea_error *err) {
    struct gemm *gemm = node->priv;
    struct fovea_product *p = &gemm->product;
    const struct fovea_tensor *c = get_c(node, gemm->beta);
    fovea_product_set_types(p, node);
    enum fovea_status st = fovea_dnn_posts_of(node, p->posts, &p->n_posts, err);
    if (st) {
        return st;
    }
    p->bias = gemm->added = false;
    gemm->c_count = 0;
    if (c) {
        place_c(gemm, c);
    }
    st = fovea_product_prepare(engine->dnn, p, &gemm->prim, err);
    if (!st) {
        fovea_prim_describe(gemm->prim, 1, node);
        node->scratch_bytes += (size_t)gemm->c_count * sizeof(float);
    }
    return st;
}

static enum fovea_status pack(const struct fovea_node *node, struct fovea_engine *engine,
                              const struct fovea_tensor *plain, void *out,
                              struct fovea_error *err) {
    const struct gemm *gemm = node->priv;
    (void)engine;
    return fovea_prim_pack(gemm->prim, plain, out, err);
}

/* beta * C, spread over `count` elements if it is one. */
static const float *scaled_c(const struct gemm *gemm, const struct fovea_tensor *c, void *scratch) {
    if (!gemm->c_count) {
        return c->data;
    }
    const float *from = c->data;
    float *to = (float *)((char *)scratch + fovea_prim_scratch_bytes(gemm->prim));
    int64_t step = fovea_tensor_count(c) == 1 ? 0 : 1;
    for (int64_t i = 0; i < gemm->c_count; i++) {
        to[i] = gemm->beta * from[i * step];
    }
    return to;
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    const struct gemm *gemm = node->priv;
    const struct fovea_tensor *c = get_c(node, gemm->beta);
    struct fovea_prim_args args;
    fovea_prim_args_of(node, run->scratch, &args);
    args.src = node->in[0]->t.data;
    args.weights = args.weights ? args.weights : node->in[1]->t.data;
    if (gemm->added) {
        memmove(args.posts + 1, args.posts, FOVEA_MAX_EPILOGUE * sizeof(*args.posts));
        args.posts[0] = scaled_c(gemm, c, run->scratch);
    } else if (c) {
        args.bias = scaled_c(gemm, c, run->scratch);
    }
    return fovea_prim_run(gemm->prim, &args, err);
}

static void release(struct fovea_node *node) {
    struct gemm *gemm = node->priv;
    fovea_prim_destroy(gemm->prim);
    gemm->prim = NULL;
}

static int64_t macs(const struct fovea_node *node) {
    const struct gemm *gemm = node->priv;
    return fovea_count_product(fovea_tensor_count(&node->out[0]->t), gemm->product.k);
}

static const char *implementation(const struct fovea_node *node) {
    const struct gemm *gemm = node->priv;
    return fovea_prim_implementation(gemm->prim);
}

const struct fovea_op fovea_op_gemm = {
    .priv_size = sizeof(struct gemm),
    .attrs = attrs,
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .flags = FOVEA_OP_EPILOGUE,
    .bf16 = FOVEA_BF16_MULTIPLIES,
    .bf16_in = 3,
    .bf16_out = 1,
    .infer = infer,
    .prepare = prepare,
    .pack = pack,
    .run = run,
    .release = release,
    .macs = macs,
    .implementation = implementation,
};
