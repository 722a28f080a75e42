/*
 * Vision transformers.
 *
 * Dosovitskiy et al. 2021 (arXiv 2010.11929); Zhai et al. 2022: Scaling Vision
 * Transformers (arXiv 2106.04560), whose MAP head, multihead attention
 * pooling, is that of Lee et al. 2019 (Set Transformer); Alabdulmohsin et al.
 * 2023 (SoViT, arXiv 2305.13035). Layer scale, registers and SwiGLU as in
 * DINOv2 (arXiv 2304.07193, 2309.16588); names as in timm's
 * vision_transformer.py, computation as there and in big_vision's vit.py.
 */
#include "loaders/arch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- what shapes tell -------------------------------------------------------- */

static int64_t dim_of(const struct fovea_arch_params *p, const char *name, int d) {
    return fovea_arch_param_dim(fovea_arch_params_find(p, "%s", name), d);
}

static bool has(const struct fovea_arch_params *p, const char *name) {
    return fovea_arch_params_find(p, "%s", name) != NULL;
}

static enum fovea_status read_blocks(const struct fovea_arch_params *p, struct fovea_vit_config *c,
                                     struct fovea_error *err) {
    enum { MOST_BLOCKS = 1000 };
    while (c->depth <= MOST_BLOCKS &&
           fovea_arch_params_find(p, "blocks.%lld.norm1.weight", (long long)c->depth)) {
        c->depth++;
    }
    if (c->depth == 0 || c->depth > MOST_BLOCKS) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "a ViT of %s blocks; 1 to %d are possible",
                          c->depth == 0 ? "no" : "too many", MOST_BLOCKS);
    }
    c->qkv_bias = has(p, "blocks.0.attn.qkv.bias") || has(p, "blocks.0.attn.q.bias");
    c->layer_scale = has(p, "blocks.0.ls1.gamma");
    c->qk_norm = has(p, "blocks.0.attn.q_norm.weight");
    c->mlp_kind = has(p, "blocks.0.mlp.w12.weight")     ? FOVEA_MLP_SWIGLU_PACKED
                  : has(p, "blocks.0.mlp.fc1_g.weight") ? FOVEA_MLP_SWIGLU_PARTS
                                                        : FOVEA_MLP_GELU;
    static const char *const last[] = {
        [FOVEA_MLP_GELU] = "blocks.0.mlp.fc2.weight",
        [FOVEA_MLP_SWIGLU_PARTS] = "blocks.0.mlp.fc2.weight",
        [FOVEA_MLP_SWIGLU_PACKED] = "blocks.0.mlp.w3.weight",
    };
    c->mlp = dim_of(p, last[c->mlp_kind], 1);
    return c->mlp > 0 ? FOVEA_OK
                      : fovea_fail(err, FOVEA_ERR_INVALID, "a ViT without %s", last[c->mlp_kind]);
}

/* Heads of 64 features, as all published ViTs up to L have, where nothing says otherwise. */
static enum fovea_status find_heads(const struct fovea_arch_params *p,
                                    const struct fovea_arch_hints *hints,
                                    struct fovea_vit_config *c, struct fovea_error *err) {
    const struct fovea_arch_param *q = fovea_arch_params_find(p, "blocks.0.attn.q.weight");
    int64_t norm = dim_of(p, "blocks.0.attn.q_norm.weight", 0);
    c->heads = q ? q->heads : 0;
    if (c->heads == 0 && norm > 0) {
        c->heads = c->width / norm;
    }
    if (hints->heads > 0) {
        c->heads = hints->heads;
    } else if (c->heads == 0 && c->width % 64 == 0) {
        c->heads = c->width / 64;
    }
    if (c->heads < 1 || c->width % c->heads != 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "how many heads %lld features are divided into is not in the tensors; "
                          "%d do not divide them (--heads N)",
                          (long long)c->width, (int)c->heads);
    }
    return FOVEA_OK;
}

/* The integer square root if it is one, else 0. */
static int64_t exact_root(int64_t n) {
    int64_t root = n > 0 ? (int64_t)(sqrt((double)n) + 0.5) : 0;
    return root * root == n ? root : 0;
}

