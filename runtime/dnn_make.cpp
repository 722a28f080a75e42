/* Making primitives from dnn.h's descriptions. */
#include "runtime/dnn_impl.hpp"

#include <algorithm>
#include <mutex>

using dnnl::memory;

namespace fovea {

static dnnl::primitive_attr attr_of(const dnnl::post_ops &ops) {
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    attr.set_post_ops(ops);
    return attr;
}

/*
 * The description with the most posts that a real kernel takes; what is left
 * follows as plain loops. `make(n)` gives the description with posts [0, n),
 * or an empty one, and notes in the prim how they are passed: its last call is
 * for the result.
 */
template <typename Desc, typename Make> Desc best_desc(int n_posts, int *n_fused, Make make) {
    int with_reference = -1;
    for (int n = n_posts; n >= 0; n--) {
        Desc pd = make(n);
        if (pd && !is_reference(pd.impl_info_str())) {
            *n_fused = n;
            return pd;
        }
        with_reference = pd && with_reference < 0 ? n : with_reference;
    }
    if (with_reference < 0) {
        throw dnnl::error(dnnl_unimplemented, "no implementation for these shapes and types");
    }
    *n_fused = with_reference;
    return make(with_reference);
}

/*
 * The primitive of a description, or of the next implementation that oneDNN
 * has where it fails to generate code for one that it offered (2.6.3's AMX
 * convolutions do). Empty if only reference code is left.
 */
template <typename Primitive, typename Desc> dnnl::primitive create(Desc &pd, bool channels_last) {
    while (!is_reference(pd.impl_info_str())) {
        try {
            if (!loses_posts(pd, channels_last)) {
                return Primitive(pd);
            }
        } catch (const dnnl::error &) {
            /* the next one, then */
        }
        if (!pd.next_impl()) {
            break;
        }
    }
    return dnnl::primitive();
}

static memory::dims dims_of(const int64_t *values, int n) {
    return memory::dims(values, values + n);
}

/* ---- half types ---------------------------------------------------------- */

static bool has_bf16(const struct fovea_dnn_view &src, const struct fovea_dnn_view &dst) {
    return src.dtype == FOVEA_BF16 || dst.dtype == FOVEA_BF16;
}

/* Note what type weights come in; which type the reorder that packs them is to read. */
static memory::data_type plain_type(struct fovea_prim *prim, enum fovea_dtype given, bool pack,
                                    bool emulated) {
    prim->plain_dtype = given;
    prim->rounded_weights = emulated && pack;
    return needs_wide_weights(prim) || emulated ? memory::data_type::f32 : type_of(given);
}

/* ---- convolution --------------------------------------------------------- */

static memory::dims weights_dims(const struct fovea_dnn_conv *desc) {
    int64_t out = desc->dst.dims[1], in = desc->src.dims[1], groups = desc->groups;
    memory::dims dims;
    if (groups > 1) {
        dims = {groups, out / groups, in / groups};
    } else {
        dims = {out, in};
    }
    dims.insert(dims.end(), desc->kernel, desc->kernel + (desc->src.rank - 2));
    return dims;
}

static memory::dims dense_strides(const memory::dims &dims) {
    memory::dims strides(dims.size());
    memory::dim stride = 1;
    for (size_t i = dims.size(); i-- > 0;) {
        strides[i] = stride;
        stride *= dims[i];
    }
    return strides;
}

static conv_descs conv_descs_of(const struct fovea_dnn_conv *desc) {
    int spatial = desc->src.rank - 2;
    conv_descs d;
    d.src = desc_of(desc->src);
    d.dst = desc_of(desc->dst);
    d.weights = memory::desc(weights_dims(desc), type_of(desc->src.dtype), memory::format_tag::any);
    if (desc->bias) {
        d.bias = memory::desc({desc->dst.dims[1]}, memory::data_type::f32, memory::format_tag::a);
    }
    d.strides = dims_of(desc->strides, spatial);
    d.dilations = dims_of(desc->dilations, spatial);
    for (auto &dilation : d.dilations) {
        dilation--;
    }
    d.before = dims_of(desc->pads_before, spatial);
    d.after = dims_of(desc->pads_after, spatial);
    return d;
}

static struct fovea_dnn_view plain_weights_view(const memory::dims &dims, enum fovea_dtype dtype) {
    struct fovea_dnn_view view = {};
    memory::dims strides = dense_strides(dims);
    view.dtype = dtype;
    view.rank = (int)dims.size();
    std::copy(dims.begin(), dims.end(), view.dims);
    std::copy(strides.begin(), strides.end(), view.strides);
    return view;
}

/* `emulated`: bf16 operands are widened for an f32 primitive. */
static void make_conv_as(struct fovea_prim *prim, const struct fovea_dnn_conv *given,
                         bool emulated) {
    struct fovea_dnn_conv desc = *given;
    if (emulated) {
        desc.src = dense_view(desc.src);
        desc.dst = prim->dst_view = dense_view(desc.dst);
    }
    /*
     * A residual as oneDNN's sum keeps the brgemm kernels; as a binary post it
     * would mean older ones, at half their speed (2.6.3, 1x1, 768 to 1536).
     */
    conv_descs d = conv_descs_of(&desc);
    int most = reaches_only_padding(&desc) ? 0 : fusable_posts(prim, emulated);
    bool sum = true, last = desc.dst.strides[1] == 1 && desc.dst.dims[1] > 1;
    kept_descs kept;
    auto best = [&] {
        return best_desc<dnnl::convolution_forward::primitive_desc>(
            most, &prim->n_fused, [&](int n) {
                dnnl::post_ops ops;
                append_posts(prim, n, sum, ops);
                auto pd = conv_desc(prim->dnn->engine, d, attr_of(ops), kept);
                bool lost = repeats_eltwise(ops) || (pd && loses_posts(pd, last));
                return lost ? dnnl::convolution_forward::primitive_desc() : pd;
            });
    };
    auto pd = best();
    int with_sum = prim->n_fused;
    if (with_sum < most) {
        sum = false;
        pd = best();
    }
    if (prim->n_fused < with_sum) {
        sum = true;
        pd = best();
    }
    prim->primitive = create<dnnl::convolution_forward>(pd, last);
    if (!prim->primitive && has_bf16(desc.src, desc.dst)) {
        make_conv_as(prim, given, true);
        return;
    }
    if (!prim->primitive) {
        prim->primitive = dnnl::convolution_forward(pd);
    }
    adopt(prim, pd);
    prim->bias = d.bias;
    memory::dims dims = weights_dims(&desc);
    memory::data_type plain = plain_type(prim, desc.weights_dtype, desc.packed_weights, emulated);
    adopt_weights(prim, pd.weights_desc(), memory::desc(dims, plain, dense_strides(dims)),
                  desc.packed_weights);
    if (emulated) {
        struct fovea_dnn_view plain_view = plain_weights_view(dims, desc.weights_dtype);
        widen_operands(prim, &given->src, desc.packed_weights ? NULL : &plain_view, &given->dst);
    }
}

static void make_conv(struct fovea_prim *prim, const struct fovea_dnn_conv *desc) {
    make_conv_as(prim, desc, has_bf16(desc->src, desc->dst) && !fovea_dnn_has_bf16());
}

/* ---- matrix product ------------------------------------------------------ */

static bool has_unit_stride(const struct fovea_dnn_view &view) {
    return view.strides[view.rank - 1] == 1 || view.strides[view.rank - 2] == 1;
}

static void make_matmul_as(struct fovea_prim *prim, const struct fovea_dnn_matmul *given,
                           bool emulated) {
    struct fovea_dnn_matmul copy = *given;
    const struct fovea_dnn_matmul *desc = &copy;
    if (emulated) {
        copy.src = dense_view(copy.src);
        copy.dst = prim->dst_view = dense_view(copy.dst);
        copy.weights = copy.packed_weights ? copy.weights : dense_view(copy.weights);
    }
    struct fovea_dnn_view a = tidy_view(desc->src), b = tidy_view(desc->weights),
                          c = tidy_view(desc->dst);
    if (!has_unit_stride(a) || !has_unit_stride(b) || !has_unit_stride(c)) {
        throw dnnl::error(dnnl_unimplemented, "a matrix without a stride of 1");
    }
    memory::desc src = desc_of(a), dst = desc_of(c), weights, plain, bias;
    memory::dims dims = dims_of(b.dims, b.rank), strides = dims_of(b.strides, b.rank);
    plain = memory::desc(dims, plain_type(prim, b.dtype, desc->packed_weights, emulated), strides);
    weights = desc->packed_weights ? memory::desc(dims, type_of(a.dtype), memory::format_tag::any)
                                   : memory::desc(dims, type_of(a.dtype), strides);
    if (desc->bias) {
        memory::dims along((size_t)c.rank, 1);
        along.back() = c.dims[c.rank - 1];
        prim->bias = memory::desc(along, memory::data_type::f32, dense_strides(along));
    }
    /* oneDNN would scale the bias as well: a scaled product takes it as a post. */
    bool scaled = desc->scale != 1;
    kept_descs kept;
    auto pd = best_desc<dnnl::matmul::primitive_desc>(
        fusable_posts(prim, emulated), &prim->n_fused, [&](int n) {
            dnnl::post_ops ops;
            if (scaled) {
                append_eltwise(ops, 1, dnnl::algorithm::eltwise_linear, desc->scale, 0);
            }
            if (scaled && desc->bias) {
                prim->bias_arg = DNNL_ARG_ATTR_MULTIPLE_POST_OP(ops.len()) | DNNL_ARG_SRC_1;
                ops.append_binary(dnnl::algorithm::binary_add, prim->bias);
            }
            append_posts(prim, n, false, ops);
            if (repeats_eltwise(ops)) {
                return dnnl::matmul::primitive_desc();
            }
            return matmul_desc(prim->dnn->engine, src, weights, scaled ? bias : prim->bias, dst,
                               attr_of(ops), kept);
        });
    prim->primitive = create<dnnl::matmul>(pd, false);
    if (!prim->primitive && has_bf16(desc->src, desc->dst)) {
        make_matmul_as(prim, given, true);
        return;
    }
    if (!prim->primitive) {
        prim->primitive = dnnl::matmul(pd);
    }
    adopt(prim, pd);
    adopt_weights(prim, pd.weights_desc(), plain, desc->packed_weights);
    if (emulated) {
        widen_operands(prim, &given->src, desc->packed_weights ? NULL : &given->weights,
                       &given->dst);
    }
}

static void make_matmul(struct fovea_prim *prim, const struct fovea_dnn_matmul *desc) {
    make_matmul_as(prim, desc, has_bf16(desc->src, desc->dst) && !fovea_dnn_has_bf16());
}

static void make_pool(struct fovea_prim *prim, const struct fovea_dnn_pool *desc) {
    static const dnnl::algorithm algorithms[] = {
        dnnl::algorithm::pooling_max,
        dnnl::algorithm::pooling_avg_exclude_padding,
        dnnl::algorithm::pooling_avg_include_padding,
    };
    int spatial = desc->src.rank - 2;
    pool_descs d;
    d.algorithm = algorithms[desc->kind];
    d.src = desc_of(desc->src);
    d.dst = desc_of(desc->dst);
    d.kernel = dims_of(desc->kernel, spatial);
    d.strides = dims_of(desc->strides, spatial);
    d.dilations = dims_of(desc->dilations, spatial);
    for (auto &dilation : d.dilations) {
        dilation--;
    }
    d.before = dims_of(desc->pads_before, spatial);
    d.after = dims_of(desc->pads_after, spatial);
    auto pd = best_desc<pooling::primitive_desc>(0, &prim->n_fused, [&](int) {
        return pool_desc(prim->dnn->engine, d, attr_of(dnnl::post_ops()));
    });
    adopt(prim, pd);
    prim->primitive = pooling(pd);
}

/*
 * One primitive is made at a time in the whole process. oneDNN 2.6.3 keeps those it made in a
 * cache of the process's, and one that is being made is in it already. If making it fails (as
 * that of bf16 convolutions of groups of 8 channels does), a thread that asks for the same one
 * meanwhile is given a null pointer, which dnnl_primitive_desc_iterator_create follows.
 * docs/assurance.md has more.
 */
static std::mutex making;

/*
 * The packed bytes follow from the contents, these two descriptions, and oneDNN's reorder. What
 * tells of a description may throw in 3.x.
 */
static uint64_t packed_form(const struct fovea_prim *prim) {
    if (fovea_prim_packed_bytes(prim) == 0) {
        return 0;
    }
    struct fovea_hash hash;
    fovea_hash_init(&hash);
    fovea_hash_text(&hash, "dnn");
    fovea_hash_text(&hash, fovea_dnn_version());
    hash_desc(prim->plain_weights, &hash);
    hash_desc(prim->weights, &hash);
    const int path[] = {prim->plain_dtype, prim->rounded_weights};
    fovea_hash_bytes(&hash, path, sizeof(path));
    return fovea_hash_finish(&hash).low;
}

/* Make a prim with `fill`; `what` names it in messages. */
template <typename Fill>
enum fovea_status make(struct fovea_dnn *dnn, const struct fovea_dnn_view &dst, const char *what,
                       struct fovea_prim **out, struct fovea_error *err, Fill fill) {
    return guarded(err, what, [&] {
        std::lock_guard<std::mutex> alone(making);
        std::unique_ptr<struct fovea_prim> prim(new struct fovea_prim);
        prim->dnn = dnn;
        prim->dst_view = dst;
        enum fovea_status st = fill(prim.get());
        if (!st) {
            prim->packed_form = packed_form(prim.get());
            *out = prim.release();
        }
        return st;
    });
}

} // namespace fovea

