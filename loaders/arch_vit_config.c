/* What the shapes of a vision transformer's parameters tell of it: see arch.h. */
#include "loaders/arch.h"

#include <math.h>
#include <stdio.h>

static int64_t dim_of(const struct fovea_arch_params *p, const char *name, int d) {
    return fovea_arch_param_dim(fovea_arch_params_find(p, "%s", name), d);
}

static bool has(const struct fovea_arch_params *p, const char *name) {
    return fovea_arch_params_find(p, "%s", name) != NULL;
}

/* Any of its parts will do: what is missing of it is told then. */
static bool has_block(const struct fovea_arch_params *p, int64_t i) {
    static const char *const parts[] = {"norm1", "attn.proj", "norm2", "mlp.fc2"};
    for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
        if (fovea_arch_params_find(p, "blocks.%lld.%s.weight", (long long)i, parts[k])) {
            return true;
        }
    }
    return false;
}

static enum fovea_status read_blocks(const struct fovea_arch_params *p, struct fovea_vit_config *c,
                                     struct fovea_error *err) {
    enum { MOST_BLOCKS = 1000 };
    while (c->depth <= MOST_BLOCKS && has_block(p, c->depth)) {
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

enum fovea_status fovea_vit_check_heads(const struct fovea_vit_config *c, struct fovea_error *err) {
    if (c->heads < 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "how many heads %lld features are divided into is not known: neither "
                          "tensors nor config.json say it (--heads N)",
                          (long long)c->width);
    }
    if (c->width % c->heads != 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "%lld features cannot be divided into %lld heads (--heads N says how "
                          "many there are)",
                          (long long)c->width, (long long)c->heads);
    }
    return FOVEA_OK;
}

/*
 * Where nothing says how many: 16 heads in the published widths of So400m, H,
 * g and G (arXiv 2106.04560, 2305.13035); in all others heads of 64 features.
 */
static int64_t usual_heads(int64_t width) {
    static const int64_t of_16[] = {1152, 1280, 1408, 1664};
    for (size_t i = 0; i < sizeof(of_16) / sizeof(of_16[0]); i++) {
        if (width == of_16[i]) {
            return 16;
        }
    }
    return width % 64 == 0 ? width / 64 : 0;
}

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
    } else if (c->heads == 0) {
        c->heads = usual_heads(c->width);
        c->heads_guessed = true;
    }
    return fovea_vit_check_heads(c, err);
}

/* The integer square root if it is one, else 0. */
static int64_t exact_root(int64_t n) {
    int64_t root = n > 0 ? (int64_t)(sqrt((double)n) + 0.5) : 0;
    return root * root == n ? root : 0;
}

static enum fovea_status check_patches(const struct fovea_vit_config *c, struct fovea_error *err) {
    if (c->grid_h < 1 || c->grid_w < 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "an input of %dx%d has no patch of %lld",
                          c->height, c->width_px, (long long)c->patch);
    }
    return FOVEA_OK;
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
    return check_patches(c, err);
}

/*
 * big_vision's "sincos2d" has no table in the checkpoint, and fits any grid;
 * the size that its networks are trained at, if none is asked for.
 */
static enum fovea_status choose_grid(const struct fovea_arch_hints *hints,
                                     struct fovea_vit_config *c, struct fovea_error *err) {
    enum { USUAL_SIDE = 224 };
    c->sincos = true;
    c->height = hints->height > 0 ? hints->height : USUAL_SIDE;
    c->width_px = hints->height > 0 ? hints->width : USUAL_SIDE;
    c->grid_h = c->height / c->patch;
    c->grid_w = c->width_px / c->patch;
    c->positions = c->grid_h * c->grid_w;
    if (c->width % 4 != 0 || c->width < 8) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "there are no position embeddings, and sines and cosines in their place "
                          "need a width that is a multiple of 4, not %lld",
                          (long long)c->width);
    }
    return check_patches(c, err);
}

