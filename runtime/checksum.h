/*
 * A checksum that tells whether bytes are those once written: quick enough to
 * be taken of all weights whenever a file is mapped. It finds every change of
 * one or two bits, every run of equal bytes put over others, and other damage
 * but for one case in 2^64. It is no protection against somebody who means to
 * deceive.
 */
#ifndef FOVEA_RUNTIME_CHECKSUM_H
#define FOVEA_RUNTIME_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Long inputs are summed in pieces of this size, so that threads can share them. */
#define FOVEA_CHECKSUM_PIECE ((size_t)1 << 20)

/* The checksum of one piece: at most FOVEA_CHECKSUM_PIECE bytes. */
uint64_t fovea_checksum_piece(const void *bytes, size_t size);

/* The checksum of any number of bytes: of its pieces' checksums. */
uint64_t fovea_checksum(const void *bytes, size_t size);

#endif
