/*
 * The functions whose spelling differs between oneDNN 2.x and 3.x. In 2.x an
 * operation is described by a `desc` from which the primitive_desc is made and
 * an eltwise post has a scale; 3.x has neither.
 */
#include "runtime/dnn_impl.hpp"

using dnnl::memory;

namespace fovea {

static const dnnl::prop_kind inference = dnnl::prop_kind::forward_inference;
static const dnnl::algorithm direct = dnnl::algorithm::convolution_direct;

#if DNNL_VERSION_MAJOR >= 3

void hash_desc(const memory::desc &desc, struct fovea_hash *hash) {
    const auto add = [&](const memory::dims &numbers) {
        fovea_hash_bytes(hash, numbers.data(), numbers.size() * sizeof(numbers[0]));
    };
    add({desc.get_ndims(), (memory::dim)desc.get_data_type(), (memory::dim)desc.get_format_kind(),
         (memory::dim)desc.get_size()});
    add(desc.get_dims());
    add(desc.get_padded_dims());
    if (desc.get_format_kind() == memory::format_kind::blocked) {
        add(desc.get_strides());
        add(desc.get_inner_blks());
        add(desc.get_inner_idxs());
    }
}

void append_eltwise(dnnl::post_ops &ops, float scale, dnnl::algorithm algorithm, float alpha,
                    float beta) {
    ops.append_eltwise(algorithm, alpha, beta);
    if (scale != 1) {
        ops.append_eltwise(dnnl::algorithm::eltwise_linear, scale, 0);
    }
}

void append_hard_swish(dnnl::post_ops &ops, float scale) {
    append_eltwise(ops, scale, dnnl::algorithm::eltwise_hardswish, 1.0f / 6, 0.5f);
}

dnnl::algorithm eltwise_algorithm(const dnnl::post_ops &ops, int index) {
    dnnl::algorithm algorithm;
    float alpha, beta;
    ops.get_params_eltwise(index, algorithm, alpha, beta);
    return algorithm;
}

dnnl::convolution_forward::primitive_desc conv_desc(const dnnl::engine &engine, const conv_descs &d,
                                                    const dnnl::primitive_attr &attr,
                                                    kept_descs & /* kept */) {
    return dnnl::convolution_forward::primitive_desc(engine, inference, direct, d.src, d.weights,
                                                     d.bias, d.dst, d.strides, d.dilations,
                                                     d.before, d.after, attr, true);
}

dnnl::matmul::primitive_desc matmul_desc(const dnnl::engine &engine, const dnnl::memory::desc &src,
                                         const dnnl::memory::desc &weights,
                                         const dnnl::memory::desc &bias,
                                         const dnnl::memory::desc &dst,
                                         const dnnl::primitive_attr &attr,
                                         kept_descs & /* kept */) {
    return dnnl::matmul::primitive_desc(engine, src, weights, bias, dst, attr, true);
}

pooling::primitive_desc pool_desc(const dnnl::engine &engine, const pool_descs &d,
                                  const dnnl::primitive_attr &attr) {
    return pooling::primitive_desc(engine, inference, d.algorithm, d.src, d.dst, d.strides,
                                   d.kernel, d.dilations, d.before, d.after, attr, true);
}

#else

void hash_desc(const memory::desc &desc, struct fovea_hash *hash) {
    const dnnl_memory_desc_t &d = desc.data;
    const dnnl_blocking_desc_t &b = d.format_desc.blocking;
    const size_t rank = (size_t)d.ndims, inner = (size_t)b.inner_nblks;
    const uint64_t extra = d.extra.flags;
    const int kinds[] = {d.ndims, (int)d.data_type, (int)d.format_kind};
    fovea_hash_bytes(hash, kinds, sizeof(kinds));
    fovea_hash_bytes(hash, &extra, sizeof(extra));
    fovea_hash_bytes(hash, d.dims, rank * sizeof(d.dims[0]));
    fovea_hash_bytes(hash, d.padded_dims, rank * sizeof(d.padded_dims[0]));
    if (d.format_kind == dnnl_blocked) {
        fovea_hash_bytes(hash, b.strides, rank * sizeof(b.strides[0]));
        fovea_hash_bytes(hash, &b.inner_nblks, sizeof(b.inner_nblks));
        fovea_hash_bytes(hash, b.inner_blks, inner * sizeof(b.inner_blks[0]));
        fovea_hash_bytes(hash, b.inner_idxs, inner * sizeof(b.inner_idxs[0]));
    } else {
        fovea_hash_bytes(hash, &d.format_desc, sizeof(d.format_desc));
    }
}

void append_eltwise(dnnl::post_ops &ops, float scale, dnnl::algorithm algorithm, float alpha,
                    float beta) {
    ops.append_eltwise(scale, algorithm, alpha, beta);
}

void append_hard_swish(dnnl::post_ops &ops, float scale) {
    ops.append_eltwise(scale, dnnl::algorithm::eltwise_hardswish, 0, 0);
}

dnnl::algorithm eltwise_algorithm(const dnnl::post_ops &ops, int index) {
    dnnl::algorithm algorithm;
    float scale, alpha, beta;
    ops.get_params_eltwise(index, scale, algorithm, alpha, beta);
    return algorithm;
}

dnnl::convolution_forward::primitive_desc conv_desc(const dnnl::engine &engine, const conv_descs &d,
                                                    const dnnl::primitive_attr &attr,
                                                    kept_descs &kept) {
    /* Not make_shared, whose tag is a symbol that a static archive cannot hide. */
    std::shared_ptr<dnnl::convolution_forward::desc> desc(
        new dnnl::convolution_forward::desc(inference, direct, d.src, d.weights, d.bias, d.dst,
                                            d.strides, d.dilations, d.before, d.after));
    kept.push_back(desc);
    return dnnl::convolution_forward::primitive_desc(*desc, attr, engine, true);
}

dnnl::matmul::primitive_desc matmul_desc(const dnnl::engine &engine, const dnnl::memory::desc &src,
                                         const dnnl::memory::desc &weights,
                                         const dnnl::memory::desc &bias,
                                         const dnnl::memory::desc &dst,
                                         const dnnl::primitive_attr &attr, kept_descs &kept) {
    std::shared_ptr<dnnl::matmul::desc> desc(new dnnl::matmul::desc(src, weights, bias, dst));
    kept.push_back(desc);
    return dnnl::matmul::primitive_desc(*desc, attr, engine, true);
}

pooling::primitive_desc pool_desc(const dnnl::engine &engine, const pool_descs &d,
                                  const dnnl::primitive_attr &attr) {
    pooling::desc desc(inference, d.algorithm, d.src, d.dst, d.strides, d.kernel, d.dilations,
                       d.before, d.after);
    return pooling::primitive_desc(desc, attr, engine, true);
}

#endif

} // namespace fovea
