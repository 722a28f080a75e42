/* Tensors by name: see tensor_dict.h. */
#include "loaders/tensor_dict.h"

#include "loaders/mapped_file.h"
#include "runtime/limits.h"
#include "runtime/tensor.h"

#include <stdlib.h>
#include <string.h>

void fovea_tensor_dict_init(struct fovea_tensor_dict *dict, size_t max_bytes) {
    *dict = (struct fovea_tensor_dict){.max_bytes = max_bytes};
}

void fovea_tensor_dict_finish(struct fovea_tensor_dict *dict) {
    for (size_t i = 0; i < dict->n_mappings; i++) {
        fovea_mapping_finish(&dict->mappings[i]);
    }
    for (size_t i = 0; i < dict->n_buffers; i++) {
        free(dict->buffers[i]);
    }
    free(dict->mappings);
    free(dict->locations);
    free(dict->buffers);
    free(dict->entries);
    fovea_arena_finish(&dict->arena);
    *dict = (struct fovea_tensor_dict){0};
}

/* ---- contents ------------------------------------------------------------ */

enum fovea_status fovea_tensor_dict_take(struct fovea_tensor_dict *dict,
                                         const struct fovea_mapping *mapping, const char *location,
                                         struct fovea_error *err) {
    size_t count = dict->n_mappings + 1;
    struct fovea_mapping *mappings = realloc(dict->mappings, count * sizeof(*mappings));
    dict->mappings = mappings ? mappings : dict->mappings;
    const char **locations = realloc(dict->locations, count * sizeof(*locations));
    dict->locations = locations ? locations : dict->locations;
    char *copy = fovea_arena_copy_text(&dict->arena, location, strlen(location));
    if (!mappings || !locations || !copy) {
        return fovea_fail_memory(err, count * sizeof(*mappings), "a mapping");
    }
    mappings[dict->n_mappings] = *mapping;
    locations[dict->n_mappings++] = copy;
    return FOVEA_OK;
}

static enum fovea_status take_buffer(struct fovea_tensor_dict *dict, void *buffer,
                                     struct fovea_error *err) {
    /* Room for powers of two. */
    if ((dict->n_buffers & (dict->n_buffers - 1)) == 0) {
        size_t cap = dict->n_buffers ? 2 * dict->n_buffers : 1;
        void **buffers = realloc(dict->buffers, cap * sizeof(*buffers));
        if (!buffers) {
            return fovea_fail_memory(err, cap * sizeof(*buffers), "buffers");
        }
        dict->buffers = buffers;
    }
    dict->buffers[dict->n_buffers++] = buffer;
    return FOVEA_OK;
}

enum fovea_status fovea_tensor_dict_alloc(struct fovea_tensor_dict *dict, size_t bytes, void **out,
                                          struct fovea_error *err) {
    size_t left = dict->max_bytes - dict->buffer_bytes;
    if (bytes > left) {
        return fovea_fail(err, FOVEA_ERR_LIMIT,
                          "%zu bytes more to unpack or align; %zu of the memory limit are left",
                          bytes, left);
    }
    void *buffer = fovea_aligned_alloc(bytes);
    if (!buffer) {
        return fovea_fail_memory(err, bytes, "a tensor");
    }
    enum fovea_status st = take_buffer(dict, buffer, err);
    if (st) {
        free(buffer);
        return st;
    }
    dict->buffer_bytes += bytes;
    *out = buffer;
    return FOVEA_OK;
}

enum fovea_status fovea_tensor_dict_place(struct fovea_tensor_dict *dict, const void *bytes,
                                          struct fovea_tensor *tensor, struct fovea_error *err) {
    size_t size = fovea_tensor_bytes(tensor);
    tensor->data = NULL;
    if (size == 0) {
        return FOVEA_OK;
    }
    if ((uintptr_t)bytes % fovea_dtype_size(tensor->dtype) == 0) {
        tensor->data = (void *)bytes;
        return FOVEA_OK;
    }
    enum fovea_status st = fovea_tensor_dict_alloc(dict, size, &tensor->data, err);
    if (!st) {
        memcpy(tensor->data, bytes, size);
    }
    return st;
}

/* Dimensions of one element say nothing about the order. */
static bool is_dense(const struct fovea_tensor *t, const int64_t *strides) {
    int64_t expected = 1;
    for (int i = t->rank - 1; i >= 0; i--) {
        if (t->dims[i] != 1 && strides[i] != expected) {
            return false;
        }
        expected *= t->dims[i];
    }
    return true;
}

/* Row by row along the last dimension; `size` is one element's. */
static void gather_rows(const struct fovea_tensor *t, const unsigned char *from,
                        const int64_t *strides, size_t size) {
    unsigned char *to = t->data;
    int64_t index[FOVEA_MAX_RANK] = {0};
    int last = t->rank - 1;
    /* The stride of a dimension of one element may be any number: it is never stepped along. */
    int64_t step = t->dims[last] > 1 ? strides[last] * (int64_t)size : 0;
    int64_t n_rows = fovea_dims_product(t, 0, last);
    for (int64_t row = 0; row < n_rows; row++) {
        int64_t at = 0;
        for (int i = 0; i < last; i++) {
            at += index[i] * strides[i];
        }
        const unsigned char *source = from + at * (int64_t)size;
        for (int64_t i = 0; i < t->dims[last]; i++, to += size) {
            memcpy(to, source + i * step, size);
        }
        for (int i = last - 1; i >= 0 && ++index[i] == t->dims[i]; i--) {
            index[i] = 0;
        }
    }
}

