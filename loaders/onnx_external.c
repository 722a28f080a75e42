/*
 * External data: tensors in files beside the model (beneath.h).
 */
#include "loaders/beneath.h"
#include "loaders/mapped_file.h"
#include "loaders/onnx_convert.h"
#include "runtime/limits.h"

#include <stdlib.h>
#include <string.h>

/* ---- the entries -------------------------------------------------------- */

struct place {
    const char *location;
    uint64_t offset, length;
    bool has_offset, has_length, has_checksum;
};

/* Decimal digits only: what writers produce, and nothing a second reading could differ on. */
static enum fovea_status parse_number(const char *key, const char *text, uint64_t *out,
                                      struct fovea_error *err) {
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (value > ((uint64_t)INT64_MAX - digit) / 10) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "external %s '%s' is over 2^63 - 1", key,
                              fovea_quote(text).text);
        }
        value = value * 10 + digit;
    }
    if (at == text || *at) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "external %s '%s' is not a decimal number", key,
                          fovea_quote(text).text);
    }
    *out = value;
    return FOVEA_OK;
}

static enum fovea_status parse_entry(const char *key, const char *value, struct place *place,
                                     struct fovea_error *err) {
    bool *seen = NULL, located = place->location != NULL;
    if (strcmp(key, "location") == 0) {
        seen = &located;
    } else if (strcmp(key, "offset") == 0) {
        seen = &place->has_offset;
    } else if (strcmp(key, "length") == 0) {
        seen = &place->has_length;
    } else if (strcmp(key, "checksum") == 0) {
        seen = &place->has_checksum;
    } else {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "external_data key '%s' is not one of location, offset, length, checksum",
                          fovea_quote(key).text);
    }
    if (*seen) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "external_data key '%s' occurs twice", key);
    }
    *seen = true;
    if (seen == &place->has_offset) {
        return parse_number(key, value, &place->offset, err);
    }
    if (seen == &place->has_length) {
        return parse_number(key, value, &place->length, err);
    }
    if (seen == &located) {
        place->location = value;
    }
    return FOVEA_OK;
}

static enum fovea_status parse_place(const FoveaOnnx__TensorProto *proto, struct place *place,
                                     struct fovea_error *err) {
    for (size_t i = 0; i < proto->n_external_data; i++) {
        const FoveaOnnx__StringStringEntryProto *entry = proto->external_data[i];
        enum fovea_status st =
            parse_entry(fovea_onnx_text(entry->key), fovea_onnx_text(entry->value), place, err);
        if (st) {
            return st;
        }
    }
    if (!place->location) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "external_data has no location");
    }
    return FOVEA_OK;
}

/* ---- the model's folder ------------------------------------------------- */

static enum fovea_status open_folder(struct fovea_onnx_loader *loader, const char *location,
                                     struct fovea_error *err) {
    if (loader->model->placeless) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "external file '%s' lies beside a model loaded by its path; this one "
                          "has no folder",
                          fovea_quote(location).text);
    }
    if (loader->folder < 0) {
        struct fovea_error own = {0};
        loader->folder = fovea_beneath_open_folder(loader->model->path, &own);
        if (loader->folder < 0) {
            return fovea_fail(err, own.status, "%s", own.message);
        }
    }
    return FOVEA_OK;
}

/* ---- files already mapped ----------------------------------------------- */

static enum fovea_status reserve(struct fovea_onnx_loader *loader, struct fovea_error *err) {
    if (loader->n_files == FOVEA_LIMIT_EXTERNAL_FILES) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "over %d files of external data, the limit",
                          FOVEA_LIMIT_EXTERNAL_FILES);
    }
    size_t bytes = (loader->n_files + 1) * sizeof(*loader->files);
    struct fovea_onnx_file *files = realloc(loader->files, bytes);
    if (!files) {
        return fovea_fail_memory(err, bytes, "a mapping");
    }
    loader->files = files;
    return FOVEA_OK;
}

static enum fovea_status get_file(struct fovea_onnx_loader *loader, const char *location,
                                  struct fovea_mapping *out, struct fovea_error *err) {
    for (size_t i = loader->n_files; i > 0; i--) {
        if (strcmp(loader->files[i - 1].location, location) == 0) {
            *out = loader->files[i - 1].mapping;
            return FOVEA_OK;
        }
    }
    enum fovea_status st = reserve(loader, err);
    struct fovea_mapping mapping;
    if (!st) {
        st = open_folder(loader, location, err);
    }
    if (!st) {
        st = fovea_beneath_map(loader->folder, location, loader->allow_external_links, "external",
                               &mapping, err);
    }
    if (st) {
        return st;
    }
    st = fovea_model_take_mapping(loader->model, &mapping, err);
    if (st) {
        fovea_mapping_finish(&mapping);
        return st;
    }
    loader->files[loader->n_files++] = (struct fovea_onnx_file){location, mapping};
    *out = mapping;
    return fovea_model_add_source(loader->model, location, &mapping.id, err);
}

/* ---- contents ----------------------------------------------------------- */

static enum fovea_status check_extent(const struct place *place, const struct fovea_tensor *t,
                                      size_t file_size, struct fovea_error *err) {
    size_t bytes = fovea_tensor_bytes(t);
    if (place->has_length && place->length != bytes) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "external length is %llu; %s of %s takes %zu bytes",
                          (unsigned long long)place->length, fovea_shape_text(t).text,
                          fovea_dtype_name(t->dtype), bytes);
    }
    if (place->offset > file_size || bytes > file_size - place->offset) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "%zu bytes from offset %llu go past the end of external file '%s' (%zu "
                          "bytes)",
                          bytes, (unsigned long long)place->offset,
                          fovea_quote(place->location).text, file_size);
    }
    return FOVEA_OK;
}

enum fovea_status fovea_onnx_external(struct fovea_onnx_loader *loader,
                                      const FoveaOnnx__TensorProto *proto, struct fovea_tensor *out,
                                      bool *owned, struct fovea_error *err) {
    struct place place = {0};
    struct fovea_mapping mapping;
    enum fovea_status st = parse_place(proto, &place, err);
    if (!st) {
        st = get_file(loader, place.location, &mapping, err);
    }
    if (!st) {
        st = check_extent(&place, out, mapping.length, err);
    }
    if (st) {
        return st;
    }
    return fovea_onnx_borrow(&mapping, place.offset, out, owned, err);
}
