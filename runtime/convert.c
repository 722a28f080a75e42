/*
 * Conversions between element types, and reading one element as a number.
 *
 * Half formats: IEEE 754-2019 binary16; bfloat16 is the upper half of
 * binary32. Rounding to nearest, ties to even.
 */
#include "runtime/half.h"
#include "runtime/tensor.h"

#include <math.h>
#include <string.h>

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

uint16_t fovea_f32_to_f16(float value) {
    uint32_t bits = bits_of(value);
    uint16_t sign = (uint16_t)((bits >> 16) & 0x8000);
    uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) {
        return sign | 0x7e00;
    }
    if (magnitude >= 0x477ff000) { /* 65520 and up round to infinity */
        return sign | 0x7c00;
    }
    if (magnitude < 0x38800000) { /* below 2^-14: a multiple of 2^-24 */
        return sign | (uint16_t)lrintf(float_of(magnitude) * 0x1p24f);
    }
    uint32_t rounded = magnitude + 0xfff + ((magnitude >> 13) & 1);
    return sign | (uint16_t)((rounded - 0x38000000) >> 13);
}

double fovea_tensor_get_float(const struct fovea_tensor *tensor, int64_t index) {
    double value = 0;
    const unsigned char *at =
        (const unsigned char *)tensor->data + (size_t)index * fovea_dtype_size(tensor->dtype);
    fovea_convert(tensor->dtype, at, FOVEA_F64, &value, 1);
    return value;
}

int64_t fovea_tensor_get_int(const struct fovea_tensor *tensor, int64_t index) {
    int64_t value = 0;
    const unsigned char *at =
        (const unsigned char *)tensor->data + (size_t)index * fovea_dtype_size(tensor->dtype);
    fovea_convert(tensor->dtype, at, FOVEA_I64, &value, 1);
    return value;
}

/* Any float to int64 without undefined behaviour: NaN 0, out of range saturates. */
static int64_t int_of(double value) {
    if (isnan(value)) {
        return 0;
    }
    if (value >= 0x1p63) {
        return INT64_MAX;
    }
    return value < -0x1p63 ? INT64_MIN : (int64_t)value;
}

static uint64_t unsigned_of(double value) {
    if (value < 0) {
        return (uint64_t)int_of(value);
    }
    return value >= 0x1p64 ? UINT64_MAX : (isnan(value) ? 0 : (uint64_t)value);
}

/*
 * An element on its way from one type to another: floats travel as double,
 * integers and bool as int64 (u64 keeps its bits).
 */
struct element {
    bool is_float;
    bool is_unsigned; /* `integer` holds the bits of a uint64 */
    double real;
    int64_t integer;
};

#define LOAD(type)                                                                                 \
    type x;                                                                                        \
    memcpy(&x, src, sizeof(x))

static struct element load(enum fovea_dtype dtype, const void *src) {
    switch (dtype) {
    case FOVEA_F32: {
        LOAD(float);
        return (struct element){.is_float = true, .real = x};
    }
    case FOVEA_F64: {
        LOAD(double);
        return (struct element){.is_float = true, .real = x};
    }
    case FOVEA_F16: {
        LOAD(uint16_t);
        return (struct element){.is_float = true, .real = fovea_load_f16(x)};
    }
    case FOVEA_BF16: {
        LOAD(uint16_t);
        return (struct element){.is_float = true, .real = fovea_load_bf16(x)};
    }
    case FOVEA_I8: {
        LOAD(int8_t);
        return (struct element){.integer = x};
    }
    case FOVEA_U8:
    case FOVEA_BOOL: {
        LOAD(uint8_t);
        return (struct element){.integer = x};
    }
    case FOVEA_I16: {
        LOAD(int16_t);
        return (struct element){.integer = x};
    }
    case FOVEA_U16: {
        LOAD(uint16_t);
        return (struct element){.integer = x};
    }
    case FOVEA_I32: {
        LOAD(int32_t);
        return (struct element){.integer = x};
    }
    case FOVEA_U32: {
        LOAD(uint32_t);
        return (struct element){.integer = x};
    }
    case FOVEA_U64: {
        LOAD(int64_t);
        return (struct element){.integer = x, .is_unsigned = true};
    }
    default: {
        LOAD(int64_t);
        return (struct element){.integer = x};
    }
    }
}
#undef LOAD

static double real_of(struct element e) {
    if (e.is_float) {
        return e.real;
    }
    return e.is_unsigned ? (double)(uint64_t)e.integer : (double)e.integer;
}

/* The number as a double; a low bit is set for what does not fit. */
static double sticky_real_of(struct element e) {
    if (e.is_float) {
        return e.real;
    }
    bool negative = !e.is_unsigned && e.integer < 0;
    uint64_t magnitude = negative ? 0 - (uint64_t)e.integer : (uint64_t)e.integer;
    if (magnitude >> 53) {
        magnitude = (magnitude & ~(uint64_t)0x7ff) | (magnitude & 0x7ff ? 0x800 : 0);
    }
    return negative ? -(double)magnitude : (double)magnitude;
}

