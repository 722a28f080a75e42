/*
 * A model's bytes without the contents of its large initializers.
 *
 * protobuf-c copies all that it unpacks. Contents that stay in the mapped file
 * instead take no memory of this process that the system could not have back,
 * and are read once, when they are packed. So protobuf-c is given a copy of
 * the message in which, of initializers with much raw_data, this
 *
 *     raw_data: length, contents
 *
 * is replaced by a field that is not ONNX's (onnx.proto), which the scan
 * refuses in files:
 *
 *     mapped: index into `contents`
 */
#ifndef FOVEA_LOADERS_ONNX_SPLICE_H
#define FOVEA_LOADERS_ONNX_SPLICE_H

#include "loaders/onnx_scan.h"

/* Where raw_data lies in a file. */
struct fovea_onnx_extent {
    size_t offset, length;
};

struct fovea_onnx_splice {
    uint8_t *bytes; /* the message as it is to be unpacked */
    size_t size;
    struct fovea_onnx_extent *contents; /* each within the file */
    size_t n_contents;
};

/*
 * Splice the `size` bytes of a ModelProto that `scan` is of. FOVEA_ERR_MEMORY;
 * FOVEA_ERR_FORMAT if the bytes are no longer those that were scanned.
 */
enum fovea_status fovea_onnx_splice(const void *bytes, size_t size,
                                    const struct fovea_onnx_scan *scan,
                                    struct fovea_onnx_splice *out, struct fovea_error *err);

void fovea_onnx_splice_finish(struct fovea_onnx_splice *splice);

#endif
