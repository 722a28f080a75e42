/*
 * NFNets: normalizer-free ResNets with scaled weight standardisation.
 *
 * Brock, De, Smith, Simonyan 2021: High-Performance Large-Scale Image
 * Recognition Without Normalization (arXiv 2102.06171); constants as in
 * deepmind-research/nfnets and timm/models/nfnet.py, which differ where
 * fovea_nfnet_config says so.
 */
#include "loaders/arch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Makes the variance of gelu(x), x of the standard normal distribution, one. */
static const double gamma_gelu = 1.7015043497085571;

/* Share of the residual branch, and the variance it adds at initialisation is its square. */
static const double alpha = 0.2;

/* ---- what shapes tell -------------------------------------------------------- */

static enum fovea_status fail_lacks(const char *what, struct fovea_error *err) {
    return fovea_fail(err, FOVEA_ERR_INVALID, "an NFNet without %s", what);
}

static enum fovea_status read_stage(const struct fovea_arch_params *p, int s,
                                    struct fovea_nfnet_stage *out, struct fovea_error *err) {
    enum { MOST_BLOCKS = 1000 };
    int depth = 0;
    while (depth <= MOST_BLOCKS &&
           fovea_arch_params_find(p, "stages.%d.%d.conv1.weight", s, depth)) {
        depth++;
    }
    int64_t mid = fovea_arch_param_dim(fovea_arch_params_find(p, "stages.%d.0.conv1.weight", s), 0);
    int64_t in_group =
        fovea_arch_param_dim(fovea_arch_params_find(p, "stages.%d.0.conv2.weight", s), 1);
    if (depth == 0 || depth > MOST_BLOCKS) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "stage %d has %s blocks; 1 to %d are possible", s,
                          depth == 0 ? "no" : "too many", MOST_BLOCKS);
    }
    if (mid < 1 || in_group < 1 || mid % in_group != 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "stage %d: %lld channels do not divide into groups of %lld", s,
                          (long long)mid, (long long)in_group);
    }
    *out = (struct fovea_nfnet_stage){
        .depth = depth,
        .out = fovea_arch_param_dim(fovea_arch_params_find(p, "stages.%d.0.conv3.weight", s), 0),
        .mid = mid,
        .groups = mid / in_group,
        .squeezed = fovea_arch_param_dim(
            fovea_arch_params_find(p, "stages.%d.0.attn_last.fc1.weight", s), 0),
    };
    return out->out > 0 && out->squeezed > 0 ? FOVEA_OK : fail_lacks("conv3 or attn_last.fc1", err);
}

enum fovea_status fovea_nfnet_configure(const struct fovea_arch_params *params,
                                        const struct fovea_arch_hints *hints,
                                        struct fovea_nfnet_config *out, struct fovea_error *err) {
    struct fovea_nfnet_config c = {0};
    for (int i = 0; i < 4; i++) {
        c.stem[i] =
            fovea_arch_param_dim(fovea_arch_params_find(params, "stem.conv%d.weight", i + 1), 0);
        if (c.stem[i] < 1) {
            return fail_lacks("the four convolutions of its stem", err);
        }
    }
    for (int s = 0; s < FOVEA_NFNET_STAGES; s++) {
        enum fovea_status status = read_stage(params, s, &c.stages[s], err);
        if (status) {
            return status;
        }
    }
    if (fovea_arch_params_find(params, "stages.%d.0.conv1.weight", FOVEA_NFNET_STAGES)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "an NFNet of more than %d stages",
                          FOVEA_NFNET_STAGES);
    }
    c.final = fovea_arch_param_dim(fovea_arch_params_find(params, "final_conv.weight"), 0);
    c.classes = fovea_arch_param_dim(fovea_arch_params_find(params, "head.fc.weight"), 0);
    if (c.final < 1 || c.classes < 1) {
        return fail_lacks(c.final < 1 ? "final_conv" : "a classifier (head.fc)", err);
    }
    c.skip_gain = fovea_arch_params_find(params, "stages.0.0.skipinit_gain") != NULL;
    c.gamma_in_weights =
        hints->gamma_in_weights == FOVEA_OPEN ? !c.skip_gain : hints->gamma_in_weights == FOVEA_YES;
    c.same_padding = !c.gamma_in_weights;
    c.ws = hints->ws ? hints->ws : FOVEA_WS_TIMM;
    c.gelu_tanh = hints->gelu_tanh == FOVEA_YES;
    c.height = hints->height;
    c.width = hints->width;
    *out = c;
    return FOVEA_OK;
}