/* Another grid than that of the table, whose side is `side`. */
static enum fovea_status resize(const struct fovea_arch_hints *hints, struct fovea_vit_config *c,
                                int64_t side, struct fovea_error *err) {
    c->grid_h = hints->height / c->patch;
    c->grid_w = hints->width / c->patch;
    c->height = hints->height;
    c->width_px = hints->width;
    c->table_side = side;
    c->resampling = hints->positions;
    if (c->grid_h < 1 || c->grid_w < 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "an input of %dx%d has no patch of %lld",
                          hints->height, hints->width, (long long)c->patch);
    }
    return FOVEA_OK;
}

/*
 * The grid of the position table, square, after the prefix if it has rows for
 * that; or that of the input size if there is no table.
 */
static enum fovea_status find_grid(const struct fovea_arch_params *p,
                                   const struct fovea_arch_hints *hints, struct fovea_vit_config *c,
                                   struct fovea_error *err) {
    const struct fovea_arch_param *table = fovea_arch_params_find(p, "pos_embed");
    if (!table || table->t.rank < 2) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "a ViT without position embeddings (pos_embed)");
    }
    c->positions = table->t.dims[table->t.rank - 2];
    int64_t side = exact_root(c->positions);
    if (!side || side * side == c->positions - c->prefix) {
        side = exact_root(c->positions - c->prefix);
    }
    if (!side && c->class_token) {
        side = exact_root(c->positions - 1);
    }
    if (!side) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "%lld position embeddings are no square grid, with or without those of "
                          "%lld other tokens",
                          (long long)c->positions, (long long)c->prefix);
    }
    c->grid_h = c->grid_w = side;
    c->height = c->width_px = (int)(side * c->patch);
    /* Pixels that fill no patch are dropped: 480 with patch 14 is 34 x 34. */
    if (hints->height > 0 && hints->height / c->patch == side && hints->width / c->patch == side) {
        c->height = hints->height;
        c->width_px = hints->width;
    } else if (hints->resize) {
        return resize(hints, c, side, err);
    } else if (hints->height > 0) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "position embeddings are for %lldx%lld patches, not for an input of "
                          "%dx%d",
                          (long long)side, (long long)side, hints->height, hints->width);
    }
    return FOVEA_OK;
}

static enum fovea_status find_head(const struct fovea_arch_params *p,
                                   const struct fovea_arch_hints *hints, struct fovea_vit_config *c,
                                   struct fovea_error *err) {
    bool map = has(p, "attn_pool.latent");
    c->final_norm = has(p, "norm.weight");
    c->fc_norm = has(p, "fc_norm.weight");
    c->pre_logits = dim_of(p, "pre_logits.weight", 0);
    c->classes = dim_of(p, "head.weight", 0);
    c->head = hints->head                     ? hints->head
              : map                           ? FOVEA_HEAD_MAP
              : c->class_token && !c->fc_norm ? FOVEA_HEAD_TOKEN
                                              : FOVEA_HEAD_GAP;
    c->pool_mlp = dim_of(p, "attn_pool.mlp.fc1.weight", 0);
    if (c->head == FOVEA_HEAD_MAP && (!map || c->pool_mlp < 1)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "head type map, but there is no attention pool");
    }
    if (c->head == FOVEA_HEAD_TOKEN && !c->class_token) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "head type token, but there is no class token");
    }
    return FOVEA_OK;
}

enum fovea_status fovea_vit_configure(const struct fovea_arch_params *params,
                                      const struct fovea_arch_hints *hints,
                                      struct fovea_vit_config *out, struct fovea_error *err) {
    struct fovea_vit_config c = {
        .width = dim_of(params, "patch_embed.proj.weight", 0),
        .patch = dim_of(params, "patch_embed.proj.weight", 2),
        .class_token = has(params, "cls_token"),
        .patch_bias = has(params, "patch_embed.proj.bias"),
        .pre_norm = has(params, "norm_pre.weight"),
        .gelu_tanh = hints->gelu_tanh == FOVEA_YES,
    };
    const struct fovea_arch_param *registers = fovea_arch_params_find(params, "reg_token");
    c.registers =
        registers && registers->t.rank >= 2 ? registers->t.dims[registers->t.rank - 2] : 0;
    c.prefix = (c.class_token ? 1 : 0) + c.registers;
    c.norm_eps = hints->norm_eps > 0 ? hints->norm_eps : c.pre_norm ? 1e-5 : 1e-6;
    if (c.width < 1 || c.patch < 1 || c.patch > 1024) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "a ViT without a patch embedding");
    }
    enum fovea_status status = read_blocks(params, &c, err);
    status = status ? status : find_heads(params, hints, &c, err);
    status = status ? status : find_grid(params, hints, &c, err);
    status = status ? status : find_head(params, hints, &c, err);
    if (!status) {
        *out = c;
    }
    return status;
}

