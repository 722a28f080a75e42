/*
 * oneDNN behind dnn.h: the engine, views, and packing and running primitives.
 * Making them is in dnn_make.cpp, what follows them in dnn_posts.cpp, what they may not be given
 * in dnn_faults.cpp.
 *
 * Every call into oneDNN is inside guarded(), because 2.x lets std::bad_alloc
 * leave its C API.
 */
#include "runtime/dnn_impl.hpp"

#include <algorithm>
#include <cstring>

using fovea::guarded;
using fovea::weights;

enum fovea_status fovea_dnn_create(struct fovea_dnn **out, struct fovea_error *err) {
    return guarded(err, "creating an engine", [&] {
        std::unique_ptr<struct fovea_dnn> dnn(new struct fovea_dnn);
        dnn->engine = dnnl::engine(dnnl::engine::kind::cpu, 0);
        dnn->stream = dnnl::stream(dnn->engine);
        *out = dnn.release();
        return FOVEA_OK;
    });
}

void fovea_dnn_destroy(struct fovea_dnn *dnn) {
    delete dnn;
}

const char *fovea_dnn_version(void) {
    static char text[32];
    static const bool made = [] {
        const dnnl_version_t *v = dnnl_version();
        std::snprintf(text, sizeof(text), "%d.%d.%d", v->major, v->minor, v->patch);
        return true;
    }();
    (void)made;
    return text;
}

const char *fovea_dnn_build(void) {
    static char text[128];
    static const bool made = [] {
        const dnnl_version_t *v = dnnl_version();
        std::snprintf(text, sizeof(text), "%d.%d.%d %.64s cpu runtime %u", v->major, v->minor,
                      v->patch, v->hash, v->cpu_runtime);
        return true;
    }();
    (void)made;
    return text;
}

