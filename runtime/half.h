/*
 * bfloat16 and binary16 within loops: inline conversions without branches, for
 * kernels that load and store half types. Whole arrays: fovea_convert.
 */
#ifndef FOVEA_RUNTIME_HALF_H
#define FOVEA_RUNTIME_HALF_H

#include "runtime/portability.h"

#include <stdint.h>
#include <string.h>

FOVEA_INLINE float fovea_load_bf16(uint16_t half) {
    uint32_t bits = (uint32_t)half << 16;
    float x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

/* To nearest, ties to even. A NaN of large fraction wraps: for what can have none. */
FOVEA_INLINE uint16_t fovea_round_bf16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/* The same; NaN stays NaN, and quiet. */
FOVEA_INLINE uint16_t fovea_store_bf16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    uint32_t quiet = (bits >> 16) | 0x40u;
    return x == x ? fovea_round_bf16(x) : (uint16_t)quiet;
}

/*
 * Exponent and fraction moved to their places are the number times 2^-112,
 * denormal ones included; infinity and NaN have the highest exponent in both.
 */
FOVEA_INLINE float fovea_load_f16(uint16_t half) {
    uint32_t bits = (uint32_t)(half & 0x7fffu) << 13;
    float x;
    memcpy(&x, &bits, sizeof(x));
    x *= 0x1p112f;
    memcpy(&bits, &x, sizeof(bits));
    bits |= (half & 0x7c00u) == 0x7c00u ? 0x7f800000u : 0u;
    bits |= (uint32_t)(half & 0x8000u) << 16;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

#endif
