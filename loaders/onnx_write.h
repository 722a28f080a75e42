/*
 * Messages of ONNX as bytes (https://protobuf.dev/programming-guides/encoding/,
 * field numbers of loaders/onnx.proto), all but the contents of big tensors:
 * for those only the fields before them are written, and their place is known.
 */
#ifndef FOVEA_LOADERS_ONNX_WRITE_H
#define FOVEA_LOADERS_ONNX_WRITE_H

#include "loaders/byte_writer.h"
#include "runtime/model.h"

/* A field of each kind. */
void fovea_pb_number(struct fovea_byte_writer *w, unsigned field, uint64_t number);
void fovea_pb_float(struct fovea_byte_writer *w, unsigned field, float number);
void fovea_pb_bytes(struct fovea_byte_writer *w, unsigned field, const void *bytes, size_t size);
void fovea_pb_text(struct fovea_byte_writer *w, unsigned field, const char *text);
/* The tag and length of a field whose `size` bytes follow. */
void fovea_pb_head(struct fovea_byte_writer *w, unsigned field, uint64_t size);
/* A message made in `inner`, which is emptied. */
void fovea_pb_message(struct fovea_byte_writer *w, unsigned field, struct fovea_byte_writer *inner);

/* Where the contents of a tensor are: in the message, or in a file beside the model. */
struct fovea_onnx_place {
    const char *location; /* NULL: in the message, where they follow what is written */
    uint64_t offset;
};

/* A TensorProto up to its contents of `bytes` bytes; `name` may be NULL. */
void fovea_onnx_write_tensor(struct fovea_byte_writer *w, const char *name,
                             const struct fovea_tensor *tensor, uint64_t bytes,
                             const struct fovea_onnx_place *place);

/* A ValueInfoProto. */
void fovea_onnx_write_io(struct fovea_byte_writer *w, const char *name, const struct fovea_io *io);

/* A NodeProto called `name`; `names` has those of values by number. */
enum fovea_status fovea_onnx_write_node(struct fovea_byte_writer *w, const struct fovea_node *node,
                                        const char *name, const char *const *names,
                                        struct fovea_error *err);

/* An OperatorSetIdProto, a StringStringEntryProto. */
void fovea_onnx_write_opset(struct fovea_byte_writer *w, const char *domain, int version);
void fovea_onnx_write_entry(struct fovea_byte_writer *w, const char *key, const char *value);

#endif