/* ---- building -------------------------------------------------------------- */

struct nfnet {
    struct fovea_arch_builder *b;
    const struct fovea_nfnet_config *c;
};

/*
 * Scaled weight standardisation of w [out, in / groups, kh, kw]: each output
 * channel's weights get mean 0 and variance gain^2 / fan_in.
 */
static struct fovea_value *standardise(const struct nfnet *n, struct fovea_value *w,
                                       struct fovea_value *gain, double fan_in) {
    static const int64_t axes[] = {1, 2, 3};
    struct fovea_arch_builder *b = n->b;
    struct fovea_value *centred = FOVEA_ARCH_OP2(b, "Sub", w, fovea_arch_mean(b, w, axes, 3));
    struct fovea_value *square = FOVEA_ARCH_OP2(b, "Mul", centred, centred);
    struct fovea_value *variance = fovea_arch_mean(b, square, axes, 3);
    struct fovea_value *under;
    if (n->c->ws == FOVEA_WS_DEEPMIND) {
        under = FOVEA_ARCH_OP2(b, "Max", fovea_arch_scale(b, variance, fan_in),
                               fovea_arch_scalar(b, 1e-4));
    } else {
        variance = FOVEA_ARCH_OP2(b, "Add", variance, fovea_arch_scalar(b, 1e-5));
        under = fovea_arch_scale(b, variance, fan_in);
    }
    gain = fovea_arch_scale(b, gain, n->c->gamma_in_weights ? gamma_gelu : 1);
    struct fovea_value *factor = FOVEA_ARCH_OP2(b, "Div", gain, FOVEA_ARCH_OP1(b, "Sqrt", under));
    return FOVEA_ARCH_OP2(b, "Mul", centred, factor);
}

/* A weight-standardised convolution, out = ceil(in / stride). The scope is the convolution's. */
static struct fovea_value *convolve(const struct nfnet *n, struct fovea_value *x, int64_t in,
                                    int64_t out, int64_t kernel, int64_t stride, int64_t groups) {
    struct fovea_arch_builder *b = n->b;
    const int64_t dims[] = {out, in / groups, kernel, kernel}, gain_dims[] = {out, 1, 1, 1};
    const int64_t kernels[] = {kernel, kernel}, strides[] = {stride, stride};
    const int64_t pad = kernel / 2, pads[] = {pad, pad, pad, pad};
    struct fovea_value *w = fovea_arch_tensor(b, "weight", 4, dims);
    struct fovea_value *gain = fovea_arch_tensor(b, "gain", 4, gain_dims);
    const int64_t fan_in = dims[1] * kernel * kernel;
    w = standardise(n, w, gain, (double)fan_in);
    struct fovea_value *y = fovea_arch_op(b, "Conv", x, w, fovea_arch_vector(b, "bias", out), NULL);
    fovea_arch_attr_ints(b, y, "kernel_shape", kernels, 2);
    fovea_arch_attr_ints(b, y, "strides", strides, 2);
    fovea_arch_attr_int(b, y, "group", groups);
    return n->c->same_padding ? fovea_arch_attr_text(b, y, "auto_pad", "SAME_UPPER")
                              : fovea_arch_attr_ints(b, y, "pads", pads, 4);
}

