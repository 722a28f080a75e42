/*
 * How published checkpoints name their tensors. What a table does not rename
 * keeps its name, so timm's, whose names the builders use, are almost empty.
 */
#include "loaders/arch_tables.h"

const char *const fovea_arch_prefixes[] = {
    "module.",       /* torch's DataParallel */
    "_orig_mod.",    /* torch.compile */
    "visual.trunk.", /* OpenCLIP with a tower of timm's */
    "model.",        /* trainers that wrap the network */
    "opt/target/",   /* old optimizers of flax, around the parameters */
    "params/",       /* flax */
    "img/",          /* SigLIP's image tower */
    NULL,
};

#define SAME(from, to)                                                                             \
    { from, to, FOVEA_SHAPE_SAME }
#define IGNORED(from)                                                                              \
    { from, "", FOVEA_SHAPE_IGNORED }

/* ---- timm ---------------------------------------------------------------------- */

static const struct fovea_arch_row timm_nfnet[] = {{0}};
static const char *const timm_nfnet_names[] = {"stem.conv#.*",
                                               "stages.#.#.conv#.*",
                                               "stages.#.#.conv2b.*",
                                               "stages.#.#.skipinit_gain",
                                               "stages.#.#.attn_last.*",
                                               "stages.#.#.downsample.*",
                                               "final_conv.*",
                                               "head.fc.*",
                                               NULL};
static const char *const timm_vit_names[] = {
    "cls_token",        "pos_embed",        "patch_embed.proj.*",
    "blocks.#.norm1.*", "blocks.#.norm2.*", "blocks.#.attn.*",
    "blocks.#.mlp.*",   "norm.*",           "fc_norm.*",
    "attn_pool.*",      "head.*",           NULL};

static const struct fovea_arch_row timm_vit[] = {
    SAME("register_tokens", "reg_token"), /* DINOv2's own repository */
    IGNORED("mask_token"),
    {0},
};

/* ---- Hugging Face transformers --------------------------------------------------- */

#define TORCH(from, to) SAME(from ".weight", to ".weight"), SAME(from ".bias", to ".bias")

static const struct fovea_arch_row hf_vit[] = {
    SAME("vit.embeddings.cls_token", "cls_token"),
    SAME("vit.embeddings.position_embeddings", "pos_embed"),
    IGNORED("vit.embeddings.mask_token"),
    TORCH("vit.embeddings.patch_embeddings.projection", "patch_embed.proj"),
    /* Up to version 4. */
    TORCH("vit.encoder.layer.#.layernorm_before", "blocks.#.norm1"),
    TORCH("vit.encoder.layer.#.layernorm_after", "blocks.#.norm2"),
    TORCH("vit.encoder.layer.#.attention.attention.query", "blocks.#.attn.q"),
    TORCH("vit.encoder.layer.#.attention.attention.key", "blocks.#.attn.k"),
    TORCH("vit.encoder.layer.#.attention.attention.value", "blocks.#.attn.v"),
    TORCH("vit.encoder.layer.#.attention.output.dense", "blocks.#.attn.proj"),
    TORCH("vit.encoder.layer.#.intermediate.dense", "blocks.#.mlp.fc1"),
    TORCH("vit.encoder.layer.#.output.dense", "blocks.#.mlp.fc2"),
    /* From version 5 on. */
    TORCH("vit.layers.#.layernorm_before", "blocks.#.norm1"),
    TORCH("vit.layers.#.layernorm_after", "blocks.#.norm2"),
    TORCH("vit.layers.#.attention.q_proj", "blocks.#.attn.q"),
    TORCH("vit.layers.#.attention.k_proj", "blocks.#.attn.k"),
    TORCH("vit.layers.#.attention.v_proj", "blocks.#.attn.v"),
    TORCH("vit.layers.#.attention.o_proj", "blocks.#.attn.proj"),
    TORCH("vit.layers.#.mlp.fc1", "blocks.#.mlp.fc1"),
    TORCH("vit.layers.#.mlp.fc2", "blocks.#.mlp.fc2"),
    TORCH("vit.layernorm", "norm"),
    IGNORED("vit.pooler.*"),
    TORCH("classifier", "head"),
    {0},
};

