/* Tensor files: see tensor_pb.h. */
#include "loaders/tensor_pb.h"

#include "loaders/mapped_file.h"
#include "loaders/onnx_convert.h"
#include "loaders/onnx_scan.h"
#include "runtime/limits.h"
#include "runtime/session.h"

#include <stdlib.h>
#include <string.h>

static enum fovea_status unpack(const struct fovea_mapping *file, FoveaOnnx__TensorProto **out,
                                struct fovea_error *err) {
    struct fovea_onnx_scan scan;
    if (file->length == 0) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "not a tensor (the file is empty)");
    }
    enum fovea_status st =
        fovea_onnx_scan(file->bytes, file->length, &fovea_onnx__tensor_proto__descriptor,
                        fovea_default_memory_limit(), &scan, err);
    if (st) {
        return st;
    }
    *out = fovea_onnx__tensor_proto__unpack(&fovea_onnx_allocator, file->length, file->bytes);
    return *out ? FOVEA_OK : fovea_fail_memory(err, scan.unpack_bytes, "unpacking a tensor");
}

static enum fovea_status take(FoveaOnnx__TensorProto *proto, struct fovea_tensor *out, char **name,
                              struct fovea_error *err) {
    bool owned = true;
    char *copy = NULL;
    struct fovea_tensor tensor = {0};
    if (name) {
        copy = strdup(fovea_onnx_text(proto->name));
        if (!copy) {
            return fovea_fail_memory(err, strlen(fovea_onnx_text(proto->name)) + 1, "a name");
        }
    }
    enum fovea_status st = fovea_onnx_tensor(NULL, proto, &tensor, &owned, err);
    if (st) {
        free(copy);
        return st;
    }
    *out = tensor;
    if (name) {
        *name = copy;
    }
    return FOVEA_OK;
}

enum fovea_status fovea_tensor_load_pb(const char *path, struct fovea_tensor *out, char **name,
                                       struct fovea_error *err) {
    struct fovea_mapping file;
    FoveaOnnx__TensorProto *proto = NULL;
    enum fovea_status st = fovea_file_map(path, FOVEA_LIMIT_PROTOBUF_BYTES, &file, err);
    if (!st) {
        st = unpack(&file, &proto, err);
        fovea_mapping_finish(&file);
    }
    if (!st) {
        st = take(proto, out, name, err);
    }
    fovea_onnx__tensor_proto__free_unpacked(proto, &fovea_onnx_allocator);
    if (st) {
        fovea_error_prefix(err, "%s", path);
    }
    return st;
}

/* ---- writing ------------------------------------------------------------ */

/* The tag of raw_data and its length, as varints. */
static size_t raw_data_head(uint64_t length, uint8_t *out) {
    size_t used = 0;
    out[used++] = 9 << 3 | 2;
    while (length >= 0x80) {
        out[used++] = (uint8_t)(length | 0x80);
        length >>= 7;
    }
    out[used++] = (uint8_t)length;
    return used;
}

/* All but the contents, which follow as the last field without being copied. */
static enum fovea_status save(const char *path, FoveaOnnx__TensorProto *proto,
                              const struct fovea_tensor *tensor, struct fovea_error *err) {
    enum { RAW_HEAD = 11 };
    size_t bytes = fovea_tensor_bytes(tensor);
    size_t packed = fovea_onnx__tensor_proto__get_packed_size(proto);
    if (bytes > FOVEA_LIMIT_PROTOBUF_BYTES - packed - RAW_HEAD) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "%zu bytes are too many for a tensor file", bytes);
    }
    uint8_t *head = malloc(packed + RAW_HEAD);
    if (!head) {
        return fovea_fail_memory(err, packed + RAW_HEAD, "a tensor file");
    }
    fovea_onnx__tensor_proto__pack(proto, head);
    packed += raw_data_head(bytes, head + packed);
    enum fovea_status st = fovea_file_save(path, head, packed, tensor->data, bytes, err);
    free(head);
    return st;
}

enum fovea_status fovea_tensor_save_pb(const char *path, const struct fovea_tensor *tensor,
                                       const char *name, struct fovea_error *err) {
    FoveaOnnx__TensorProto proto = FOVEA_ONNX__TENSOR_PROTO__INIT;
    int64_t dims[FOVEA_MAX_RANK];
    memcpy(dims, tensor->dims, sizeof(dims));
    proto.n_dims = (size_t)tensor->rank;
    proto.dims = dims;
    proto.has_data_type = true;
    proto.data_type = fovea_onnx_data_type(tensor->dtype);
    proto.name = (char *)name;
    enum fovea_status st = fovea_tensor_check_shape(tensor, err);
    if (!st) {
        st = save(path, &proto, tensor, err);
    }
    if (st) {
        fovea_error_prefix(err, "%s", path);
    }
    return st;
}
