/*
 * PyTorch's files from before its zip archives (torch.save until 1.5, and with
 * _use_new_zipfile_serialization=False since): pickles one after another, then
 * the storages.
 *
 *     a magic number, 0x1950a86a20f9469cfc6c      pickled, protocol 2
 *     the version of the protocol, 1001           pickled
 *     what the machine was like                   pickled dictionary
 *     the object                                  pickled; storages are persistent ids
 *     the keys of the storages                    pickled list of texts
 *     for each key: elements as 8 bytes, then the elements
 */
#ifndef FOVEA_LOADERS_PTH_LEGACY_H
#define FOVEA_LOADERS_PTH_LEGACY_H

#include "loaders/tensor_dict.h"

/* Whether the first bytes, 15 or more, are those of such a file. */
bool fovea_pth_legacy_looks_like(const void *bytes, size_t size);

/* Add the tensors of a file; `bytes` live as long as the dictionary. */
enum fovea_status fovea_pth_legacy_read(const void *bytes, size_t size,
                                        struct fovea_tensor_dict *dict, struct fovea_error *err);

#endif
