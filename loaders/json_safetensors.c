/* The safetensors format: see safetensors.h. */
#include "loaders/safetensors.h"

#include "loaders/json.h"
#include "runtime/limits.h"
#include "runtime/tensor.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8 };

static const struct {
    const char *name;
    enum fovea_dtype dtype;
} dtypes[] = {
    {"F32", FOVEA_F32},   {"F16", FOVEA_F16}, {"BF16", FOVEA_BF16}, {"F64", FOVEA_F64},
    {"I8", FOVEA_I8},     {"U8", FOVEA_U8},   {"I16", FOVEA_I16},   {"U16", FOVEA_U16},
    {"I32", FOVEA_I32},   {"U32", FOVEA_U32}, {"I64", FOVEA_I64},   {"U64", FOVEA_U64},
    {"BOOL", FOVEA_BOOL},
};

/* One tensor as the header has it. */
struct item {
    const char *name;
    size_t name_length;
    struct fovea_tensor t;
    uint64_t begin, end; /* from the header's end */
};

struct file {
    const unsigned char *data; /* behind the header */
    uint64_t size;             /* of that */
    struct item *items;
    size_t count;
};

static uint64_t header_length(const unsigned char *bytes) {
    uint64_t length = 0;
    for (int i = 0; i < LENGTH_BYTES; i++) {
        length |= (uint64_t)bytes[i] << (8 * i);
    }
    return length;
}

bool fovea_safetensors_looks_like(const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    return size > LENGTH_BYTES && header_length(at) <= size - LENGTH_BYTES &&
           strchr("{ \t\r\n", at[LENGTH_BYTES]) && at[LENGTH_BYTES];
}

/* ---- entries ------------------------------------------------------------- */

static enum fovea_status read_dtype(const json_t *value, enum fovea_dtype *out,
                                    struct fovea_error *err) {
    const char *name = json_string_value(value);
    if (!name) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "dtype is missing, or no string");
    }
    for (size_t i = 0; i < sizeof(dtypes) / sizeof(dtypes[0]); i++) {
        if (strcmp(name, dtypes[i].name) == 0) {
            *out = dtypes[i].dtype;
            return FOVEA_OK;
        }
    }
    return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "dtype '%s' is not supported",
                      fovea_quote(name).text);
}

/* Numbers as such: 1.0 and 1e3 are reals. */
static enum fovea_status read_size(const json_t *value, const char *what, size_t index,
                                   int64_t *out, struct fovea_error *err) {
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "%s[%zu] is no integer of at least 0", what,
                          index);
    }
    *out = json_integer_value(value);
    return FOVEA_OK;
}

static enum fovea_status read_shape(const json_t *value, struct fovea_tensor *t,
                                    struct fovea_error *err) {
    if (!json_is_array(value)) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "shape is missing, or no array");
    }
    if (json_array_size(value) > FOVEA_MAX_RANK) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "%zu dimensions; the limit is %d",
                          json_array_size(value), FOVEA_MAX_RANK);
    }
    t->rank = (int)json_array_size(value);
    for (int i = 0; i < t->rank; i++) {
        enum fovea_status st =
            read_size(json_array_get(value, (size_t)i), "shape", (size_t)i, &t->dims[i], err);
        if (st) {
            return st;
        }
    }
    return fovea_tensor_check_shape(t, err);
}

static enum fovea_status read_offsets(const json_t *value, const struct file *file,
                                      struct item *item, struct fovea_error *err) {
    int64_t at[2];
    if (!json_is_array(value) || json_array_size(value) != 2) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "data_offsets is missing, or no array of two");
    }
    for (size_t i = 0; i < 2; i++) {
        enum fovea_status st = read_size(json_array_get(value, i), "data_offsets", i, &at[i], err);
        if (st) {
            return st;
        }
    }
    item->begin = (uint64_t)at[0];
    item->end = (uint64_t)at[1];
    if (at[0] > at[1] || item->end > file->size) {
        return fovea_fail(err, FOVEA_ERR_FORMAT,
                          "data_offsets [%lld, %lld] are not within the %llu bytes of data",
                          (long long)at[0], (long long)at[1], (unsigned long long)file->size);
    }
    if (item->end - item->begin != fovea_tensor_bytes(&item->t)) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "%llu bytes of data; %s of %s takes %zu",
                          (unsigned long long)(item->end - item->begin),
                          fovea_shape_text(&item->t).text, fovea_dtype_name(item->t.dtype),
                          fovea_tensor_bytes(&item->t));
    }
    return FOVEA_OK;
}

