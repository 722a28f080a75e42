/*
 * What the files behind dnn.h share: the structs, the guard that turns
 * exceptions into errors, and the few functions that differ between oneDNN
 * 2.x and 3.x (dnn_api.cpp). Includes oneDNN's header; included by dnn*.cpp
 * only.
 */
#ifndef FOVEA_RUNTIME_DNN_IMPL_HPP
#define FOVEA_RUNTIME_DNN_IMPL_HPP

#include <cstdlib>
#include <memory>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <vector>

/* Headers of the C side that do not say so themselves. */
extern "C" {
#include "runtime/hash.h"
#include "runtime/op.h"
#include "runtime/parallel.h"
}

#include "runtime/dnn.h"

struct fovea_dnn {
    dnnl::engine engine;
    dnnl::stream stream; /* in order and synchronous on CPUs, so threads may share it */
};

namespace fovea {

struct freed {
    void operator()(void *p) const {
        std::free(p);
    }
};

/* Where a run finds its weights. */
enum class weights {
    none,     /* the primitive has none */
    direct,   /* args->weights is in the primitive's form */
    packed,   /* args->weights is what fovea_prim_pack made */
    repacked, /* brought into that form in scratch memory by every run */
};

/* An operand that a run copies to scratch memory as dense f32, for want of bf16 instructions. */
struct widened {
    bool on = false;
    struct fovea_dnn_view view {}; /* the caller's */
    struct fovea_dnn_view dense {};
    size_t at = 0; /* in scratch */
};

} // namespace fovea

struct fovea_prim {
    const struct fovea_dnn *dnn = nullptr;
    dnnl::primitive
        primitive; /* empty if there is nothing to reduce over: dst is bias, then posts */
    std::string implementation;
    dnnl::memory::desc src, weights, bias, dst, scratchpad;
    int bias_arg = DNNL_ARG_BIAS;
    struct fovea_dnn_view dst_view {};
    int bias_dim = 0; /* the dimension of dst that bias runs along: its channels */
    bool has_bias = false;

    fovea::weights weights_from = fovea::weights::none;
    dnnl::memory::desc plain_weights;
    dnnl::reorder pack; /* from plain_weights to weights */
    dnnl::memory::desc pack_scratchpad;
    uint64_t packed_form = 0; /* as in runtime/graph.h */

    enum fovea_dtype plain_dtype = FOVEA_F32; /* of weights as given */
    bool rounded_weights = false;             /* f32 of the values they have in bf16 */
    fovea::widened wide_src, wide_weights, wide_dst;

    size_t scratchpad_bytes = 0; /* multiple of FOVEA_ALIGNMENT; repacked weights follow it */
    size_t scratch_bytes = 0;

    /* Posts [0, n_fused) are in the primitive, the rest are done after it. */
    struct fovea_dnn_post posts[FOVEA_DNN_MAX_POSTS];
    dnnl::memory::desc post_descs[FOVEA_DNN_MAX_POSTS];
    int post_args[FOVEA_DNN_MAX_POSTS];
    int n_posts = 0, n_fused = 0;
    int sum_post = -1; /* the post whose operand is added from dst itself */
};

