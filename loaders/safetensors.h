/*
 * The safetensors format: eight bytes of length, a JSON header that says of
 * each tensor its type, shape and place, then the contents, without a hole,
 * an overlap or a byte left over. Borrowed where they are aligned.
 *
 * https://github.com/huggingface/safetensors#format
 */
#ifndef FOVEA_LOADERS_SAFETENSORS_H
#define FOVEA_LOADERS_SAFETENSORS_H

#include "loaders/tensor_dict.h"

/* Whether bytes could begin such a file: a length within it, then a brace or white space. */
bool fovea_safetensors_looks_like(const void *bytes, size_t size);

/* Add the tensors of a file; `bytes` live as long as the dictionary. */
enum fovea_status fovea_safetensors_read(const void *bytes, size_t size,
                                         struct fovea_tensor_dict *dict, struct fovea_error *err);

/*
 * Add the tensors of the files that an index (model.safetensors.index.json)
 * names, found in its folder `path` (up to its last slash): each must have
 * those, and only those, that the index gives to it.
 */
enum fovea_status fovea_safetensors_read_index(const char *path, const void *bytes, size_t size,
                                               bool allow_links, struct fovea_tensor_dict *dict,
                                               struct fovea_error *err);

#endif
