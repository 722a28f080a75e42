/*
 * oneDNN behind one door: the same functions over its 2.x and 3.x APIs, its
 * C++ exceptions and status codes turned into Fovea errors.
 *
 * A primitive is made from a description of shapes and strides, then run on
 * pointers. Posts that no fast kernel of the installed version takes are done
 * in a pass of our own after it, so any combination runs. Its weights may be packed once into the
 * form it prefers, in memory of the caller's. Making and packing allocate; running allocates
 * nothing of ours, and a primitive may be run by several threads at once if each brings its own
 * scratch memory.
 */
#ifndef FOVEA_RUNTIME_DNN_H
#define FOVEA_RUNTIME_DNN_H

#include "runtime/engine.h"
#include "runtime/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

struct fovea_prim;

enum fovea_status fovea_dnn_create(struct fovea_dnn **out, struct fovea_error *err);
void fovea_dnn_destroy(struct fovea_dnn *dnn);

/* "2.6.3" */
const char *fovea_dnn_version(void);

/*
 * Whether oneDNN may use bf16 multiply-add instructions here (AVX512_BF16 or AMX). Without them a
 * primitive on bf16 operands still runs: it widens them in scratch memory and computes in f32.
 */
bool fovea_dnn_has_bf16(void);

/* Version, commit and threading runtime: what the forms it packs weights into may hang on. */
const char *fovea_dnn_build(void);

/* The instruction sets it uses on this CPU, with what ONEDNN_MAX_CPU_ISA leaves of them. */
const char *fovea_dnn_isa(void);

/* A strided view: strides in elements. dims as the primitive's description says. */
struct fovea_dnn_view {
    enum fovea_dtype dtype;
    int rank;
    int64_t dims[FOVEA_MAX_RANK];
    int64_t strides[FOVEA_MAX_RANK];
};

/* Dense row-major view of a value, or channels-last where its layout says so. */
void fovea_dnn_view_of(const struct fovea_value *value, struct fovea_dnn_view *view);

/* One more than an epilogue has: an operator may have an addition of its own. */
#define FOVEA_DNN_MAX_POSTS (FOVEA_MAX_EPILOGUE + 1)

/*
 * As struct fovea_epilogue_step, with the operand's view (rank of dst, 1 where
 * broadcast; f32 or bf16 whatever dst is). Posts are done in f32.
 */
struct fovea_dnn_post {
    enum fovea_epilogue_kind kind;
    enum fovea_act act;
    float alpha, beta, scale;
    struct fovea_dnn_view operand;
};

/* The epilogue of a node as posts against its output 0. */
enum fovea_status fovea_dnn_posts_of(const struct fovea_node *node,
                                     struct fovea_dnn_post posts[FOVEA_MAX_EPILOGUE], int *n_posts,
                                     struct fovea_error *err);

/*
 * Types of convolution and product: src f32 or bf16, dst of either type, sums
 * and bias in f32. Weights of any float type become src's when they are packed;
 * weights that are not packed have src's type or f32.
 *
 * Convolution (cross-correlation). src [N,C,spatial...], dst [N,O,spatial...],
 * weights plain [O, C/groups, kernel...], bias [O]; 1 to 3 spatial dims.
 */
struct fovea_dnn_conv {
    struct fovea_dnn_view src, dst;
    int64_t kernel[3], strides[3], dilations[3]; /* dilation 1 is dense */
    int64_t pads_before[3], pads_after[3];
    int64_t groups;
    enum fovea_dtype weights_dtype; /* as given; they are used in the type of src */
    bool bias;
    bool packed_weights; /* weights are constant: let oneDNN choose their form and pack once */
    struct fovea_dnn_post posts[FOVEA_DNN_MAX_POSTS];
    int n_posts;
};
enum fovea_status fovea_dnn_conv(struct fovea_dnn *dnn, const struct fovea_dnn_conv *desc,
                                 struct fovea_prim **out, struct fovea_error *err);

