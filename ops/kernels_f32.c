/* The f32 kernels that must be fast: see kernels.h, math_f32.h. */
#include "ops/kernels.h"
#include "ops/math_f32.h"

#define KERNEL1(name, expression)                                                                  \
    FOVEA_KERNEL                                                                                   \
    static void name(void *py, const void *pa, const void *pb, const void *pc, int64_t n,          \
                     float alpha, float beta) {                                                    \
        float *y = py;                                                                             \
        const float *a = pa;                                                                       \
        (void)pb, (void)pc, (void)alpha, (void)beta;                                               \
        FOVEA_VECTOR_LOOP                                                                          \
        for (int64_t i = 0; i < n; i++) {                                                          \
            float x = a[i];                                                                        \
            y[i] = expression;                                                                     \
        }                                                                                          \
    }

#define KERNEL2(name, expression)                                                                  \
    FOVEA_KERNEL                                                                                   \
    static void name(void *py, const void *pa, const void *pb, const void *pc, int64_t n,          \
                     float alpha, float beta) {                                                    \
        float *y = py;                                                                             \
        const float *a = pa, *b = pb;                                                              \
        (void)pc, (void)alpha, (void)beta;                                                         \
        FOVEA_VECTOR_LOOP                                                                          \
        for (int64_t i = 0; i < n; i++) {                                                          \
            float u = a[i], v = b[i];                                                              \
            y[i] = expression;                                                                     \
        }                                                                                          \
    }

/* clang-format off */
KERNEL2(add, u + v)
KERNEL2(sub, u - v)
KERNEL2(mul, u * v)
KERNEL2(div_, u / v)
KERNEL2(max, u >= v || u != u ? u : v)
KERNEL2(min, u <= v || u != u ? u : v)
KERNEL2(prelu, u < 0.0f ? u * v : u)
KERNEL1(abs_, f32_abs(x))
KERNEL1(neg, -x)
KERNEL1(relu, x < 0.0f ? 0.0f : x)
KERNEL1(floor_, floorf(x))
KERNEL1(ceil_, ceilf(x))
KERNEL1(round_, rintf(x))
KERNEL1(sqrt_, sqrtf(x))
KERNEL1(reciprocal, 1.0f / x)
KERNEL1(exp_, f32_exp(x))
KERNEL1(log_, f32_log(x))
KERNEL1(erf_, f32_erf(x))
KERNEL1(tanh_, f32_tanh(x))
KERNEL1(sigmoid, f32_sigmoid(x))
KERNEL1(softplus, f32_softplus(x))
KERNEL1(softsign, x / (1.0f + f32_abs(x)))
KERNEL1(mish, f32_mish(x))
KERNEL1(swish, x * f32_sigmoid(alpha * x))
KERNEL1(gelu_tanh, f32_gelu_tanh(x))
KERNEL1(leaky_relu, x < 0.0f ? alpha * x : x)
KERNEL1(elu, x < 0.0f ? alpha * f32_expm1_negative(x < 0.0f ? x : 0.0f) : x)
KERNEL1(selu, beta * (x < 0.0f ? alpha * f32_expm1_negative(x < 0.0f ? x : 0.0f) : x))
KERNEL1(hard_swish, x * fminf(1.0f, fmaxf(0.0f, x * (1.0f / 6.0f) + 0.5f)))
KERNEL1(affine, alpha * x + beta)
KERNEL1(over, x / alpha)
/* clang-format on */

/* GELU is what a network does most: with fused operations it takes two thirds of the time. */
FOVEA_INLINE void gelu_run(float *y, const float *x, int64_t n, bool fused) {
    FOVEA_VECTOR_LOOP
    for (int64_t i = 0; i < n; i++) {
        y[i] = f32_gelu_with(x[i], fused);
    }
}

FOVEA_TARGET_V4 static void gelu_v4(float *y, const float *x, int64_t n) {
    gelu_run(y, x, n, true);
}

FOVEA_TARGET_V3 static void gelu_v3(float *y, const float *x, int64_t n) {
    gelu_run(y, x, n, true);
}

static void gelu(void *y, const void *a, const void *b, const void *c, int64_t n, float alpha,
                 float beta) {
    (void)b, (void)c, (void)alpha, (void)beta;
    if (fovea_cpu_has_v4()) {
        gelu_v4(y, a, n);
    } else if (fovea_cpu_has_v3()) {
        gelu_v3(y, a, n);
    } else {
        gelu_run(y, a, n, false);
    }
}

FOVEA_INLINE float clamp(float x, float low, float high) {
    x = x < low ? low : x;
    return x > high ? high : x;
}

/* clang-format off */
KERNEL1(clip, clamp(x, alpha, beta))
KERNEL1(hard_sigmoid, clamp(alpha * x + beta, 0.0f, 1.0f))
/* clang-format on */

const fovea_kernel_fn fovea_kernels_fast[FOVEA_N_OPCODES] = {
    [FOVEA_DO_ADD] = add,
    [FOVEA_DO_SUB] = sub,
    [FOVEA_DO_MUL] = mul,
    [FOVEA_DO_DIV] = div_,
    [FOVEA_DO_MAX] = max,
    [FOVEA_DO_MIN] = min,
    [FOVEA_DO_PRELU] = prelu,
    [FOVEA_DO_ABS] = abs_,
    [FOVEA_DO_NEG] = neg,
    [FOVEA_DO_RELU] = relu,
    [FOVEA_DO_CLIP] = clip,
    [FOVEA_DO_FLOOR] = floor_,
    [FOVEA_DO_CEIL] = ceil_,
    [FOVEA_DO_ROUND] = round_,
    [FOVEA_DO_SQRT] = sqrt_,
    [FOVEA_DO_RECIPROCAL] = reciprocal,
    [FOVEA_DO_EXP] = exp_,
    [FOVEA_DO_LOG] = log_,
    [FOVEA_DO_TANH] = tanh_,
    [FOVEA_DO_ERF] = erf_,
    [FOVEA_DO_LEAKY_RELU] = leaky_relu,
    [FOVEA_DO_ELU] = elu,
    [FOVEA_DO_SELU] = selu,
    [FOVEA_DO_HARD_SIGMOID] = hard_sigmoid,
    [FOVEA_DO_HARD_SWISH] = hard_swish,
    [FOVEA_DO_SIGMOID] = sigmoid,
    [FOVEA_DO_SOFTPLUS] = softplus,
    [FOVEA_DO_SOFTSIGN] = softsign,
    [FOVEA_DO_MISH] = mish,
    [FOVEA_DO_SWISH] = swish,
    [FOVEA_DO_GELU] = gelu,
    [FOVEA_DO_GELU_TANH] = gelu_tanh,
    [FOVEA_DO_AFFINE] = affine,
    [FOVEA_DO_OVER] = over,
};
