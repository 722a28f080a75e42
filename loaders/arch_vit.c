/*
 * Vision transformers.
 *
 * Dosovitskiy et al. 2021 (arXiv 2010.11929); Zhai et al. 2022: Scaling Vision
 * Transformers (arXiv 2106.04560), whose MAP head, multihead attention
 * pooling, is that of Lee et al. 2019 (Set Transformer); Alabdulmohsin et al.
 * 2023 (SoViT, arXiv 2305.13035). Layer scale, registers and SwiGLU as in
 * DINOv2 (arXiv 2304.07193, 2309.16588); names as in timm's
 * vision_transformer.py, computation as there and in big_vision's vit.py.
 * What a checkpoint's network is, of all these: arch_vit_config.c.
 */
#include "loaders/arch.h"

#include <math.h>

struct vit {
    struct fovea_arch_builder *b;
    const struct fovea_vit_config *c;
};

static struct fovea_value *normalise(const struct vit *v, struct fovea_value *x, const char *name) {
    return fovea_arch_layer_norm(v->b, x, name, v->c->width, v->c->norm_eps);
}

/* [N, T, D] as heads: [N, H, T, D / H], or [N, H, D / H, T] if `turned`. */
static struct fovea_value *split_heads(const struct vit *v, struct fovea_value *x, bool turned) {
    static const int64_t straight[] = {0, 2, 1, 3}, turn[] = {0, 2, 3, 1};
    const int64_t dims[] = {0, -1, v->c->heads, v->c->width / v->c->heads};
    return fovea_arch_transpose(v->b, fovea_arch_reshape(v->b, x, dims, 4),
                                turned ? turn : straight, 4);
}

/* LayerNorm over the features of a head, [N, H, T, D / H]. */
static struct fovea_value *normalise_heads(const struct vit *v, struct fovea_value *x,
                                           const char *name) {
    return fovea_arch_layer_norm(v->b, x, name, v->c->width / v->c->heads, v->c->norm_eps);
}

/* softmax(q k^T / sqrt(D / H)) v, heads put side by side: q [., H, Tq, D/H] to [N, Tq, D]. */
static struct fovea_value *attend(const struct vit *v, struct fovea_value *q,
                                  struct fovea_value *k_turned, struct fovea_value *values) {
    static const int64_t straight[] = {0, 2, 1, 3};
    const int64_t dims[] = {0, -1, v->c->width};
    struct fovea_arch_builder *b = v->b;
    double scale = 1 / sqrt((double)v->c->width / (double)v->c->heads);
    struct fovea_value *scores =
        FOVEA_ARCH_OP2(b, "MatMul", fovea_arch_scale(b, q, scale), k_turned);
    scores = fovea_arch_attr_int(b, FOVEA_ARCH_OP1(b, "Softmax", scores), "axis", -1);
    struct fovea_value *y = FOVEA_ARCH_OP2(b, "MatMul", scores, values);
    return fovea_arch_reshape(b, fovea_arch_transpose(b, y, straight, 4), dims, 3);
}

/* Projections of one input: q, k and v from one matrix, or from three. */
static void project(const struct vit *v, struct fovea_value *x, struct fovea_value *out[3]) {
    static const char *const names[] = {"q", "k", "v"};
    const int64_t width = v->c->width;
    struct fovea_arch_builder *b = v->b;
    bool joined = b->params->random || fovea_arch_params_find(b->params, "%s.qkv.weight", b->scope);
    struct fovea_value *all =
        joined ? fovea_arch_linear(b, x, "qkv", width, 3 * width, v->c->qkv_bias) : NULL;
    for (int i = 0; i < 3; i++) {
        out[i] = joined ? fovea_arch_slice(b, all, 2, i * width, (i + 1) * width)
                        : fovea_arch_linear(b, x, names[i], width, width, v->c->qkv_bias);
    }
}

static struct fovea_value *attention(const struct vit *v, struct fovea_value *x) {
    struct fovea_value *p[3];
    project(v, x, p);
    if (v->c->qk_norm) {
        static const int64_t turn[] = {0, 1, 3, 2};
        p[0] = normalise_heads(v, split_heads(v, p[0], false), "q_norm");
        p[1] = normalise_heads(v, split_heads(v, p[1], false), "k_norm");
        p[1] = fovea_arch_transpose(v->b, p[1], turn, 4);
    } else {
        p[0] = split_heads(v, p[0], false);
        p[1] = split_heads(v, p[1], true);
    }
    struct fovea_value *y = attend(v, p[0], p[1], split_heads(v, p[2], false));
    return fovea_arch_linear(v->b, y, "proj", v->c->width, v->c->width, true);
}