/*
 * dst[..., m, n] = src[..., m, k] * weights[..., k, n] (+ bias[n]). All of one
 * rank (2 to 6), batch dims broadcast where 1. Any strides with one of the
 * last two equal to 1.
 */
struct fovea_dnn_matmul {
    struct fovea_dnn_view src, weights, dst;
    float scale; /* of the product, before bias and posts; 1 for none */
    bool bias;
    bool packed_weights;
    struct fovea_dnn_post posts[FOVEA_DNN_MAX_POSTS];
    int n_posts;
};
enum fovea_status fovea_dnn_matmul(struct fovea_dnn *dnn, const struct fovea_dnn_matmul *desc,
                                   struct fovea_prim **out, struct fovea_error *err);

enum fovea_dnn_pool_kind {
    FOVEA_POOL_MAX,
    FOVEA_POOL_AVERAGE,            /* divides by the elements inside the image */
    FOVEA_POOL_AVERAGE_COUNT_PADS, /* divides by the window's size */
};
struct fovea_dnn_pool {
    enum fovea_dnn_pool_kind kind;
    struct fovea_dnn_view src, dst;
    int64_t kernel[3], strides[3], dilations[3], pads_before[3], pads_after[3];
};
enum fovea_status fovea_dnn_pool(struct fovea_dnn *dnn, const struct fovea_dnn_pool *desc,
                                 struct fovea_prim **out, struct fovea_error *err);

/* Copy between layouts; src and dst are both f32. */
enum fovea_status fovea_dnn_reorder(struct fovea_dnn *dnn, const struct fovea_dnn_view *src,
                                    const struct fovea_dnn_view *dst, struct fovea_prim **out,
                                    struct fovea_error *err);

/* Bytes a run needs besides its operands. */
size_t fovea_prim_scratch_bytes(const struct fovea_prim *prim);

/* Bytes that packed weights take; 0 if this primitive takes them as they are. */
size_t fovea_prim_packed_bytes(const struct fovea_prim *prim);

/*
 * The post, if any, whose operand dst may be written over: a run adds it from
 * dst, and copies it there first unless it already is there. -1: none.
 */
int fovea_prim_sum_post(const struct fovea_prim *prim);

/* Name of oneDNN's implementation, "brgconv:avx512_core". Lives as long as prim. */
const char *fovea_prim_implementation(const struct fovea_prim *prim);

/*
 * Tell the node of a primitive what running it takes: sets scratch_bytes and,
 * for weights that are input `weights`, packed_bytes, packed_form and
 * packed_input. An operator that needs more scratch adds to it.
 */
void fovea_prim_describe(const struct fovea_prim *prim, int weights, struct fovea_node *node);

/*
 * Write the packed form of plain weights (of the shape and type that the
 * primitive's description gives) to `out`: fovea_prim_packed_bytes, which must
 * not be 0, aligned to FOVEA_ALIGNMENT. Several threads may pack at once.
 */
enum fovea_status fovea_prim_pack(const struct fovea_prim *prim, const struct fovea_tensor *plain,
                                  void *out, struct fovea_error *err);

/* Operands of a run; unused ones NULL. */
struct fovea_prim_args {
    const void *src;
    const void *weights; /* packed if packed_bytes says so, else plain */
    const void *bias;    /* f32 [O] or [n] */
    void *dst;
    const void *posts[FOVEA_DNN_MAX_POSTS]; /* operand of post i, NULL for ACT */
    void *scratch;
};

/* dst, scratch, packed weights and the epilogue's operands as the node has them; the rest NULL. */
void fovea_prim_args_of(const struct fovea_node *node, void *scratch, struct fovea_prim_args *args);

enum fovea_status fovea_prim_run(const struct fovea_prim *prim, const struct fovea_prim_args *args,
                                 struct fovea_error *err);
void fovea_prim_destroy(struct fovea_prim *prim);

#ifdef __cplusplus
}
#endif

#endif
