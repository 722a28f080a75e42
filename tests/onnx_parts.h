/*
 * A small ONNX model in parts, of which a test replaces what it is about. Each
 * part is a run of encoded fields; onnx_parts_init fills in
 *
 *     y = Identity(x), x and y f32[2,3], opset 17, IR version 8
 */
#ifndef FOVEA_TESTS_ONNX_PARTS_H
#define FOVEA_TESTS_ONNX_PARTS_H

#include "runtime/model.h"
#include "tests/pb_write.h"

struct onnx_parts {
    struct pb head;   /* of the model, before the graph */
    struct pb opsets; /* opset_import */
    struct pb nodes, initializers, inputs, outputs;
    struct pb in_graph; /* further fields of the graph */
    struct pb tail;     /* further fields of the model */
    bool no_graph;
};

/* TensorProto.DataType, as far as tests use it. */
enum {
    ONNX_FLOAT = 1,
    ONNX_UINT8 = 2,
    ONNX_INT32 = 6,
    ONNX_INT64 = 7,
    ONNX_STRING = 8,
    ONNX_BOOL = 9,
    ONNX_FLOAT16 = 10,
    ONNX_DOUBLE = 11,
    ONNX_UINT32 = 12
};

void onnx_parts_init(struct onnx_parts *parts);
void onnx_parts_finish(struct onnx_parts *parts);

/* The bytes of the model. */
void onnx_parts_encode(const struct onnx_parts *parts, struct pb *out);

/* Empty a part, to write it anew. */
struct pb *onnx_anew(struct pb *part);

void onnx_opset(struct pb *pb, const char *domain, int64_t version);

/* A node; names are separated by commas, "" is none. */
void onnx_node(struct pb *pb, const char *type, const char *name, const char *inputs,
               const char *outputs);

/* The same, left open for more fields; pb_end closes it. */
size_t onnx_node_begin(struct pb *pb, const char *type, const char *name, const char *inputs,
                       const char *outputs);

/* An input (field 11) or output (12); a dimension of -1 is named "N". */
void onnx_value(struct pb *pb, uint32_t field, const char *name, int type, int rank,
                const int64_t *dims);

/* An initializer, left open for its contents; pb_end closes it. */
size_t onnx_tensor_begin(struct pb *pb, const char *name, int type, int rank, const int64_t *dims);

/* Write the model to a temporary file and load it. */
enum fovea_status onnx_parts_load(const struct onnx_parts *parts, struct fovea_model **out,
                                  struct fovea_error *err);

/* Loading fails with `status`, and the message contains `words`. Finishes `parts`. */
void onnx_expect(const char *file, int line, struct onnx_parts *parts, enum fovea_status status,
                 const char *words);
#define ONNX_EXPECT(parts, status, words) onnx_expect(__FILE__, __LINE__, parts, status, words)

/* The same of bytes. */
void onnx_expect_bytes(const char *file, int line, const void *bytes, size_t size,
                       enum fovea_status status, const char *words);
#define ONNX_EXPECT_BYTES(bytes, size, status, words)                                              \
    onnx_expect_bytes(__FILE__, __LINE__, bytes, size, status, words)

#endif