namespace fovea {

/* Run `body`; an exception becomes a status, and `what` says what was tried. */
template <typename Body>
enum fovea_status guarded(struct fovea_error *err, const char *what, Body body) {
    try {
        return body();
    } catch (const std::bad_alloc &) {
        return fovea_fail(err, FOVEA_ERR_MEMORY, "out of memory in oneDNN: %s", what);
    } catch (const dnnl::error &e) {
        enum fovea_status status =
            e.status == dnnl_out_of_memory ? FOVEA_ERR_MEMORY : FOVEA_ERR_BACKEND;
        return fovea_fail(err, status, "oneDNN: %s: %s (status %d)", what, e.message,
                          (int)e.status);
    } catch (...) {
        return fovea_fail(err, FOVEA_ERR_BACKEND, "oneDNN: %s: unknown exception", what);
    }
}

/* These throw dnnl::error for a type oneDNN lacks. */
dnnl::memory::data_type type_of(enum fovea_dtype dtype);
dnnl::memory::desc desc_of(const struct fovea_dnn_view &view);

/*
 * The view with strides of dimensions of 1, which mean nothing, as oneDNN expects them of a dense
 * matrix; its checks compare them.
 */
struct fovea_dnn_view tidy_view(const struct fovea_dnn_view &view);

bool is_empty(const struct fovea_dnn_view &view);

/* oneDNN's portable reference code: correct, and a hundred times too slow. */
bool is_reference(const char *implementation);

/* Copy posts into the prim, checked against prim->dst_view. */
enum fovea_status take_posts(struct fovea_prim *prim, const struct fovea_dnn_post *posts,
                             int n_posts, struct fovea_error *err);

/* How many of the prim's posts, from the first, oneDNN may be given; `emulated`: only f32 ones. */
int fusable_posts(const struct fovea_prim *prim, bool emulated);

/*
 * Posts [0, n_fused) of the prim as oneDNN's, after what `ops` already has;
 * notes the argument of each operand in prim. With `sum` the first addition of
 * an operand laid out as dst is oneDNN's sum: the operand is in dst beforehand.
 */
void append_posts(struct fovea_prim *prim, int n_fused, bool sum, dnnl::post_ops &ops);

/* Bring the operand of sum_post, if there is one, to where dst is. */
void place_sum(const struct fovea_prim *prim, const struct fovea_prim_args *args);

/* The view with f32 elements next to each other, dimensions in the order of its memory. */
struct fovea_dnn_view dense_view(const struct fovea_dnn_view &view);

/*
 * Make `prim`, whose primitive is adopted and made on f32 views, take half
 * operands of these views: those given are widened in scratch by every run.
 */
void widen_operands(struct fovea_prim *prim, const struct fovea_dnn_view *src,
                    const struct fovea_dnn_view *weights, const struct fovea_dnn_view *dst);

/* Before and after a run of such a primitive: `args` gets its operands in scratch. */
void load_widened(const struct fovea_prim *prim, struct fovea_prim_args *args);
void store_widened(const struct fovea_prim *prim, const struct fovea_prim_args *args, void *dst);

/* Whether plain weights go through an f32 copy on their way to the packed form; that copy. */
bool needs_wide_weights(const struct fovea_prim *prim);
void copy_wide_weights(const struct fovea_prim *prim, const void *plain, int64_t count, float *out);

/* Do posts [n_fused, n_posts) on dst. */
void run_posts(const struct fovea_prim *prim, const struct fovea_prim_args *args);

/* dst = bias, or 0. */
void fill_bias(const struct fovea_prim *prim, const struct fovea_prim_args *args);

/* Take over what a primitive_desc says; decide how weights are brought in. */
template <typename Desc> void adopt(struct fovea_prim *prim, const Desc &pd) {
    prim->implementation = pd.impl_info_str();
    prim->src = pd.src_desc();
    prim->dst = pd.dst_desc();
    prim->scratchpad = pd.scratchpad_desc();
    size_t bytes = prim->scratchpad.get_size();
    prim->scratchpad_bytes = (bytes + FOVEA_ALIGNMENT - 1) / FOVEA_ALIGNMENT * FOVEA_ALIGNMENT;
    prim->scratch_bytes = prim->scratchpad_bytes;
}

/* After adopt: `wanted` is the form the primitive wants, `plain` the one that is given. */
void adopt_weights(struct fovea_prim *prim, const dnnl::memory::desc &wanted,
                   const dnnl::memory::desc &plain, bool pack);

/* ---- what oneDNN gets wrong, and is not given (dnn_faults.cpp) ------------ */

/* Whether two posts are eltwise of one algorithm. */
bool repeats_eltwise(const dnnl::post_ops &ops);

/* Whether the implementation that `pd` stands for would not do all of its posts. */
bool loses_posts(const dnnl::convolution_forward::primitive_desc &pd, bool channels_last);
bool loses_posts(const dnnl::matmul::primitive_desc &pd, bool channels_last);

/* Whether there are places of dst whose window is all padding. */
bool reaches_only_padding(const struct fovea_dnn_conv *desc);

/* ---- what differs between 2.x and 3.x (dnn_api.cpp) ---------------------- */

/* Add all that decides how elements lie in memory to a hash. */
void hash_desc(const dnnl::memory::desc &desc, struct fovea_hash *hash);

/* scale * algorithm(x; alpha, beta) */
void append_eltwise(dnnl::post_ops &ops, float scale, dnnl::algorithm algorithm, float alpha,
                    float beta);
/* x * max(0, min(1, x / 6 + 1 / 2)) */
void append_hard_swish(dnnl::post_ops &ops, float scale);
dnnl::algorithm eltwise_algorithm(const dnnl::post_ops &ops, int index);

struct conv_descs {
    dnnl::memory::desc src, weights, bias, dst;           /* bias may be empty */
    dnnl::memory::dims strides, dilations, before, after; /* dilation 0 is dense, as oneDNN says */
};
/*
 * What descriptions of primitives go on pointing to in 2.x, whose next_impl() reads it: it has to
 * live as long as they do.
 */
using kept_descs = std::vector<std::shared_ptr<void>>;

/* These give an empty description if there is no implementation. */
dnnl::convolution_forward::primitive_desc conv_desc(const dnnl::engine &engine,
                                                    const conv_descs &descs,
                                                    const dnnl::primitive_attr &attr,
                                                    kept_descs &kept);
dnnl::matmul::primitive_desc matmul_desc(const dnnl::engine &engine, const dnnl::memory::desc &src,
                                         const dnnl::memory::desc &weights,
                                         const dnnl::memory::desc &bias,
                                         const dnnl::memory::desc &dst,
                                         const dnnl::primitive_attr &attr, kept_descs &kept);

struct pool_descs {
    dnnl::algorithm algorithm;
    dnnl::memory::desc src, dst;
    dnnl::memory::dims kernel, strides, dilations, before, after;
};
#if DNNL_VERSION_MAJOR >= 3
using pooling = dnnl::pooling_forward;
#else
using pooling = dnnl::pooling_v2_forward;
#endif
pooling::primitive_desc pool_desc(const dnnl::engine &engine, const pool_descs &descs,
                                  const dnnl::primitive_attr &attr);

} // namespace fovea

#endif
