/* From a pickle's values to tensors by name: see pickle_tensors.h. */
#include "loaders/pickle_tensors.h"

#include "runtime/limits.h"
#include "runtime/tensor.h"

#include <string.h>

/* A dictionary on the way down, and where its names begin to grow. */
struct level {
    const struct fovea_pickle_value *dict;
    size_t next;   /* index into its items */
    size_t prefix; /* length of the name so far, with its /; at most FOVEA_LIMIT_NAME */
};

struct walk {
    struct level levels[FOVEA_LIMIT_PICKLE_DEPTH];
    int depth;
    size_t visits;
    char name[FOVEA_LIMIT_NAME + 1];
    const struct fovea_storage_finder *finder;
    struct fovea_tensor_dict *dict;
};

static enum fovea_status enter(struct walk *walk, const struct fovea_pickle_value *dict,
                               size_t prefix, struct fovea_error *err) {
    if (walk->depth == FOVEA_LIMIT_PICKLE_DEPTH) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "dictionaries nested over %d deep, the limit",
                          FOVEA_LIMIT_PICKLE_DEPTH);
    }
    walk->levels[walk->depth++] = (struct level){dict, 0, prefix};
    return FOVEA_OK;
}

/* Where a tensor's element [0, 0, ...] is. */
static enum fovea_status locate(const struct walk *walk, const struct fovea_pickle_value *value,
                                const void **out, struct fovea_error *err) {
    const struct fovea_pickle_tensor *from = value->tensor;
    size_t size = fovea_dtype_size(from->t.dtype);
    const void *storage = NULL;
    if (!from->complete) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "the array was never given its contents");
    }
    if (value->kind == FOVEA_PICKLE_ARRAY) {
        *out = from->bytes;
        return FOVEA_OK;
    }
    if (!walk->finder) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "a tensor of torch, but this is no torch file");
    }
    if (from->n > FOVEA_LIMIT_TENSOR_BYTES / (int64_t)size) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "its storage of %lld elements is too big",
                          (long long)from->n);
    }
    enum fovea_status st =
        walk->finder->find(walk->finder->context, from->key, (size_t)from->n * size, &storage, err);
    if (!st) {
        /* An empty tensor may begin anywhere. */
        bool empty = fovea_tensor_count(&from->t) == 0;
        *out = (const char *)storage + (empty ? 0 : (size_t)from->offset * size);
    }
    return st;
}

static enum fovea_status add(struct walk *walk, const struct fovea_pickle_value *value,
                             size_t length, struct fovea_error *err) {
    const struct fovea_pickle_tensor *from = value->tensor;
    struct fovea_tensor t = from->t;
    const void *bytes = NULL;
    enum fovea_status st = locate(walk, value, &bytes, err);
    if (st) {
        return st;
    }
    if (from->made && fovea_tensor_bytes(&t) > 0) {
        st = fovea_tensor_dict_alloc(walk->dict, fovea_tensor_bytes(&t), &t.data, err);
        if (!st) {
            fovea_tensor_gather(bytes, from->strides, &t);
        }
    } else {
        st = fovea_tensor_dict_place_strided(walk->dict, bytes, from->strides, &t, err);
    }
    return st ? st : fovea_tensor_dict_add(walk->dict, walk->name, length, &t, err);
}

/* One key and value of the innermost dictionary. */
static enum fovea_status visit(struct walk *walk, const struct fovea_pickle_value *key,
                               const struct fovea_pickle_value *value, size_t prefix,
                               struct fovea_error *err) {
    bool dict = value->kind == FOVEA_PICKLE_DICT;
    bool tensor = value->kind == FOVEA_PICKLE_ARRAY || value->kind == FOVEA_PICKLE_TENSOR;
    if (++walk->visits > FOVEA_LIMIT_PICKLE_OBJECTS) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "over %d entries in dictionaries, the limit",
                          FOVEA_LIMIT_PICKLE_OBJECTS);
    }
    /* Other keys (an optimiser's numbers) lead to no weights. */
    if (key->kind != FOVEA_PICKLE_TEXT || (!dict && !tensor)) {
        return FOVEA_OK;
    }
    /* In this order nothing wraps: a key is at most as long as the file, `prefix` as the limit. */
    if (prefix + key->length + dict > FOVEA_LIMIT_NAME) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "a tensor's name has over %d bytes, the limit",
                          FOVEA_LIMIT_NAME);
    }
    size_t length = prefix + key->length;
    memcpy(walk->name + prefix, key->text, key->length);
    walk->name[length] = 0;
    if (dict) {
        walk->name[length] = '/';
        return enter(walk, value, length + 1, err);
    }
    enum fovea_status st = add(walk, value, length, err);
    if (st) {
        fovea_error_prefix(err, "tensor '%s'", fovea_quote(walk->name).text);
    }
    return st;
}

enum fovea_status fovea_pickle_tensors(const struct fovea_pickle_value *root,
                                       const struct fovea_storage_finder *finder,
                                       struct fovea_tensor_dict *dict, struct fovea_error *err) {
    struct walk walk = {.finder = finder, .dict = dict};
    if (root->kind != FOVEA_PICKLE_DICT) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "the pickle is no dictionary of tensors");
    }
    enum fovea_status st = enter(&walk, root, 0, err);
    while (!st && walk.depth > 0) {
        struct level *level = &walk.levels[walk.depth - 1];
        if (level->next + 1 >= level->dict->count) {
            walk.depth--;
            continue;
        }
        struct fovea_pickle_value *const *item = level->dict->items + level->next;
        level->next += 2;
        st = visit(&walk, item[0], item[1], level->prefix, err);
    }
    return st;
}

enum fovea_status fovea_pickle_read(const void *bytes, size_t size, struct fovea_tensor_dict *dict,
                                    struct fovea_error *err) {
    struct fovea_pickle pickle;
    enum fovea_status st = fovea_pickle_load(&pickle, bytes, size, err);
    if (!st) {
        st = fovea_pickle_tensors(pickle.result, NULL, dict, err);
    }
    fovea_pickle_finish(&pickle);
    return st;
}
