/*
 * The elementwise kernels of one type, in plain C: included once a type by
 * kernels_*.c. The includer defines
 *
 *   T           the element type
 *   TABLE       the name of the table to define
 *   IS_FLOAT    1 for float and double
 *   IS_SIGNED   1 for signed integers (integers only)
 *   M(name)     the math function of that name for T (floats only)
 *
 * Integers wrap: sums are formed in uint64_t, whose low bits are right for
 * every width, signed or not.
 */
#define KERNEL1(name, to, expression)                                                              \
    static void name(void *py, const void *pa, const void *pb, const void *pc, int64_t n,          \
                     float alpha, float beta) {                                                    \
        to *y = py;                                                                                \
        const T *a = pa;                                                                           \
        (void)pb, (void)pc, (void)alpha, (void)beta;                                               \
        for (int64_t i = 0; i < n; i++) {                                                          \
            T x = a[i];                                                                            \
            y[i] = (to)(expression);                                                               \
        }                                                                                          \
    }

#define KERNEL2(name, to, expression)                                                              \
    static void name(void *py, const void *pa, const void *pb, const void *pc, int64_t n,          \
                     float alpha, float beta) {                                                    \
        to *y = py;                                                                                \
        const T *a = pa, *b = pb;                                                                  \
        (void)pc, (void)alpha, (void)beta;                                                         \
        for (int64_t i = 0; i < n; i++) {                                                          \
            T u = a[i], v = b[i];                                                                  \
            y[i] = (to)(expression);                                                               \
        }                                                                                          \
    }

static void where(void *py, const void *pa, const void *pb, const void *pc, int64_t n, float alpha,
                  float beta) {
    T *y = py;
    const uint8_t *condition = pa;
    const T *b = pb, *c = pc;
    (void)alpha, (void)beta;
    for (int64_t i = 0; i < n; i++) {
        y[i] = condition[i] ? b[i] : c[i];
    }
}

#if IS_FLOAT

static T fmod_(T a, T b) {
    return M(fmod)(a, b);
}

static T pow_(T a, T b) {
    return M(pow)(a, b);
}

static T expm1_(T a) {
    return M(expm1)(a);
}

static T sigmoid_(T x) {
    T e = M(exp)(-M(fabs)(x));
    return (x < 0 ? e : 1) / (1 + e);
}

static T softplus_(T x) {
    return (x > 0 ? x : 0) + M(log1p)(M(exp)(-M(fabs)(x)));
}

static T gelu_(T x) {
    return x * M(erfc)(x * (T)-0.70710678118654752440) / 2;
}

static T gelu_tanh_(T x) {
    T u = x * ((T)0.79788456080286535588 + (T)0.035677408136300125 * (x * x));
    return x / 2 * (1 + M(tanh)(u));
}

static T clip_(T x, T low, T high) {
    x = x < low ? low : x;
    return x > high ? high : x;
}

static T shrink_(T x, T lambd, T bias) {
    return x < -lambd ? x + bias : (x > lambd ? x - bias : 0);
}