static struct fovea_value *silu(const struct vit *v, struct fovea_value *x) {
    return FOVEA_ARCH_OP2(v->b, "Mul", x, FOVEA_ARCH_OP1(v->b, "Sigmoid", x));
}

/* Shazeer 2020 (GLU Variants Improve Transformer) for the SwiGLU kinds. */
static struct fovea_value *mlp(const struct vit *v, struct fovea_value *x, int64_t hidden,
                               enum fovea_vit_mlp kind) {
    const int64_t width = v->c->width;
    struct fovea_arch_builder *b = v->b;
    if (kind == FOVEA_MLP_GELU) {
        x = fovea_arch_gelu(b, fovea_arch_linear(b, x, "fc1", width, hidden, true),
                            v->c->gelu_tanh);
        return fovea_arch_linear(b, x, "fc2", hidden, width, true);
    }
    bool packed = kind == FOVEA_MLP_SWIGLU_PACKED;
    struct fovea_value *gate, *up;
    if (packed) {
        struct fovea_value *both = fovea_arch_linear(b, x, "w12", width, 2 * hidden, true);
        gate = fovea_arch_slice(b, both, 2, 0, hidden);
        up = fovea_arch_slice(b, both, 2, hidden, 2 * hidden);
    } else {
        gate = fovea_arch_linear(b, x, "fc1_g", width, hidden, true);
        up = fovea_arch_linear(b, x, "fc1_x", width, hidden, true);
    }
    x = FOVEA_ARCH_OP2(b, "Mul", silu(v, gate), up);
    return fovea_arch_linear(b, x, packed ? "w3" : "fc2", hidden, width, true);
}

static struct fovea_value *add_branch(const struct vit *v, struct fovea_value *x,
                                      struct fovea_value *branch, const char *gamma) {
    if (v->c->layer_scale) {
        branch = FOVEA_ARCH_OP2(v->b, "Mul", branch, fovea_arch_vector(v->b, gamma, v->c->width));
    }
    return FOVEA_ARCH_OP2(v->b, "Add", x, branch);
}

static struct fovea_value *build_block(const struct vit *v, struct fovea_value *x, int i) {
    struct fovea_arch_builder *b = v->b;
    fovea_arch_scope(b, "blocks.%d", i);
    struct fovea_value *y = normalise(v, x, "norm1");
    fovea_arch_scope(b, "blocks.%d.attn", i);
    y = attention(v, y);
    fovea_arch_scope(b, "blocks.%d", i);
    x = add_branch(v, x, y, "ls1.gamma");
    y = normalise(v, x, "norm2");
    fovea_arch_scope(b, "blocks.%d.mlp", i);
    y = mlp(v, y, v->c->mlp, v->c->mlp_kind);
    fovea_arch_scope(b, "blocks.%d", i);
    return add_branch(v, x, y, "ls2.gamma");
}

/* A learned token [1, n, D] for every image of the batch. */
static struct fovea_value *repeat(const struct vit *v, struct fovea_value *token, int64_t n,
                                  struct fovea_value *like) {
    struct fovea_arch_builder *b = v->b;
    struct fovea_value *batch = FOVEA_ARCH_OP1(b, "Shape", like);
    fovea_arch_attr_int(b, fovea_arch_attr_int(b, batch, "start", 0), "end", 1);
    struct fovea_value *shape =
        FOVEA_ARCH_OP2(b, "Concat", batch, FOVEA_ARCH_INTS(b, n, v->c->width));
    return FOVEA_ARCH_OP2(b, "Expand", token, fovea_arch_attr_int(b, shape, "axis", 0));
}

/*
 * Put the class token, plus `positions` unless that is NULL, and the registers
 * before the image's tokens [N, T, D].
 */
