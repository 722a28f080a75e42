/*
 * bf16 behind dnn.h where oneDNN has no instructions for it: operands are
 * copied to scratch memory as f32, an f32 primitive computes on the copies,
 * and its result is rounded into place. The numbers are those of a CPU with
 * bf16 instructions but for the order of sums; the speed is not.
 *
 * Also weights on their way to a packed form from a type that oneDNN's reorder
 * does not take.
 */
#include "runtime/dnn_impl.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

extern "C" {
#include "runtime/half.h"
}

bool fovea_dnn_has_bf16(void) {
    switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::avx512_core_bf16:
    case dnnl::cpu_isa::avx512_core_amx:
        return true;
#if DNNL_VERSION_MAJOR >= 3
    case dnnl::cpu_isa::avx512_core_fp16:
    case dnnl::cpu_isa::avx512_core_amx_fp16:
        return true;
#endif
    default:
        return false;
    }
}

namespace fovea {

/* ---- views ----------------------------------------------------------------- */

static void order_by_stride(const struct fovea_dnn_view &view, int *order) {
    for (int i = 0; i < view.rank; i++) {
        order[i] = i;
    }
    std::stable_sort(order, order + view.rank, [&](int a, int b) {
        return view.strides[a] > view.strides[b] ||
               (view.strides[a] == view.strides[b] && view.dims[a] > view.dims[b]);
    });
}

struct fovea_dnn_view dense_view(const struct fovea_dnn_view &view) {
    struct fovea_dnn_view dense = view;
    int order[FOVEA_MAX_RANK];
    int64_t stride = 1;
    order_by_stride(view, order);
    for (int i = view.rank - 1; i >= 0; i--) {
        dense.strides[order[i]] = stride;
        stride *= view.dims[order[i]];
    }
    dense.dtype = FOVEA_F32;
    return dense;
}

static int64_t count_of(const struct fovea_dnn_view &view) {
    int64_t count = 1;
    for (int i = 0; i < view.rank; i++) {
        count *= view.dims[i];
    }
    return count;
}

/* ---- copies ---------------------------------------------------------------- */

/* Rows along the dimension whose elements are nearest in memory. */
struct copy {
    const struct widened *w;
    const unsigned char *from;
    unsigned char *to;
    int order[FOVEA_MAX_RANK];
    bool back;  /* from the dense copy to the caller's memory */
    bool round; /* f32 to the value it has in bf16 */
};

static void copy_row(const struct copy *c, int64_t at, int64_t dense_at, int64_t n) {
    const struct widened &w = *c->w;
    int inner = c->order[w.view.rank - 1];
    int64_t stride = w.view.strides[inner];
    size_t size = fovea_dtype_size(w.view.dtype);
    if (c->back) {
        const float *from = reinterpret_cast<const float *>(c->from) + dense_at;
        unsigned char *to = c->to + (size_t)at * size;
        if (stride == 1) {
            fovea_convert(FOVEA_F32, from, w.view.dtype, to, n);
            return;
        }
        for (int64_t i = 0; i < n; i++) {
            fovea_convert(FOVEA_F32, from + i, w.view.dtype, to + (size_t)(i * stride) * size, 1);
        }
        return;
    }
    float *to = reinterpret_cast<float *>(c->to) + dense_at;
    const unsigned char *from = c->from + (size_t)at * size;
    if (stride == 1) {
        fovea_convert(w.view.dtype, from, FOVEA_F32, to, n);
    }
    for (int64_t i = 0; stride != 1 && i < n; i++) {
        fovea_convert(w.view.dtype, from + (size_t)(i * stride) * size, FOVEA_F32, to + i, 1);
    }
    for (int64_t i = 0; c->round && i < n; i++) {
        to[i] = fovea_load_bf16(fovea_store_bf16(to[i]));
    }
}

static void copy_rows(void *context, int64_t begin, int64_t end, int thread) {
    const struct copy *c = static_cast<const struct copy *>(context);
    const struct fovea_dnn_view &view = c->w->view;
    (void)thread;
    int64_t n = view.dims[c->order[view.rank - 1]];
    for (int64_t r = begin; r < end; r++) {
        int64_t rest = r, at = 0;
        for (int i = view.rank - 2; i >= 0; i--) {
            at += rest % view.dims[c->order[i]] * view.strides[c->order[i]];
            rest /= view.dims[c->order[i]];
        }
        copy_row(c, at, r * n, n);
    }
}

static void copy_all(const struct widened &w, const void *from, void *to, bool back, bool round) {
    struct copy c = {};
    c.w = &w;
    c.from = static_cast<const unsigned char *>(from);
    c.to = static_cast<unsigned char *>(to);
    c.back = back;
    c.round = round;
    order_by_stride(w.view, c.order);
    int64_t n = w.view.dims[c.order[w.view.rank - 1]];
    fovea_parallel_for(count_of(w.view) / n, 1 + 16384 / n, copy_rows, &c);
}

/* ---- operands -------------------------------------------------------------- */

static void add_widened(struct fovea_prim *prim, struct widened *w,
                        const struct fovea_dnn_view *view) {
    if (!view) {
        return;
    }
    w->on = true;
    w->view = *view;
    w->dense = dense_view(*view);
    w->at = (prim->scratch_bytes + FOVEA_ALIGNMENT - 1) / FOVEA_ALIGNMENT * FOVEA_ALIGNMENT;
    prim->scratch_bytes = w->at + (size_t)count_of(*view) * sizeof(float);
}

void widen_operands(struct fovea_prim *prim, const struct fovea_dnn_view *src,
                    const struct fovea_dnn_view *weights, const struct fovea_dnn_view *dst) {
    add_widened(prim, &prim->wide_src, src);
    add_widened(prim, &prim->wide_weights, weights);
    add_widened(prim, &prim->wide_dst, dst);
}

static const void *loaded(const struct widened &w, const void *data, void *scratch, bool round) {
    if (!w.on) {
        return data;
    }
    void *to = static_cast<unsigned char *>(scratch) + w.at;
    copy_all(w, data, to, false, round);
    return to;
}

void load_widened(const struct fovea_prim *prim, struct fovea_prim_args *args) {
    args->src = loaded(prim->wide_src, args->src, args->scratch, false);
    args->weights = loaded(prim->wide_weights, args->weights, args->scratch, true);
    if (prim->wide_dst.on) {
        args->dst = static_cast<unsigned char *>(args->scratch) + prim->wide_dst.at;
    }
}

void store_widened(const struct fovea_prim *prim, const struct fovea_prim_args *args, void *dst) {
    if (prim->wide_dst.on) {
        copy_all(prim->wide_dst, args->dst, dst, true, false);
    }
}

/* ---- weights to be packed -------------------------------------------------- */

bool needs_wide_weights(const struct fovea_prim *prim) {
    return prim->rounded_weights || prim->plain_dtype == FOVEA_F16;
}

struct weights_copy {
    const struct fovea_prim *prim;
    const unsigned char *from;
    float *to;
};

static void copy_weights(void *context, int64_t begin, int64_t end, int thread) {
    const struct weights_copy *c = static_cast<const struct weights_copy *>(context);
    size_t size = fovea_dtype_size(c->prim->plain_dtype);
    (void)thread;
    fovea_convert(c->prim->plain_dtype, c->from + (size_t)begin * size, FOVEA_F32, c->to + begin,
                  end - begin);
    for (int64_t i = begin; c->prim->rounded_weights && i < end; i++) {
        c->to[i] = fovea_load_bf16(fovea_store_bf16(c->to[i]));
    }
}

void copy_wide_weights(const struct fovea_prim *prim, const void *plain, int64_t count,
                       float *out) {
    struct weights_copy c = {prim, static_cast<const unsigned char *>(plain), out};
    fovea_parallel_for(count, 65536, copy_weights, &c);
}

} // namespace fovea
