/*
 * A look at the bytes of a protobuf message before protobuf-c unpacks it.
 *
 * protobuf-c 1.4 neither limits nesting nor memory: a few kilobytes overflow
 * its stack, and empty submessages take 140 times their size. This scan walks
 * the bytes once, without recursion, against the descriptors protoc-c made,
 * and refuses what is not a well-formed message of that type, what nests too
 * deep or counts too much, and what unpacking would need too much memory for.
 */
#ifndef FOVEA_LOADERS_ONNX_SCAN_H
#define FOVEA_LOADERS_ONNX_SCAN_H

#include "runtime/error.h"

struct ProtobufCMessageDescriptor;

struct fovea_onnx_scan {
    size_t nodes, tensors; /* messages of those types, those in subgraphs too */
    size_t unpack_bytes;   /* upper bound of what unpacking allocates at any time */
    /* Initializers of a ModelProto whose raw_data is to stay in the file (onnx_splice.h). */
    size_t mapped, mapped_bytes;
    size_t splice_bytes; /* of the message without them, at most; counted in unpack_bytes */
};

/*
 * Scan `size` bytes as a message of `type`. `max_memory` bounds unpack_bytes,
 * besides the relative limits of limits.h. raw_data that stays in the file is
 * not counted as unpacked.
 *
 * FOVEA_ERR_FORMAT (with the byte offset) or FOVEA_ERR_LIMIT.
 */
enum fovea_status fovea_onnx_scan(const void *bytes, size_t size,
                                  const struct ProtobufCMessageDescriptor *type, size_t max_memory,
                                  struct fovea_onnx_scan *out, struct fovea_error *err);

#endif