/* clang-format off */
KERNEL2(add, T, u + v)
KERNEL2(sub, T, u - v)
KERNEL2(mul, T, u * v)
KERNEL2(div_, T, u / v)
KERNEL2(fmod__, T, fmod_(u, v))
KERNEL2(pow__, T, pow_(u, v))
KERNEL1(neg, T, -x)
KERNEL1(abs_, T, M(fabs)(x))
KERNEL1(sign, T, x > 0 ? 1 : (x < 0 ? -1 : x))
KERNEL1(is_nan, uint8_t, x != x)
KERNEL1(is_inf, uint8_t, (x == (T)INFINITY && beta != 0) || (x == -(T)INFINITY && alpha != 0))
KERNEL1(clip, T, clip_(x, (T)alpha, (T)beta))
KERNEL1(floor_, T, M(floor)(x))
KERNEL1(ceil_, T, M(ceil)(x))
KERNEL1(round_, T, M(rint)(x))
KERNEL1(sqrt_, T, M(sqrt)(x))
KERNEL1(reciprocal, T, 1 / x)
KERNEL1(exp_, T, M(exp)(x))
KERNEL1(log_, T, M(log)(x))
KERNEL1(sin_, T, M(sin)(x))
KERNEL1(cos_, T, M(cos)(x))
KERNEL1(tan_, T, M(tan)(x))
KERNEL1(asin_, T, M(asin)(x))
KERNEL1(acos_, T, M(acos)(x))
KERNEL1(atan_, T, M(atan)(x))
KERNEL1(sinh_, T, M(sinh)(x))
KERNEL1(cosh_, T, M(cosh)(x))
KERNEL1(tanh_, T, M(tanh)(x))
KERNEL1(asinh_, T, M(asinh)(x))
KERNEL1(acosh_, T, M(acosh)(x))
KERNEL1(atanh_, T, M(atanh)(x))
KERNEL1(erf_, T, M(erf)(x))
KERNEL1(leaky_relu, T, x < 0 ? (T)alpha * x : x)
KERNEL1(elu, T, x < 0 ? (T)alpha * expm1_(x) : x)
KERNEL1(selu, T, (T)beta * (x < 0 ? (T)alpha * expm1_(x) : x))
KERNEL1(celu, T, x < 0 ? (T)alpha * expm1_(x / (T)alpha) : x)
KERNEL1(thresholded_relu, T, x > (T)alpha ? x : 0)
KERNEL1(hard_sigmoid, T, clip_((T)alpha * x + (T)beta, 0, 1))
KERNEL1(hard_swish, T, x * clip_(x / 6 + (T)0.5, 0, 1))
KERNEL1(sigmoid, T, sigmoid_(x))
KERNEL1(softplus, T, softplus_(x))
KERNEL1(softsign, T, x / (1 + M(fabs)(x)))
KERNEL1(mish, T, x * M(tanh)(softplus_(x)))
KERNEL1(swish, T, x * sigmoid_((T)alpha * x))
KERNEL1(gelu, T, gelu_(x))
KERNEL1(gelu_tanh, T, gelu_tanh_(x))
KERNEL1(shrink, T, shrink_(x, (T)alpha, (T)beta))
KERNEL1(affine, T, (T)alpha * x + (T)beta)
/* clang-format on */

#else

/* By the sign bit: a comparison with 0 draws warnings for unsigned types. */
static bool negative(T x) {
    return IS_SIGNED && (uint64_t)(int64_t)x >> 63;
}

static T div_one(T a, T b) {
    if (b == 0) {
        return 0;
    }
    return IS_SIGNED && b == (T)-1 ? (T)(0 - (uint64_t)a) : (T)(a / b);
}

static T fmod_(T a, T b) {
    return b == 0 || (IS_SIGNED && b == (T)-1) ? 0 : (T)(a % b);
}

/* Python's remainder: it has the sign of b. */
static T mod_(T a, T b) {
    T rest = fmod_(a, b);
    bool differ = rest != 0 && negative(rest) != negative(b);
    return differ ? (T)(rest + b) : rest;
}

/* By squaring. A negative exponent gives what truncation makes of the fraction. */
static T pow_(T base, T exponent) {
    if (negative(exponent)) {
        if (base == (T)-1) {
            return exponent & 1 ? base : 1;
        }
        return base == 1;
    }
    uint64_t power = 1, square = (uint64_t)base;
    for (uint64_t rest = (uint64_t)exponent; rest; rest >>= 1) {
        power *= rest & 1 ? square : 1;
        square *= square;
    }
    return (T)power;
}

static T shift_left(T a, T b) {
    return (uint64_t)b < 8 * sizeof(T) ? (T)((uint64_t)a << b) : 0;
}

static T shift_right(T a, T b) {
    return (uint64_t)b < 8 * sizeof(T) ? (T)(a >> b) : 0;
}

static T sign_(T x) {
    return negative(x) ? (T)-1 : x != 0;
}

/* clang-format off */
KERNEL2(add, T, (uint64_t)u + (uint64_t)v)
KERNEL2(sub, T, (uint64_t)u - (uint64_t)v)
KERNEL2(mul, T, (uint64_t)u * (uint64_t)v)
KERNEL2(div_, T, div_one(u, v))
KERNEL2(mod__, T, mod_(u, v))
KERNEL2(fmod__, T, fmod_(u, v))
KERNEL2(pow__, T, pow_(u, v))
KERNEL2(and_, T, u & v)
KERNEL2(or_, T, u | v)
KERNEL2(xor_, T, u ^ v)
KERNEL2(left, T, shift_left(u, v))
KERNEL2(right, T, shift_right(u, v))
KERNEL1(not_, T, ~x)
KERNEL1(neg, T, 0 - (uint64_t)x)
KERNEL1(abs_, T, negative(x) ? 0 - (uint64_t)x : (uint64_t)x)
KERNEL1(sign, T, sign_(x))
/* clang-format on */

#endif

