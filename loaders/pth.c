/* PyTorch's files: see pth.h. */
#include "loaders/pth.h"

#include "loaders/zip.h"
#include "runtime/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char pickle_name[] = "/data.pkl";

struct archive {
    struct fovea_zip zip;
    const struct fovea_zip_member *pickle;
    int root; /* length of the name before pickle_name */
    /* Parameters often share a storage; its checksum is computed once. */
    bool *checked; /* by index of the member */
};

/* The one member ROOT/data.pkl, where ROOT has no slash; NULL: none, or several. */
static const struct fovea_zip_member *find_pickle(const struct fovea_zip *zip) {
    const struct fovea_zip_member *found = NULL;
    for (size_t i = 0; i < zip->count; i++) {
        const char *slash = strchr(zip->members[i].name, '/');
        if (slash && strcmp(slash, pickle_name) == 0) {
            if (found) {
                return NULL;
            }
            found = &zip->members[i];
        }
    }
    return found;
}

bool fovea_pth_looks_like(const void *bytes, size_t size) {
    struct fovea_zip zip;
    bool is = fovea_zip_init(&zip, bytes, size, NULL) == FOVEA_OK && find_pickle(&zip);
    fovea_zip_finish(&zip);
    return is;
}

/* ---- storages -------------------------------------------------------------- */

static const struct fovea_zip_member *find_beside(const struct archive *archive, const char *name) {
    char path[FOVEA_LIMIT_NAME + 1];
    int length =
        snprintf(path, sizeof(path), "%.*s/%s", archive->root, archive->pickle->name, name);
    return length < (int)sizeof(path) ? fovea_zip_find(&archive->zip, path) : NULL;
}

static enum fovea_status find_storage(void *context, const char *key, size_t bytes,
                                      const void **out, struct fovea_error *err) {
    struct archive *archive = context;
    char name[FOVEA_LIMIT_NAME];
    const unsigned char *data;
    const struct fovea_zip_member *member = NULL;
    if (snprintf(name, sizeof(name), "data/%s", key) < (int)sizeof(name)) {
        member = find_beside(archive, name);
    }
    if (!member) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "its storage '%s' is not in the archive",
                          fovea_quote(key).text);
    }
    if (member->method != FOVEA_ZIP_STORED) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "its storage '%s' is compressed",
                          fovea_quote(key).text);
    }
    if (member->size != bytes) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "its storage '%s' has %llu bytes, not %zu",
                          fovea_quote(key).text, (unsigned long long)member->size, bytes);
    }
    size_t index = (size_t)(member - archive->zip.members);
    if (archive->checked[index]) {
        *out = archive->zip.bytes + member->data;
        return FOVEA_OK;
    }
    enum fovea_status st = fovea_zip_stored(&archive->zip, member, &data, err);
    if (st) {
        fovea_error_prefix(err, "storage '%s'", fovea_quote(key).text);
        return st;
    }
    archive->checked[index] = true;
    *out = data;
    return FOVEA_OK;
}

static enum fovea_status check_byte_order(const struct archive *archive, struct fovea_error *err) {
    char text[16];
    size_t got = 0;
    const struct fovea_zip_member *member = find_beside(archive, "byteorder");
    enum fovea_status st =
        member ? fovea_zip_peek(&archive->zip, member, text, sizeof(text), &got, err) : FOVEA_OK;
    if (!st && member && (got != 6 || memcmp(text, "little", 6) != 0)) {
        st = fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "numbers are not little-endian");
    }
    return st;
}

/* ---- the weights among other things ----------------------------------------- */

static const struct fovea_pickle_value *unwrap(const struct fovea_pickle_value *root) {
    static const char *const wrappers[] = {"state_dict_ema", "model_ema", "state_dict", "model"};
    for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++) {
        const struct fovea_pickle_value *inner = fovea_pickle_get(root, wrappers[i]);
        if (inner && inner->kind == FOVEA_PICKLE_DICT && inner->count > 0) {
            return inner;
        }
    }
    return root;
}

enum fovea_status fovea_pth_add(const struct fovea_pickle_value *root, size_t size,
                                const struct fovea_storage_finder *finder,
                                struct fovea_tensor_dict *dict, struct fovea_error *err) {
    size_t left = dict->max_bytes - dict->buffer_bytes, most = dict->max_bytes;
    dict->max_bytes = dict->buffer_bytes + (left / 2 < size ? left : 2 * size);
    enum fovea_status st = fovea_pickle_tensors(unwrap(root), finder, dict, err);
    dict->max_bytes = most;
    return st;
}

static enum fovea_status read(struct archive *archive, size_t size, struct fovea_tensor_dict *dict,
                              struct fovea_error *err) {
    const unsigned char *bytes;
    struct fovea_pickle pickle = {0};
    const struct fovea_storage_finder finder = {find_storage, archive};
    archive->pickle = find_pickle(&archive->zip);
    if (!archive->pickle) {
        return fovea_fail(err, FOVEA_ERR_FORMAT,
                          "no data.pkl in a folder, or several, in the zip archive");
    }
    archive->root = (int)(strlen(archive->pickle->name) - strlen(pickle_name));
    enum fovea_status st = check_byte_order(archive, err);
    if (st) {
        return st;
    }
    if (archive->pickle->method != FOVEA_ZIP_STORED) {
        st = fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "data.pkl is compressed");
    }
    if (!st) {
        st = fovea_zip_stored(&archive->zip, archive->pickle, &bytes, err);
    }
    if (!st) {
        st = fovea_pickle_load(&pickle, bytes, (size_t)archive->pickle->size, err);
    }
    if (st) {
        fovea_error_prefix(err, "data.pkl");
    } else {
        st = fovea_pth_add(pickle.result, size, &finder, dict, err);
    }
    fovea_pickle_finish(&pickle);
    return st;
}

enum fovea_status fovea_pth_read(const void *bytes, size_t size, struct fovea_tensor_dict *dict,
                                 struct fovea_error *err) {
    struct archive archive = {.root = 0};
    enum fovea_status st = fovea_zip_init(&archive.zip, bytes, size, err);
    if (!st) {
        archive.checked = calloc(archive.zip.count + 1, sizeof(*archive.checked));
        st = archive.checked ? FOVEA_OK : fovea_fail_memory(err, archive.zip.count, "an archive");
    }
    if (!st) {
        st = read(&archive, size, dict, err);
    }
    free(archive.checked);
    fovea_zip_finish(&archive.zip);
    return st;
}