/* DINOv2, and its variant with registers, whose modules have another prefix. */
#define HF_DINOV2(dino)                                                                            \
    SAME(dino ".embeddings.cls_token", "cls_token"),                                               \
        SAME(dino ".embeddings.register_tokens", "reg_token"),                                     \
        SAME(dino ".embeddings.position_embeddings", "pos_embed"),                                 \
        IGNORED(dino ".embeddings.mask_token"),                                                    \
        TORCH(dino ".embeddings.patch_embeddings.projection", "patch_embed.proj"),                 \
        TORCH(dino ".encoder.layer.#.norm1", "blocks.#.norm1"),                                    \
        TORCH(dino ".encoder.layer.#.norm2", "blocks.#.norm2"),                                    \
        TORCH(dino ".encoder.layer.#.attention.attention.query", "blocks.#.attn.q"),               \
        TORCH(dino ".encoder.layer.#.attention.attention.key", "blocks.#.attn.k"),                 \
        TORCH(dino ".encoder.layer.#.attention.attention.value", "blocks.#.attn.v"),               \
        TORCH(dino ".encoder.layer.#.attention.output.dense", "blocks.#.attn.proj"),               \
        TORCH(dino ".encoder.layer.#.attention.q_proj", "blocks.#.attn.q"), /* from version 5 */   \
        TORCH(dino ".encoder.layer.#.attention.k_proj", "blocks.#.attn.k"),                        \
        TORCH(dino ".encoder.layer.#.attention.v_proj", "blocks.#.attn.v"),                        \
        TORCH(dino ".encoder.layer.#.attention.o_proj", "blocks.#.attn.proj"),                     \
        SAME(dino ".encoder.layer.#.layer_scale1.lambda1", "blocks.#.ls1.gamma"),                  \
        SAME(dino ".encoder.layer.#.layer_scale2.lambda1", "blocks.#.ls2.gamma"),                  \
        TORCH(dino ".encoder.layer.#.mlp.fc1", "blocks.#.mlp.fc1"),                                \
        TORCH(dino ".encoder.layer.#.mlp.fc2", "blocks.#.mlp.fc2"),                                \
        TORCH(dino ".encoder.layer.#.mlp.weights_in", "blocks.#.mlp.w12"),                         \
        TORCH(dino ".encoder.layer.#.mlp.weights_out", "blocks.#.mlp.w3"),                         \
        TORCH(dino ".layernorm", "norm"), TORCH("classifier", "head"), {                           \
        0                                                                                          \
    }

static const struct fovea_arch_row hf_dinov2[] = {HF_DINOV2("dinov2")};
static const struct fovea_arch_row hf_dinov2_registers[] = {HF_DINOV2("dinov2_with_registers")};

