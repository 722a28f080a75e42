/*
 * Conv: cross-correlation over 1 to 3 spatial dimensions, by oneDNN's direct
 * convolution or, for 3x3 in f32 where it pays, by Winograd's algorithm.
 */
#include "ops/ops.h"

#include "ops/tiled.h"
#include "ops/window.h"
#include "ops/winograd.h"
#include "runtime/dnn.h"

#include <string.h>

/* A way to compute it. */
struct method {
    enum fovea_status (*prepare)(struct fovea_node *node, struct fovea_engine *engine,
                                 const struct fovea_dnn_conv *desc, struct fovea_error *err);
    enum fovea_status (*pack)(const struct fovea_node *node, const struct fovea_tensor *plain,
                              void *out, struct fovea_error *err);
    enum fovea_status (*run)(const struct fovea_node *node, const struct fovea_prim_args *args,
                             struct fovea_error *err);
    void (*release)(struct fovea_node *node);
    const char *(*implementation)(const struct fovea_node *node);
};

struct conv {
    struct fovea_window window;
    int64_t groups;
    const struct method *method; /* NULL before prepare */
    struct fovea_prim *prim;
    struct fovea_winograd *winograd;
    struct fovea_tiled *tiled;
};

static const struct fovea_attr_spec attrs[] = {
    FOVEA_WINDOW_ATTRS,
    {"group", FOVEA_ATTR_INT, false},
    {0},
};

static enum fovea_status check_channels(const struct fovea_node *node, int64_t groups,
                                        struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t, *w = &node->in[1]->t;
    if (groups < 1 || x->dims[1] % groups != 0 || w->dims[0] % groups != 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "group is %lld; it must be positive and divide the %lld input and %lld "
                          "output channels",
                          (long long)groups, (long long)x->dims[1], (long long)w->dims[0]);
    }
    if (w->dims[1] != x->dims[1] / groups) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "weights %s have %lld input channels; %lld channels in %lld groups need "
                          "%lld",
                          fovea_shape_text(w).text, (long long)w->dims[1], (long long)x->dims[1],
                          (long long)groups, (long long)(x->dims[1] / groups));
    }
    const struct fovea_value *bias = fovea_own_input(node, 2);
    if (bias && (bias->t.rank != 1 || bias->t.dims[0] != w->dims[0])) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "the bias has shape %s; it must be [%lld]",
                          fovea_shape_text(&bias->t).text, (long long)w->dims[0]);
    }
    return FOVEA_OK;
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    struct conv *conv = node->priv;
    enum fovea_status st = fovea_expect_rank(node, 0, 3, 5, err);
    for (int i = 0; !st && i < 3; i++) {
        if (fovea_own_input(node, i)) {
            st = fovea_expect_dtype(node, i, FOVEA_DTYPE_BIT(FOVEA_F32), err);
        }
    }
    if (st) {
        return st;
    }
    const struct fovea_tensor *x = &node->in[0]->t, *w = &node->in[1]->t;
    st = fovea_expect_rank(node, 1, x->rank, x->rank, err);
    if (st) {
        return st;
    }
    conv->groups = fovea_attr_int(node, "group", 1);
    st = check_channels(node, conv->groups, err);
    if (st) {
        return st;
    }
    struct fovea_window_rules rules = {.kernel = w->dims + 2};
    st = fovea_window_of(node, x, &rules, &conv->window, err);
    if (st) {
        return st;
    }
    int64_t dims[5] = {x->dims[0], w->dims[0]};
    memcpy(dims + 2, conv->window.out, (size_t)conv->window.spatial * sizeof(*dims));
    return fovea_set_output(node, 0, FOVEA_F32, x->rank, dims, err);
}

/* ---- direct ----------------------------------------------------------------- */

