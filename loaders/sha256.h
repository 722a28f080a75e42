/*
 * SHA-256 (FIPS 180-4), fed piece by piece: names pixels and model files so
 * that two programs can be told to have used the same ones.
 */
#ifndef FOVEA_LOADERS_SHA256_H
#define FOVEA_LOADERS_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FOVEA_SHA256_SIZE = 32 };

/* A digest in the making; no allocation, so there is nothing to finish. */
struct fovea_sha256 {
    uint32_t state[8];
    uint64_t n_bytes;
    bool plain;        /* in C rather than by the CPU's instructions, where it has them */
    uint8_t block[64]; /* the last n_bytes % 64 bytes, not yet digested */
};

/* A digest as 64 lower-case hexadecimal digits. */
struct fovea_sha256_hex {
    char text[2 * FOVEA_SHA256_SIZE + 1];
};

void fovea_sha256_init(struct fovea_sha256 *sha);

/* Add `size` bytes; `bytes` may be NULL when size is 0. */
void fovea_sha256_update(struct fovea_sha256 *sha, const void *bytes, size_t size);

/* The digest of all bytes so far. `sha` must be initialised again before reuse. */
void fovea_sha256_digest(struct fovea_sha256 *sha, uint8_t digest[FOVEA_SHA256_SIZE]);

/* Digest of one buffer, as text, by value: fovea_sha256_text(p, n).text */
struct fovea_sha256_hex fovea_sha256_text(const void *bytes, size_t size);

/* A digest as text. */
struct fovea_sha256_hex fovea_sha256_hex_of(const uint8_t digest[FOVEA_SHA256_SIZE]);

/* The digest of all bytes so far, as text; same rule as fovea_sha256_digest. */
struct fovea_sha256_hex fovea_sha256_digest_text(struct fovea_sha256 *sha);

#endif
