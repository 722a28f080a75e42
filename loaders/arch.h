/*
 * Networks known by their architecture: graphs built from a checkpoint's
 * tensors, or from a name with made-up weights.
 *
 *     tensors --flavour--> parameters --family: config, build--> graph
 *
 * A flavour (arch_flavour.h) is a table that gives the tensors of one code
 * base the names builders use. A family has one file (arch_nfnet.c,
 * arch_vit.c): what its networks can be, read from the shapes of parameters,
 * and how they compute. Constants and their sources: the papers and code that
 * the comments in those files name.
 */
#ifndef FOVEA_LOADERS_ARCH_H
#define FOVEA_LOADERS_ARCH_H

#include "loaders/arch_builder.h"
#include "loaders/positions.h"

enum fovea_arch_family { FOVEA_FAMILY_NFNET, FOVEA_FAMILY_VIT };

/* Three answers: what a flavour, a configuration or an option leaves open is decided by another. */
enum fovea_choice { FOVEA_OPEN, FOVEA_NO, FOVEA_YES };

/* Weight standardisation divides by sqrt(max(var fan_in, 1e-4)), or by sqrt(fan_in (var + 1e-5)).
 */
enum fovea_ws_rule { FOVEA_WS_OPEN, FOVEA_WS_DEEPMIND, FOVEA_WS_TIMM, FOVEA_N_WS_RULES };

enum fovea_head {
    FOVEA_HEAD_OPEN,
    FOVEA_HEAD_TOKEN,
    FOVEA_HEAD_GAP,
    FOVEA_HEAD_MAP,
    FOVEA_HEAD_TOKEN_GAP, /* class token and mean of the image's tokens, one after the other */
    FOVEA_N_HEADS
};

/*
 * What shapes do not tell. Sources, from the least to the most binding: the
 * flavour, the configuration beside the checkpoint, the command line.
 */
struct fovea_arch_hints {
    int height, width; /* of the input; 0: not said */
    int heads;         /* 0: not said */
    enum fovea_ws_rule ws;
    enum fovea_choice gelu_tanh;
    enum fovea_choice gamma_in_weights; /* NFNet: timm's nfnet_*, not dm_nfnet_* */
    enum fovea_head head;
    enum fovea_head classifier_head; /* of what has a classifier, where `head` is not said */
    double norm_eps;                 /* of LayerNorm; 0: not said */
    bool sincos; /* a checkpoint without a table of positions has sines and cosines */
    bool resize; /* the size is asked for: position embeddings are resampled to it */
    enum fovea_positions_rule positions; /* how that is done */
};

#define FOVEA_NFNET_STAGES 4

struct fovea_nfnet_stage {
    int depth;
    int64_t out, mid, groups, squeezed; /* channels; of the squeeze-and-excitation's middle */
};

struct fovea_nfnet_config {
    int64_t stem[4];
    struct fovea_nfnet_stage stages[FOVEA_NFNET_STAGES];
    int64_t final, classes;
    enum fovea_ws_rule ws;
    bool gelu_tanh;
    bool gamma_in_weights;
    bool skip_gain;    /* SkipInit: a learned scalar a block */
    bool same_padding; /* TensorFlow's SAME, else symmetric */
    int height, width;
};

enum fovea_vit_mlp {
    FOVEA_MLP_GELU,
    FOVEA_MLP_SWIGLU_PARTS,  /* timm: fc1_g, fc1_x */
    FOVEA_MLP_SWIGLU_PACKED, /* DINOv2: w12, w3 */
};

