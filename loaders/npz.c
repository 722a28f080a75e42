/* NumPy's archives of arrays: see npz.h. */
#include "loaders/npz.h"

#include "loaders/npy_header.h"
#include "loaders/zip.h"
#include "runtime/tensor.h"

#include <string.h>

static enum fovea_status read_header(const struct fovea_zip *zip,
                                     const struct fovea_zip_member *member,
                                     struct fovea_npy_header *header, struct fovea_error *err) {
    unsigned char start[FOVEA_NPY_HEADER_MOST];
    size_t got = 0;
    enum fovea_status st = fovea_zip_peek(zip, member, start, sizeof(start), &got, err);
    if (!st) {
        st = fovea_npy_header_read(start, got, header, err);
    }
    if (st) {
        return st;
    }
    size_t bytes = fovea_tensor_bytes(&header->tensor);
    if (member->size - header->size != bytes) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "%llu bytes of data; %s of %s takes %zu",
                          (unsigned long long)(member->size - header->size),
                          fovea_shape_text(&header->tensor).text,
                          fovea_dtype_name(header->tensor.dtype), bytes);
    }
    return FOVEA_OK;
}

/* Where the elements are: in the archive, or unpacked. */
static enum fovea_status get_data(const struct fovea_zip *zip,
                                  const struct fovea_zip_member *member,
                                  const struct fovea_npy_header *header,
                                  struct fovea_tensor_dict *dict, const unsigned char **out,
                                  struct fovea_error *err) {
    if (member->method == FOVEA_ZIP_STORED) {
        const unsigned char *bytes;
        enum fovea_status st = fovea_zip_stored(zip, member, &bytes, err);
        if (!st) {
            *out = bytes + header->size;
        }
        return st;
    }
    void *buffer;
    enum fovea_status st =
        fovea_tensor_dict_alloc(dict, (size_t)(member->size - header->size), &buffer, err);
    if (!st) {
        st = fovea_zip_inflate(zip, member, header->size, buffer, err);
    }
    if (!st) {
        *out = buffer;
    }
    return st;
}

static enum fovea_status add(const struct fovea_zip *zip, const struct fovea_zip_member *member,
                             struct fovea_tensor_dict *dict, struct fovea_error *err) {
    struct fovea_npy_header header;
    const unsigned char *data = NULL;
    int64_t strides[FOVEA_MAX_RANK];
    size_t length = strlen(member->name);
    if (length < 4 || strcmp(member->name + length - 4, ".npy") != 0) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "is no array: its name does not end in .npy");
    }
    enum fovea_status st = read_header(zip, member, &header, err);
    if (!st) {
        st = get_data(zip, member, &header, dict, &data, err);
    }
    if (!st) {
        st = fovea_npy_check(&header.tensor, data, err);
    }
    if (!st) {
        fovea_npy_strides(&header, strides);
        st = fovea_tensor_dict_place_strided(dict, data, strides, &header.tensor, err);
    }
    return st ? st : fovea_tensor_dict_add(dict, member->name, length - 4, &header.tensor, err);
}

enum fovea_status fovea_npz_read(const void *bytes, size_t size, struct fovea_tensor_dict *dict,
                                 struct fovea_error *err) {
    struct fovea_zip zip;
    enum fovea_status st = fovea_zip_init(&zip, bytes, size, err);
    for (size_t i = 0; !st && i < zip.count; i++) {
        st = add(&zip, &zip.members[i], dict, err);
        if (st) {
            fovea_error_prefix(err, "member '%s'", fovea_quote(zip.members[i].name).text);
        }
    }
    fovea_zip_finish(&zip);
    return st;
}