/* ---- building -------------------------------------------------------------- */

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

/* Put the class token and the registers before the image's tokens [N, T, D]. */
static struct fovea_value *add_prefix(const struct vit *v, struct fovea_value *x) {
    struct fovea_arch_builder *b = v->b;
    const int64_t one[] = {1, 1, v->c->width}, some[] = {1, v->c->registers, v->c->width};
    struct fovea_value *parts[3];
    int n = 0;
    if (v->c->class_token) {
        parts[n++] = repeat(v, fovea_arch_tensor(b, "cls_token", 3, one), 1, x);
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
 * Patches [N, D, h, w] as tokens [N, prefix + h w, D]. The table of positions
 * has rows for the image's tokens only, or for the prefix (all of it, or the
 * class token) as well.
 */
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
    int64_t before = 0;
    struct fovea_value *positions = fovea_arch_positions(b, c, &before);
    if (before == 0 || before == c->prefix) {
        bool late = before > 0;
        x = late ? add_prefix(v, x) : FOVEA_ARCH_OP2(b, "Add", x, positions);
        return late ? FOVEA_ARCH_OP2(b, "Add", x, positions) : add_prefix(v, x);
    }
    b->status = fovea_fail(b->err, FOVEA_ERR_UNSUPPORTED,
                           "%lld of %lld positions are not the image's, but it has %lld other "
                           "tokens",
                           (long long)before, (long long)c->positions, (long long)c->prefix);
    return NULL;
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

/* [N, T, D] to [N, D]. */
static struct fovea_value *pool(const struct vit *v, struct fovea_value *x) {
    static const int64_t tokens[] = {1};
    const int64_t flat[] = {0, v->c->width};
    const struct fovea_vit_config *c = v->c;
    if (c->head == FOVEA_HEAD_MAP) {
        return pool_by_attention(v, x);
    }
    fovea_arch_scope(v->b, "%s", "pool");
    if (c->head == FOVEA_HEAD_TOKEN) {
        x = fovea_arch_slice(v->b, x, 1, 0, 1);
    } else {
        x = c->prefix ? fovea_arch_slice(v->b, x, 1, c->prefix, c->prefix + c->grid_h * c->grid_w)
                      : x;
        x = fovea_arch_mean(v->b, x, tokens, 1);
    }
    return fovea_arch_reshape(v->b, x, flat, 2);
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
    int64_t width = config->width;
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

void fovea_vit_describe(const struct fovea_vit_config *c, char *text, size_t size) {
    char resampled[64] = "";
    if (c->table_side) {
        snprintf(resampled, sizeof(resampled), " (positions of %lldx%lld resampled as %s does)",
                 (long long)c->table_side, (long long)c->table_side,
                 fovea_positions_name(c->resampling));
    }
    static const char *const heads[] = {
        [FOVEA_HEAD_TOKEN] = "class token",
        [FOVEA_HEAD_GAP] = "mean of tokens",
        [FOVEA_HEAD_MAP] = "MAP head",
    };
    snprintf(text, size,
             "ViT of %lld blocks, width %lld, MLP %lld%s, %lld heads of %lld, patch %lld, "
             "%lldx%lld tokens%s%s%s%s%s%s; %s; GELU by %s, LayerNorm eps %g%s",
             (long long)c->depth, (long long)c->width, (long long)c->mlp,
             c->mlp_kind == FOVEA_MLP_GELU ? "" : " (SwiGLU)", (long long)c->heads,
             (long long)(c->width / c->heads), (long long)c->patch, (long long)c->grid_h,
             (long long)c->grid_w, resampled, c->class_token ? ", class token" : "",
             c->registers ? ", registers" : "", c->layer_scale ? ", layer scale" : "",
             c->qk_norm ? ", qk-norm" : "", c->pre_norm ? ", pre-norm" : "", heads[c->head],
             c->gelu_tanh ? "tanh" : "erf", c->norm_eps,
             c->classes ? "" : "; no classifier, the outputs are features");
}
