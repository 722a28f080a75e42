/*
 * What oneDNN 2.6.3 computes wrongly, as questions that dnn_make.cpp asks before it gives a
 * primitive its posts: what it may not have is done by other kernels, or after the primitive. Each
 * was found by comparing with PyTorch's results (docs/assurance.md); tests/proof/random_posts looks
 * for more.
 */
#include "runtime/dnn_impl.hpp"

#include <cstring>

namespace fovea {

/*
 * 2.6.3 keeps what it generates for posts by algorithm: the second of two gets the scale, alpha and
 * beta of the first.
 */
bool repeats_eltwise(const dnnl::post_ops &ops) {
    for (int i = 0; i < ops.len(); i++) {
        for (int j = 0; j < i; j++) {
            if (ops.kind(i) == dnnl::primitive::kind::eltwise && ops.kind(j) == ops.kind(i) &&
                eltwise_algorithm(ops, i) == eltwise_algorithm(ops, j)) {
                return true;
            }
        }
    }
    return false;
}

/*
 * By matrix products, which it takes where nothing else fits, 2.6.3 leaves out binary posts if dst
 * is channels-last; depthwise with SSE 4.1, it reads operands beyond their last channel.
 */
bool loses_posts(const dnnl::convolution_forward::primitive_desc &pd, bool channels_last) {
    const dnnl::primitive_attr attr = pd.get_primitive_attr(); /* which the posts are a part of */
    const dnnl::post_ops ops = attr.get_post_ops();
    const char *name = pd.impl_info_str();
    bool binary = false, sum = false;
    for (int i = 0; i < ops.len(); i++) {
        binary = binary || ops.kind(i) == dnnl::primitive::kind::binary;
        sum = sum || ops.kind(i) == dnnl::primitive::kind::sum;
    }
    bool by_products = std::strstr(name, "gemm") && !std::strstr(name, "brg");
    return (binary && channels_last && by_products) ||
           ((binary || sum) && std::strstr(name, "dw:sse41"));
}

/* Products are right with whatever they take. */
bool loses_posts(const dnnl::matmul::primitive_desc & /* pd */, bool /* channels_last */) {
    return false;
}

/*
 * 2.6.3's kernels for AVX-512 follow a null pointer at such places if they have a sum, and others
 * lose posts there.
 */
bool reaches_only_padding(const struct fovea_dnn_conv *desc) {
    bool reaches = false;
    for (int d = 0; d < desc->src.rank - 2; d++) {
        int64_t span = (desc->kernel[d] - 1) * desc->dilations[d] + 1;
        reaches = reaches || desc->pads_before[d] >= span || desc->pads_after[d] >= span;
    }
    return reaches;
}

} // namespace fovea