/* clang-format off */
KERNEL2(max, T, u >= v || u != u ? u : v)
KERNEL2(min, T, u <= v || u != u ? u : v)
KERNEL2(equal, uint8_t, u == v)
KERNEL2(greater, uint8_t, u > v)
KERNEL2(less, uint8_t, u < v)
KERNEL2(greater_equal, uint8_t, u >= v)
KERNEL2(less_equal, uint8_t, u <= v)
/* clang-format on */

#if IS_FLOAT
KERNEL2(prelu, T, u < 0 ? u * v : u)
KERNEL1(relu, T, x < 0 ? 0 : x)
KERNEL1(over, T, x / (T)alpha)
#else
KERNEL2(prelu, T, negative(u) ? (uint64_t)u *(uint64_t)v : (uint64_t)u)
KERNEL1(relu, T, negative(x) ? 0 : x)
#endif

const fovea_kernel_fn TABLE[FOVEA_N_OPCODES] = {
    [FOVEA_DO_ADD] = add,
    [FOVEA_DO_SUB] = sub,
    [FOVEA_DO_MUL] = mul,
    [FOVEA_DO_DIV] = div_,
    [FOVEA_DO_FMOD] = fmod__,
    [FOVEA_DO_POW] = pow__,
    [FOVEA_DO_MAX] = max,
    [FOVEA_DO_MIN] = min,
    [FOVEA_DO_PRELU] = prelu,
    [FOVEA_DO_EQUAL] = equal,
    [FOVEA_DO_GREATER] = greater,
    [FOVEA_DO_LESS] = less,
    [FOVEA_DO_GREATER_EQUAL] = greater_equal,
    [FOVEA_DO_LESS_EQUAL] = less_equal,
    [FOVEA_DO_WHERE] = where,
    [FOVEA_DO_ABS] = abs_,
    [FOVEA_DO_NEG] = neg,
    [FOVEA_DO_SIGN] = sign,
    [FOVEA_DO_RELU] = relu,
#if IS_FLOAT
    [FOVEA_DO_IS_NAN] = is_nan,
    [FOVEA_DO_IS_INF] = is_inf,
    [FOVEA_DO_CLIP] = clip,
    [FOVEA_DO_FLOOR] = floor_,
    [FOVEA_DO_CEIL] = ceil_,
    [FOVEA_DO_ROUND] = round_,
    [FOVEA_DO_SQRT] = sqrt_,
    [FOVEA_DO_RECIPROCAL] = reciprocal,
    [FOVEA_DO_EXP] = exp_,
    [FOVEA_DO_LOG] = log_,
    [FOVEA_DO_SIN] = sin_,
    [FOVEA_DO_COS] = cos_,
    [FOVEA_DO_TAN] = tan_,
    [FOVEA_DO_ASIN] = asin_,
    [FOVEA_DO_ACOS] = acos_,
    [FOVEA_DO_ATAN] = atan_,
    [FOVEA_DO_SINH] = sinh_,
    [FOVEA_DO_COSH] = cosh_,
    [FOVEA_DO_TANH] = tanh_,
    [FOVEA_DO_ASINH] = asinh_,
    [FOVEA_DO_ACOSH] = acosh_,
    [FOVEA_DO_ATANH] = atanh_,
    [FOVEA_DO_ERF] = erf_,
    [FOVEA_DO_LEAKY_RELU] = leaky_relu,
    [FOVEA_DO_ELU] = elu,
    [FOVEA_DO_SELU] = selu,
    [FOVEA_DO_CELU] = celu,
    [FOVEA_DO_THRESHOLDED_RELU] = thresholded_relu,
    [FOVEA_DO_HARD_SIGMOID] = hard_sigmoid,
    [FOVEA_DO_HARD_SWISH] = hard_swish,
    [FOVEA_DO_SIGMOID] = sigmoid,
    [FOVEA_DO_SOFTPLUS] = softplus,
    [FOVEA_DO_SOFTSIGN] = softsign,
    [FOVEA_DO_MISH] = mish,
    [FOVEA_DO_SWISH] = swish,
    [FOVEA_DO_GELU] = gelu,
    [FOVEA_DO_GELU_TANH] = gelu_tanh,
    [FOVEA_DO_SHRINK] = shrink,
    [FOVEA_DO_AFFINE] = affine,
    [FOVEA_DO_OVER] = over,
#else
    [FOVEA_DO_MOD] = mod__,
    [FOVEA_DO_BIT_AND] = and_,
    [FOVEA_DO_BIT_OR] = or_,
    [FOVEA_DO_BIT_XOR] = xor_,
    [FOVEA_DO_SHIFT_LEFT] = left,
    [FOVEA_DO_SHIFT_RIGHT] = right,
    [FOVEA_DO_BIT_NOT] = not_,
#endif
};