static struct fovea_value *activate(const struct nfnet *n, struct fovea_value *x) {
    x = fovea_arch_gelu(n->b, x, n->c->gelu_tanh);
    return n->c->gamma_in_weights ? x : fovea_arch_scale(n->b, x, gamma_gelu);
}

/* One layer of the squeeze-and-excitation, a 1x1 convolution of [N, in, 1, 1]. */
static struct fovea_value *excite(const struct nfnet *n, struct fovea_value *x, const char *name,
                                  int64_t in, int64_t out) {
    char text[32];
    const int64_t dims[] = {out, in, 1, 1};
    snprintf(text, sizeof(text), "%s.weight", name);
    struct fovea_value *w = fovea_arch_tensor(n->b, text, 4, dims);
    snprintf(text, sizeof(text), "%s.bias", name);
    return fovea_arch_op(n->b, "Conv", x, w, fovea_arch_vector(n->b, text, out), NULL);
}

/* Hu, Shen, Sun 2018, with ReLU, and a factor of 2 that the released code has. */
static struct fovea_value *squeeze_excite(const struct nfnet *n, struct fovea_value *x,
                                          const struct fovea_nfnet_stage *stage) {
    struct fovea_value *gate = FOVEA_ARCH_OP1(n->b, "GlobalAveragePool", x);
    gate = FOVEA_ARCH_OP1(n->b, "Relu", excite(n, gate, "fc1", stage->out, stage->squeezed));
    gate = FOVEA_ARCH_OP1(n->b, "Sigmoid", excite(n, gate, "fc2", stage->squeezed, stage->out));
    return FOVEA_ARCH_OP2(n->b, "Mul", fovea_arch_scale(n->b, gate, 2), x);
}

/* Averages of 2x2, those at an odd edge over what there is. */
static struct fovea_value *halve(const struct nfnet *n, struct fovea_value *x) {
    static const int64_t two[] = {2, 2};
    struct fovea_value *y = FOVEA_ARCH_OP1(n->b, "AveragePool", x);
    fovea_arch_attr_ints(n->b, y, "kernel_shape", two, 2);
    fovea_arch_attr_ints(n->b, y, "strides", two, 2);
    return fovea_arch_attr_int(n->b, y, "ceil_mode", 1);
}

struct block {
    int stage, index;
    int64_t in, stride;
    double beta; /* 1 over the deviation expected of its input */
};

static struct fovea_value *build_block(const struct nfnet *n, struct fovea_value *x,
                                       const struct block *at) {
    const struct fovea_nfnet_stage *stage = &n->c->stages[at->stage];
    struct fovea_arch_builder *b = n->b;
    const int64_t mid = stage->mid, groups = stage->groups;
#define SCOPE(part) fovea_arch_scope(b, "stages.%d.%d" part, at->stage, at->index)
    SCOPE("");
    struct fovea_value *y = fovea_arch_scale(b, activate(n, x), at->beta);
    struct fovea_value *shortcut = x;
    if (at->stride > 1 || at->in != stage->out) {
        SCOPE(".downsample.conv");
        shortcut = at->stride > 1 ? halve(n, y) : y;
        shortcut = convolve(n, shortcut, at->in, stage->out, 1, 1, 1);
    }
    SCOPE(".conv1");
    y = activate(n, convolve(n, y, at->in, mid, 1, 1, 1));
    SCOPE(".conv2");
    y = activate(n, convolve(n, y, mid, mid, 3, at->stride, groups));
    SCOPE(".conv2b");
    y = activate(n, convolve(n, y, mid, mid, 3, 1, groups));
    SCOPE(".conv3");
    y = convolve(n, y, mid, stage->out, 1, 1, 1);
    SCOPE(".attn_last");
    y = squeeze_excite(n, y, stage);
    SCOPE("");
#undef SCOPE
    if (n->c->skip_gain) {
        y = FOVEA_ARCH_OP2(b, "Mul", y, fovea_arch_tensor(b, "skipinit_gain", 0, NULL));
    }
    return FOVEA_ARCH_OP2(b, "Add", fovea_arch_scale(b, y, alpha), shortcut);
}