struct fovea_vit_config {
    int64_t patch, width, depth, mlp, heads, classes;
    int64_t grid_h, grid_w; /* of the tokens of the input */
    int64_t prefix;         /* tokens before the image's: class token, registers */
    int64_t registers;
    int64_t positions;  /* rows of the position table, the prefix's among them if it has any */
    int64_t table_side; /* of the square grid in that table; 0: it is for the grid above */
    enum fovea_positions_rule resampling;
    int64_t pre_logits; /* width of a tanh layer before the head; 0: none */
    int64_t pool_mlp;   /* hidden width in the MAP head */
    bool class_token, patch_bias, qkv_bias, pre_norm, final_norm, fc_norm, layer_scale, qk_norm;
    bool gelu_tanh;
    bool heads_guessed; /* by the width: nothing says how many there are */
    bool sincos;        /* positions are sines and cosines of places, not a table */
    enum fovea_vit_mlp mlp_kind;
    enum fovea_head head;
    double norm_eps;
    int height, width_px; /* of the input */
};

/*
 * Read the configuration from the parameters' shapes and the hints.
 * FOVEA_ERR_INVALID if shapes contradict each other or the hints, or what they
 * leave open is not said.
 */
enum fovea_status fovea_nfnet_configure(const struct fovea_arch_params *params,
                                        const struct fovea_arch_hints *hints,
                                        struct fovea_nfnet_config *out, struct fovea_error *err);
enum fovea_status fovea_vit_configure(const struct fovea_arch_params *params,
                                      const struct fovea_arch_hints *hints,
                                      struct fovea_vit_config *out, struct fovea_error *err);

/* FOVEA_ERR_INVALID if the heads do not divide the width. */
enum fovea_status fovea_vit_check_heads(const struct fovea_vit_config *config,
                                        struct fovea_error *err);

/* Build the graph into b->model. The outcome is b->status. */
void fovea_nfnet_build(struct fovea_arch_builder *b, const struct fovea_nfnet_config *config);
void fovea_vit_build(struct fovea_arch_builder *b, const struct fovea_vit_config *config);

/*
 * The position table [1, positions, width] of a network, resampled if it is
 * for another grid, or computed; *before of its rows are not for the image's
 * tokens. What is not the checkpoint's own has its contents only after
 * fovea_arch_positions_fill: that is work for a checkpoint that fits.
 */
struct fovea_value *fovea_arch_positions(struct fovea_arch_builder *b,
                                         const struct fovea_vit_config *config, int64_t *before);
enum fovea_status fovea_arch_positions_fill(struct fovea_arch_builder *b,
                                            const struct fovea_vit_config *config);

/* The flavour in words: "NFNet, 1-2-6-3 blocks, DeepMind's weight standardisation, GELU by tanh".
 */
void fovea_nfnet_describe(const struct fovea_nfnet_config *config, char *text, size_t size);
void fovea_vit_describe(const struct fovea_vit_config *config, char *text, size_t size);

/* ---- loading ------------------------------------------------------------------- */

/* Whether a model's name is one of a network to be made up: "arch:nfnet-f0@480". */
bool fovea_arch_is_name(const char *path);

/*
 * Load a checkpoint (a file, or a folder), or make up a network by name. What
 * was understood is in the model's metadata, under the keys below.
 *
 * FOVEA_ERR_UNSUPPORTED for a checkpoint of no known architecture;
 * FOVEA_ERR_INVALID if its tensors are not that network's (the message counts
 * them, options->explain is told each), or for a name or an option that is none.
 */
enum fovea_status fovea_arch_load(const char *path, const struct fovea_load_options *options,
                                  struct fovea_model **out, struct fovea_error *err);

/*
 * The same from `file`, a checkpoint that is one file, which is taken, also on
 * failure: the model is called `name` in messages and has no folder.
 */
enum fovea_status fovea_arch_read(const char *name, struct fovea_mapping *file,
                                  const struct fovea_load_options *options,
                                  struct fovea_model **out, struct fovea_error *err);

/* The file beside a checkpoint that says what its tensors do not. */
#define FOVEA_ARCH_CONFIG "config.json"

/* Metadata keys: the architecture in words, and where it was found to be that. */
#define FOVEA_ARCH_KEY "fovea.architecture"
#define FOVEA_ARCH_ORIGIN_KEY "fovea.origin"

#endif
