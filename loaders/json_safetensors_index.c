/* Safetensors spread over several files: see safetensors.h. */
#include "loaders/safetensors.h"

#include "loaders/beneath.h"
#include "loaders/json.h"
#include "loaders/mapped_file.h"
#include "runtime/limits.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

struct shards {
    const char *names[FOVEA_LIMIT_CHECKPOINT_FILES]; /* borrowed from the index */
    size_t count;
};

static bool is_known(const struct shards *shards, const char *name) {
    /* Tensors of one file mostly stand together: look at the newest first. */
    for (size_t i = shards->count; i > 0; i--) {
        if (strcmp(shards->names[i - 1], name) == 0) {
            return true;
        }
    }
    return false;
}

static enum fovea_status list_shards(json_t *map, struct shards *shards, struct fovea_error *err) {
    const char *key;
    json_t *value;
    if (!json_is_object(map)) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "weight_map is missing, or no JSON object");
    }
    json_object_foreach(map, key, value) {
        const char *name = json_string_value(value);
        if (!name) {
            return fovea_fail(err, FOVEA_ERR_FORMAT, "weight_map '%s' is no string",
                              fovea_quote(key).text);
        }
        if (is_known(shards, name)) {
            continue;
        }
        if (shards->count == FOVEA_LIMIT_CHECKPOINT_FILES) {
            return fovea_fail(err, FOVEA_ERR_LIMIT, "over %d files, the limit",
                              FOVEA_LIMIT_CHECKPOINT_FILES);
        }
        shards->names[shards->count++] = name;
    }
    return FOVEA_OK;
}

/* The entries from `first` on are of file `shard`: as the index says? */
static enum fovea_status check_entries(const json_t *map, const char *shard,
                                       const struct fovea_tensor_dict *dict, size_t first,
                                       struct fovea_error *err) {
    for (size_t i = first; i < dict->count; i++) {
        const char *name = dict->entries[i].name;
        const char *place = json_string_value(json_object_get(map, name));
        if (!place || strcmp(place, shard) != 0) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "tensor '%s' is there; the index has it %s%s",
                              fovea_quote(name).text, place ? "in " : "nowhere",
                              place ? fovea_quote(place).text : "");
        }
    }
    return FOVEA_OK;
}

static enum fovea_status read_shard(int folder, const char *shard, bool allow_links, json_t *map,
                                    struct fovea_tensor_dict *dict, struct fovea_error *err) {
    struct fovea_mapping file;
    size_t first = dict->count;
    enum fovea_status st = fovea_beneath_map(folder, shard, allow_links, "shard", &file, err);
    if (st) {
        return st;
    }
    st = fovea_tensor_dict_take(dict, &file, shard, err);
    if (st) {
        fovea_mapping_finish(&file);
        return st;
    }
    st = fovea_safetensors_read(file.bytes, file.length, dict, err);
    if (!st) {
        st = check_entries(map, shard, dict, first, err);
    }
    if (st) {
        fovea_error_prefix(err, "shard '%s'", fovea_quote(shard).text);
    }
    return st;
}

static enum fovea_status check_complete(json_t *map, struct fovea_tensor_dict *dict,
                                        struct fovea_error *err) {
    const char *key;
    json_t *value;
    enum fovea_status st = fovea_tensor_dict_seal(dict, err);
    if (st) {
        return st;
    }
    json_object_foreach(map, key, value) {
        if (!fovea_tensor_dict_find(dict, key)) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "tensor '%s' is not in '%s'",
                              fovea_quote(key).text, fovea_quote(json_string_value(value)).text);
        }
    }
    return FOVEA_OK;
}

static enum fovea_status read_all(const char *path, json_t *map, bool allow_links,
                                  struct fovea_tensor_dict *dict, struct fovea_error *err) {
    struct shards shards = {.count = 0};
    enum fovea_status st = list_shards(map, &shards, err);
    if (st) {
        return st;
    }
    struct fovea_error own = {0};
    int folder = fovea_beneath_open_folder(path, &own);
    if (folder < 0) {
        return fovea_fail(err, own.status, "%s", own.message);
    }
    for (size_t i = 0; !st && i < shards.count; i++) {
        st = read_shard(folder, shards.names[i], allow_links, map, dict, err);
    }
    close(folder);
    return st ? st : check_complete(map, dict, err);
}

enum fovea_status fovea_safetensors_read_index(const char *path, const void *bytes, size_t size,
                                               bool allow_links, struct fovea_tensor_dict *dict,
                                               struct fovea_error *err) {
    json_t *index = NULL;
    enum fovea_status st = fovea_json_parse(bytes, size, 0, &index, err);
    if (!st) {
        st = read_all(path, json_object_get(index, "weight_map"), allow_links, dict, err);
    }
    json_decref(index);
    return st;
}
