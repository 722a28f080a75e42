/* NumPy's .npy format: see npy.h. */
#include "loaders/npy.h"

#include "loaders/mapped_file.h"
#include "loaders/npy_header.h"
#include "loaders/tensor_dict.h"
#include "runtime/tensor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST_LOG2 = 46 };

/* ---- reading ------------------------------------------------------------ */

static enum fovea_status check_contents(const struct fovea_tensor *t, const unsigned char *data,
                                        size_t size, struct fovea_error *err) {
    if (size != fovea_tensor_bytes(t)) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "%zu bytes of data; %s of %s takes %zu", size,
                          fovea_shape_text(t).text, fovea_dtype_name(t->dtype),
                          fovea_tensor_bytes(t));
    }
    return fovea_npy_check(t, data, err);
}

enum fovea_status fovea_tensor_parse_npy(const void *bytes, size_t size, struct fovea_tensor *out,
                                         struct fovea_error *err) {
    struct fovea_npy_header header;
    enum fovea_status st = fovea_npy_header_read(bytes, size, &header, err);
    if (st) {
        return st;
    }
    const unsigned char *data = (const unsigned char *)bytes + header.size;
    size -= header.size;
    st = check_contents(&header.tensor, data, size, err);
    if (st) {
        return st;
    }
    int64_t strides[FOVEA_MAX_RANK];
    fovea_npy_strides(&header, strides);
    header.tensor.data = fovea_aligned_alloc(size);
    if (!header.tensor.data) {
        return fovea_fail_memory(err, size, "a tensor");
    }
    fovea_tensor_gather(data, strides, &header.tensor);
    *out = header.tensor;
    return FOVEA_OK;
}

enum fovea_status fovea_tensor_load_npy(const char *path, struct fovea_tensor *out,
                                        struct fovea_error *err) {
    struct fovea_mapping file;
    enum fovea_status st = fovea_file_map(path, (uint64_t)1 << FILE_MOST_LOG2, &file, err);
    if (!st) {
        st = fovea_tensor_parse_npy(file.bytes, file.length, out, err);
        fovea_mapping_finish(&file);
    }
    if (st) {
        fovea_error_prefix(err, "%s", path);
    }
    return st;
}

/* ---- writing ------------------------------------------------------------ */

/* The header with its length bytes, padded so that the data is aligned to 64 bytes. */
static size_t write_header(const struct fovea_tensor *t, const char *code, char *out, size_t size) {
    static const char magic[] = "\x93NUMPY";
    enum { ALIGN = 64, MAGIC = 6, PREFIX = MAGIC + 4 };
    size_t used = PREFIX;
    used += (size_t)snprintf(out + used, size - used,
                             "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                             fovea_dtype_size(t->dtype) > 1 ? '<' : '|', code);
    for (int i = 0; i < t->rank; i++) {
        used += (size_t)snprintf(out + used, size - used, "%s%lld%s", i ? " " : "",
                                 (long long)t->dims[i], t->rank == 1 || i + 1 < t->rank ? "," : "");
    }
    used += (size_t)snprintf(out + used, size - used, "), }");
    while ((used + 1) % ALIGN != 0) {
        out[used++] = ' ';
    }
    out[used++] = '\n';
    memcpy(out, magic, MAGIC);
    out[MAGIC] = 1;
    out[MAGIC + 1] = 0;
    out[MAGIC + 2] = (char)((used - PREFIX) & 0xff);
    out[MAGIC + 3] = (char)((used - PREFIX) >> 8);
    return used;
}

static enum fovea_status save(const char *path, const struct fovea_tensor *tensor,
                              struct fovea_error *err) {
    char header[512];
    const char *code = tensor->dtype == FOVEA_BF16 ? NULL : fovea_npy_code(tensor->dtype);
    if (!code) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, ".npy has no type for %s",
                          fovea_dtype_name(tensor->dtype));
    }
    enum fovea_status st = fovea_tensor_check_shape(tensor, err);
    if (st) {
        return st;
    }
    size_t length = write_header(tensor, code, header, sizeof(header));
    return fovea_file_save(path, header, length, tensor->data, fovea_tensor_bytes(tensor), err);
}

enum fovea_status fovea_tensor_save_npy(const char *path, const struct fovea_tensor *tensor,
                                        struct fovea_error *err) {
    enum fovea_status st = save(path, tensor, err);
    if (st) {
        fovea_error_prefix(err, "%s", path);
    }
    return st;
}
