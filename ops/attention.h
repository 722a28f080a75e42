/*
 * Scaled dot-product attention, for the operators that are made of it.
 *
 * ONNX's Attention (opset 23) and our own, which a pass makes of what exporters
 * write (runtime/pass_attention.c):
 *
 * "fovea".Attention   y = softmax(scale q k^T + mask) v, for every batch and head
 *
 *   inputs   q, k, v, mask (optional), all f32; of any shape, for they are only
 *            memory that the attributes describe; often one packed projection
 *   dims     [batch, heads, q_tokens, kv_tokens, head_dim, value_dim]
 *   q, k, v  [offset, batch, head, token, channel]: where to begin in the input,
 *            then strides, in elements; 0 along an axis that is repeated or of
 *            size 1. Tokens and channels do not overlap, and one of the two
 *            strides is 1
 *   mask     [offset, batch, head, q_token, kv_token], where there is a mask
 *   shape    of the output
 *   out      [batch, head, token] strides of the output, which is filled
 *            exactly; channels are neighbours
 *   scale    of the product, before the mask is added
 *
 * q, k and v may lie in memory as bf16 (all three), and so may y: scores and
 * softmax are f32 even so, its result is rounded to bf16 for the second product.
 *
 * A query left without keys (a row of masks at -inf) gives NaN, as softmax over
 * nothing does.
 */
#ifndef FOVEA_OPS_ATTENTION_H
#define FOVEA_OPS_ATTENTION_H

#include "runtime/op.h"

struct fovea_prim;

/* Where the elements of an operand are: an offset, then strides, in elements. */
struct fovea_attention_view {
    int64_t offset, batch, head, token, channel;
};

enum fovea_attention_stage {
    FOVEA_ATTENTION_PRODUCT, /* scale q k^T */
    FOVEA_ATTENTION_MASKED,  /* plus mask */
    FOVEA_ATTENTION_CAPPED,  /* capped, plus mask */
    FOVEA_ATTENTION_WEIGHTS, /* after softmax */
};

/* What to compute: set by infer. Then the means: set by fovea_attention_prepare. */
struct fovea_attention {
    int64_t batch, heads, kv_heads; /* consecutive heads share one of k and v */
    int64_t q_len, kv_len, head_dim, v_head_dim;
    struct fovea_attention_view q, k, v, y;
    struct fovea_attention_view mask; /* token is the query, channel the key */
    bool masked, mask_is_bool;        /* bool: false is "not this key" */
    bool causal;                      /* query i sees keys up to past + i */
    int64_t past;
    float scale;
    float softcap; /* 0: none; else scores become softcap * tanh(score / softcap) before the mask */
    enum fovea_attention_stage stage; /* what `scores` of the operands receives */

    int64_t rows, last_rows, blocks; /* query rows at a time; in the last block; blocks a head */
    int64_t score_stride;            /* elements from one row of scores to the next */
    bool bf16, y_bf16;               /* q, k and v are bf16 in memory; y is */
    bool pack_k, pack_v;             /* each head's keys and values are copied before its blocks */
    size_t thread_scratch, prim_scratch;
    int threads;
    struct fovea_prim *qk[2], *pv[2]; /* for a full block and for the last one */
};

struct fovea_attention_operands {
    const void *q, *k, *v; /* f32, or bf16 */
    const void *mask;
    void *y;
    float *scores; /* dense [batch, heads, q_len, kv_len], or NULL; not with bf16 */
};

/* `bf16` and `y_bf16` are set. Bytes of scratch that a run needs go to *scratch_bytes. */
enum fovea_status fovea_attention_prepare(struct fovea_attention *a, struct fovea_engine *engine,
                                          size_t *scratch_bytes, struct fovea_error *err);
enum fovea_status fovea_attention_run(const struct fovea_attention *a,
                                      const struct fovea_attention_operands *operands,
                                      void *scratch, struct fovea_error *err);
void fovea_attention_release(struct fovea_attention *a);

/* Of both products, keys that a causal mask hides included. */
int64_t fovea_attention_macs(const struct fovea_attention *a);

#endif