static enum fovea_status read_item(const json_t *value, const struct file *file, struct item *item,
                                   struct fovea_error *err) {
    if (!json_is_object(value)) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "is described by no JSON object");
    }
    enum fovea_status st = read_dtype(json_object_get(value, "dtype"), &item->t.dtype, err);
    if (!st) {
        st = read_shape(json_object_get(value, "shape"), &item->t, err);
    }
    if (!st) {
        st = read_offsets(json_object_get(value, "data_offsets"), file, item, err);
    }
    if (!st && json_object_size(value) != 3) {
        st = fovea_fail(err, FOVEA_ERR_FORMAT,
                        "has members other than dtype, shape and data_offsets");
    }
    return st;
}

static enum fovea_status check_metadata(json_t *metadata, struct fovea_error *err) {
    const char *key;
    json_t *value;
    if (!json_is_object(metadata)) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "__metadata__ is no JSON object");
    }
    json_object_foreach(metadata, key, value) {
        if (!json_is_string(value)) {
            return fovea_fail(err, FOVEA_ERR_FORMAT, "__metadata__ '%s' is no string",
                              fovea_quote(key).text);
        }
    }
    return FOVEA_OK;
}

static enum fovea_status read_items(json_t *header, struct file *file, struct fovea_error *err) {
    const char *key;
    json_t *value;
    if (!json_is_object(header)) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "the header is no JSON object");
    }
    file->items = calloc(json_object_size(header) + 1, sizeof(*file->items));
    if (!file->items) {
        return fovea_fail_memory(err, json_object_size(header) * sizeof(*file->items), "a header");
    }
    json_object_foreach(header, key, value) {
        enum fovea_status st;
        struct item *item = &file->items[file->count];
        if (strcmp(key, "__metadata__") == 0) {
            st = check_metadata(value, err);
        } else {
            *item = (struct item){.name = key, .name_length = strlen(key)};
            st = read_item(value, file, item, err);
            file->count++;
        }
        if (st) {
            fovea_error_prefix(err, "tensor '%s'", fovea_quote(key).text);
            return st;
        }
    }
    return FOVEA_OK;
}

/* ---- places -------------------------------------------------------------- */

/* Empty tensors first of those that begin together. */
static int by_place(const void *a, const void *b) {
    const struct item *one = a, *two = b;
    if (one->begin != two->begin) {
        return one->begin < two->begin ? -1 : 1;
    }
    return one->end < two->end ? -1 : one->end > two->end;
}

static enum fovea_status check_places(const struct file *file, struct fovea_error *err) {
    uint64_t at = 0;
    for (size_t i = 0; i < file->count; i++) {
        const struct item *item = &file->items[i];
        if (item->begin != at) {
            return fovea_fail(err, FOVEA_ERR_FORMAT, "tensor '%s': its data begin at %llu: %s %llu",
                              fovea_quote(item->name).text, (unsigned long long)item->begin,
                              item->begin < at ? "an overlap, what is before ends at"
                                               : "a hole, what is before ends at",
                              (unsigned long long)at);
        }
        at = item->end;
    }
    return at == file->size
               ? FOVEA_OK
               : fovea_fail(err, FOVEA_ERR_FORMAT, "%llu bytes follow the last tensor's data",
                            (unsigned long long)(file->size - at));
}

static enum fovea_status add_items(const struct file *file, struct fovea_tensor_dict *dict,
                                   struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    for (size_t i = 0; !st && i < file->count; i++) {
        struct item *item = &file->items[i];
        st = fovea_tensor_dict_place(dict, file->data + item->begin, &item->t, err);
        if (!st) {
            st = fovea_tensor_dict_add(dict, item->name, item->name_length, &item->t, err);
        }
    }
    return st;
}

enum fovea_status fovea_safetensors_read(const void *bytes, size_t size,
                                         struct fovea_tensor_dict *dict, struct fovea_error *err) {
    const unsigned char *start = bytes;
    json_t *header = NULL;
    if (size < LENGTH_BYTES) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "%zu bytes are no safetensors file", size);
    }
    uint64_t length = header_length(start);
    if (length > size - LENGTH_BYTES) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "a header of %llu bytes; %zu follow",
                          (unsigned long long)length, size - LENGTH_BYTES);
    }
    struct file file = {.data = start + LENGTH_BYTES + length,
                        .size = size - LENGTH_BYTES - length};
    enum fovea_status st = fovea_json_parse((const char *)start + LENGTH_BYTES, (size_t)length,
                                            LENGTH_BYTES, &header, err);
    if (!st) {
        st = read_items(header, &file, err);
    }
    if (!st) {
        qsort(file.items, file.count, sizeof(*file.items), by_place);
        st = check_places(&file, err);
    }
    if (!st) {
        st = add_items(&file, dict, err);
    }
    free(file.items);
    json_decref(header);
    return st;
}
