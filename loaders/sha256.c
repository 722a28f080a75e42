/* SHA-256 after FIPS 180-4; names follow its section 6.2. */
#include "loaders/sha256.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

/* Section 4.2.2: the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotr(uint32_t x, int n) {
    return (x >> n) | (x << (32 - n));
}

static uint32_t load_be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void store_be32(uint8_t *p, uint32_t x) {
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(x >> (24 - 8 * i));
    }
}

static void schedule(uint32_t w[64], const uint8_t *block) {
    for (size_t t = 0; t < 16; t++) {
        w[t] = load_be32(block + 4 * t);
    }
    for (int t = 16; t < 64; t++) {
        uint32_t s0 = rotr(w[t - 15], 7) ^ rotr(w[t - 15], 18) ^ (w[t - 15] >> 3);
        uint32_t s1 = rotr(w[t - 2], 17) ^ rotr(w[t - 2], 19) ^ (w[t - 2] >> 10);
        w[t] = s1 + w[t - 7] + s0 + w[t - 16];
    }
}

static void digest_block(uint32_t state[8], const uint8_t *block) {
    uint32_t w[64];
    schedule(w, block);

    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int t = 0; t < 64; t++) {
        uint32_t sum1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
        uint32_t t1 = h + sum1 + ((e & f) ^ (~e & g)) + K[t] + w[t];
        uint32_t sum0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
        uint32_t t2 = sum0 + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    const uint32_t added[8] = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; i++) {
        state[i] += added[i];
    }
}

static void digest_plain(uint32_t state[8], const uint8_t *blocks, size_t count) {
    for (; count > 0; count--, blocks += 64) {
        digest_block(state, blocks);
    }
}

#if defined(__x86_64__)

/* CPUID 7: EBX bit 29 is SHA; its users also need SSE4.1, which every such CPU has. */
static bool has_sha(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1) &&
           __builtin_cpu_supports("sse4.1");
}

/*
 * The instructions keep the state as the vectors (f, e, b, a) and (h, g, d, c),
 * do two rounds each, and extend the schedule four words at a time: w[i & 3]
 * holds words 4 i .. 4 i + 3.
 */
__attribute__((target("sha,sse4.1,ssse3"))) static void
digest_sha(uint32_t state[8], const uint8_t *blocks, size_t count) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
    __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
    __m128i feba = _mm_alignr_epi8(low, high, 8);
    __m128i hgdc = _mm_blend_epi16(high, low, 0xf0);

    for (; count > 0; count--, blocks += 64) {
        const __m128i feba_before = feba, hgdc_before = hgdc;
        __m128i w[4];
        for (size_t i = 0; i < 16; i++) {
            if (i < 4) {
                __m128i bytes = _mm_loadu_si128((const __m128i *)(blocks + 16 * i));
                w[i] = _mm_shuffle_epi8(bytes, big_endian);
            } else {
                __m128i last = w[(i + 3) & 3];
                __m128i middle = _mm_alignr_epi8(last, w[(i + 2) & 3], 4);
                __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]), middle);
                w[i & 3] = _mm_sha256msg2_epu32(sum, last);
            }
            __m128i k = _mm_loadu_si128((const __m128i *)(K + 4 * i));
            __m128i wk = _mm_add_epi32(w[i & 3], k);
            hgdc = _mm_sha256rnds2_epu32(hgdc, feba, wk);
            feba = _mm_sha256rnds2_epu32(feba, hgdc, _mm_shuffle_epi32(wk, 0x0e));
        }
        feba = _mm_add_epi32(feba, feba_before);
        hgdc = _mm_add_epi32(hgdc, hgdc_before);
    }
    low = _mm_shuffle_epi32(feba, 0x1b);
    high = _mm_shuffle_epi32(hgdc, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(low, high, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

#else

static bool has_sha(void) {
    return false;
}

#define digest_sha digest_plain

#endif

static void digest_blocks(struct fovea_sha256 *sha, const uint8_t *blocks, size_t count) {
    if (sha->plain) {
        digest_plain(sha->state, blocks, count);
    } else {
        digest_sha(sha->state, blocks, count);
    }
}

void fovea_sha256_init(struct fovea_sha256 *sha) {
    /* Section 5.3.3: the fractional parts of the square roots of the first 8 primes. */
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(sha->state, start, sizeof(start));
    sha->n_bytes = 0;
    sha->plain = !has_sha();
}

void fovea_sha256_update(struct fovea_sha256 *sha, const void *bytes, size_t size) {
    const uint8_t *p = bytes;
    size_t held = (size_t)(sha->n_bytes % sizeof(sha->block));
    sha->n_bytes += size;

    if (held) {
        size_t room = sizeof(sha->block) - held;
        size_t taken = size < room ? size : room;
        if (taken) {
            memcpy(sha->block + held, p, taken);
            p += taken;
        }
        size -= taken;
        if (taken < room) {
            return;
        }
        digest_blocks(sha, sha->block, 1);
    }
    size_t whole = size / sizeof(sha->block), rest = size % sizeof(sha->block);
    digest_blocks(sha, p, whole);
    if (rest) {
        memcpy(sha->block, p + whole * sizeof(sha->block), rest);
    }
}

/* Section 5.1.1: a one bit, zeros, and the length in bits as a 64-bit number. */
void fovea_sha256_digest(struct fovea_sha256 *sha, uint8_t digest[FOVEA_SHA256_SIZE]) {
    uint64_t n_bits = sha->n_bytes * 8;
    uint8_t padding[64 + 8] = {0x80};
    size_t held = (size_t)(sha->n_bytes % 64);
    size_t n_padding = held < 56 ? 56 - held : 120 - held;

    store_be32(padding + n_padding, (uint32_t)(n_bits >> 32));
    store_be32(padding + n_padding + 4, (uint32_t)n_bits);
    fovea_sha256_update(sha, padding, n_padding + 8);
    for (size_t i = 0; i < 8; i++) {
        store_be32(digest + 4 * i, sha->state[i]);
    }
}

struct fovea_sha256_hex fovea_sha256_hex_of(const uint8_t digest[FOVEA_SHA256_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    struct fovea_sha256_hex hex;
    for (size_t i = 0; i < FOVEA_SHA256_SIZE; i++) {
        hex.text[2 * i] = digits[digest[i] >> 4];
        hex.text[2 * i + 1] = digits[digest[i] & 15];
    }
    hex.text[sizeof(hex.text) - 1] = 0;
    return hex;
}

struct fovea_sha256_hex fovea_sha256_digest_text(struct fovea_sha256 *sha) {
    uint8_t digest[FOVEA_SHA256_SIZE];
    fovea_sha256_digest(sha, digest);
    return fovea_sha256_hex_of(digest);
}

struct fovea_sha256_hex fovea_sha256_text(const void *bytes, size_t size) {
    struct fovea_sha256 sha;
    fovea_sha256_init(&sha);
    fovea_sha256_update(&sha, bytes, size);
    return fovea_sha256_digest_text(&sha);
}
