/*
 * Element types: half formats against formulas of their own, conversions
 * between all pairs, checks of shapes, broadcasting, strides.
 */
#include "tests/check.h"

#include "runtime/half.h"
#include "runtime/op.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- halves ------------------------------------------------------------------- */

/* IEEE 754 binary16 by its definition, in double. */
static double half_by_definition(unsigned code) {
    int exponent = (int)(code >> 10 & 31);
    double fraction = code & 1023, sign = code & 0x8000 ? -1 : 1;
    if (exponent == 31) {
        return fraction != 0 ? NAN : sign * INFINITY;
    }
    return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

static void f16__every_code__value_by_definition_and_back(void) {
    int wrong = 0;
    for (unsigned code = 0; code < 65536; code++) {
        double want = half_by_definition(code);
        float got = fovea_load_f16((uint16_t)code);
        uint16_t back = fovea_f32_to_f16(got);
        if (isnan(want)) {
            wrong += !isnan(got) || (back & 0x7c00) != 0x7c00 || (back & 0x3ff) == 0 ||
                     (back & 0x8000) != (code & 0x8000);
        } else {
            wrong += (double)got != want || !signbit(got) != !signbit(want) || back != code;
        }
    }
    CHECK(wrong == 0);
}

/* Between two neighbours: the midpoint goes to the even one, its neighbours to either side. */
static void f16__between_codes__nearest_even(void) {
    int wrong = 0;
    for (unsigned code = 0; code < 0x7bff; code++) {
        float low = (float)half_by_definition(code), high = (float)half_by_definition(code + 1);
        float middle = low + (high - low) / 2; /* exact: f32 has 13 bits more */
        unsigned even = code & 1 ? code + 1 : code;
        wrong += fovea_f32_to_f16(middle) != even;
        wrong += fovea_f32_to_f16(-middle) != (even | 0x8000);
        wrong += fovea_f32_to_f16(nextafterf(middle, 0)) != code;
        wrong += fovea_f32_to_f16(nextafterf(middle, INFINITY)) != code + 1;
    }
    CHECK(wrong == 0);
    CHECK(fovea_f32_to_f16(65519.996f) == 0x7bff);
    CHECK(fovea_f32_to_f16(65520) == 0x7c00);
    CHECK(fovea_f32_to_f16(3.4e38f) == 0x7c00);
    CHECK(fovea_f32_to_f16(1e-45f) == 0);
    CHECK(fovea_f32_to_f16(-1e-45f) == 0x8000);
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void bf16__every_code__upper_half_and_back(void) {
    int wrong = 0;
    for (uint32_t code = 0; code < 65536; code++) {
        float got = fovea_load_bf16((uint16_t)code), want = float_of(code << 16);
        uint16_t back = fovea_store_bf16(got);
        if (isnan(want)) {
            wrong += !isnan(got) || !isnan(fovea_load_bf16(back));
        } else {
            wrong += got != want || back != code;
        }
        if ((code & 0x7fff) < 0x7f80) { /* finite: the half-way point and its neighbours */
            uint32_t middle = code << 16 | 0x8000;
            wrong += fovea_store_bf16(float_of(middle)) != code + (code & 1);
            wrong += fovea_store_bf16(float_of(middle - 1)) != code;
            wrong += fovea_store_bf16(float_of(middle + 1)) != code + 1;
        }
    }
    CHECK(wrong == 0);
    CHECK(isnan(fovea_load_bf16(fovea_store_bf16(float_of(0x7f800001))))); /* low bits only */
    CHECK(fovea_store_bf16(float_of(0x7f7fffff)) == 0x7f80);
}

/* f64 and wide integers must be rounded once: by way of f32 these tie, and then go wrong. */
static void halves__from_wider_types__rounded_once(void) {
    double wide[2] = {1 + ldexp(1, -11) + ldexp(1, -40), 1 + ldexp(1, -8) + ldexp(1, -40)};
    int32_t whole = (1 << 24) + (1 << 16) + 1;
    int64_t large = ((int64_t)1 << 60) + ((int64_t)1 << 52) + 1;
    uint16_t half;
    fovea_convert(FOVEA_F64, &wide[0], FOVEA_F16, &half, 1);
    CHECK(fovea_load_f16(half) == 1 + 0x1p-10f);
    fovea_convert(FOVEA_F64, &wide[1], FOVEA_BF16, &half, 1);
    CHECK(fovea_load_bf16(half) == 1 + 0x1p-7f);
    fovea_convert(FOVEA_I32, &whole, FOVEA_BF16, &half, 1);
    CHECK(fovea_load_bf16(half) == 0x1.02p24f);
    fovea_convert(FOVEA_I64, &large, FOVEA_BF16, &half, 1);
    CHECK(fovea_load_bf16(half) == 0x1.02p60f);
}

/* ---- conversions ------------------------------------------------------------------ */

/* Numbers that every type holds. */
static void convert__small_numbers__every_pair(void) {
    for (int from = 0; from < FOVEA_N_DTYPES; from++) {
        for (int to = 0; to < FOVEA_N_DTYPES; to++) {
            int64_t numbers[4] = {0, 1, 1, 0}, back[4];
            double wide[4];
            unsigned char a[4 * 8], b[4 * 8];
            if (from != FOVEA_BOOL && to != FOVEA_BOOL) {
                numbers[2] = 5;
                numbers[3] = 127;
            }
            fovea_convert(FOVEA_I64, numbers, (enum fovea_dtype)from, a, 4);
            fovea_convert((enum fovea_dtype)from, a, (enum fovea_dtype)to, b, 4);
            fovea_convert((enum fovea_dtype)to, b, FOVEA_I64, back, 4);
            fovea_convert((enum fovea_dtype)to, b, FOVEA_F64, wide, 4);
            for (int i = 0; i < 4; i++) {
                if (back[i] != numbers[i] || wide[i] != (double)numbers[i]) {
                    check_failed(__FILE__, __LINE__, fovea_dtype_name((enum fovea_dtype)from),
                                 fovea_dtype_name((enum fovea_dtype)to));
                }
            }
        }
    }
}

static void convert__negative_integers__every_signed_pair(void) {
    static const enum fovea_dtype types[] = {FOVEA_F32, FOVEA_F16, FOVEA_BF16, FOVEA_F64,
                                             FOVEA_I8,  FOVEA_I16, FOVEA_I32,  FOVEA_I64};
    for (int i = 0; i < 8; i++) {
        for (int j = 0; j < 8; j++) {
            int64_t numbers[2] = {-1, -128}, back[2];
            unsigned char a[16], b[16];
            fovea_convert(FOVEA_I64, numbers, types[i], a, 2);
            fovea_convert(types[i], a, types[j], b, 2);
            fovea_convert(types[j], b, FOVEA_I64, back, 2);
            CHECK(back[0] == -1 && back[1] == -128);
        }
    }
}

static void convert__float_to_int__truncates_saturates_wraps(void) {
    static const double from[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300, 1.99, -1.99, -0.5, 300};
    static const int64_t want[] = {0, INT64_MAX, INT64_MIN, INT64_MAX, INT64_MIN, 1, -1, 0, 300};
    int64_t wide[9];
    fovea_convert(FOVEA_F64, from, FOVEA_I64, wide, 9);
    CHECK(memcmp(wide, want, sizeof(want)) == 0);
    for (int type = FOVEA_I8; type <= FOVEA_U32; type++) { /* the low bits of the 64-bit result */
        for (int i = 0; i < 9; i++) {
            uint64_t low = 0;
            size_t size = fovea_dtype_size((enum fovea_dtype)type);
            uint64_t mask = UINT64_MAX >> (64 - 8 * size);
            fovea_convert(FOVEA_F64, &from[i], (enum fovea_dtype)type, &low, 1);
            CHECK(low == ((uint64_t)want[i] & mask));
        }
    }
    uint64_t u[4];
    static const double large[] = {0x1p63, 1e30, NAN, 0x1.8p63};
    fovea_convert(FOVEA_F64, large, FOVEA_U64, u, 4);
    CHECK(u[0] == (uint64_t)1 << 63 && u[1] == UINT64_MAX && u[2] == 0 &&
          u[3] == (uint64_t)3 << 62);
}

static void convert__u64_above_int64__stays_unsigned(void) {
    uint64_t from = UINT64_MAX - 1023;
    double d;
    float f;
    fovea_convert(FOVEA_U64, &from, FOVEA_F64, &d, 1);
    fovea_convert(FOVEA_U64, &from, FOVEA_F32, &f, 1);
    CHECK(d == (double)from);
    CHECK(f == 0x1p64f);
}

static void convert__to_bool__not_zero(void) {
    static const float from[] = {0, -0.0f, 0.25f, -3, NAN, INFINITY};
    static const unsigned char want[] = {0, 0, 1, 1, 1, 1};
    unsigned char got[6];
    fovea_convert(FOVEA_F32, from, FOVEA_BOOL, got, 6);
    CHECK(memcmp(got, want, 6) == 0);
    int32_t whole[2] = {256, 0};
    fovea_convert(FOVEA_I32, whole, FOVEA_BOOL, got, 2);
    CHECK(got[0] == 1 && got[1] == 0);
}

static void convert__integers__keep_low_bits(void) {
    int64_t from[3] = {0x123456789abcdef0, -1, 255};
    int32_t narrow[3];
    int8_t least[3];
    fovea_convert(FOVEA_I64, from, FOVEA_I32, narrow, 3);
    fovea_convert(FOVEA_I64, from, FOVEA_I8, least, 3);
    CHECK(narrow[0] == (int32_t)0x9abcdef0 && narrow[1] == -1 && narrow[2] == 255);
    CHECK(least[0] == (int8_t)0xf0 && least[1] == -1 && least[2] == -1);
}

/* ---- shapes --------------------------------------------------------------------------- */

static enum fovea_status check(struct fovea_error *err, enum fovea_dtype dtype, int rank,
                               const int64_t *dims) {
    struct fovea_tensor t = {.dtype = dtype, .rank = rank};
    for (int i = 0; i < rank && i < FOVEA_MAX_RANK; i++) {
        t.dims[i] = dims ? dims[i] : 1;
    }
    return fovea_tensor_check_shape(&t, err);
}

static void shape__limits__precise(void) {
    struct fovea_error err;
    const int64_t huge = INT64_MAX;
    CHECK(check(&err, FOVEA_F32, 0, NULL) == FOVEA_OK);
    CHECK(check(&err, FOVEA_F32, 1, (int64_t[]){(int64_t)1 << 44}) == FOVEA_OK);
    CHECK(check(&err, FOVEA_F32, 1, (int64_t[]){((int64_t)1 << 44) + 1}) == FOVEA_ERR_LIMIT);
    CHECK_STR(err.message, "shape [17592186044417] is over the limit of 2^46 bytes a tensor");
    CHECK(check(&err, FOVEA_U8, 2, (int64_t[]){huge, huge}) == FOVEA_ERR_LIMIT);
    CHECK(check(&err, FOVEA_F64, 3, (int64_t[]){0, huge, 3}) == FOVEA_ERR_LIMIT);
    CHECK(check(&err, FOVEA_F64, 3, (int64_t[]){0, 5, 3}) == FOVEA_OK);
    CHECK(check(&err, FOVEA_F32, 2, (int64_t[]){3, -1}) == FOVEA_ERR_INVALID);
    CHECK_STR(err.message, "dimension 1 is -1, below 0");
    CHECK(check(&err, FOVEA_F32, 2, (int64_t[]){3, INT64_MIN}) == FOVEA_ERR_INVALID);
    CHECK(check(&err, FOVEA_F32, 9, NULL) == FOVEA_ERR_UNSUPPORTED);
    CHECK(check(&err, FOVEA_F32, -1, NULL) == FOVEA_ERR_UNSUPPORTED);
}

static void shape__text__longest_fits(void) {
    struct fovea_tensor t = {.rank = 8};
    for (int i = 0; i < 8; i++) {
        t.dims[i] = INT64_MIN;
    }
    struct fovea_shape_text text = fovea_shape_text(&t);
    CHECK(strlen(text.text) == 2 + 8 * 20 + 7);
    t.rank = 0;
    CHECK_STR(fovea_shape_text(&t).text, "[]");
}

static void broadcast__shapes__numpy_rules(void) {
    static const struct {
        struct fovea_tensor a, b;
        int rank; /* -1: refused */
        int64_t dims[4];
    } cases[] = {
        {{.rank = 0}, {.rank = 0}, 0, {0}},
        {{.rank = 2, .dims = {3, 1}}, {.rank = 1, .dims = {4}}, 2, {3, 4}},
        {{.rank = 1, .dims = {1}}, {.rank = 3, .dims = {2, 3, 4}}, 3, {2, 3, 4}},
        {{.rank = 2, .dims = {0, 3}}, {.rank = 2, .dims = {1, 3}}, 2, {0, 3}},
        {{.rank = 2, .dims = {0, 3}}, {.rank = 2, .dims = {2, 3}}, -1, {0}},
        {{.rank = 2, .dims = {2, 3}}, {.rank = 1, .dims = {2}}, -1, {0}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fovea_error err;
        int64_t dims[FOVEA_MAX_RANK];
        int rank = -1;
        bool fits = fovea_broadcast_shape(&cases[i].a, &cases[i].b, &rank, dims, &err) == FOVEA_OK;
        CHECK(fits == (cases[i].rank >= 0));
        CHECK(rank == cases[i].rank);
        CHECK(!fits || memcmp(dims, cases[i].dims, (size_t)rank * sizeof(*dims)) == 0);
    }
}

static void strides__both_layouts__by_hand(void) {
    struct fovea_value value = {.t = {.rank = 4, .dims = {2, 3, 4, 5}}};
    int64_t strides[FOVEA_MAX_RANK];
    fovea_value_strides(&value, strides);
    CHECK(memcmp(strides, (int64_t[]){60, 20, 5, 1}, 4 * sizeof(*strides)) == 0);
    value.layout = FOVEA_CHANNELS_LAST;
    fovea_value_strides(&value, strides);
    CHECK(memcmp(strides, (int64_t[]){60, 1, 15, 3}, 4 * sizeof(*strides)) == 0);
}

static void axis__out_of_range__both_in_message(void) {
    struct fovea_error err;
    int axis = 7;
    CHECK(fovea_resolve_axis(-3, 3, &axis, &err) == FOVEA_OK && axis == 0);
    CHECK(fovea_resolve_axis(2, 3, &axis, &err) == FOVEA_OK && axis == 2);
    CHECK(fovea_resolve_axis(3, 3, &axis, &err) == FOVEA_ERR_INVALID && axis == 2);
    CHECK(strstr(err.message, "3") != NULL);
    CHECK(fovea_resolve_axis(INT64_MIN, 3, &axis, &err) == FOVEA_ERR_INVALID);
    CHECK(fovea_resolve_axis(0, 0, &axis, &err) == FOVEA_ERR_INVALID);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(f16__every_code__value_by_definition_and_back),
        TEST(f16__between_codes__nearest_even),
        TEST(bf16__every_code__upper_half_and_back),
        TEST(halves__from_wider_types__rounded_once),
        TEST(convert__small_numbers__every_pair),
        TEST(convert__negative_integers__every_signed_pair),
        TEST(convert__float_to_int__truncates_saturates_wraps),
        TEST(convert__u64_above_int64__stays_unsigned),
        TEST(convert__to_bool__not_zero),
        TEST(convert__integers__keep_low_bits),
        TEST(shape__limits__precise),
        TEST(shape__text__longest_fits),
        TEST(broadcast__shapes__numpy_rules),
        TEST(strides__both_layouts__by_hand),
        TEST(axis__out_of_range__both_in_message),
    };
    return RUN_TESTS(tests, argc, argv);
}
