/*
 * Rows and panels of attention: see attention_rows.h.
 *
 * The exponential is half of the time that attention does not spend in matrix
 * products, so it is compiled with fused multiply-adds where the CPU has them.
 * That changes last bits from one CPU to the next, as oneDNN's products do.
 */
#include "ops/attention_rows.h"

#include "ops/math_f32.h"
#include "runtime/half.h"
#include "runtime/portability.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define LANES FOVEA_ATTENTION_LANES

/*
 * 2^z for z <= 0: z = n + f with |f| <= 1/2, and 2^f = 1 + f q(f), q of degree
 * 4 with relative error 1e-7 of the whole, fitted as math_f32.h says. n is
 * added to the exponent. From -127 downwards the result is 0.
 */
FOVEA_INLINE float power_of_2(float z, bool fused) {
    z = z < -127.0f ? -127.0f : z;
    float m = z + F32_MAGIC;
    float f = z - (m - F32_MAGIC);
    float p = 0.00132647273f;
    p = f32_multiply_add(p, f, 0.00967151299f, fused);
    p = f32_multiply_add(p, f, 0.0555073358f, fused);
    p = f32_multiply_add(p, f, 0.240222424f, fused);
    p = f32_multiply_add(p, f, 0.693147004f, fused);
    p = f32_multiply_add(p, f, 1.0f, fused);
    float power = f32_from_bits((int32_t)((uint32_t)f32_bits(p) + ((uint32_t)f32_bits(m) << 23)));
    return z == z ? power : z; /* of a NaN's bits the sum may be a number */
}

/* Of a row filled up to `n` elements, a multiple of LANES. */
FOVEA_INLINE float largest(const float *x, int64_t n) {
    float most = -INFINITY;
#pragma omp simd reduction(max : most)
    for (int64_t i = 0; i < n; i++) {
        most = x[i] > most ? x[i] : most;
    }
    return most;
}

FOVEA_INLINE float exp_row(float *x, int64_t n, float scale, bool fused) {
    n = (n + LANES - 1) / LANES * LANES;
    float most = largest(x, n), sum = 0;
    scale *= 1.44269504f; /* e^x = 2^(x log2 e) */
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) {
        float y = power_of_2((x[i] - most) * scale, fused);
        x[i] = y;
        sum += y;
    }
    return sum;
}

FOVEA_TARGET_V4 static float exp_row_v4(float *x, int64_t n, float scale) {
    return exp_row(x, n, scale, true);
}

FOVEA_TARGET_V3 static float exp_row_v3(float *x, int64_t n, float scale) {
    return exp_row(x, n, scale, true);
}

float fovea_attention_exp_row(float *x, int64_t n, float scale) {
    if (fovea_cpu_has_v4()) {
        return exp_row_v4(x, n, scale);
    }
    return fovea_cpu_has_v3() ? exp_row_v3(x, n, scale) : exp_row(x, n, scale, false);
}

/* As power_of_2 with q of degree 2: relative error 1.0e-4. */
FOVEA_INLINE float rough_power_of_2(float z, bool fused) {
    z = z < -127.0f ? -127.0f : z;
    float m = z + F32_MAGIC;
    float f = z - (m - F32_MAGIC);
    float p = 0.0550085828f;
    p = f32_multiply_add(p, f, 0.242210373f, fused);
    p = f32_multiply_add(p, f, 0.693282902f, fused);
    p = f32_multiply_add(p, f, 1.0f, fused);
    float power = f32_from_bits((int32_t)((uint32_t)f32_bits(p) + ((uint32_t)f32_bits(m) << 23)));
    return z == z ? power : z;
}

FOVEA_INLINE float exp_row_bf16(const float *x, int64_t n, float scale, uint16_t *to, bool fused) {
    n = (n + LANES - 1) / LANES * LANES;
    float most = largest(x, n), sum = 0;
    scale *= 1.44269504f;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) {
        float y = rough_power_of_2((x[i] - most) * scale, fused);
        to[i] = fovea_round_bf16(y); /* at most 1, or a NaN of few low bits */
        sum += y;
    }
    return sum;
}

FOVEA_TARGET_V4 static float exp_row_bf16_v4(const float *x, int64_t n, float scale, uint16_t *to) {
    return exp_row_bf16(x, n, scale, to, true);
}

FOVEA_TARGET_V3 static float exp_row_bf16_v3(const float *x, int64_t n, float scale, uint16_t *to) {
    return exp_row_bf16(x, n, scale, to, true);
}

float fovea_attention_exp_row_bf16(const float *x, int64_t n, float scale, uint16_t *to) {
    if (fovea_cpu_has_v4()) {
        return exp_row_bf16_v4(x, n, scale, to);
    }
    return fovea_cpu_has_v3() ? exp_row_bf16_v3(x, n, scale, to)
                              : exp_row_bf16(x, n, scale, to, false);
}

FOVEA_KERNEL void fovea_attention_store_row(const float *x, int64_t n, float factor, uint16_t *to) {
    for (int64_t i = 0; i < n; i++) {
        to[i] = fovea_store_bf16(x[i] * factor);
    }
}

FOVEA_KERNEL void fovea_attention_scale_row(float *x, int64_t n, float factor) {
    for (int64_t i = 0; i < n; i++) {
        x[i] *= factor;
    }
}

/* Sixteen tokens at a time: their rows stay in the first cache, and writes are whole lines. */
#define TRANSPOSE(name, type)                                                                      \
    FOVEA_KERNEL void name(const type *from, int64_t ld, int64_t tokens, int64_t channels,         \
                           type *to, int64_t stride) {                                             \
        for (int64_t t = 0; t < tokens; t += LANES) {                                              \
            int64_t n = tokens - t < LANES ? tokens - t : LANES;                                   \
            const type *rows = from + t * ld;                                                      \
            for (int64_t c = 0; c < channels; c++) {                                               \
                type *line = to + c * stride + t;                                                  \
                for (int64_t i = 0; i < n; i++) {                                                  \
                    line[i] = rows[i * ld + c];                                                    \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }
TRANSPOSE(fovea_attention_transpose, float)
TRANSPOSE(fovea_attention_transpose_bf16, uint16_t)

void fovea_attention_gather(const void *from, int64_t ld, int64_t tokens, int64_t channels,
                            size_t size, void *to) {
    for (int64_t t = 0; t < tokens; t++) {
        memcpy((char *)to + (size_t)(t * channels) * size,
               (const char *)from + (size_t)(t * ld) * size, (size_t)channels * size);
    }
}
