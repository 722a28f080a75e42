/* Storages and tensors of PyTorch in a pickle (pickle.h). */
#include "loaders/pickle_parts.h"
#include "runtime/tensor.h"

#include <string.h>

static void note_storage(struct fovea_pickle_machine *m,
                         const struct fovea_pickle_tensor *storage) {
    struct fovea_pickle *p = m->pickle;
    void *storages = p->storages;
    if (fovea_pickle_reserve(m, &storages, p->n_storages, &p->cap_storages, sizeof(*p->storages))) {
        p->storages = storages;
        p->storages[p->n_storages++] = storage;
    }
}

/* ("storage", type, key, device, number of elements), and in older files None: no view of it */
struct fovea_pickle_value *fovea_pickle_persistent(struct fovea_pickle_machine *m,
                                                   const struct fovea_pickle_value *id) {
    struct fovea_pickle_value *value = fovea_pickle_new_tensor(m, FOVEA_PICKLE_STORAGE);
    if (!value) {
        return NULL;
    }
    if (!fovea_pickle_matches(id, "xgxxi") || !fovea_pickle_is_text(id->items[0], "storage") ||
        id->items[1]->number < FOVEA_GLOBAL_STORAGE || id->items[4]->number < 0) {
        fovea_pickle_fail(m, FOVEA_ERR_FORMAT, "a persistent id that is no torch storage");
        return NULL;
    }
    if (id->count > 5 && id->items[5]->kind != FOVEA_PICKLE_NONE) {
        fovea_pickle_fail(m, FOVEA_ERR_UNSUPPORTED, "a storage that is a view of another");
        return NULL;
    }
    const struct fovea_pickle_value *key = id->items[2];
    char *copy = fovea_pickle_memory(m, key->length);
    if (!copy) {
        return NULL;
    }
    memcpy(copy, key->text, key->length);
    value->tensor->key = copy;
    value->tensor->n = id->items[4]->number;
    value->tensor->t.dtype = (enum fovea_dtype)(id->items[1]->number - FOVEA_GLOBAL_STORAGE);
    note_storage(m, value->tensor);
    return value;
}

/* The last element lies within the storage. */
static bool strides_fit(const struct fovea_pickle_tensor *tensor) {
    int64_t last = tensor->offset;
    if (tensor->offset < 0) {
        return false;
    }
    for (int i = 0; i < tensor->t.rank; i++) {
        int64_t step;
        if (tensor->strides[i] < 0) {
            return false;
        }
        if (tensor->t.dims[i] > 0 &&
            (__builtin_mul_overflow(tensor->t.dims[i] - 1, tensor->strides[i], &step) ||
             __builtin_add_overflow(last, step, &last))) {
            return false;
        }
    }
    return fovea_tensor_count(&tensor->t) == 0 || last < tensor->n;
}

/* (storage, offset, shape, strides, ...) */
struct fovea_pickle_value *fovea_pickle_torch_tensor(struct fovea_pickle_machine *m,
                                                     const struct fovea_pickle_value *args) {
    struct fovea_pickle_value *value = fovea_pickle_new_tensor(m, FOVEA_PICKLE_TENSOR);
    if (!value || !fovea_pickle_matches(args, "sitt")) {
        fovea_pickle_fail_args(m, "torch's _rebuild_tensor_v2");
        return NULL;
    }
    struct fovea_pickle_tensor *tensor = value->tensor;
    const struct fovea_pickle_tensor *storage = args->items[0]->tensor;
    const struct fovea_pickle_value *strides = args->items[3];
    tensor->t.dtype = storage->t.dtype;
    tensor->key = storage->key;
    tensor->n = storage->n;
    tensor->offset = args->items[1]->number;
    if (!fovea_pickle_read_shape(m, args->items[2], &tensor->t)) {
        return NULL;
    }
    bool ok = (int)strides->count == tensor->t.rank;
    for (int i = 0; ok && i < tensor->t.rank; i++) {
        ok = strides->items[i]->kind == FOVEA_PICKLE_INT;
        tensor->strides[i] = ok ? strides->items[i]->number : 0;
    }
    if (!ok || !strides_fit(tensor)) {
        fovea_pickle_fail(
            m, FOVEA_ERR_FORMAT, "a tensor %s from element %lld goes past its storage of %lld",
            fovea_shape_text(&tensor->t).text, (long long)tensor->offset, (long long)tensor->n);
        return NULL;
    }
    tensor->complete = true;
    return value;
}
