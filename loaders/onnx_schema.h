/* What the descriptors that protoc-c made say about fields, for the scan of onnx_scan.c only. */
#ifndef FOVEA_LOADERS_ONNX_SCHEMA_H
#define FOVEA_LOADERS_ONNX_SCHEMA_H

#include "loaders/onnx.pb-c.h"

/* How a field's contents are delimited. */
enum fovea_onnx_wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_LENGTH = 2, WIRE_32 = 5 };

/* The wire type of one element of `type`. */
unsigned fovea_onnx_wire(ProtobufCType type);

/* Bytes an element of a repeated field takes in protobuf-c's array. */
size_t fovea_onnx_element_bytes(ProtobufCType type);

/* The message that a field of `type` holds, be it declared as bytes, or NULL. */
const ProtobufCMessageDescriptor *fovea_onnx_held_message(const ProtobufCMessageDescriptor *type,
                                                          const ProtobufCFieldDescriptor *field);

#endif
