/*
 * A 128-bit hash that tells things apart; no protection against somebody who
 * looks for two that collide. The same on every machine of one byte order.
 */
#ifndef FOVEA_RUNTIME_HASH_H
#define FOVEA_RUNTIME_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The result; all zero stands for "nothing". */
struct fovea_digest {
    uint64_t high, low;
};

/* A hash on its way. */
struct fovea_hash {
    uint64_t a, b;
};

void fovea_hash_init(struct fovea_hash *hash);

/* Add bytes, and how many they are: "ab", "c" is not "a", "bc". */
void fovea_hash_bytes(struct fovea_hash *hash, const void *bytes, size_t count);
void fovea_hash_text(struct fovea_hash *hash, const char *text);
void fovea_hash_number(struct fovea_hash *hash, uint64_t number);
void fovea_hash_digest(struct fovea_hash *hash, struct fovea_digest digest);

struct fovea_digest fovea_hash_finish(const struct fovea_hash *hash);

bool fovea_digest_same(struct fovea_digest a, struct fovea_digest b);

#endif