void fovea_tensor_gather(const void *bytes, const int64_t *strides,
                         const struct fovea_tensor *tensor) {
    size_t size = fovea_tensor_bytes(tensor);
    if (size > 0 && is_dense(tensor, strides)) {
        memcpy(tensor->data, bytes, size);
    } else if (size > 0) {
        gather_rows(tensor, bytes, strides, fovea_dtype_size(tensor->dtype));
    }
}

enum fovea_status fovea_tensor_dict_place_strided(struct fovea_tensor_dict *dict, const void *bytes,
                                                  const int64_t *strides,
                                                  struct fovea_tensor *tensor,
                                                  struct fovea_error *err) {
    size_t size = fovea_tensor_bytes(tensor);
    if (size == 0 || is_dense(tensor, strides)) {
        return fovea_tensor_dict_place(dict, bytes, tensor, err);
    }
    enum fovea_status st = fovea_tensor_dict_alloc(dict, size, &tensor->data, err);
    if (!st) {
        fovea_tensor_gather(bytes, strides, tensor);
    }
    return st;
}

/* ---- names --------------------------------------------------------------- */

static enum fovea_status reserve(struct fovea_tensor_dict *dict, struct fovea_error *err) {
    if (dict->count == FOVEA_LIMIT_CHECKPOINT_TENSORS) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "over %d tensors, the limit",
                          FOVEA_LIMIT_CHECKPOINT_TENSORS);
    }
    if (dict->count < dict->cap) {
        return FOVEA_OK;
    }
    size_t cap = dict->cap ? 2 * dict->cap : 64;
    struct fovea_named_tensor *entries = realloc(dict->entries, cap * sizeof(*entries));
    if (!entries) {
        return fovea_fail_memory(err, cap * sizeof(*entries), "tensors");
    }
    dict->entries = entries;
    dict->cap = cap;
    return FOVEA_OK;
}

enum fovea_status fovea_tensor_dict_add(struct fovea_tensor_dict *dict, const char *name,
                                        size_t length, const struct fovea_tensor *tensor,
                                        struct fovea_error *err) {
    if (length > FOVEA_LIMIT_NAME) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "a tensor's name has %zu bytes; the limit is %d",
                          length, FOVEA_LIMIT_NAME);
    }
    if (memchr(name, 0, length)) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "a tensor's name has a NUL byte");
    }
    enum fovea_status st = reserve(dict, err);
    if (st) {
        return st;
    }
    const char *copy = fovea_arena_copy_text(&dict->arena, name, length);
    if (!copy) {
        return fovea_fail_memory(err, length, "a name");
    }
    dict->entries[dict->count++] = (struct fovea_named_tensor){copy, *tensor};
    return FOVEA_OK;
}

static int by_name(const void *a, const void *b) {
    const struct fovea_named_tensor *one = a, *two = b;
    return strcmp(one->name, two->name);
}

enum fovea_status fovea_tensor_dict_seal(struct fovea_tensor_dict *dict, struct fovea_error *err) {
    if (dict->count > 0) {
        qsort(dict->entries, dict->count, sizeof(*dict->entries), by_name);
    }
    for (size_t i = 1; i < dict->count; i++) {
        if (strcmp(dict->entries[i - 1].name, dict->entries[i].name) == 0) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "tensor '%s' is there twice",
                              fovea_quote(dict->entries[i].name).text);
        }
    }
    return FOVEA_OK;
}

const struct fovea_tensor *fovea_tensor_dict_find(const struct fovea_tensor_dict *dict,
                                                  const char *name) {
    struct fovea_named_tensor key = {.name = name};
    const struct fovea_named_tensor *found = NULL;
    if (dict->count > 0) {
        found = bsearch(&key, dict->entries, dict->count, sizeof(key), by_name);
    }
    return found ? &found->t : NULL;
}

/* ---- handing over -------------------------------------------------------- */

enum fovea_status fovea_tensor_dict_give(struct fovea_tensor_dict *dict, struct fovea_model *model,
                                         struct fovea_error *err) {
    while (dict->n_mappings > 0) {
        enum fovea_status st =
            fovea_model_take_mapping(model, &dict->mappings[dict->n_mappings - 1], err);
        if (st) {
            return st;
        }
        dict->n_mappings--;
    }
    while (dict->n_buffers > 0) {
        enum fovea_status st =
            fovea_model_take_buffer(model, dict->buffers[dict->n_buffers - 1], err);
        if (st) {
            return st;
        }
        dict->n_buffers--;
    }
    return FOVEA_OK;
}
