/*
 * Dot products of short types in registers: see fma_limit.h. One of two places
 * with instructions by name, for no portable way to say them exists.
 */
#include "tools/fma_limit.h"

#include <stdbool.h>
#include <stddef.h>

#if defined(__x86_64__) && defined(__linux__) && (defined(__clang__) || __GNUC__ >= 12)

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CHAINS = 10, TILE_CHAINS = 4 };

/* ---- what the CPU has -------------------------------------------------------- */

enum feature { AVX512_VNNI, AVX512_BF16, AVX_VNNI, AMX_BF16, AMX_INT8 };

/* CPUID leaf 7: where each feature's bit is (Intel SDM volume 2A, CPUID). */
static bool cpu_has(enum feature feature) {
    static const struct {
        unsigned subleaf, reg, bit;
    } places[] = {{0, 2, 11}, {1, 0, 5}, {1, 0, 4}, {0, 3, 22}, {0, 3, 25}};
    unsigned r[4];
    if (!__get_cpuid_count(7, places[feature].subleaf, &r[0], &r[1], &r[2], &r[3])) {
        return false;
    }
    return r[places[feature].reg] >> places[feature].bit & 1;
}

/* Linux hands the tile registers only to processes that ask (Documentation/arch/x86/xstate). */
static bool may_use_tiles(void) {
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

/* ---- vectors ----------------------------------------------------------------- */

/* One round: every chain takes in one product of two registers that do not change. */
#define DEFINE_DOT(name, isa, vector, zero, dot, a, b)                                             \
    __attribute__((target(isa))) static float name(int64_t rounds) {                               \
        vector x[CHAINS];                                                                          \
        for (int c = 0; c < CHAINS; c++) {                                                         \
            x[c] = zero;                                                                           \
        }                                                                                          \
        for (int64_t i = 0; i < rounds; i++) {                                                     \
            for (int c = 0; c < CHAINS; c++) {                                                     \
                x[c] = dot(x[c], a, b);                                                            \
                __asm__("" : "+v"(x[c])); /* or the sum could be worked out beforehand */          \
            }                                                                                      \
        }                                                                                          \
        float sum = 0;                                                                             \
        for (int c = 0; c < CHAINS; c++) {                                                         \
            int32_t first;                                                                         \
            memcpy(&first, &x[c], sizeof(first));                                                  \
            sum += (float)first;                                                                   \
        }                                                                                          \
        return sum;                                                                                \
    }

DEFINE_DOT(spin_bf16, "avx512f,avx512bf16", __m512, _mm512_setzero_ps(), _mm512_dpbf16_ps,
           (__m512bh)_mm512_setzero_si512(), (__m512bh)_mm512_setzero_si512())
DEFINE_DOT(spin_vnni_512, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512(),
           _mm512_dpbusd_epi32, _mm512_set1_epi8(1), _mm512_set1_epi8(1))
DEFINE_DOT(spin_vnni_256, "avxvnni", __m256i, _mm256_setzero_si256(), _mm256_dpbusd_avx_epi32,
           _mm256_set1_epi8(1), _mm256_set1_epi8(1))

/* Before VNNI: bytes to 16 bits, to 32 bits, and a sum. */
__attribute__((target("avx2"))) static inline __m256i dot_avx2(__m256i x, __m256i a, __m256i b) {
    __m256i pairs = _mm256_maddubs_epi16(a, b);
    __asm__("" : "+v"(pairs));
    return _mm256_add_epi32(x, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

DEFINE_DOT(spin_avx2, "avx2", __m256i, _mm256_setzero_si256(), dot_avx2, _mm256_set1_epi8(1),
           _mm256_set1_epi8(1))
#undef DEFINE_DOT

/* ---- tiles ------------------------------------------------------------------- */

/*
 * Eight tiles of 16 rows of 64 bytes (palette 1): four sums, two of each
 * operand. Static, for gcc's _tile_loadconfig does not say what it reads.
 */
struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

static const struct tile_config config = {
    .palette = 1,
    .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
    .rows = {16, 16, 16, 16, 16, 16, 16, 16},
};

#define DEFINE_TILES(name, isa, dot)                                                               \
    __attribute__((target(isa))) static float name(int64_t rounds) {                               \
        _tile_loadconfig(&config);                                                                 \
        _tile_zero(0);                                                                             \
        _tile_zero(1);                                                                             \
        _tile_zero(2);                                                                             \
        _tile_zero(3);                                                                             \
        _tile_zero(4);                                                                             \
        _tile_zero(5);                                                                             \
        _tile_zero(6);                                                                             \
        _tile_zero(7);                                                                             \
        for (int64_t i = 0; i < rounds; i++) {                                                     \
            dot(0, 4, 6);                                                                          \
            dot(1, 4, 7);                                                                          \
            dot(2, 5, 6);                                                                          \
            dot(3, 5, 7);                                                                          \
        }                                                                                          \
        _tile_release();                                                                           \
        return 0;                                                                                  \
    }

DEFINE_TILES(spin_tiles_bf16, "amx-tile,amx-bf16", _tile_dpbf16ps)
DEFINE_TILES(spin_tiles_int8, "amx-tile,amx-int8", _tile_dpbusd)
#undef DEFINE_TILES

/* ---- choosing ---------------------------------------------------------------- */

struct fma_loop fma_loop_bf16(void) {
    if (cpu_has(AMX_BF16) && may_use_tiles()) {
        return (struct fma_loop){"tdpbf16ps", 2.0 * TILE_CHAINS * 16 * 16 * 32, spin_tiles_bf16};
    }
    if (__builtin_cpu_supports("avx512f") && cpu_has(AVX512_BF16)) {
        return (struct fma_loop){"vdpbf16ps", 2.0 * CHAINS * 32, spin_bf16};
    }
    return (struct fma_loop){0};
}

struct fma_loop fma_loop_int8(void) {
    if (cpu_has(AMX_INT8) && may_use_tiles()) {
        return (struct fma_loop){"tdpbusd", 2.0 * TILE_CHAINS * 16 * 16 * 64, spin_tiles_int8};
    }
    if (__builtin_cpu_supports("avx512f") && cpu_has(AVX512_VNNI)) {
        return (struct fma_loop){"vpdpbusd, 512 bits", 2.0 * CHAINS * 64, spin_vnni_512};
    }
    if (__builtin_cpu_supports("avx2") && cpu_has(AVX_VNNI)) {
        return (struct fma_loop){"vpdpbusd, 256 bits", 2.0 * CHAINS * 32, spin_vnni_256};
    }
    if (__builtin_cpu_supports("avx2")) {
        return (struct fma_loop){"vpmaddubsw", 2.0 * CHAINS * 32, spin_avx2};
    }
    return (struct fma_loop){0};
}

#else

struct fma_loop fma_loop_bf16(void) {
    return (struct fma_loop){0};
}

struct fma_loop fma_loop_int8(void) {
    return (struct fma_loop){0};
}

#endif
