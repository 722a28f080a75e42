/* PyTorch's older files: see pth_legacy.h. */
#include "loaders/pth_legacy.h"

#include "loaders/pickle_tensors.h"
#include "loaders/pth.h"
#include "runtime/tensor.h"

#include <stdlib.h>
#include <string.h>

/* The magic number is pickled in one way only: protocol 2, LONG1 of ten bytes, STOP. */
static const unsigned char magic[15] = {0x80, 2,    0x8a, 10,   0x6c, 0xfc, 0x9c, 0x46,
                                        0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};

/* A storage in the file. */
struct place {
    const char *key;
    const unsigned char *bytes;
    size_t size;
};

struct legacy {
    const unsigned char *bytes;
    size_t size, at;
    struct fovea_pickle machine, object, keys;
    struct place *places; /* by key, once sorted */
    size_t n_places;
};

bool fovea_pth_legacy_looks_like(const void *bytes, size_t size) {
    return size >= sizeof(magic) && memcmp(bytes, magic, sizeof(magic)) == 0;
}

/* ---- pickles -------------------------------------------------------------------- */

static enum fovea_status next_pickle(struct legacy *l, const char *what,
                                     struct fovea_pickle *pickle, struct fovea_error *err) {
    size_t length;
    enum fovea_status st =
        fovea_pickle_load_first(pickle, l->bytes + l->at, l->size - l->at, &length, err);
    if (st) {
        fovea_error_prefix(err, "the pickle of %s, which begins at byte %zu", what, l->at);
        return st;
    }
    l->at += length;
    return FOVEA_OK;
}

static enum fovea_status check_protocol(struct legacy *l, struct fovea_error *err) {
    struct fovea_pickle version = {0};
    enum fovea_status st = next_pickle(l, "the protocol", &version, err);
    if (!st && (version.result->kind != FOVEA_PICKLE_INT || version.result->number != 1001)) {
        st = fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "a protocol of torch.save other than 1001");
    }
    fovea_pickle_finish(&version);
    return st;
}

static enum fovea_status check_byte_order(const struct fovea_pickle *machine,
                                          struct fovea_error *err) {
    const struct fovea_pickle_value *little = fovea_pickle_get(machine->result, "little_endian");
    bool is = little && little->kind == FOVEA_PICKLE_BOOL && little->number;
    return is ? FOVEA_OK
              : fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                           "numbers are not little-endian, or it is "
                           "not said that they are");
}

static enum fovea_status read_pickles(struct legacy *l, struct fovea_error *err) {
    l->at = sizeof(magic);
    enum fovea_status st = check_protocol(l, err);
    st = st ? st : next_pickle(l, "the machine", &l->machine, err);
    st = st ? st : check_byte_order(&l->machine, err);
    st = st ? st : next_pickle(l, "the object", &l->object, err);
    return st ? st : next_pickle(l, "the keys", &l->keys, err);
}

/* ---- storages ------------------------------------------------------------------- */

static int compare_places(const void *a, const void *b) {
    return strcmp(((const struct place *)a)->key, ((const struct place *)b)->key);
}

static int compare_storages(const void *a, const void *b) {
    const struct fovea_pickle_tensor *const *left = a, *const *right = b;
    return strcmp((*left)->key, (*right)->key);
}

/* What the object says of the storage of that key, or NULL. */
static const struct fovea_pickle_tensor *find_declared(const struct fovea_pickle *object,
                                                       const struct fovea_pickle_value *key) {
    char text[64];
    if (key->kind != FOVEA_PICKLE_TEXT || key->length >= sizeof(text) || !object->n_storages) {
        return NULL;
    }
    memcpy(text, key->text, key->length);
    text[key->length] = 0;
    const struct fovea_pickle_tensor wanted = {.key = text}, *at = &wanted;
    const struct fovea_pickle_tensor **found = bsearch(&at, object->storages, object->n_storages,
                                                       sizeof(*object->storages), compare_storages);
    return found ? *found : NULL;
}

static enum fovea_status place_next(struct legacy *l, const struct fovea_pickle_value *key,
                                    struct fovea_error *err) {
    const struct fovea_pickle_tensor *declared = find_declared(&l->object, key);
    uint64_t n = 0;
    if (!declared) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "a key of a storage that no tensor has");
    }
    if (l->size - l->at < 8) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "byte %zu: the file ends before storage '%s'",
                          l->at, fovea_quote(declared->key).text);
    }
    for (int i = 7; i >= 0; i--) {
        n = n << 8 | l->bytes[l->at + (size_t)i];
    }
    size_t element = fovea_dtype_size(declared->t.dtype), left = l->size - l->at - 8;
    if (n != (uint64_t)declared->n || n > left / element) {
        return fovea_fail(err, FOVEA_ERR_FORMAT,
                          "byte %zu: storage '%s' has %llu elements of %zu bytes; %lld were said, "
                          "and %zu bytes are left",
                          l->at, fovea_quote(declared->key).text, (unsigned long long)n, element,
                          (long long)declared->n, left);
    }
    size_t size = (size_t)n * element;
    l->places[l->n_places++] = (struct place){declared->key, l->bytes + l->at + 8, size};
    l->at += 8 + size;
    return FOVEA_OK;
}

static enum fovea_status place_all(struct legacy *l, struct fovea_error *err) {
    const struct fovea_pickle_value *keys = l->keys.result;
    if (keys->kind != FOVEA_PICKLE_LIST) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "the keys of the storages are no list");
    }
    l->places = calloc(keys->count + 1, sizeof(*l->places));
    if (!l->places) {
        return fovea_fail_memory(err, keys->count * sizeof(*l->places), "storages");
    }
    if (l->object.n_storages > 0) {
        qsort(l->object.storages, l->object.n_storages, sizeof(*l->object.storages),
              compare_storages);
    }
    enum fovea_status st = FOVEA_OK;
    for (size_t i = 0; !st && i < keys->count; i++) {
        st = place_next(l, keys->items[i], err);
    }
    if (!st && l->at != l->size) {
        st = fovea_fail(err, FOVEA_ERR_FORMAT, "byte %zu: %zu bytes follow the storages", l->at,
                        l->size - l->at);
    }
    if (!st && l->n_places > 0) {
        qsort(l->places, l->n_places, sizeof(*l->places), compare_places);
    }
    return st;
}

static enum fovea_status find_storage(void *context, const char *key, size_t bytes,
                                      const void **out, struct fovea_error *err) {
    const struct legacy *l = context;
    const struct place wanted = {.key = key};
    const struct place *found =
        l->n_places ? bsearch(&wanted, l->places, l->n_places, sizeof(*l->places), compare_places)
                    : NULL;
    if (!found || found->size != bytes) {
        return fovea_fail(err, FOVEA_ERR_FORMAT,
                          "its storage '%s' is not in the file, or not of "
                          "%zu bytes",
                          fovea_quote(key).text, bytes);
    }
    *out = found->bytes;
    return FOVEA_OK;
}

/* ---- the whole -------------------------------------------------------------------- */

enum fovea_status fovea_pth_legacy_read(const void *bytes, size_t size,
                                        struct fovea_tensor_dict *dict, struct fovea_error *err) {
    struct legacy l = {.bytes = bytes, .size = size};
    const struct fovea_storage_finder finder = {find_storage, &l};
    enum fovea_status st = read_pickles(&l, err);
    st = st ? st : place_all(&l, err);
    st = st ? st : fovea_pth_add(l.object.result, size, &finder, dict, err);
    fovea_pickle_finish(&l.machine);
    fovea_pickle_finish(&l.object);
    fovea_pickle_finish(&l.keys);
    free(l.places);
    return st;
}