/*
 * The grid of the position table, square, after the prefix if it has rows for
 * that; or that of the input size if there is no table.
 */
static enum fovea_status find_grid(const struct fovea_arch_params *p,
                                   const struct fovea_arch_hints *hints, struct fovea_vit_config *c,
                                   struct fovea_error *err) {
    const struct fovea_arch_param *table = fovea_arch_params_find(p, "pos_embed");
    if (!table && hints->sincos) {
        return choose_grid(hints, c, err);
    }
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
    bool both = c->class_token && dim_of(p, "head.weight", 1) == 2 * c->width;
    c->head = hints->head                                ? hints->head
              : c->classes > 0 && hints->classifier_head ? hints->classifier_head
              : map                                      ? FOVEA_HEAD_MAP
              : both                                     ? FOVEA_HEAD_TOKEN_GAP
              : c->class_token && !c->fc_norm            ? FOVEA_HEAD_TOKEN
                                                         : FOVEA_HEAD_GAP;
    c->pool_mlp = dim_of(p, "attn_pool.mlp.fc1.weight", 0);
    if (c->head == FOVEA_HEAD_MAP && (!map || c->pool_mlp < 1)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "head-type map, but there is no attention pool");
    }
    bool on_token = c->head == FOVEA_HEAD_TOKEN || c->head == FOVEA_HEAD_TOKEN_GAP;
    if (on_token && !c->class_token) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "head-type token, but there is no class token");
    }
    if (c->head == FOVEA_HEAD_TOKEN_GAP && c->fc_norm) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "head-type token+gap, but there is an fc_norm");
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
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "a ViT without a patch embedding (patch_embed.proj.weight)");
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

/* Empty where nothing in the network is one. */
static const char *gelu_words(const struct fovea_vit_config *c) {
    if (c->mlp_kind != FOVEA_MLP_GELU && c->head != FOVEA_HEAD_MAP) {
        return "";
    }
    return c->gelu_tanh ? " GELU by tanh," : " GELU by erf,";
}

void fovea_vit_describe(const struct fovea_vit_config *c, char *text, size_t size) {
    static const char *const heads[] = {
        [FOVEA_HEAD_TOKEN] = "head on the class token",
        [FOVEA_HEAD_GAP] = "head on the mean of tokens",
        [FOVEA_HEAD_MAP] = "MAP head",
        [FOVEA_HEAD_TOKEN_GAP] = "head on the class token and the mean of the others",
    };
    char grid[64] = "";
    bool aside = c->class_token && (c->head == FOVEA_HEAD_GAP || c->head == FOVEA_HEAD_MAP);
    if (c->table_side) {
        snprintf(grid, sizeof(grid), " (positions of %lldx%lld resampled as %s does)",
                 (long long)c->table_side, (long long)c->table_side,
                 fovea_positions_name(c->resampling));
    } else if (c->sincos) {
        snprintf(grid, sizeof(grid), " (positions by sines and cosines)");
    }
    snprintf(text, size,
             "ViT of %lld blocks, width %lld, MLP %lld%s, %lld heads of %lld%s, patch %lld, "
             "%lldx%lld tokens%s%s%s%s%s%s; %s;%s LayerNorm eps %g%s",
             (long long)c->depth, (long long)c->width, (long long)c->mlp,
             c->mlp_kind == FOVEA_MLP_GELU ? "" : " (SwiGLU)", (long long)c->heads,
             (long long)(c->width / c->heads),
             c->heads_guessed ? " (a guess by the width; else --heads)" : "", (long long)c->patch,
             (long long)c->grid_h, (long long)c->grid_w, grid, aside ? ", class token" : "",
             c->registers ? ", registers" : "", c->layer_scale ? ", layer scale" : "",
             c->qk_norm ? ", qk-norm" : "", c->pre_norm ? ", pre-norm" : "", heads[c->head],
             gelu_words(c), c->norm_eps,
             c->classes ? "" : "; no classifier, the outputs are features");
}
