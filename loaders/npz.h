/*
 * NumPy's .npz: a zip archive of .npy files, one an array, whose names without
 * ".npy" are the arrays'. Stored arrays are borrowed where they are aligned;
 * deflated ones are unpacked, once their header and the archive agree on their
 * size.
 */
#ifndef FOVEA_LOADERS_NPZ_H
#define FOVEA_LOADERS_NPZ_H

#include "loaders/tensor_dict.h"

/* Add the arrays of an archive; `bytes` live as long as the dictionary. */
enum fovea_status fovea_npz_read(const void *bytes, size_t size, struct fovea_tensor_dict *dict,
                                 struct fovea_error *err);

#endif
