/*
 * Tensor messages to tensors. raw_data, by far the largest part of a model,
 * stays in the mapped file where there is much of it (onnx_splice.h), else it
 * is taken out of the message, not copied.
 */
#include "loaders/onnx_convert.h"
#include "loaders/onnx_schema.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "raw_data is little-endian");

static void *allocate(void *unused, size_t size) {
    enum { BIG = 4096 };
    (void)unused; /* and protobuf-c asks for no empty blocks */
    return size < BIG ? malloc(size) : fovea_aligned_alloc(size);
}

static void release(void *unused, void *memory) {
    (void)unused;
    free(memory);
}

ProtobufCAllocator fovea_onnx_allocator = {.alloc = allocate, .free = release};

/* ---- types -------------------------------------------------------------- */

static const struct {
    const char *name;
    bool supported;
    enum fovea_dtype dtype;
} types[] = {
    {"UNDEFINED", false, 0},
    {"FLOAT", true, FOVEA_F32},
    {"UINT8", true, FOVEA_U8},
    {"INT8", true, FOVEA_I8},
    {"UINT16", true, FOVEA_U16},
    {"INT16", true, FOVEA_I16},
    {"INT32", true, FOVEA_I32},
    {"INT64", true, FOVEA_I64},
    {"STRING", false, 0},
    {"BOOL", true, FOVEA_BOOL},
    {"FLOAT16", true, FOVEA_F16},
    {"DOUBLE", true, FOVEA_F64},
    {"UINT32", true, FOVEA_U32},
    {"UINT64", true, FOVEA_U64},
    {"COMPLEX64", false, 0},
    {"COMPLEX128", false, 0},
    {"BFLOAT16", true, FOVEA_BF16},
    {"FLOAT8E4M3FN", false, 0},
    {"FLOAT8E4M3FNUZ", false, 0},
    {"FLOAT8E5M2", false, 0},
    {"FLOAT8E5M2FNUZ", false, 0},
    {"UINT4", false, 0},
    {"INT4", false, 0},
    {"FLOAT4E2M1", false, 0},
    {"FLOAT8E8M0", false, 0},
};

enum fovea_status fovea_onnx_dtype(int32_t data_type, enum fovea_dtype *out,
                                   struct fovea_error *err) {
    if (data_type < 0 || (size_t)data_type >= sizeof(types) / sizeof(types[0])) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "data type %d does not exist", data_type);
    }
    if (data_type == 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "the data type is not given");
    }
    if (!types[data_type].supported) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "data type %d (%s) is not supported",
                          data_type, types[data_type].name);
    }
    *out = types[data_type].dtype;
    return FOVEA_OK;
}

int32_t fovea_onnx_data_type(enum fovea_dtype dtype) {
    int32_t type = 0;
    while (!types[type].supported || types[type].dtype != dtype) {
        type++;
    }
    return type;
}

static enum fovea_status set_shape(const FoveaOnnx__TensorProto *proto, struct fovea_tensor *out,
                                   struct fovea_error *err) {
    enum fovea_dtype dtype;
    enum fovea_status st = fovea_onnx_dtype(proto->data_type, &dtype, err);
    if (st) {
        return st;
    }
    if (proto->n_dims > FOVEA_MAX_RANK) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "rank %zu is over the limit of %d",
                          proto->n_dims, FOVEA_MAX_RANK);
    }
    fovea_tensor_set_shape(out, dtype, (int)proto->n_dims, proto->dims);
    return fovea_tensor_check_shape(out, err);
}

/* ---- fields of values --------------------------------------------------- */

/* The fields that can hold contents, and the types that may use each. */
enum { RAW, FLOATS, INT32S, INT64S, DOUBLES, UINT64S, STRINGS, N_FIELDS };

static const char *const field_names[N_FIELDS] = {
    "raw_data",    "float_data",  "int32_data",  "int64_data",
    "double_data", "uint64_data", "string_data",
};

static int field_of(enum fovea_dtype dtype) {
    switch (dtype) {
    case FOVEA_F32:
        return FLOATS;
    case FOVEA_F64:
        return DOUBLES;
    case FOVEA_I64:
        return INT64S;
    case FOVEA_U32:
    case FOVEA_U64:
        return UINT64S;
    default:
        return INT32S;
    }
}

/* Which field holds the contents, N_FIELDS if none does; not more than one. */
static enum fovea_status find_field(const FoveaOnnx__TensorProto *proto, int *out,
                                    struct fovea_error *err) {
    const size_t raw_bytes = proto->has_mapped ? 1 : proto->raw_data.len;
    const size_t sizes[N_FIELDS] = {
        raw_bytes,
        proto->n_float_data,
        proto->n_int32_data,
        proto->n_int64_data,
        proto->n_double_data,
        proto->n_uint64_data,
        proto->n_string_data,
    };
    int found = N_FIELDS;
    for (int i = 0; i < N_FIELDS; i++) {
        if (sizes[i] == 0) {
            continue;
        }
        if (found != N_FIELDS) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "both %s and %s are set; one must be",
                              field_names[found], field_names[i]);
        }
        found = i;
    }
    *out = found;
    return FOVEA_OK;
}