static struct fovea_value *build_stem(const struct nfnet *n, struct fovea_value *x) {
    static const int64_t strides[] = {2, 1, 1, 2};
    for (int i = 0; i < 4; i++) {
        fovea_arch_scope(n->b, "stem.conv%d", i + 1);
        x = i > 0 ? activate(n, x) : x;
        x = convolve(n, x, i > 0 ? n->c->stem[i - 1] : 3, n->c->stem[i], 3, strides[i], 1);
    }
    return x;
}

static struct fovea_value *build_stages(const struct nfnet *n, struct fovea_value *x) {
    double deviation = 1;
    int64_t in = n->c->stem[3];
    for (int s = 0; s < FOVEA_NFNET_STAGES; s++) {
        for (int i = 0; i < n->c->stages[s].depth; i++) {
            const struct block at = {s, i, in, s > 0 && i == 0 ? 2 : 1, 1 / deviation};
            x = build_block(n, x, &at);
            in = n->c->stages[s].out;
            /* The first block's shortcut is activated, so it starts again from one. */
            deviation = sqrt((i == 0 ? 1 : deviation * deviation) + alpha * alpha);
        }
    }
    return x;
}

void fovea_nfnet_build(struct fovea_arch_builder *b, const struct fovea_nfnet_config *config) {
    const struct nfnet n = {b, config};
    struct fovea_value *x =
        build_stages(&n, build_stem(&n, fovea_arch_input(b, config->height, config->width)));
    fovea_arch_scope(b, "final_conv");
    x = convolve(&n, x, config->stages[FOVEA_NFNET_STAGES - 1].out, config->final, 1, 1, 1);
    x = activate(&n, x);
    fovea_arch_scope(b, "head");
    x = FOVEA_ARCH_OP1(b, "Flatten", FOVEA_ARCH_OP1(b, "GlobalAveragePool", x));
    x = fovea_arch_linear(b, x, "fc", config->final, config->classes, true);
    fovea_arch_output(b, x, config->classes);
}

/* "128", or "192-128-128-128" where stages differ. */
static void describe_groups(const struct fovea_nfnet_stage *s, char *text, size_t size) {
    int64_t wide[FOVEA_NFNET_STAGES];
    bool same = true;
    for (int i = 0; i < FOVEA_NFNET_STAGES; i++) {
        wide[i] = s[i].mid / s[i].groups;
        same = same && wide[i] == wide[0];
    }
    if (same) {
        snprintf(text, size, "%lld", (long long)wide[0]);
        return;
    }
    snprintf(text, size, "%lld-%lld-%lld-%lld", (long long)wide[0], (long long)wide[1],
             (long long)wide[2], (long long)wide[3]);
}

void fovea_nfnet_describe(const struct fovea_nfnet_config *c, char *text, size_t size) {
    const struct fovea_nfnet_stage *s = c->stages;
    char groups[96];
    describe_groups(s, groups, sizeof(groups));
    snprintf(text, size,
             "NFNet of %d-%d-%d-%d blocks, widths %lld-%lld-%lld-%lld, bottlenecks "
             "%lld-%lld-%lld-%lld in groups of %s; weight standardisation as %s, GELU %s%s",
             s[0].depth, s[1].depth, s[2].depth, s[3].depth, (long long)s[0].out,
             (long long)s[1].out, (long long)s[2].out, (long long)s[3].out, (long long)s[0].mid,
             (long long)s[1].mid, (long long)s[2].mid, (long long)s[3].mid, groups,
             c->ws == FOVEA_WS_DEEPMIND ? "DeepMind (eps dm)" : "timm (eps timm)",
             c->gelu_tanh ? "by tanh" : "by erf",
             c->gamma_in_weights ? ", its gain in the weights" : "");
}