/*
 * As f32 by rounding to odd: a second rounding, to a half, then gives what one
 * rounding would have (Boldo and Melquiond, "When double rounding is odd").
 */
static float odd_f32_of(struct element e) {
    double real = sticky_real_of(e);
    float nearest = (float)real;
    if (nearest == real || isnan(real)) {
        return nearest;
    }
    uint32_t bits = bits_of(nearest);
    bits -= fabs((double)nearest) > fabs(real); /* towards zero */
    return float_of(bits | 1);
}

/* Integers wrap to the target's width, as ONNX Cast between integers does. */
static void store_int(enum fovea_dtype dtype, int64_t value, void *dst) {
    memcpy(dst, &value, fovea_dtype_size(dtype)); /* little endian: the low bytes come first */
}

static void store(enum fovea_dtype dtype, struct element e, void *dst) {
    switch (dtype) {
    case FOVEA_F32: {
        float x = e.is_float ? (float)e.real
                             : (e.is_unsigned ? (float)(uint64_t)e.integer : (float)e.integer);
        memcpy(dst, &x, sizeof(x));
        return;
    }
    case FOVEA_F64: {
        double x = real_of(e);
        memcpy(dst, &x, sizeof(x));
        return;
    }
    case FOVEA_F16: {
        uint16_t x = fovea_f32_to_f16(odd_f32_of(e));
        memcpy(dst, &x, sizeof(x));
        return;
    }
    case FOVEA_BF16: {
        uint16_t x = fovea_store_bf16(odd_f32_of(e));
        memcpy(dst, &x, sizeof(x));
        return;
    }
    case FOVEA_BOOL:
        *(uint8_t *)dst = e.is_float ? e.real != 0 : e.integer != 0;
        return;
    case FOVEA_U64:
        store_int(dtype, e.is_float ? (int64_t)unsigned_of(e.real) : e.integer, dst);
        return;
    default:
        store_int(dtype, e.is_float ? int_of(e.real) : e.integer, dst);
        return;
    }
}

/* Element i, at an address of any alignment. */
#define LOAD_ELEMENT(type, x, src, i)                                                              \
    type x;                                                                                        \
    memcpy(&x, (const unsigned char *)(src) + (size_t)(i) * sizeof(x), sizeof(x))

FOVEA_KERNEL static void widen_bf16(const void *src, float *dst, int64_t count) {
    FOVEA_VECTOR_LOOP
    for (int64_t i = 0; i < count; i++) {
        LOAD_ELEMENT(uint16_t, x, src, i);
        dst[i] = fovea_load_bf16(x);
    }
}

FOVEA_KERNEL static void widen_f16(const void *src, float *dst, int64_t count) {
    FOVEA_VECTOR_LOOP
    for (int64_t i = 0; i < count; i++) {
        LOAD_ELEMENT(uint16_t, x, src, i);
        dst[i] = fovea_load_f16(x);
    }
}

FOVEA_KERNEL static void narrow_bf16(const void *src, uint16_t *dst, int64_t count) {
    FOVEA_VECTOR_LOOP
    for (int64_t i = 0; i < count; i++) {
        LOAD_ELEMENT(float, x, src, i);
        dst[i] = fovea_store_bf16(x);
    }
}
#undef LOAD_ELEMENT

/* The conversions of activations and large weights; the rest are shape arithmetic and tests. */
static bool convert_fast(enum fovea_dtype from, const void *src, enum fovea_dtype to, void *dst,
                         int64_t count) {
    if (from == to) {
        if (count > 0) {
            memcpy(dst, src, (size_t)count * fovea_dtype_size(from));
        }
        return true;
    }
    if (from == FOVEA_BF16 && to == FOVEA_F32) {
        widen_bf16(src, dst, count);
        return true;
    }
    if (from == FOVEA_F16 && to == FOVEA_F32) {
        widen_f16(src, dst, count);
        return true;
    }
    if (from == FOVEA_F32 && to == FOVEA_BF16) {
        narrow_bf16(src, dst, count);
        return true;
    }
    return false;
}

void fovea_convert(enum fovea_dtype from, const void *src, enum fovea_dtype to, void *dst,
                   int64_t count) {
    if (convert_fast(from, src, to, dst, count)) {
        return;
    }
    size_t step_in = fovea_dtype_size(from), step_out = fovea_dtype_size(to);
    const unsigned char *in = src;
    unsigned char *out = dst;
    for (int64_t i = 0; i < count; i++) {
        store(to, load(from, in), out);
        in += step_in;
        out += step_out;
    }
}