enum fovea_status fovea_dnn_conv(struct fovea_dnn *dnn, const struct fovea_dnn_conv *desc,
                                 struct fovea_prim **out, struct fovea_error *err) {
    return fovea::make(dnn, desc->dst, "a convolution", out, err, [&](struct fovea_prim *prim) {
        enum fovea_status st = fovea::take_posts(prim, desc->posts, desc->n_posts, err);
        prim->has_bias = desc->bias;
        prim->bias_dim = 1;
        if (st || fovea::is_empty(desc->dst) || desc->src.dims[1] == 0) {
            return st;
        }
        fovea::make_conv(prim, desc);
        return FOVEA_OK;
    });
}

enum fovea_status fovea_dnn_matmul(struct fovea_dnn *dnn, const struct fovea_dnn_matmul *desc,
                                   struct fovea_prim **out, struct fovea_error *err) {
    return fovea::make(dnn, desc->dst, "a matrix product", out, err, [&](struct fovea_prim *prim) {
        enum fovea_status st = fovea::take_posts(prim, desc->posts, desc->n_posts, err);
        prim->has_bias = desc->bias;
        prim->bias_dim = desc->dst.rank - 1;
        if (st || fovea::is_empty(desc->dst) || fovea::is_empty(desc->src)) {
            return st;
        }
        fovea::make_matmul(prim, desc);
        return FOVEA_OK;
    });
}

enum fovea_status fovea_dnn_pool(struct fovea_dnn *dnn, const struct fovea_dnn_pool *desc,
                                 struct fovea_prim **out, struct fovea_error *err) {
    return fovea::make(dnn, desc->dst, "pooling", out, err, [&](struct fovea_prim *prim) {
        if (!fovea::is_empty(desc->dst)) {
            fovea::make_pool(prim, desc);
        }
        return FOVEA_OK;
    });
}

enum fovea_status fovea_dnn_reorder(struct fovea_dnn *dnn, const struct fovea_dnn_view *src,
                                    const struct fovea_dnn_view *dst, struct fovea_prim **out,
                                    struct fovea_error *err) {
    return fovea::make(dnn, *dst, "a reorder", out, err, [&](struct fovea_prim *prim) {
        if (fovea::is_empty(*dst)) {
            return FOVEA_OK;
        }
        dnnl::primitive_attr attr = fovea::attr_of(dnnl::post_ops());
        dnnl::reorder::primitive_desc pd(dnn->engine, fovea::desc_of(*src), dnn->engine,
                                         fovea::desc_of(*dst), attr);
        fovea::adopt(prim, pd);
        prim->primitive = dnnl::reorder(pd);
        return FOVEA_OK;
    });
}