static enum fovea_status check_bools(const struct fovea_tensor *t, const void *data,
                                     struct fovea_error *err) {
    const unsigned char *bytes = data;
    int64_t count = t->dtype == FOVEA_BOOL ? fovea_tensor_count(t) : 0;
    for (int64_t i = 0; i < count; i++) {
        if (bytes[i] > 1) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "element %lld of a bool tensor is %d",
                              (long long)i, bytes[i]);
        }
    }
    return FOVEA_OK;
}

static enum fovea_status check_raw_size(const struct fovea_tensor *t, size_t bytes,
                                        struct fovea_error *err) {
    if (bytes == fovea_tensor_bytes(t)) {
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_INVALID, "raw_data has %zu bytes; %s of %s takes %zu", bytes,
                      fovea_shape_text(t).text, fovea_dtype_name(t->dtype), fovea_tensor_bytes(t));
}

enum fovea_status fovea_onnx_borrow(const struct fovea_mapping *mapping, size_t offset,
                                    struct fovea_tensor *out, bool *owned,
                                    struct fovea_error *err) {
    size_t bytes = fovea_tensor_bytes(out);
    unsigned char *at = (unsigned char *)mapping->bytes + offset;
    bool later =
        bytes > FOVEA_DEFER_BYTES && (out->dtype == FOVEA_F32 || fovea_dtype_is_half(out->dtype));
    *owned = bytes == 0 || ((uintptr_t)at % fovea_dtype_size(out->dtype) != 0 && !later);
    if (!*owned) {
        out->data = at;
        return FOVEA_OK;
    }
    out->data = fovea_aligned_alloc(bytes);
    if (!out->data) {
        return fovea_fail_memory(err, bytes, "a tensor");
    }
    if (bytes > 0) {
        memcpy(out->data, at, bytes);
    }
    return FOVEA_OK;
}

/* raw_data that was not unpacked: the message has its number instead. */
static enum fovea_status borrow_raw(const struct fovea_onnx_loader *loader,
                                    const FoveaOnnx__TensorProto *proto, struct fovea_tensor *out,
                                    bool *owned, struct fovea_error *err) {
    const struct fovea_onnx_splice *splice = loader ? loader->contents : NULL;
    if (!splice || proto->mapped >= splice->n_contents) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "field %u is not ONNX's", FOVEA_ONNX_MAPPED);
    }
    const struct fovea_onnx_extent *extent = &splice->contents[proto->mapped];
    enum fovea_status st = check_raw_size(out, extent->length, err);
    if (!st) {
        st = check_bools(out, (unsigned char *)loader->file.bytes + extent->offset, err);
    }
    return st ? st : fovea_onnx_borrow(&loader->file, extent->offset, out, owned, err);
}

static enum fovea_status take_raw(FoveaOnnx__TensorProto *proto, struct fovea_tensor *out,
                                  struct fovea_error *err) {
    enum fovea_status st = check_raw_size(out, proto->raw_data.len, err);
    if (!st) {
        st = check_bools(out, proto->raw_data.data, err);
    }
    if (st) {
        return st;
    }
    out->data = proto->raw_data.data;
    proto->raw_data.data = NULL;
    proto->raw_data.len = 0;
    proto->has_raw_data = false;
    return FOVEA_OK;
}

/* Types narrower than the field they are stored in keep its low bytes, in range. */
static const struct {
    int64_t least, most;
} ranges[FOVEA_N_DTYPES] = {
    [FOVEA_F16] = {0, UINT16_MAX},        [FOVEA_BF16] = {0, UINT16_MAX},
    [FOVEA_I8] = {INT8_MIN, INT8_MAX},    [FOVEA_U8] = {0, UINT8_MAX},
    [FOVEA_I16] = {INT16_MIN, INT16_MAX}, [FOVEA_U16] = {0, UINT16_MAX},
    [FOVEA_U32] = {0, UINT32_MAX},        [FOVEA_BOOL] = {0, 1},
};

static enum fovea_status narrow(const struct fovea_tensor *t, const void *from, size_t from_size,
                                size_t count, void *to, struct fovea_error *err) {
    size_t size = fovea_dtype_size(t->dtype);
    for (size_t i = 0; i < count; i++) {
        uint64_t wide;
        if (from_size == 4) {
            int64_t value = ((const int32_t *)from)[i];
            if (value < ranges[t->dtype].least || value > ranges[t->dtype].most) {
                return fovea_fail(err, FOVEA_ERR_INVALID,
                                  "element %zu is %lld, outside the range of %s", i,
                                  (long long)value, fovea_dtype_name(t->dtype));
            }
            wide = (uint64_t)value;
        } else {
            wide = ((const uint64_t *)from)[i];
            if (wide > (uint64_t)ranges[t->dtype].most) {
                return fovea_fail(err, FOVEA_ERR_INVALID,
                                  "element %zu is %llu, outside the range of %s", i,
                                  (unsigned long long)wide, fovea_dtype_name(t->dtype));
            }
        }
        memcpy((unsigned char *)to + i * size, &wide, size);
    }
    return FOVEA_OK;
}

