/*
 * What stands at the start of an .npy file: type, shape and order of the
 * elements behind it. For npy.c, and for members of archives that are unpacked
 * only once it is known how big they are.
 */
#ifndef FOVEA_LOADERS_NPY_HEADER_H
#define FOVEA_LOADERS_NPY_HEADER_H

#include "runtime/error.h"

/* Bytes that hold the longest header there may be. */
#define FOVEA_NPY_HEADER_MOST 10016

struct fovea_npy_header {
    struct fovea_tensor tensor; /* type and checked shape; data is NULL */
    bool fortran;               /* the first index runs fastest */
    size_t size;                /* of the header: where the elements begin */
};

/* Read it from the first `size` bytes of a file. */
enum fovea_status fovea_npy_header_read(const void *bytes, size_t size,
                                        struct fovea_npy_header *out, struct fovea_error *err);

/* Steps in elements from one index to the next, as they lie in the file. */
void fovea_npy_strides(const struct fovea_npy_header *header, int64_t strides[FOVEA_MAX_RANK]);

/* Whether contents are possible for their type: a bool is 0 or 1. */
enum fovea_status fovea_npy_check(const struct fovea_tensor *tensor, const unsigned char *data,
                                  struct fovea_error *err);

/* "<f4" and the like as a type of ours; 2-byte voids are bf16. FOVEA_ERR_UNSUPPORTED of others. */
enum fovea_status fovea_npy_dtype(const char *text, enum fovea_dtype *out, struct fovea_error *err);

/* The other way, without the byte order. */
const char *fovea_npy_code(enum fovea_dtype dtype);

#endif
