/*
 * What follows a primitive: epilogue steps as oneDNN's post-ops, and the same
 * steps in plain C++ for those that no fast kernel of the installed version
 * takes (a broadcast over some of the leading dimensions, say).
 */
#include "runtime/dnn_impl.hpp"

#include <algorithm>
#include <cmath>

extern "C" {
#include "runtime/half.h"
}

/* ---- from a node's epilogue ---------------------------------------------- */

/* `value`'s view, padded on the left to `rank` dimensions of 1. */
static void padded_view(const struct fovea_value *value, int rank, struct fovea_dnn_view *out) {
    struct fovea_dnn_view view;
    fovea_dnn_view_of(value, &view);
    int missing = rank - view.rank;
    out->dtype = view.dtype;
    out->rank = rank;
    for (int i = 0; i < rank; i++) {
        out->dims[i] = i < missing ? 1 : view.dims[i - missing];
        out->strides[i] = i < missing ? 1 : view.strides[i - missing];
    }
}

static enum fovea_status check_operand(const struct fovea_dnn_view &operand,
                                       const struct fovea_dnn_view &dst, int index,
                                       struct fovea_error *err) {
    bool fits = operand.dtype == FOVEA_F32 || operand.dtype == FOVEA_BF16;
    if (!fits || operand.rank != dst.rank) {
        return fovea_fail(err, FOVEA_ERR_BACKEND,
                          "operand of post %d is %s of rank %d; it must be f32 or bf16 of rank %d",
                          index, fovea_dtype_name(operand.dtype), operand.rank, dst.rank);
    }
    for (int i = 0; i < dst.rank; i++) {
        if (operand.dims[i] != 1 && operand.dims[i] != dst.dims[i]) {
            return fovea_fail(err, FOVEA_ERR_BACKEND,
                              "operand of post %d has dimension %d of %lld, against %lld", index, i,
                              (long long)operand.dims[i], (long long)dst.dims[i]);
        }
    }
    return FOVEA_OK;
}

enum fovea_status fovea_dnn_posts_of(const struct fovea_node *node,
                                     struct fovea_dnn_post posts[FOVEA_MAX_EPILOGUE], int *n_posts,
                                     struct fovea_error *err) {
    struct fovea_dnn_view dst;
    fovea_dnn_view_of(node->out[0], &dst);
    for (int i = 0; i < node->n_epilogue; i++) {
        const struct fovea_epilogue_step *step = &node->epilogue[i];
        struct fovea_dnn_post *post = &posts[i];
        *post = {step->kind, step->act, step->alpha, step->beta, step->scale, {}};
        if (step->kind == FOVEA_EPILOGUE_ACT) {
            continue;
        }
        const struct fovea_value *operand = fovea_node_input(node, step->input);
        if (!operand || operand->t.rank > dst.rank) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "epilogue step %d has no operand that fits output 0", i);
        }
        padded_view(operand, dst.rank, &post->operand);
        enum fovea_status st = check_operand(post->operand, dst, i, err);
        if (st) {
            return st;
        }
    }
    *n_posts = node->n_epilogue;
    return FOVEA_OK;
}

void fovea_prim_args_of(const struct fovea_node *node, void *scratch,
                        struct fovea_prim_args *args) {
    *args = {};
    args->dst = node->out[0]->t.data;
    args->scratch = scratch;
    if (node->packed_bytes > 0) {
        args->weights = node->packed_data;
    }
    for (int i = 0; i < node->n_epilogue; i++) {
        if (node->epilogue[i].kind != FOVEA_EPILOGUE_ACT) {
            args->posts[i] = node->in[node->epilogue[i].input]->t.data;
        }
    }
}