static const struct fovea_arch_row hf_siglip[] = {
    TORCH("vision_model.embeddings.patch_embedding", "patch_embed.proj"),
    SAME("vision_model.embeddings.position_embedding.weight", "pos_embed"),
    IGNORED("vision_model.embeddings.position_ids"),
    TORCH("vision_model.encoder.layers.#.layer_norm1", "blocks.#.norm1"),
    TORCH("vision_model.encoder.layers.#.layer_norm2", "blocks.#.norm2"),
    TORCH("vision_model.encoder.layers.#.self_attn.q_proj", "blocks.#.attn.q"),
    TORCH("vision_model.encoder.layers.#.self_attn.k_proj", "blocks.#.attn.k"),
    TORCH("vision_model.encoder.layers.#.self_attn.v_proj", "blocks.#.attn.v"),
    TORCH("vision_model.encoder.layers.#.self_attn.out_proj", "blocks.#.attn.proj"),
    TORCH("vision_model.encoder.layers.#.mlp.fc1", "blocks.#.mlp.fc1"),
    TORCH("vision_model.encoder.layers.#.mlp.fc2", "blocks.#.mlp.fc2"),
    TORCH("vision_model.post_layernorm", "norm"),
    SAME("vision_model.head.probe", "attn_pool.latent"),
    SAME("vision_model.head.attention.in_proj_weight", "attn_pool.qkv.weight"),
    SAME("vision_model.head.attention.in_proj_bias", "attn_pool.qkv.bias"),
    TORCH("vision_model.head.attention.out_proj", "attn_pool.proj"),
    TORCH("vision_model.head.layernorm", "attn_pool.norm"),
    TORCH("vision_model.head.mlp.fc1", "attn_pool.mlp.fc1"),
    TORCH("vision_model.head.mlp.fc2", "attn_pool.mlp.fc2"),
    TORCH("classifier", "head"),
    IGNORED("text_model.*"),
    IGNORED("logit_scale"),
    IGNORED("logit_bias"),
    {0},
};

/* ---- torchvision's VisionTransformer, with torch's own names of attention ------------ */

#define TORCHVISION_BLOCK "encoder.layers.encoder_layer_#"

static const struct fovea_arch_row torchvision_vit[] = {
    SAME("class_token", "cls_token"),
    SAME("encoder.pos_embedding", "pos_embed"),
    TORCH("conv_proj", "patch_embed.proj"),
    TORCH(TORCHVISION_BLOCK ".ln_1", "blocks.#.norm1"),
    TORCH(TORCHVISION_BLOCK ".ln_2", "blocks.#.norm2"),
    SAME(TORCHVISION_BLOCK ".self_attention.in_proj_weight", "blocks.#.attn.qkv.weight"),
    SAME(TORCHVISION_BLOCK ".self_attention.in_proj_bias", "blocks.#.attn.qkv.bias"),
    TORCH(TORCHVISION_BLOCK ".self_attention.out_proj", "blocks.#.attn.proj"),
    TORCH(TORCHVISION_BLOCK ".mlp.0", "blocks.#.mlp.fc1"),
    TORCH(TORCHVISION_BLOCK ".mlp.3", "blocks.#.mlp.fc2"),
    TORCH(TORCHVISION_BLOCK ".mlp.linear_1", "blocks.#.mlp.fc1"), /* before 0.13 */
    TORCH(TORCHVISION_BLOCK ".mlp.linear_2", "blocks.#.mlp.fc2"),
    TORCH("encoder.ln", "norm"),
    TORCH("heads.head", "head"),
    TORCH("heads", "head"), /* a layer put in place of the whole head */
    {0},
};

/* ---- DeepMind's NFNets: haiku's names of modules, a slash, the parameter's ---------- */

#define WS_CONV(from, to)                                                                          \
    {from "/w", to ".weight", FOVEA_SHAPE_HWIO}, SAME(from "/gain", to ".gain"),                   \
        SAME(from "/bias", to ".bias")
#define HAIKU_LINEAR(from, to)                                                                     \
    {from "/w", to ".weight", FOVEA_SHAPE_IN_OUT}, SAME(from "/b", to ".bias")