/* The elements of a typed field: where they are, how many, of what size. */
static const void *typed_field(const FoveaOnnx__TensorProto *proto, int field, size_t *count,
                               size_t *size) {
    switch (field) {
    case FLOATS:
        *count = proto->n_float_data, *size = 4;
        return proto->float_data;
    case INT32S:
        *count = proto->n_int32_data, *size = 4;
        return proto->int32_data;
    case INT64S:
        *count = proto->n_int64_data, *size = 8;
        return proto->int64_data;
    case DOUBLES:
        *count = proto->n_double_data, *size = 8;
        return proto->double_data;
    case UINT64S:
        *count = proto->n_uint64_data, *size = 8;
        return proto->uint64_data;
    default:
        *count = 0, *size = 1;
        return NULL;
    }
}

static enum fovea_status decode(const FoveaOnnx__TensorProto *proto, int field,
                                struct fovea_tensor *out, struct fovea_error *err) {
    if (field != field_of(out->dtype) && field != N_FIELDS) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "%s is set; contents of type %s belong in %s",
                          field_names[field], fovea_dtype_name(out->dtype),
                          field_names[field_of(out->dtype)]);
    }
    size_t count, size;
    const void *from = typed_field(proto, field, &count, &size);
    if (count != (size_t)fovea_tensor_count(out)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "%s has %zu elements; shape %s takes %lld",
                          field == N_FIELDS ? "no data field is set: it" : field_names[field],
                          count, fovea_shape_text(out).text, (long long)fovea_tensor_count(out));
    }
    void *data = fovea_aligned_alloc(fovea_tensor_bytes(out));
    if (!data) {
        return fovea_fail_memory(err, fovea_tensor_bytes(out), "a tensor");
    }
    enum fovea_status st = FOVEA_OK;
    if (size == fovea_dtype_size(out->dtype) && count > 0) {
        memcpy(data, from, count * size);
    } else {
        st = narrow(out, from, size, count, data, err);
    }
    if (st) {
        free(data);
        return st;
    }
    out->data = data;
    return FOVEA_OK;
}

/* ---- the whole ---------------------------------------------------------- */

enum { LOCATION_DEFAULT = 0, LOCATION_EXTERNAL = 1 };

static enum fovea_status read_external(struct fovea_onnx_loader *loader,
                                       const FoveaOnnx__TensorProto *proto, int field,
                                       struct fovea_tensor *out, bool *owned,
                                       struct fovea_error *err) {
    if (!loader) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "external data is only for the tensors of models");
    }
    if (field != N_FIELDS) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "the data is external, yet %s is set",
                          field_names[field]);
    }
    enum fovea_status st = fovea_onnx_external(loader, proto, out, owned, err);
    /* Bools are aligned anywhere: unless there are none, they lie in the file. */
    return st ? st : check_bools(out, out->data, err);
}

static enum fovea_status read_contents(struct fovea_onnx_loader *loader,
                                       FoveaOnnx__TensorProto *proto, struct fovea_tensor *out,
                                       bool *owned, struct fovea_error *err) {
    int field = N_FIELDS;
    enum fovea_status st = find_field(proto, &field, err);
    if (st) {
        return st;
    }
    if (proto->data_location == LOCATION_EXTERNAL) {
        return read_external(loader, proto, field, out, owned, err);
    }
    if (proto->data_location != LOCATION_DEFAULT || proto->n_external_data > 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "data_location %d with %zu external_data entries",
                          proto->data_location, proto->n_external_data);
    }
    if (proto->has_mapped) {
        return borrow_raw(loader, proto, out, owned, err);
    }
    *owned = true;
    return field == RAW ? take_raw(proto, out, err) : decode(proto, field, out, err);
}

enum fovea_status fovea_onnx_tensor(struct fovea_onnx_loader *loader, FoveaOnnx__TensorProto *proto,
                                    struct fovea_tensor *out, bool *owned,
                                    struct fovea_error *err) {
    struct fovea_tensor tensor = {0};
    if (proto->has_segment) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "tensors stored in segments are not supported");
    }
    enum fovea_status st = set_shape(proto, &tensor, err);
    if (!st) {
        st = read_contents(loader, proto, &tensor, owned, err);
    }
    if (!st) {
        *out = tensor;
    }
    return st;
}