static enum fovea_status prepare_direct(struct fovea_node *node, struct fovea_engine *engine,
                                        const struct fovea_dnn_conv *desc,
                                        struct fovea_error *err) {
    struct conv *conv = node->priv;
    enum fovea_status st = fovea_dnn_conv(engine->dnn, desc, &conv->prim, err);
    if (!st) {
        int sum = fovea_prim_sum_post(conv->prim);
        fovea_prim_describe(conv->prim, 1, node);
        node->overwritten_input = sum >= 0 ? node->epilogue[sum].input : 0;
    }
    return st;
}

static enum fovea_status pack_direct(const struct fovea_node *node,
                                     const struct fovea_tensor *plain, void *out,
                                     struct fovea_error *err) {
    const struct conv *conv = node->priv;
    return fovea_prim_pack(conv->prim, plain, out, err);
}

static enum fovea_status run_direct(const struct fovea_node *node,
                                    const struct fovea_prim_args *args, struct fovea_error *err) {
    const struct conv *conv = node->priv;
    return fovea_prim_run(conv->prim, args, err);
}

static void release_direct(struct fovea_node *node) {
    struct conv *conv = node->priv;
    fovea_prim_destroy(conv->prim);
    conv->prim = NULL;
}

static const char *name_direct(const struct fovea_node *node) {
    const struct conv *conv = node->priv;
    return fovea_prim_implementation(conv->prim);
}

static const struct method direct = {
    prepare_direct, pack_direct, run_direct, release_direct, name_direct,
};

/* ---- Winograd --------------------------------------------------------------- */

static enum fovea_status prepare_winograd(struct fovea_node *node, struct fovea_engine *engine,
                                          const struct fovea_dnn_conv *desc,
                                          struct fovea_error *err) {
    struct conv *conv = node->priv;
    enum fovea_status st = fovea_winograd_create(engine, desc, &conv->winograd, err);
    if (!st) {
        fovea_winograd_describe(conv->winograd, 1, node);
    }
    return st;
}

static enum fovea_status pack_winograd(const struct fovea_node *node,
                                       const struct fovea_tensor *plain, void *out,
                                       struct fovea_error *err) {
    const struct conv *conv = node->priv;
    (void)err;
    fovea_winograd_pack(conv->winograd, plain->data, out);
    return FOVEA_OK;
}

static enum fovea_status run_winograd(const struct fovea_node *node,
                                      const struct fovea_prim_args *args, struct fovea_error *err) {
    const struct conv *conv = node->priv;
    (void)err;
    fovea_winograd_run(conv->winograd, args);
    return FOVEA_OK;
}

static void release_winograd(struct fovea_node *node) {
    struct conv *conv = node->priv;
    fovea_winograd_destroy(conv->winograd);
    conv->winograd = NULL;
}

static const char *name_winograd(const struct fovea_node *node) {
    (void)node;
    return FOVEA_WINOGRAD_NAME;
}

static const struct method winograd = {
    prepare_winograd, pack_winograd, run_winograd, release_winograd, name_winograd,
};

/* ---- tiled ------------------------------------------------------------------ */

static enum fovea_status prepare_tiled(struct fovea_node *node, struct fovea_engine *engine,
                                       const struct fovea_dnn_conv *desc, struct fovea_error *err) {
    struct conv *conv = node->priv;
    enum fovea_status st = fovea_tiled_create(engine, desc, &conv->tiled, err);
    if (!st) {
        fovea_tiled_describe(conv->tiled, 1, node);
    }
    return st;
}

static enum fovea_status pack_tiled(const struct fovea_node *node, const struct fovea_tensor *plain,
                                    void *out, struct fovea_error *err) {
    const struct conv *conv = node->priv;
    (void)err;
    fovea_tiled_pack(conv->tiled, plain->data, out);
    return FOVEA_OK;
}

static enum fovea_status run_tiled(const struct fovea_node *node,
                                   const struct fovea_prim_args *args, struct fovea_error *err) {
    const struct conv *conv = node->priv;
    (void)err;
    fovea_tiled_run(conv->tiled, args);
    return FOVEA_OK;
}

static void release_tiled(struct fovea_node *node) {
    struct conv *conv = node->priv;
    fovea_tiled_destroy(conv->tiled);
    conv->tiled = NULL;
}

