/*
 * Fletcher's checksum (IEEE Trans. Commun. 30, 1982) in 16 lanes of 32-bit
 * words, with sums that a piece cannot overflow, so that they are exact:
 *
 *     a[i] = sum of words[r][i]         < 2^32 * 2^14
 *     b[i] = sum of (rows - r) * words[r][i]
 *
 * A change of one word changes a; two that cancel in a change b, by their
 * distance. The lanes are then mixed into one number.
 */
#include "runtime/checksum.h"

#include "runtime/portability.h"

#include <string.h>

enum { LANES = 16, ROW_BYTES = LANES * 4 };

struct sums {
    uint64_t a[LANES], b[LANES];
};

FOVEA_KERNEL static void add_rows(struct sums *sums, const unsigned char *bytes, size_t rows) {
    fovea_u64x8 a0 = {0}, a1 = {0}, b0 = {0}, b1 = {0};
    for (size_t r = 0; r < rows; r++) {
        fovea_u32x8 low, high;
        memcpy(&low, bytes + r * ROW_BYTES, sizeof(low));
        memcpy(&high, bytes + r * ROW_BYTES + sizeof(low), sizeof(high));
        a0 += __builtin_convertvector(low, fovea_u64x8);
        a1 += __builtin_convertvector(high, fovea_u64x8);
        b0 += a0;
        b1 += a1;
    }
    memcpy(sums->a, &a0, sizeof(a0));
    memcpy(sums->a + LANES / 2, &a1, sizeof(a1));
    memcpy(sums->b, &b0, sizeof(b0));
    memcpy(sums->b + LANES / 2, &b1, sizeof(b1));
}

/* One more row: the rest of the bytes, with zeros behind. */
static void add_rest(struct sums *sums, const unsigned char *bytes, size_t count) {
    uint32_t row[LANES] = {0};
    memcpy(row, bytes, count);
    for (int i = 0; i < LANES; i++) {
        sums->a[i] += row[i];
        sums->b[i] += sums->a[i];
    }
}

/* A bijection of `x` for every `hash`, so that no single sum can change unseen. */
static uint64_t mixed(uint64_t hash, uint64_t x) {
    hash = (hash ^ x) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

uint64_t fovea_checksum_piece(const void *bytes, size_t size) {
    struct sums sums;
    const unsigned char *at = bytes;
    size_t rows = size / ROW_BYTES;
    add_rows(&sums, at, rows);
    if (size % ROW_BYTES > 0) {
        add_rest(&sums, at + rows * ROW_BYTES, size % ROW_BYTES);
    }
    uint64_t hash = size;
    for (int i = 0; i < LANES; i++) {
        hash = mixed(mixed(hash, sums.a[i]), sums.b[i]);
    }
    return hash;
}

uint64_t fovea_checksum(const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    uint64_t hash = size;
    while (size > 0) {
        size_t piece = size < FOVEA_CHECKSUM_PIECE ? size : FOVEA_CHECKSUM_PIECE;
        hash = mixed(hash, fovea_checksum_piece(at, piece));
        at += piece;
        size -= piece;
    }
    return hash;
}
