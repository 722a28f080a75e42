/*
 * Elementary functions as straight-line code without branches or tables, so
 * that a loop around them becomes vector instructions.
 */
#ifndef FOVEA_OPS_VECTOR_MATH_H
#define FOVEA_OPS_VECTOR_MATH_H

#include <stdint.h>
#include <string.h>

static inline float fovea_float_from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static inline uint32_t fovea_bits_from_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/*
 * e^x within 2 ulp, over the whole range of f32: 0 and denormals below, inf
 * above, NaN for NaN.
 *
 * x = n ln 2 + r with |r| <= ln 2 / 2. ln 2 is taken in two parts, the first of
 * so few bits (355/512) that n times it is exact. e^r = 1 + r + r^2 p(r), with
 * p the Chebyshev interpolant of degree 4 of (e^r - 1 - r) / r^2 on that
 * interval: relative error 1.1e-8, a fifth of a half ulp. Adding and taking
 * away 1.5 * 2^23 rounds to an integer and leaves it in the low bits. 2^n is
 * multiplied on in two halves, as n may be outside the range of exponents.
 */
static inline float fovea_expf(float x) {
    const float to_integer = 12582912.0f;
    x = x < -104.0f ? -104.0f : x;
    x = x > 89.0f ? 89.0f : x;
    float shifted = x * 1.44269504f + to_integer;
    float n = shifted - to_integer;
    float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 0.0013926184f;
    p = p * r + 0.008363179f;
    p = p * r + 0.041666556f;
    p = p * r + 0.16666576f;
    p = p * r + 0.5f;
    float y = (p * (r * r) + r) + 1.0f;
    /* The low bits of `shifted` are n, above a base that the shifts below drop. */
    uint32_t bits = fovea_bits_from_float(shifted) - fovea_bits_from_float(to_integer);
    uint32_t half = (uint32_t)((int32_t)bits >> 1);
    uint32_t rest = bits - half;
    return y * fovea_float_from_bits((half + 127u) << 23) *
           fovea_float_from_bits((rest + 127u) << 23);
}

#endif
