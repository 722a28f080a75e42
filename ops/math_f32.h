/*
 * exp, log, erf, tanh and their kin in f32, written so that a compiler can
 * vectorise loops over them: no branches, no tables, no calls.
 *
 * The polynomials and rational functions were fitted for this file, by
 * weighted least squares with Lawson's iteration towards the minimax relative
 * error; range reductions are the classical ones (Cody and Waite, "Software
 * Manual for the Elementary Functions", 1980). No operation is fused, so every
 * instruction set gives the same bits, except in functions that are told to.
 * tests/test_elementwise.c holds the accuracy that is stated at each function.
 *
 * Infinities and NaN give what C's functions give.
 */
#ifndef FOVEA_OPS_MATH_F32_H
#define FOVEA_OPS_MATH_F32_H

#include "runtime/portability.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

FOVEA_INLINE int32_t f32_bits(float x) {
    int32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

FOVEA_INLINE float f32_from_bits(int32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

/* 2^k for k in [-126, 127]. */
FOVEA_INLINE float f32_power_of_2(int32_t k) {
    return f32_from_bits((int32_t)((uint32_t)(k + 127) << 23));
}

FOVEA_INLINE float f32_abs(float x) {
    return f32_from_bits(f32_bits(x) & 0x7fffffff);
}

/* 1.5 2^23: adding it leaves the nearest integer in the low bits. */
#define F32_MAGIC 12582912.0f

/*
 * x = k ln 2 + r with |r| <= ln 2 / 2; returns e^r - 1 = r + r^2 p(r), p of
 * degree 4 with relative error 3e-9. |x| is at most 104.
 */
FOVEA_INLINE float f32_exp_reduce(float x, int32_t *k) {
    float z = x * 1.44269504f + F32_MAGIC;
    float n = z - F32_MAGIC;
    *k = (int32_t)((uint32_t)f32_bits(z) - (uint32_t)f32_bits(F32_MAGIC));
    float r = x - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 0.00139506297f;
    p = p * r + 0.00836897005f;
    p = p * r + 0.0416662037f;
    p = p * r + 0.166665182f;
    p = p * r + 0.5f;
    return r + r * r * p;
}

/* e^x within 2 ulp; below 2^-126 within one denormal step more. */
FOVEA_INLINE float f32_exp(float x) {
    int32_t k;
    x = x > 89.0f ? 89.0f : x;
    x = x < -104.0f ? -104.0f : x;
    float q = f32_exp_reduce(x, &k);
    int32_t half = k >> 1; /* twice, since 2^k may overflow or be denormal */
    return (1.0f + q) * f32_power_of_2(half) * f32_power_of_2(k - half);
}

/*
 * e^x for x <= 0 within 2 ulp, and 0 where that is below 2^-126: what softmax
 * needs, for two thirds of the work.
 */
FOVEA_INLINE float f32_exp_negative(float x) {
    int32_t k;
    float q = f32_exp_reduce(x < -87.3f ? -87.3f : x, &k);
    float y = (1.0f + q) * f32_power_of_2(k);
    return x < -87.3f ? 0.0f : y;
}

/* e^x - 1 for x <= 0, within 3 ulp. */
FOVEA_INLINE float f32_expm1_negative(float x) {
    int32_t k;
    x = x < -25.0f ? -25.0f : x;
    float q = f32_exp_reduce(x, &k);
    float scale = f32_power_of_2(k);
    return scale * q + (scale - 1.0f);
}

/* log(1 + f) for f in [sqrt(1/2) - 1, sqrt(2) - 1], less f: f^3 p(f) - f^2/2, p of degree 7. */
FOVEA_INLINE float f32_log1p_rest(float f) {
    float s = f * f;
    float p = -0.0763446011f;
    p = p * f + 0.127615625f;
    p = p * f - 0.131601893f;
    p = p * f + 0.142017604f;
    p = p * f - 0.166233569f;
    p = p * f + 0.200012268f;
    p = p * f - 0.25000821f;
    p = p * f + 0.333333317f;
    return p * f * s - 0.5f * s;
}

/* log x within 2 ulp. */
FOVEA_INLINE float f32_log(float x) {
    float tiny = x < 1.17549435e-38f ? 1.0f : 0.0f;
    int32_t bits = f32_bits(x * (tiny != 0.0f ? 8388608.0f : 1.0f));
    int32_t e = (int32_t)((uint32_t)bits - 0x3f3504f3u) >> 23;
    float m = f32_from_bits((int32_t)((uint32_t)bits - ((uint32_t)e << 23)));
    float n = (float)e - 23.0f * tiny;
    float f = m - 1.0f;
    float y = f32_log1p_rest(f) - n * 2.12194440e-4f;
    y = f + y + n * 0.693359375f;
    float special = x == 0.0f ? -INFINITY : NAN;
    y = x < INFINITY ? y : x;
    return x > 0.0f ? y : special;
}

/* log(1 + u) for u in [0, 1], within 3 ulp: at most one halving reaches the polynomial's range. */
FOVEA_INLINE float f32_log1p_unit(float u) {
    float upper = u > 0.41421356f ? 1.0f : 0.0f;
    float f = upper != 0.0f ? (u - 1.0f) * 0.5f : u;
    return f + (f32_log1p_rest(f) - upper * 2.12194440e-4f) + upper * 0.693359375f;
}

/* a b + c, fused or not; `fused` is a constant wherever this ends up. */
FOVEA_INLINE float f32_multiply_add(float a, float b, float c, bool fused) {
    return fused ? __builtin_fmaf(a, b, c) : a * b + c;
}

/* erf x within 6 ulp: x P(x^2)/Q(x^2) up to 3.92, where it rounds to 1. */
FOVEA_INLINE float f32_erf_with(float x, bool fused) {
    x = x > 3.92f ? 3.92f : x;
    x = x < -3.92f ? -3.92f : x;
    float z = x * x;
    float p = 2.05007067e-06f;
    p = f32_multiply_add(p, z, 0.000284862479f, fused);
    p = f32_multiply_add(p, z, 0.00376507037f, fused);
    p = f32_multiply_add(p, z, 0.0527469951f, fused);
    p = f32_multiply_add(p, z, 0.190394862f, fused);
    p = f32_multiply_add(p, z, 1.12837915f, fused);
    float q = 3.80904868e-05f;
    q = f32_multiply_add(q, z, 0.00116238843f, fused);
    q = f32_multiply_add(q, z, 0.0149681226f, fused);
    q = f32_multiply_add(q, z, 0.114104142f, fused);
    q = f32_multiply_add(q, z, 0.502065797f, fused);
    q = f32_multiply_add(q, z, 1.0f, fused);
    float y = x * p / q;
    y = y > 1.0f ? 1.0f : y;
    return y < -1.0f ? -1.0f : y;
}

FOVEA_INLINE float f32_erf(float x) {
    return f32_erf_with(x, false);
}

/* tanh x within 6 ulp, as erf; it rounds to 1 at 9.02. */
FOVEA_INLINE float f32_tanh(float x) {
    x = x > 9.02f ? 9.02f : x;
    x = x < -9.02f ? -9.02f : x;
    float z = x * x;
    float p = 1.33176343e-08f;
    p = p * z + 2.05824544e-05f;
    p = p * z + 0.00349397359f;
    p = p * z + 0.133796675f;
    p = p * z + 0.999999979f;
    float q = 7.76143272e-07f;
    q = q * z + 0.000328299191f;
    q = q * z + 0.0258708437f;
    q = q * z + 0.467129828f;
    q = q * z + 1.0f;
    float y = x * p / q;
    y = y > 1.0f ? 1.0f : y;
    return y < -1.0f ? -1.0f : y;
}

/* 1/(1 + e^-x) within 4 ulp, both tails included. */
FOVEA_INLINE float f32_sigmoid(float x) {
    float e = f32_exp(-f32_abs(x));
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

/* log(1 + e^x) within 4 ulp. */
FOVEA_INLINE float f32_softplus(float x) {
    return (x > 0.0f ? x : 0.0f) + f32_log1p_unit(f32_exp(-f32_abs(x)));
}

/* x tanh(log(1 + e^x)) = x w/(w + 2) with w = e^x (e^x + 2): no cancellation. */
FOVEA_INLINE float f32_mish(float x) {
    float e = f32_exp(x > 20.0f ? 20.0f : x);
    float w = e * (e + 2.0f);
    return x * (w / (w + 2.0f));
}

/* x Phi(x), within 6 ulp plus 8e-7 in the negative tail, where 1 + erf cancels. */
FOVEA_INLINE float f32_gelu_with(float x, bool fused) {
    return 0.5f * x * (1.0f + f32_erf_with(x * 0.707106781f, fused));
}

FOVEA_INLINE float f32_gelu(float x) {
    return f32_gelu_with(x, false);
}

/* (x/2) (1 + tanh u) = x sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3). */
FOVEA_INLINE float f32_gelu_tanh(float x) {
    return x * f32_sigmoid(x * (1.59576912f + 0.0713548163f * (x * x)));
}

#endif
