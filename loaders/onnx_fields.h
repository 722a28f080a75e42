/*
 * What the files of the scan (onnx_scan.h) share: where it is, and how the next
 * field is read and judged. A function that fails has said so to scan->err.
 */
#ifndef FOVEA_LOADERS_ONNX_FIELDS_H
#define FOVEA_LOADERS_ONNX_FIELDS_H

#include "loaders/onnx.pb-c.h"
#include "loaders/onnx_scan.h"
#include "runtime/limits.h"

/* One message that is being scanned. */
struct fovea_onnx_frame {
    const ProtobufCMessageDescriptor *type;
    size_t end;
    uint64_t seen;  /* fields met, by their index in the descriptor */
    bool unpacked;  /* false inside bytes that protobuf-c does not look into */
    size_t members; /* fields met, repetitions counted */
    size_t unknown;
    size_t deepest; /* most temporary memory of any message within */
};

struct fovea_onnx_walk {
    const uint8_t *bytes;
    size_t at;
    struct fovea_onnx_frame frames[FOVEA_LIMIT_NESTING];
    int depth;
    size_t memory_limit;
    size_t memory;
    struct fovea_onnx_scan counts;
    struct fovea_error *err;
};

/* One field as it lies in the file. */
struct fovea_onnx_field {
    size_t start; /* of its tag */
    uint32_t number;
    unsigned wire;
    size_t length; /* of the contents of a length-delimited one, from walk->at on */
    const ProtobufCFieldDescriptor *known;
};

/* The message that the walk is in. There is one. */
struct fovea_onnx_frame *fovea_onnx_frame_top(struct fovea_onnx_walk *walk);

/*
 * Read a field; past it, but for length-delimited ones: to the start of their
 * contents, which end where the message does or before.
 */
enum fovea_status fovea_onnx_field_read(struct fovea_onnx_walk *walk,
                                        struct fovea_onnx_field *field);

/* Of a known field: whether it may be there as it is; *first, that it was not met before. */
enum fovea_status fovea_onnx_field_check(struct fovea_onnx_walk *walk,
                                         const struct fovea_onnx_field *field, bool *first);

/* Whether a known field's contents are numbers one behind the other. */
bool fovea_onnx_field_is_packed(const struct fovea_onnx_field *field);

/* Go past such contents: well formed, and how many. */
enum fovea_status fovea_onnx_field_count(struct fovea_onnx_walk *walk,
                                         const struct fovea_onnx_field *field, size_t *count);

/* Whether a known field's contents, where the walk is, may be a string. */
enum fovea_status fovea_onnx_field_check_text(const struct fovea_onnx_walk *walk,
                                              const struct fovea_onnx_field *field);

#endif
