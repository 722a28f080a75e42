/*
 * Building the graph of a known architecture, node by node, in the operators
 * of ONNX opset 18, as an exporter would write it: inference, folding and the
 * passes do the rest, and `fovea convert` can write it down.
 *
 * The first failure is kept; from then on every function returns NULL and
 * does nothing, so that builders read like the network. A parameter that is
 * missing or has another shape is no such failure: it is noted in the
 * parameters, and building goes on, so that all of them are found.
 */
#ifndef FOVEA_LOADERS_ARCH_BUILDER_H
#define FOVEA_LOADERS_ARCH_BUILDER_H

#include "loaders/arch_params.h"
#include "runtime/model.h"

#define FOVEA_ARCH_OPSET 18

struct fovea_arch_builder {
    struct fovea_model *model;
    struct fovea_arch_params *params;
    enum fovea_status status;
    struct fovea_error *err; /* where the first failure is described; may be NULL */
    size_t max_memory;       /* of the load options: bounds a constant that is computed here */
    /* Of a ViT: the table to be computed once all tensors are known to fit, if there is one, and
     * the one it is computed from, if that is in the checkpoint. */
    struct fovea_value *positions, *table;
    char scope[96]; /* before the names of nodes: "blocks.3.attn" */
};

/* The one image input [N, 3, height, width], "input"; N is open, and what is 0 of the others. */
struct fovea_value *fovea_arch_input(struct fovea_arch_builder *b, int height, int width);

/* Make `x`, of shape [N, classes], the one output, "logits". */
void fovea_arch_output(struct fovea_arch_builder *b, struct fovea_value *x, int64_t classes);

/* Formatted as by printf. */
void fovea_arch_scope(struct fovea_arch_builder *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- parameters: `name` follows the scope and a dot ("" for a scope that is "") ---- */

/* A parameter of that shape, in PyTorch's order of dimensions. */
struct fovea_value *fovea_arch_tensor(struct fovea_arch_builder *b, const char *name, int rank,
                                      const int64_t *dims);
struct fovea_value *fovea_arch_vector(struct fovea_arch_builder *b, const char *name, int64_t n);

/* A matrix that maps `in` features to `out`, as an operand of MatMul: [in, out]. */
struct fovea_value *fovea_arch_matrix(struct fovea_arch_builder *b, const char *name, int64_t in,
                                      int64_t out);

/* ---- constants ------------------------------------------------------------- */

struct fovea_value *fovea_arch_scalar(struct fovea_arch_builder *b, double number);
struct fovea_value *fovea_arch_ints(struct fovea_arch_builder *b, const int64_t *numbers, size_t n);
#define FOVEA_ARCH_INTS(b, ...)                                                                    \
    fovea_arch_ints((b), (const int64_t[]){__VA_ARGS__},                                           \
                    sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

/* ---- nodes ------------------------------------------------------------------ */

/* Any operator; inputs up to the first NULL. Attributes are added to the result's producer. */
struct fovea_value *fovea_arch_op(struct fovea_arch_builder *b, const char *type,
                                  struct fovea_value *in0, struct fovea_value *in1,
                                  struct fovea_value *in2, struct fovea_value *in3);
#define FOVEA_ARCH_OP1(b, type, x) fovea_arch_op((b), (type), (x), NULL, NULL, NULL)
#define FOVEA_ARCH_OP2(b, type, x, y) fovea_arch_op((b), (type), (x), (y), NULL, NULL)

struct fovea_value *fovea_arch_attr_int(struct fovea_arch_builder *b, struct fovea_value *x,
                                        const char *name, int64_t number);
struct fovea_value *fovea_arch_attr_float(struct fovea_arch_builder *b, struct fovea_value *x,
                                          const char *name, double number);
struct fovea_value *fovea_arch_attr_text(struct fovea_arch_builder *b, struct fovea_value *x,
                                         const char *name, const char *text);
struct fovea_value *fovea_arch_attr_ints(struct fovea_arch_builder *b, struct fovea_value *x,
                                         const char *name, const int64_t *numbers, size_t n);

struct fovea_value *fovea_arch_scale(struct fovea_arch_builder *b, struct fovea_value *x,
                                     double factor);
struct fovea_value *fovea_arch_gelu(struct fovea_arch_builder *b, struct fovea_value *x, bool tanh);
struct fovea_value *fovea_arch_reshape(struct fovea_arch_builder *b, struct fovea_value *x,
                                       const int64_t *dims, size_t rank);
struct fovea_value *fovea_arch_transpose(struct fovea_arch_builder *b, struct fovea_value *x,
                                         const int64_t *perm, size_t rank);
/* Elements [from, to) of axis `axis`. */
struct fovea_value *fovea_arch_slice(struct fovea_arch_builder *b, struct fovea_value *x,
                                     int64_t axis, int64_t from, int64_t to);
/* Means over `axes`, which stay as dimensions of 1. */
struct fovea_value *fovea_arch_mean(struct fovea_arch_builder *b, struct fovea_value *x,
                                    const int64_t *axes, size_t n);

/* x [..., in] times <name>.weight plus <name>.bias (if `bias`): [..., out]. */
struct fovea_value *fovea_arch_linear(struct fovea_arch_builder *b, struct fovea_value *x,
                                      const char *name, int64_t in, int64_t out, bool bias);

/* Over the last dimension, of `width`, with <name>.weight and <name>.bias. */
struct fovea_value *fovea_arch_layer_norm(struct fovea_arch_builder *b, struct fovea_value *x,
                                          const char *name, int64_t width, double eps);

#endif
