/*
 * What a checkpoint holds, whatever its container: tensors by name.
 *
 * A container's parser adds to a dictionary and seals it; after that it is
 * only read. Contents are row-major, aligned to their element size, and lie in
 * a mapped file or a buffer, both of which the dictionary owns until a model
 * takes them over (fovea_tensor_dict_give).
 *
 * Names are text from a file: unique, at most FOVEA_LIMIT_NAME bytes, without
 * NUL bytes; everything else may occur in them.
 */
#ifndef FOVEA_LOADERS_TENSOR_DICT_H
#define FOVEA_LOADERS_TENSOR_DICT_H

#include "runtime/model.h"

struct fovea_named_tensor {
    const char *name;      /* in the dictionary's arena */
    struct fovea_tensor t; /* t.data is NULL if there are no elements */
};

struct fovea_tensor_dict {
    struct fovea_arena arena;
    struct fovea_named_tensor *entries; /* sorted by name, once sealed */
    size_t count, cap;
    struct fovea_mapping *mappings;
    const char **locations; /* of mapped files: as struct fovea_source has it */
    size_t n_mappings;
    void **buffers;
    size_t n_buffers;
    size_t buffer_bytes, max_bytes; /* taken by buffers, and what they may take */
};

/* `max_bytes` bounds the memory taken by copies (what is mapped does not count). */
void fovea_tensor_dict_init(struct fovea_tensor_dict *dict, size_t max_bytes);
void fovea_tensor_dict_finish(struct fovea_tensor_dict *dict);

/* ---- filling ------------------------------------------------------------- */

/* Take over a mapping, on success, of the file at `location` (copied) seen from the checkpoint. */
enum fovea_status fovea_tensor_dict_take(struct fovea_tensor_dict *dict,
                                         const struct fovea_mapping *mapping, const char *location,
                                         struct fovea_error *err);

/* Memory for a tensor's contents, at least a byte, owned by the dictionary. */
enum fovea_status fovea_tensor_dict_alloc(struct fovea_tensor_dict *dict, size_t bytes, void **out,
                                          struct fovea_error *err);

/*
 * Set tensor->data, whose type and shape are set and checked, to `bytes`,
 * which live as long as the dictionary; to a copy of them if they are not
 * aligned; to NULL if the tensor has no elements.
 */
enum fovea_status fovea_tensor_dict_place(struct fovea_tensor_dict *dict, const void *bytes,
                                          struct fovea_tensor *tensor, struct fovea_error *err);

/*
 * The same of elements that lie apart: element [i0, i1, ...] at `bytes` plus
 * i0 * strides[0] + i1 * strides[1] + ... elements. Strides that are those of
 * the dense, row-major order need no copy.
 */
enum fovea_status fovea_tensor_dict_place_strided(struct fovea_tensor_dict *dict, const void *bytes,
                                                  const int64_t *strides,
                                                  struct fovea_tensor *tensor,
                                                  struct fovea_error *err);

/* Fill tensor->data, row-major, from elements that lie apart as above, anywhere, unaligned. */
void fovea_tensor_gather(const void *bytes, const int64_t *strides,
                         const struct fovea_tensor *tensor);

/* Add an entry; the `length` bytes of its name are copied. */
enum fovea_status fovea_tensor_dict_add(struct fovea_tensor_dict *dict, const char *name,
                                        size_t length, const struct fovea_tensor *tensor,
                                        struct fovea_error *err);

/* Sort the entries; refuse two of one name. */
enum fovea_status fovea_tensor_dict_seal(struct fovea_tensor_dict *dict, struct fovea_error *err);

/* ---- reading ------------------------------------------------------------- */

/* The tensor of that name, or NULL. */
const struct fovea_tensor *fovea_tensor_dict_find(const struct fovea_tensor_dict *dict,
                                                  const char *name);

/* Hand mappings and buffers to a model, which then owns all contents. */
enum fovea_status fovea_tensor_dict_give(struct fovea_tensor_dict *dict, struct fovea_model *model,
                                         struct fovea_error *err);

#endif