static struct fovea_value *add_prefix(const struct vit *v, struct fovea_value *x,
                                      struct fovea_value *positions) {
    struct fovea_arch_builder *b = v->b;
    const int64_t one[] = {1, 1, v->c->width}, some[] = {1, v->c->registers, v->c->width};
    struct fovea_value *parts[3];
    int n = 0;
    if (v->c->class_token) {
        struct fovea_value *token = fovea_arch_tensor(b, "cls_token", 3, one);
        token = positions ? FOVEA_ARCH_OP2(b, "Add", token, positions) : token;
        parts[n++] = repeat(v, token, 1, x);
    }
    if (v->c->registers > 0) {
        parts[n++] = repeat(v, fovea_arch_tensor(b, "reg_token", 3, some), v->c->registers, x);
    }
    parts[n++] = x;
    if (n == 1) {
        return x;
    }
    struct fovea_value *y =
        fovea_arch_op(b, "Concat", parts[0], parts[1], n > 2 ? parts[2] : NULL, NULL);
    return fovea_arch_attr_int(b, y, "axis", 1);
}

/*
 * The image's tokens [N, h w, D] with positions and what comes before them. The
 * table has rows for the image's tokens only; or for all the prefix; or for
 * the class token, before which there are no registers yet (DINOv2).
 */
static struct fovea_value *add_positions(const struct vit *v, struct fovea_value *x) {
    struct fovea_arch_builder *b = v->b;
    const struct fovea_vit_config *c = v->c;
    int64_t before = 0, n = c->grid_h * c->grid_w;
    struct fovea_value *positions = fovea_arch_positions(b, c, &before), *first = NULL;
    if (before > 0 && before == c->prefix) {
        return FOVEA_ARCH_OP2(b, "Add", add_prefix(v, x, NULL), positions);
    }
    if (before == 1 && c->class_token) {
        first = fovea_arch_slice(b, positions, 1, 0, 1);
        positions = fovea_arch_slice(b, positions, 1, 1, 1 + n);
    } else if (before != 0) {
        b->status = fovea_fail(b->err, FOVEA_ERR_UNSUPPORTED,
                               "%lld of %lld positions are not the image's, but it has %lld other "
                               "tokens",
                               (long long)before, (long long)c->positions, (long long)c->prefix);
        return NULL;
    }
    return add_prefix(v, FOVEA_ARCH_OP2(b, "Add", x, positions), first);
}

/* The image [N, 3, H, W] as tokens [N, prefix + h w, D]. */
static struct fovea_value *embed(const struct vit *v, struct fovea_value *image) {
    static const int64_t turn[] = {0, 2, 1};
    struct fovea_arch_builder *b = v->b;
    const struct fovea_vit_config *c = v->c;
    const int64_t patch[] = {c->patch, c->patch}, dims[] = {c->width, 3, c->patch, c->patch};
    const int64_t flat[] = {0, c->width, -1};
    fovea_arch_scope(b, "patch_embed.proj");
    struct fovea_value *w = fovea_arch_tensor(b, "weight", 4, dims);
    struct fovea_value *bias = c->patch_bias ? fovea_arch_vector(b, "bias", c->width) : NULL;
    struct fovea_value *x = fovea_arch_op(b, "Conv", image, w, bias, NULL);
    fovea_arch_attr_ints(b, x, "kernel_shape", patch, 2);
    fovea_arch_attr_ints(b, x, "strides", patch, 2);
    x = fovea_arch_transpose(b, fovea_arch_reshape(b, x, flat, 3), turn, 3);
    fovea_arch_scope(b, "%s", "");
    return add_positions(v, x);
}

/*
 * Attention of one learned query over all tokens, then an MLP with a residual:
 * [N, T, D] to [N, D]. The query is constant; the pass `query` folds it.
 */
