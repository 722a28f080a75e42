/* SHA-256 after FIPS 180-4; names follow its section 6.2. */
#include "loaders/sha256.h"

#include <string.h>

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
    for (int t = 0; t < 16; t++) {
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

void fovea_sha256_init(struct fovea_sha256 *sha) {
    /* Section 5.3.3: the fractional parts of the square roots of the first 8 primes. */
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(sha->state, start, sizeof(start));
    sha->n_bytes = 0;
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
        digest_block(sha->state, sha->block);
    }
    for (; size >= sizeof(sha->block); size -= sizeof(sha->block)) {
        digest_block(sha->state, p);
        p += sizeof(sha->block);
    }
    if (size) {
        memcpy(sha->block, p, size);
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
    for (int i = 0; i < 8; i++) {
        store_be32(digest + 4 * i, sha->state[i]);
    }
}

struct fovea_sha256_hex fovea_sha256_digest_text(struct fovea_sha256 *sha) {
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[FOVEA_SHA256_SIZE];
    struct fovea_sha256_hex hex;

    fovea_sha256_digest(sha, digest);
    for (int i = 0; i < FOVEA_SHA256_SIZE; i++) {
        hex.text[2 * i] = digits[digest[i] >> 4];
        hex.text[2 * i + 1] = digits[digest[i] & 15];
    }
    hex.text[2 * FOVEA_SHA256_SIZE] = 0;
    return hex;
}

struct fovea_sha256_hex fovea_sha256_text(const void *bytes, size_t size) {
    struct fovea_sha256 sha;
    fovea_sha256_init(&sha);
    fovea_sha256_update(&sha, bytes, size);
    return fovea_sha256_digest_text(&sha);
}