const char *fovea_dnn_isa(void) {
    static char text[64];
    static const bool made = [] {
        /* The names of oneDNN's enumeration: a CPU has those up to its own. */
        static const struct {
            dnnl_cpu_isa_t isa;
            const char *name;
        } names[] = {
            {dnnl_cpu_isa_sse41, "sse41"},
            {dnnl_cpu_isa_avx, "avx"},
            {dnnl_cpu_isa_avx2, "avx2"},
            {dnnl_cpu_isa_avx2_vnni, "avx2_vnni"},
            {dnnl_cpu_isa_avx512_core, "avx512_core"},
            {dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni"},
            {dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16"},
            {dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx"},
        };
        const dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
        const char *name = "isa";
        for (const auto &row : names) {
            name = row.isa == isa ? row.name : name;
        }
        std::snprintf(text, sizeof(text), "%s 0x%x", name, (unsigned)isa);
        return true;
    }();
    (void)made;
    return text;
}

/* ---- views --------------------------------------------------------------- */

void fovea_dnn_view_of(const struct fovea_value *value, struct fovea_dnn_view *view) {
    view->dtype = value->t.dtype;
    view->rank = value->t.rank;
    std::memcpy(view->dims, value->t.dims, sizeof(view->dims));
    fovea_value_strides(value, view->strides);
}

namespace fovea {

dnnl::memory::data_type type_of(enum fovea_dtype dtype) {
    switch (dtype) {
    case FOVEA_F32:
        return dnnl::memory::data_type::f32;
    case FOVEA_F16:
        return dnnl::memory::data_type::f16;
    case FOVEA_BF16:
        return dnnl::memory::data_type::bf16;
    case FOVEA_I32:
        return dnnl::memory::data_type::s32;
    case FOVEA_I8:
        return dnnl::memory::data_type::s8;
    case FOVEA_U8:
        return dnnl::memory::data_type::u8;
    default:
        throw dnnl::error(dnnl_unimplemented, "an element type that oneDNN lacks");
    }
}

dnnl::memory::desc desc_of(const struct fovea_dnn_view &view) {
    dnnl::memory::dims dims(view.dims, view.dims + view.rank);
    dnnl::memory::dims strides(view.strides, view.strides + view.rank);
    return dnnl::memory::desc(dims, type_of(view.dtype), strides);
}

struct fovea_dnn_view tidy_view(const struct fovea_dnn_view &view) {
    struct fovea_dnn_view tidied = view;
    for (int i = view.rank - 1; i >= 0; i--) {
        if (view.dims[i] != 1) {
            continue;
        }
        int64_t stride = 1;
        for (int j = i + 1; j < view.rank; j++) {
            stride = std::max(stride, tidied.dims[j] * tidied.strides[j]);
        }
        /* A row of elements far apart is the transpose of a column. */
        bool is_row = i == view.rank - 2 && tidied.strides[view.rank - 1] != 1;
        tidied.strides[i] = is_row ? 1 : stride;
    }
    return tidied;
}

bool is_empty(const struct fovea_dnn_view &view) {
    for (int i = 0; i < view.rank; i++) {
        if (view.dims[i] == 0) {
            return true;
        }
    }
    return false;
}

bool is_reference(const char *implementation) {
    return std::strncmp(implementation, "ref", 3) == 0;
}

void adopt_weights(struct fovea_prim *prim, const dnnl::memory::desc &wanted,
                   const dnnl::memory::desc &plain, bool pack) {
    prim->weights = wanted;
    prim->plain_weights = plain;
    if (!pack && wanted == plain) {
        prim->weights_from = weights::direct;
        return;
    }
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    dnnl::reorder::primitive_desc pd(prim->dnn->engine, plain, prim->dnn->engine, wanted, attr);
    prim->pack = dnnl::reorder(pd);
    prim->pack_scratchpad = pd.scratchpad_desc();
    if (pack) {
        prim->weights_from = weights::packed;
        return;
    }
    /* The reorder ends before the primitive begins: they share the scratchpad. */
    size_t bytes = prim->pack_scratchpad.get_size();
    bytes = (bytes + FOVEA_ALIGNMENT - 1) / FOVEA_ALIGNMENT * FOVEA_ALIGNMENT;
    prim->scratchpad_bytes = std::max(prim->scratchpad_bytes, bytes);
    prim->scratch_bytes = prim->scratchpad_bytes + wanted.get_size();
    prim->weights_from = weights::repacked;
}

/* Reorder plain weights to `target`, with whatever scratchpad that takes at `scratchpad`. */
static void reorder_weights(const struct fovea_prim *prim, const void *plain,
                            const dnnl::memory &target, void *scratchpad) {
    const dnnl::engine &engine = prim->dnn->engine;
    dnnl::memory from(prim->plain_weights, engine, const_cast<void *>(plain));
    std::unordered_map<int, dnnl::memory> args = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, target}};
    if (prim->pack_scratchpad.get_size() > 0) {
        args.insert({DNNL_ARG_SCRATCHPAD, dnnl::memory(prim->pack_scratchpad, engine, scratchpad)});
    }
    prim->pack.execute(prim->dnn->stream, args);
}

/* The operands of one execution: oneDNN's array of arguments, and what owns them. */
class arguments {
  public:
    explicit arguments(const dnnl::engine &engine) : engine_(engine) {
    }

    void add(int arg, const dnnl::memory &memory) {
        memories_[n_] = memory;
        args_[n_].arg = arg;
        args_[n_].memory = memory.get();
        n_++;
    }

    void add(int arg, const dnnl::memory::desc &desc, const void *data) {
        add(arg, dnnl::memory(desc, engine_, const_cast<void *>(data)));
    }

    void execute(const dnnl::primitive &primitive, const dnnl::stream &stream) const {
        dnnl::error::wrap_c_api(dnnl_primitive_execute(primitive.get(), stream.get(), n_, args_),
                                "executing");
    }

  private:
    static const int most = 5 + FOVEA_DNN_MAX_POSTS;
    const dnnl::engine &engine_;
    dnnl::memory memories_[most];
    dnnl_exec_arg_t args_[most];
    int n_ = 0;
};

static void add_weights(const struct fovea_prim *prim, const struct fovea_prim_args *args,
                        arguments *list) {
    if (prim->weights_from == weights::packed || prim->weights_from == weights::direct) {
        list->add(DNNL_ARG_WEIGHTS, prim->weights, args->weights);
    } else if (prim->weights_from == weights::repacked) {
        void *place = static_cast<char *>(args->scratch) + prim->scratchpad_bytes;
        dnnl::memory target(prim->weights, prim->dnn->engine, place);
        reorder_weights(prim, args->weights, target, args->scratch);
        list->add(DNNL_ARG_WEIGHTS, target);
    }
}

static void execute(const struct fovea_prim *prim, const struct fovea_prim_args *args) {
    place_sum(prim, args);
    arguments list(prim->dnn->engine);
    add_weights(prim, args, &list);
    list.add(DNNL_ARG_SRC, prim->src, args->src);
    list.add(DNNL_ARG_DST, prim->dst, args->dst);
    if (prim->has_bias) {
        list.add(prim->bias_arg, prim->bias, args->bias);
    }
    for (int i = 0; i < prim->n_fused; i++) {
        if (prim->posts[i].kind != FOVEA_EPILOGUE_ACT && i != prim->sum_post) {
            list.add(prim->post_args[i], prim->post_descs[i], args->posts[i]);
        }
    }
    if (prim->scratchpad.get_size() > 0) {
        list.add(DNNL_ARG_SCRATCHPAD, prim->scratchpad, args->scratch);
    }
    list.execute(prim->primitive, prim->dnn->stream);
}

} // namespace fovea

/* ---- primitives ---------------------------------------------------------- */

size_t fovea_prim_scratch_bytes(const struct fovea_prim *prim) {
    return prim->scratch_bytes;
}

size_t fovea_prim_packed_bytes(const struct fovea_prim *prim) {
    return prim->weights_from == weights::packed ? prim->weights.get_size() : 0;
}

int fovea_prim_sum_post(const struct fovea_prim *prim) {
    return prim->wide_dst.on ? -1 : prim->sum_post;
}

const char *fovea_prim_implementation(const struct fovea_prim *prim) {
    return prim->implementation.c_str();
}

void fovea_prim_describe(const struct fovea_prim *prim, int weights, struct fovea_node *node) {
    node->scratch_bytes = prim->scratch_bytes;
    node->packed_bytes = fovea_prim_packed_bytes(prim);
    node->packed_form = prim->packed_form;
    node->packed_input = weights;
}

enum fovea_status fovea_prim_pack(const struct fovea_prim *prim, const struct fovea_tensor *plain,
                                  void *out, struct fovea_error *err) {
    return guarded(err, "packing weights", [&] {
        size_t pad = prim->pack_scratchpad.get_size();
        std::unique_ptr<void, fovea::freed> scratch(pad > 0 ? fovea_aligned_alloc(pad) : nullptr);
        if (pad > 0 && !scratch) {
            return fovea_fail_memory(err, pad, "packing weights");
        }
        const void *from = plain->data;
        std::unique_ptr<void, fovea::freed> wide;
        if (fovea::needs_wide_weights(prim)) {
            size_t size = prim->plain_weights.get_size();
            wide.reset(fovea_aligned_alloc(size));
            if (!wide) {
                return fovea_fail_memory(err, size, "weights as f32");
            }
            fovea::copy_wide_weights(prim, from, (int64_t)(size / sizeof(float)),
                                     static_cast<float *>(wide.get()));
            from = wide.get();
        }
        dnnl::memory packed(prim->weights, prim->dnn->engine, out);
        fovea::reorder_weights(prim, from, packed, scratch.get());
        return FOVEA_OK;
    });
}

enum fovea_status fovea_prim_run(const struct fovea_prim *prim, const struct fovea_prim_args *args,
                                 struct fovea_error *err) {
    if (fovea::is_empty(prim->dst_view)) {
        return FOVEA_OK;
    }
    return guarded(err, prim->implementation.c_str(), [&] {
        struct fovea_prim_args local = *args;
        fovea::load_widened(prim, &local);
        if (prim->primitive) {
            fovea::execute(prim, &local);
        } else {
            fovea::fill_bias(prim, &local);
        }
        fovea::run_posts(prim, &local);
        fovea::store_widened(prim, &local, args->dst);
        return FOVEA_OK;
    });
}

void fovea_prim_destroy(struct fovea_prim *prim) {
    delete prim;
}