static struct fovea_value *pool_by_attention(const struct vit *v, struct fovea_value *x) {
    struct fovea_arch_builder *b = v->b;
    const int64_t width = v->c->width, one[] = {1, 1, width}, flat[] = {0, width};
    fovea_arch_scope(b, "attn_pool");
    struct fovea_value *q = fovea_arch_tensor(b, "latent", 3, one), *k, *values;
    if (fovea_arch_params_find(b->params, "attn_pool.k.weight")) {
        q = fovea_arch_linear(b, q, "q", width, width, true);
        k = fovea_arch_linear(b, x, "k", width, width, true);
        values = fovea_arch_linear(b, x, "v", width, width, true);
    } else if (fovea_arch_params_find(b->params, "attn_pool.qkv.weight")) {
        struct fovea_value *w = fovea_arch_matrix(b, "qkv.weight", width, 3 * width);
        struct fovea_value *bias = fovea_arch_vector(b, "qkv.bias", 3 * width), *parts[3];
        for (int i = 0; i < 3; i++) {
            struct fovea_value *wi = fovea_arch_slice(b, w, 1, i * width, (i + 1) * width);
            struct fovea_value *bi = fovea_arch_slice(b, bias, 0, i * width, (i + 1) * width);
            parts[i] = FOVEA_ARCH_OP2(b, "Add", FOVEA_ARCH_OP2(b, "MatMul", i ? x : q, wi), bi);
        }
        q = parts[0];
        k = parts[1];
        values = parts[2];
    } else {
        q = fovea_arch_linear(b, q, "q", width, width, true);
        struct fovea_value *kv = fovea_arch_linear(b, x, "kv", width, 2 * width, true);
        k = fovea_arch_slice(b, kv, 2, 0, width);
        values = fovea_arch_slice(b, kv, 2, width, 2 * width);
    }
    struct fovea_value *y =
        attend(v, split_heads(v, q, false), split_heads(v, k, true), split_heads(v, values, false));
    y = fovea_arch_linear(b, y, "proj", width, width, true);
    struct fovea_value *z = normalise(v, y, "norm");
    fovea_arch_scope(b, "attn_pool.mlp");
    y = FOVEA_ARCH_OP2(b, "Add", y, mlp(v, z, v->c->pool_mlp, FOVEA_MLP_GELU));
    return fovea_arch_reshape(b, y, flat, 2);
}

/* Tokens [from, to) of [N, T, D], and their mean: [N, D]. */
static struct fovea_value *pool_tokens(const struct vit *v, struct fovea_value *x, int64_t from,
                                       int64_t to) {
    static const int64_t tokens[] = {1};
    const struct fovea_vit_config *c = v->c;
    const int64_t flat[] = {0, c->width}, all = c->prefix + c->grid_h * c->grid_w;
    x = from > 0 || to < all ? fovea_arch_slice(v->b, x, 1, from, to) : x;
    x = to - from > 1 ? fovea_arch_mean(v->b, x, tokens, 1) : x;
    return fovea_arch_reshape(v->b, x, flat, 2);
}

/* [N, T, D] to [N, D], or [N, 2 D] of a head that takes two parts. */
static struct fovea_value *pool(const struct vit *v, struct fovea_value *x) {
    const struct fovea_vit_config *c = v->c;
    const int64_t all = c->prefix + c->grid_h * c->grid_w;
    if (c->head == FOVEA_HEAD_MAP) {
        return pool_by_attention(v, x);
    }
    fovea_arch_scope(v->b, "%s", "pool");
    if (c->head == FOVEA_HEAD_TOKEN) {
        return pool_tokens(v, x, 0, 1);
    }
    struct fovea_value *mean = pool_tokens(v, x, c->prefix, all);
    if (c->head == FOVEA_HEAD_GAP) {
        return mean;
    }
    struct fovea_value *y = FOVEA_ARCH_OP2(v->b, "Concat", pool_tokens(v, x, 0, 1), mean);
    return fovea_arch_attr_int(v->b, y, "axis", 1);
}

void fovea_vit_build(struct fovea_arch_builder *b, const struct fovea_vit_config *config) {
    const struct vit v = {b, config};
    struct fovea_value *x = embed(&v, fovea_arch_input(b, config->height, config->width_px));
    x = config->pre_norm ? normalise(&v, x, "norm_pre") : x;
    for (int i = 0; i < config->depth; i++) {
        x = build_block(&v, x, i);
    }
    fovea_arch_scope(b, "%s", "");
    x = config->final_norm ? normalise(&v, x, "norm") : x;
    x = pool(&v, x);
    fovea_arch_scope(b, "%s", "");
    x = config->fc_norm ? normalise(&v, x, "fc_norm") : x;
    int64_t width = config->head == FOVEA_HEAD_TOKEN_GAP ? 2 * config->width : config->width;
    if (config->pre_logits > 0) {
        x = fovea_arch_linear(b, x, "pre_logits", width, config->pre_logits, true);
        x = FOVEA_ARCH_OP1(b, "Tanh", x);
        width = config->pre_logits;
    }
    /* A tower without a classifier gives its features. */
    if (config->classes > 0) {
        x = fovea_arch_linear(b, x, "head", width, config->classes, true);
    }
    fovea_arch_output(b, x, config->classes > 0 ? config->classes : width);
}
