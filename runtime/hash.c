/*
 * Two lanes of multiply and rotate over 64-bit words, mixed at the end with
 * the finaliser of splitmix64 (Steele, Lea, Flood 2014): see hash.h.
 */
#include "runtime/hash.h"

#include <string.h>

static uint64_t rotated(uint64_t x, int bits) {
    return x << bits | x >> (64 - bits);
}

static uint64_t mixed(uint64_t x) {
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

void fovea_hash_init(struct fovea_hash *hash) {
    hash->a = 0x243f6a8885a308d3u; /* the first bits of pi */
    hash->b = 0x13198a2e03707344u;
}

void fovea_hash_number(struct fovea_hash *hash, uint64_t number) {
    uint64_t a = (hash->a ^ number) * 0x9e3779b97f4a7c15u;
    uint64_t b = (hash->b + number) * 0xc2b2ae3d27d4eb4fu;
    hash->a = rotated(a, 29) + hash->b;
    hash->b = rotated(b, 31) ^ a;
}

void fovea_hash_bytes(struct fovea_hash *hash, const void *bytes, size_t count) {
    const unsigned char *at = bytes;
    fovea_hash_number(hash, count);
    for (; count >= 8; count -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        fovea_hash_number(hash, word);
    }
    if (count > 0) {
        uint64_t word = 0;
        memcpy(&word, at, count);
        fovea_hash_number(hash, word);
    }
}

void fovea_hash_text(struct fovea_hash *hash, const char *text) {
    fovea_hash_bytes(hash, text, strlen(text));
}

void fovea_hash_digest(struct fovea_hash *hash, struct fovea_digest digest) {
    fovea_hash_number(hash, digest.high);
    fovea_hash_number(hash, digest.low);
}

struct fovea_digest fovea_hash_finish(const struct fovea_hash *hash) {
    struct fovea_digest digest = {mixed(hash->a + rotated(hash->b, 17)),
                                  mixed(hash->b ^ rotated(hash->a, 41))};
    return digest;
}

bool fovea_digest_same(struct fovea_digest a, struct fovea_digest b) {
    return a.high == b.high && a.low == b.low;
}