namespace fovea {

enum fovea_status take_posts(struct fovea_prim *prim, const struct fovea_dnn_post *posts,
                             int n_posts, struct fovea_error *err) {
    if (n_posts > FOVEA_DNN_MAX_POSTS) {
        return fovea_fail(err, FOVEA_ERR_BACKEND, "%d posts; the most are %d", n_posts,
                          FOVEA_DNN_MAX_POSTS);
    }
    for (int i = 0; i < n_posts; i++) {
        if (posts[i].kind != FOVEA_EPILOGUE_ACT) {
            enum fovea_status st = check_operand(posts[i].operand, prim->dst_view, i, err);
            if (st) {
                return st;
            }
        }
        prim->posts[i] = posts[i];
    }
    prim->n_posts = n_posts;
    return FOVEA_OK;
}

/* ---- as oneDNN's post-ops ------------------------------------------------ */

/* Acts that are one oneDNN algorithm; whether it reads the act's alpha and beta. */
static const struct {
    enum fovea_act act;
    dnnl::algorithm algorithm;
    bool alpha, beta;
} direct_acts[] = {
    {FOVEA_ACT_RELU, dnnl::algorithm::eltwise_relu, false, false},
    {FOVEA_ACT_LEAKY_RELU, dnnl::algorithm::eltwise_relu, true, false},
    {FOVEA_ACT_ELU, dnnl::algorithm::eltwise_elu, true, false},
    {FOVEA_ACT_GELU_ERF, dnnl::algorithm::eltwise_gelu_erf, false, false},
    {FOVEA_ACT_GELU_TANH, dnnl::algorithm::eltwise_gelu_tanh, false, false},
    {FOVEA_ACT_SIGMOID, dnnl::algorithm::eltwise_logistic, false, false},
    {FOVEA_ACT_TANH, dnnl::algorithm::eltwise_tanh, false, false},
    {FOVEA_ACT_SWISH, dnnl::algorithm::eltwise_swish, true, false},
    {FOVEA_ACT_CLIP, dnnl::algorithm::eltwise_clip, true, true},
};

static void append_act(const struct fovea_dnn_post &post, dnnl::post_ops &ops) {
    if (post.act == FOVEA_ACT_HARD_SWISH) {
        append_hard_swish(ops, post.scale);
        return;
    }
    if (post.act == FOVEA_ACT_HARD_SIGMOID) { /* 2.x has no algorithm for it */
        append_eltwise(ops, 1, dnnl::algorithm::eltwise_linear, post.alpha, post.beta);
        append_eltwise(ops, post.scale, dnnl::algorithm::eltwise_clip, 0, 1);
        return;
    }
    for (const auto &row : direct_acts) {
        if (row.act == post.act) {
            append_eltwise(ops, post.scale, row.algorithm, row.alpha ? post.alpha : 0,
                           row.beta ? post.beta : 0);
            return;
        }
    }
    throw dnnl::error(dnnl_unimplemented, "an unknown activation");
}

/*
 * oneDNN 2.6.3 takes other broadcasts too, and its brgemm convolution then
 * reads the wrong elements: only what is known to work is given to it, an
 * operand laid out as dst is, or a dense one along the channels.
 */
static bool is_fusable(const struct fovea_dnn_view &operand, const struct fovea_dnn_view &dst,
                       int channel_dim) {
    bool full = true, along_channels = true;
    for (int i = 0; i < dst.rank; i++) {
        bool same_step = dst.dims[i] == 1 || operand.strides[i] == dst.strides[i];
        bool dense_channels = i == channel_dim && operand.strides[i] == 1;
        full = full && operand.dims[i] == dst.dims[i] && same_step;
        along_channels = along_channels && (operand.dims[i] == 1 || dense_channels);
    }
    return full || along_channels;
}

/* Whether the post adds an operand that is laid out just as dst. */
static bool adds_like_dst(const struct fovea_dnn_post &post, const struct fovea_dnn_view &dst) {
    bool same = post.kind == FOVEA_EPILOGUE_ADD && post.operand.dtype == dst.dtype;
    for (int i = 0; same && i < dst.rank; i++) {
        same = post.operand.dims[i] == dst.dims[i] &&
               (dst.dims[i] == 1 || post.operand.strides[i] == dst.strides[i]);
    }
    return same;
}

int fusable_posts(const struct fovea_prim *prim, bool emulated) {
    int n = 0;
    for (; n < prim->n_posts; n++) {
        const struct fovea_dnn_view &operand = prim->posts[n].operand;
        bool act = prim->posts[n].kind == FOVEA_EPILOGUE_ACT;
        if (!act && ((emulated && operand.dtype != FOVEA_F32) ||
                     !is_fusable(operand, prim->dst_view, prim->bias_dim))) {
            break;
        }
    }
    return n;
}

void append_posts(struct fovea_prim *prim, int n_fused, bool sum, dnnl::post_ops &ops) {
    prim->sum_post = -1;
    for (int i = 0; i < n_fused; i++) {
        const struct fovea_dnn_post &post = prim->posts[i];
        if (post.kind == FOVEA_EPILOGUE_ACT) {
            append_act(post, ops);
            continue;
        }
        if (sum && prim->sum_post < 0 && adds_like_dst(post, prim->dst_view)) {
            prim->sum_post = i;
            ops.append_sum(1);
            continue;
        }
        prim->post_descs[i] = desc_of(post.operand);
        prim->post_args[i] = DNNL_ARG_ATTR_MULTIPLE_POST_OP(ops.len()) | DNNL_ARG_SRC_1;
        ops.append_binary(post.kind == FOVEA_EPILOGUE_ADD ? dnnl::algorithm::binary_add
                                                          : dnnl::algorithm::binary_mul,
                          prim->post_descs[i]);
    }
    prim->n_fused = n_fused;
}

struct bytes {
    const unsigned char *from;
    unsigned char *to;
};

static void copy_range(void *context, int64_t begin, int64_t end, int thread) {
    const struct bytes *bytes = static_cast<const struct bytes *>(context);
    (void)thread;
    std::copy(bytes->from + begin, bytes->from + end, bytes->to + begin);
}

void place_sum(const struct fovea_prim *prim, const struct fovea_prim_args *args) {
    if (prim->sum_post < 0 || args->posts[prim->sum_post] == args->dst) {
        return;
    }
    struct bytes bytes = {static_cast<const unsigned char *>(args->posts[prim->sum_post]),
                          static_cast<unsigned char *>(args->dst)};
    fovea_parallel_for((int64_t)prim->dst.get_size(), 1 << 16, copy_range, &bytes);
}

/* ---- in plain C++ -------------------------------------------------------- */

static float act(const struct fovea_dnn_post &p, float x) {
    switch (p.act) {
    case FOVEA_ACT_RELU:
        return x <= 0 ? 0 : x; /* NaN stays, here and below */
    case FOVEA_ACT_LEAKY_RELU:
        return x > 0 ? x : p.alpha * x;
    case FOVEA_ACT_ELU:
        return x > 0 ? x : p.alpha * std::expm1(x);
    case FOVEA_ACT_GELU_ERF:
        return 0.5f * x * (1 + std::erf(x * 0.70710678f));
    case FOVEA_ACT_GELU_TANH:
        return 0.5f * x * (1 + std::tanh(0.79788456f * (x + 0.044715f * x * x * x)));
    case FOVEA_ACT_SIGMOID:
        return 1 / (1 + std::exp(-x));
    case FOVEA_ACT_TANH:
        return std::tanh(x);
    case FOVEA_ACT_SWISH:
        return x / (1 + std::exp(-p.alpha * x));
    case FOVEA_ACT_CLIP:
        return std::min(std::max(x, p.alpha), p.beta);
    case FOVEA_ACT_HARD_SWISH:
        return x * std::max(0.0f, std::min(1.0f, x / 6 + 0.5f));
    case FOVEA_ACT_HARD_SIGMOID:
        return std::max(std::min(p.alpha * x + p.beta, 1.0f), 0.0f);
    default:
        return x;
    }
}

/* dst walked row by row, the dimension of the smallest stride within the row. */
struct walk {
    const struct fovea_dnn_post *post;
    bool fresh; /* dst has no contents yet: add to 0 */
    void *dst;
    const void *operand;
    enum fovea_dtype dst_dtype, operand_dtype;
    int outer; /* dimensions outside the row */
    int64_t dims[FOVEA_MAX_RANK], dst_strides[FOVEA_MAX_RANK], operand_strides[FOVEA_MAX_RANK];
    int64_t row, dst_step, operand_step;
};

static float load(enum fovea_dtype dtype, const void *data, int64_t at) {
    return dtype == FOVEA_BF16 ? fovea_load_bf16(static_cast<const uint16_t *>(data)[at])
                               : static_cast<const float *>(data)[at];
}

static void store(enum fovea_dtype dtype, void *data, int64_t at, float x) {
    if (dtype == FOVEA_BF16) {
        static_cast<uint16_t *>(data)[at] = fovea_store_bf16(x);
    } else {
        static_cast<float *>(data)[at] = x;
    }
}

static float step(const struct walk *w, float y, int64_t operand_at) {
    if (w->post->kind == FOVEA_EPILOGUE_ACT) {
        return w->post->scale * act(*w->post, y);
    }
    float b = load(w->operand_dtype, w->operand, operand_at);
    return w->post->kind == FOVEA_EPILOGUE_ADD ? y + b : y * b;
}

static void walk_rows(void *context, int64_t begin, int64_t end, int thread) {
    const struct walk *w = static_cast<const struct walk *>(context);
    (void)thread;
    for (int64_t r = begin; r < end; r++) {
        int64_t rest = r, at = 0, from = 0;
        for (int d = w->outer - 1; d >= 0; d--) {
            int64_t i = rest % w->dims[d];
            rest /= w->dims[d];
            at += i * w->dst_strides[d];
            from += i * w->operand_strides[d];
        }
        for (int64_t i = 0; i < w->row; i++) {
            int64_t place = at + i * w->dst_step;
            float y = w->fresh ? 0 : load(w->dst_dtype, w->dst, place);
            store(w->dst_dtype, w->dst, place, step(w, y, from + i * w->operand_step));
        }
    }
}

static void walk_dst(const struct fovea_dnn_view &view, const struct fovea_dnn_post &post,
                     bool fresh, void *dst, const void *operand) {
    struct walk w = {};
    w.fresh = fresh;
    w.dst_dtype = view.dtype;
    w.operand_dtype = post.operand.dtype;
    w.post = &post;
    w.dst = dst;
    w.operand = operand;
    w.row = 1;
    int inner = view.rank - 1;
    for (int d = 0; d < view.rank; d++) {
        if (view.dims[d] > 1 && (view.dims[inner] == 1 || view.strides[d] < view.strides[inner])) {
            inner = d;
        }
    }
    int64_t rows = 1;
    for (int d = 0; d < view.rank; d++) {
        int64_t step = operand && post.operand.dims[d] > 1 ? post.operand.strides[d] : 0;
        if (d == inner) {
            w.row = view.dims[d];
            w.dst_step = view.strides[d];
            w.operand_step = step;
            continue;
        }
        w.dims[w.outer] = view.dims[d];
        w.dst_strides[w.outer] = view.strides[d];
        w.operand_strides[w.outer++] = step;
        rows *= view.dims[d];
    }
    fovea_parallel_for(rows, 1 + 4096 / w.row, walk_rows, &w);
}

void run_posts(const struct fovea_prim *prim, const struct fovea_prim_args *args) {
    for (int i = prim->n_fused; i < prim->n_posts; i++) {
        walk_dst(prim->dst_view, prim->posts[i], false, args->dst, args->posts[i]);
    }
}

void fill_bias(const struct fovea_prim *prim, const struct fovea_prim_args *args) {
    static const float zero = 0;
    const float *bias = prim->has_bias ? static_cast<const float *>(args->bias) : &zero;
    struct fovea_dnn_post step = {};
    step.kind = FOVEA_EPILOGUE_ADD;
    step.operand = prim->dst_view;
    step.operand.dtype = FOVEA_F32;
    for (int d = 0; d < step.operand.rank; d++) {
        step.operand.dims[d] = prim->has_bias && d == prim->bias_dim ? prim->dst_view.dims[d] : 1;
        step.operand.strides[d] = 1;
    }
    walk_dst(prim->dst_view, step, true, args->dst, bias);
}

} // namespace fovea