static const char *name_tiled(const struct fovea_node *node) {
    (void)node;
    return FOVEA_TILED_NAME;
}

static const struct method tiled = {
    prepare_tiled, pack_tiled, run_tiled, release_tiled, name_tiled,
};

/* ---- either ------------------------------------------------------------------ */

static enum fovea_status describe(const struct fovea_node *node, struct fovea_dnn_conv *desc,
                                  struct fovea_error *err) {
    const struct conv *conv = node->priv;
    const struct fovea_window *window = &conv->window;
    *desc = (struct fovea_dnn_conv){
        .groups = conv->groups,
        .weights_dtype = node->in[1]->t.dtype,
        .bias = fovea_own_input(node, 2) != NULL,
        .packed_weights = node->in[1]->constant,
    };
    fovea_dnn_view_of(node->in[0], &desc->src);
    fovea_dnn_view_of(node->out[0], &desc->dst);
    memcpy(desc->kernel, window->kernel, sizeof(desc->kernel));
    memcpy(desc->strides, window->strides, sizeof(desc->strides));
    memcpy(desc->dilations, window->dilations, sizeof(desc->dilations));
    memcpy(desc->pads_before, window->before, sizeof(desc->pads_before));
    memcpy(desc->pads_after, window->after, sizeof(desc->pads_after));
    return fovea_dnn_posts_of(node, desc->posts, &desc->n_posts, err);
}

static enum fovea_status prepare(struct fovea_node *node, struct fovea_engine *engine,
                                 struct fovea_error *err) {
    struct conv *conv = node->priv;
    struct fovea_dnn_conv desc;
    enum fovea_status st = describe(node, &desc, err);
    if (st) {
        return st;
    }
    bool by_winograd = engine->winograd && fovea_winograd_fits(&desc) && fovea_winograd_pays(&desc);
    bool by_tiles = fovea_tiled_fits(&desc) && fovea_tiled_pays(&desc);
    conv->method = by_winograd ? &winograd : by_tiles ? &tiled : &direct;
    return conv->method->prepare(node, engine, &desc, err);
}

static enum fovea_status pack(const struct fovea_node *node, struct fovea_engine *engine,
                              const struct fovea_tensor *plain, void *out,
                              struct fovea_error *err) {
    const struct conv *conv = node->priv;
    (void)engine;
    return conv->method->pack(node, plain, out, err);
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    const struct conv *conv = node->priv;
    const struct fovea_value *bias = fovea_own_input(node, 2);
    struct fovea_prim_args args;
    fovea_prim_args_of(node, run->scratch, &args);
    args.src = node->in[0]->t.data;
    args.weights = args.weights ? args.weights : node->in[1]->t.data;
    args.bias = bias ? bias->t.data : NULL;
    return conv->method->run(node, &args, err);
}

static void release(struct fovea_node *node) {
    struct conv *conv = node->priv;
    if (conv->method) {
        conv->method->release(node);
        conv->method = NULL;
    }
}

/* Each output element sums over one filter; weights [O, C/groups, kernel...]. */
static int64_t macs(const struct fovea_node *node) {
    const struct fovea_tensor *w = &node->in[1]->t;
    return fovea_count_product(fovea_tensor_count(&node->out[0]->t),
                               fovea_dims_product(w, 1, w->rank));
}

static const char *implementation(const struct fovea_node *node) {
    const struct conv *conv = node->priv;
    return conv->method->implementation(node);
}

const struct fovea_op fovea_op_conv = {
    .priv_size = sizeof(struct conv),
    .attrs = attrs,
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .flags = FOVEA_OP_EPILOGUE,
    .layout = FOVEA_LAYOUT_IMAGE,
    .bf16 = FOVEA_BF16_MULTIPLIES,
    .bf16_in = 3,
    .bf16_out = 1,
    .infer = infer,
    .prepare = prepare,
    .pack = pack,
    .run = run,
    .release = release,
    .macs = macs,
    .implementation = implementation,
};