static const struct fovea_arch_row haiku_nfnet[] = {
    WS_CONV("NFNet/~/stem_conv0", "stem.conv1"),
    WS_CONV("NFNet/~/stem_conv1", "stem.conv2"),
    WS_CONV("NFNet/~/stem_conv2", "stem.conv3"),
    WS_CONV("NFNet/~/stem_conv3", "stem.conv4"),
    SAME("NFNet/~/nf_block$/skip_gain", "stages.#.#.skipinit_gain"),
    WS_CONV("NFNet/~/nf_block$/~/conv0", "stages.#.#.conv1"),
    WS_CONV("NFNet/~/nf_block$/~/conv1", "stages.#.#.conv2"),
    WS_CONV("NFNet/~/nf_block$/~/conv1b", "stages.#.#.conv2b"),
    WS_CONV("NFNet/~/nf_block$/~/conv2", "stages.#.#.conv3"),
    WS_CONV("NFNet/~/nf_block$/~/conv_shortcut", "stages.#.#.downsample.conv"),
    HAIKU_LINEAR("NFNet/~/nf_block$/~/squeeze_excite/~/linear", "stages.#.#.attn_last.fc1"),
    HAIKU_LINEAR("NFNet/~/nf_block$/~/squeeze_excite/~/linear_1", "stages.#.#.attn_last.fc2"),
    WS_CONV("NFNet/~/final_conv", "final_conv"),
    HAIKU_LINEAR("NFNet/~/linear", "head.fc"),
    {0},
};

/* ---- big_vision, and google-research/vision_transformer before it ---------------------- */

#define SCALED(from, to) SAME(from "/scale", to ".weight"), SAME(from "/bias", to ".bias")
#define DENSE(from, to)                                                                            \
    {from "/kernel", to ".weight", FOVEA_SHAPE_IN_OUT}, SAME(from "/bias", to ".bias")
#define HEADS(from, to)                                                                            \
    {from "/kernel", to ".weight", FOVEA_SHAPE_HEADS_IN}, {                                        \
        from "/bias", to ".bias", FOVEA_SHAPE_HEADS                                                \
    }
#define ATTENTION(from, to)                                                                        \
    HEADS(from "/query", to ".q"), HEADS(from "/key", to ".k"), HEADS(from "/value", to ".v"),     \
        {from "/out/kernel", to ".proj.weight", FOVEA_SHAPE_HEADS_OUT},                            \
        SAME(from "/out/bias", to ".proj.bias")
/* A block in the names of today, and in older ones, which counted all modules as one. */
#define BLOCK(from)                                                                                \
    SCALED(from "/LayerNorm_0", "blocks.#.norm1"), SCALED(from "/LayerNorm_1", "blocks.#.norm2"),  \
        SCALED(from "/LayerNorm_2", "blocks.#.norm2"),                                             \
        ATTENTION(from "/MultiHeadDotProductAttention_0", "blocks.#.attn"),                        \
        ATTENTION(from "/MultiHeadDotProductAttention_1", "blocks.#.attn"),                        \
        DENSE(from "/MlpBlock_0/Dense_0", "blocks.#.mlp.fc1"),                                     \
        DENSE(from "/MlpBlock_0/Dense_1", "blocks.#.mlp.fc2"),                                     \
        DENSE(from "/MlpBlock_3/Dense_0", "blocks.#.mlp.fc1"),                                     \
        DENSE(from "/MlpBlock_3/Dense_1", "blocks.#.mlp.fc2")

static const struct fovea_arch_row big_vision_vit[] = {
    {"embedding/kernel", "patch_embed.proj.weight", FOVEA_SHAPE_HWIO},
    SAME("embedding/bias", "patch_embed.proj.bias"),
    SAME("cls", "cls_token"),
    SAME("pos_embedding", "pos_embed"),
    SAME("Transformer/pos_embedding", "pos_embed"),
    SAME("Transformer/posembed_input/pos_embedding", "pos_embed"),
    BLOCK("Transformer/encoderblock_#"),
    BLOCK("Transformer/encoderblock"), /* all blocks stacked, from jax.lax.scan */
    SCALED("Transformer/encoder_norm", "norm"),
    SAME("MAPHead_0/probe", "attn_pool.latent"),
    ATTENTION("MAPHead_0/MultiHeadDotProductAttention_0", "attn_pool"),
    SCALED("MAPHead_0/LayerNorm_0", "attn_pool.norm"),
    DENSE("MAPHead_0/MlpBlock_0/Dense_0", "attn_pool.mlp.fc1"),
    DENSE("MAPHead_0/MlpBlock_0/Dense_1", "attn_pool.mlp.fc2"),
    DENSE("pre_logits", "pre_logits"),
    DENSE("head", "head"),
    {0},
};

