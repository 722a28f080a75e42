/*
 * What the descriptors that protoc-c made say about fields, and what unpacking
 * takes; for onnx*.c only.
 */
#ifndef FOVEA_LOADERS_ONNX_SCHEMA_H
#define FOVEA_LOADERS_ONNX_SCHEMA_H

#include "loaders/onnx.pb-c.h"

#include <stdbool.h>

/* How a field's contents are delimited. */
enum fovea_onnx_wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_LENGTH = 2, WIRE_32 = 5 };

/* TensorProto.mapped: raw_data that stays in the file (onnx_splice.h). No field of ONNX's. */
#define FOVEA_ONNX_MAPPED 536870911u
#define FOVEA_ONNX_RAW_DATA 9u

/* The wire type of one element of `type`. */
unsigned fovea_onnx_wire(ProtobufCType type);

/* Bytes an element of a repeated field takes in protobuf-c's array. */
size_t fovea_onnx_element_bytes(ProtobufCType type);

/* The most malloc takes for `size` bytes. */
size_t fovea_onnx_heap_bytes(size_t size);

/* What protobuf-c takes for a while to unpack a message that `members` fields were met in. */
size_t fovea_onnx_list_bytes(size_t members);

/* Whether field `number` of an initializer, of `length` bytes, is raw_data to stay in the file. */
bool fovea_onnx_stays_mapped(uint32_t number, size_t length);

/* The message that a field of `type` holds, be it declared as bytes, or NULL. */
const ProtobufCMessageDescriptor *fovea_onnx_held_message(const ProtobufCMessageDescriptor *type,
                                                          const ProtobufCFieldDescriptor *field);

#endif
