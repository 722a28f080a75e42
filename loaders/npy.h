/*
 * Single tensors in NumPy's .npy format, versions 1 to 3: little-endian or
 * one-byte elements in either order. The format has no bf16; arrays of 2-byte
 * voids are read as such, for that is what becomes of them in NumPy.
 *
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
#ifndef FOVEA_LOADERS_NPY_H
#define FOVEA_LOADERS_NPY_H

#include "runtime/error.h"

/* Read a tensor; the caller frees out->data. */
enum fovea_status fovea_tensor_load_npy(const char *path, struct fovea_tensor *out,
                                        struct fovea_error *err);

/* The same from bytes in memory (a member of an .npz); contents are copied. */
enum fovea_status fovea_tensor_parse_npy(const void *bytes, size_t size, struct fovea_tensor *out,
                                         struct fovea_error *err);

/* Write a tensor, version 1.0. */
enum fovea_status fovea_tensor_save_npy(const char *path, const struct fovea_tensor *tensor,
                                        struct fovea_error *err);

#endif