/* ---- all ------------------------------------------------------------------------------ */

const struct fovea_arch_flavour fovea_arch_flavours[] = {
    {.name = "DeepMind NFNet (haiku)",
     .marker = "NFNet/~/stem_conv0/w",
     .family = FOVEA_FAMILY_NFNET,
     .rows = haiku_nfnet,
     .preset = "deepmind",
     .hints = {.ws = FOVEA_WS_DEEPMIND, .gelu_tanh = FOVEA_YES}},
    {.name = "timm NFNet",
     .marker = "stem.conv4.gain",
     .family = FOVEA_FAMILY_NFNET,
     .rows = timm_nfnet,
     .names = timm_nfnet_names,
     .hints = {.ws = FOVEA_WS_TIMM, .gelu_tanh = FOVEA_NO}},
    {.name = "timm ViT",
     .marker = "blocks.0.attn.qkv.weight",
     .family = FOVEA_FAMILY_VIT,
     .rows = timm_vit,
     .names = timm_vit_names,
     .hints = {.gelu_tanh = FOVEA_NO, .positions = FOVEA_POSITIONS_TIMM}},
    {.name = "Hugging Face ViT",
     .marker = "vit.embeddings.patch_embeddings.projection.weight",
     .family = FOVEA_FAMILY_VIT,
     .rows = hf_vit,
     .hints = {.gelu_tanh = FOVEA_NO,
               .norm_eps = 1e-12,
               .head = FOVEA_HEAD_TOKEN,
               .positions = FOVEA_POSITIONS_HF}},
    {.name = "Hugging Face DINOv2",
     .marker = "dinov2.embeddings.patch_embeddings.projection.weight",
     .family = FOVEA_FAMILY_VIT,
     .rows = hf_dinov2,
     .hints = {.gelu_tanh = FOVEA_NO, .norm_eps = 1e-6, .positions = FOVEA_POSITIONS_HF}},
    /* The one class of transformers that resamples with antialiasing. */
    {.name = "Hugging Face DINOv2 with registers",
     .marker = "dinov2_with_registers.embeddings.patch_embeddings.projection.weight",
     .family = FOVEA_FAMILY_VIT,
     .rows = hf_dinov2_registers,
     .hints = {.gelu_tanh = FOVEA_NO, .norm_eps = 1e-6, .positions = FOVEA_POSITIONS_TIMM}},
    {.name = "torchvision ViT",
     .marker = "encoder.layers.encoder_layer_0.self_attention.in_proj_weight",
     .family = FOVEA_FAMILY_VIT,
     .rows = torchvision_vit,
     .preset = "torchvision",
     .hints = {.gelu_tanh = FOVEA_NO, .norm_eps = 1e-6, .positions = FOVEA_POSITIONS_HF}},
    {.name = "Hugging Face SigLIP",
     .marker = "vision_model.embeddings.patch_embedding.weight",
     .family = FOVEA_FAMILY_VIT,
     .rows = hf_siglip,
     /* SiglipForImageClassification passes over the MAP head, whose tensors are there even so. */
     .hints = {.gelu_tanh = FOVEA_YES,
               .classifier_head = FOVEA_HEAD_GAP,
               .norm_eps = 1e-6,
               .positions = FOVEA_POSITIONS_HF}},
    {.name = "big_vision ViT",
     .marker = "embedding/kernel",
     .family = FOVEA_FAMILY_VIT,
     .rows = big_vision_vit,
     .preset = "big-vision",
     .hints = {.gelu_tanh = FOVEA_YES, .sincos = true, .positions = FOVEA_POSITIONS_BIG_VISION}},
    {0},
};
