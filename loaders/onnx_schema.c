/* Facts about the fields of onnx.proto: see onnx_schema.h. */
#include "loaders/onnx_schema.h"

#include "runtime/graph.h"

/* Fields that onnx.proto keeps as bytes but that hold messages. */
static const struct {
    const ProtobufCMessageDescriptor *type;
    uint32_t number;
    const ProtobufCMessageDescriptor *holds;
} opaque[] = {
    {&fovea_onnx__attribute_proto__descriptor, 6, &fovea_onnx__graph_proto__descriptor},
    {&fovea_onnx__attribute_proto__descriptor, 10, &fovea_onnx__tensor_proto__descriptor},
    {&fovea_onnx__attribute_proto__descriptor, 11, &fovea_onnx__graph_proto__descriptor},
    {&fovea_onnx__attribute_proto__descriptor, 14, &fovea_onnx__type_proto__descriptor},
    {&fovea_onnx__attribute_proto__descriptor, 15, &fovea_onnx__type_proto__descriptor},
    {&fovea_onnx__attribute_proto__descriptor, 22, &fovea_onnx__sparse_tensor_proto__descriptor},
    {&fovea_onnx__attribute_proto__descriptor, 23, &fovea_onnx__sparse_tensor_proto__descriptor},
    {&fovea_onnx__type_proto__descriptor, 4, &fovea_onnx__element_type_proto__descriptor},
    {&fovea_onnx__type_proto__descriptor, 5, &fovea_onnx__map_type_proto__descriptor},
    {&fovea_onnx__type_proto__descriptor, 9, &fovea_onnx__element_type_proto__descriptor},
    {&fovea_onnx__element_type_proto__descriptor, 1, &fovea_onnx__type_proto__descriptor},
    {&fovea_onnx__map_type_proto__descriptor, 2, &fovea_onnx__type_proto__descriptor},
    {&fovea_onnx__graph_proto__descriptor, 13, &fovea_onnx__value_info_proto__descriptor},
    {&fovea_onnx__graph_proto__descriptor, 15, &fovea_onnx__sparse_tensor_proto__descriptor},
    {&fovea_onnx__function_proto__descriptor, 7, &fovea_onnx__node_proto__descriptor},
};

unsigned fovea_onnx_wire(ProtobufCType type) {
    switch (type) {
    case PROTOBUF_C_TYPE_FLOAT:
        return WIRE_32;
    case PROTOBUF_C_TYPE_DOUBLE:
        return WIRE_64;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return WIRE_LENGTH;
    default:
        return WIRE_VARINT;
    }
}

size_t fovea_onnx_element_bytes(ProtobufCType type) {
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_FLOAT:
        return 4;
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 8;
    }
}

/* A header, rounding, a remainder, pages when large. */
size_t fovea_onnx_heap_bytes(size_t size) {
    enum { LARGE = 64 * 1024, PAGES = 2 * 4096 };
    size_t taken = (size + 8 + 15) / 16 * 16 + 16;
    return size < LARGE ? taken : taken + PAGES;
}

/* Fields are listed before they are read, in slabs that double. */
size_t fovea_onnx_list_bytes(size_t members) {
    enum { ON_STACK = 16, ENTRY = 40 };
    return members > ON_STACK ? 2 * fovea_onnx_heap_bytes(members * ENTRY) : 0;
}

/* What is folded at once anyway may as well be copied. */
bool fovea_onnx_stays_mapped(uint32_t number, size_t length) {
    return number == FOVEA_ONNX_RAW_DATA && length > FOVEA_DEFER_BYTES;
}

const ProtobufCMessageDescriptor *fovea_onnx_held_message(const ProtobufCMessageDescriptor *type,
                                                          const ProtobufCFieldDescriptor *field) {
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        return field->descriptor;
    }
    for (size_t i = 0; i < sizeof(opaque) / sizeof(opaque[0]); i++) {
        if (opaque[i].type == type && opaque[i].number == field->id) {
            return opaque[i].holds;
        }
    }
    return NULL;
}
