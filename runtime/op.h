/*
 * The operator contract.
 *
 * An operator is a const struct fovea_op in a file of ops/, with a row in
 * ops/registry.c. The runtime checks attributes and input counts against the
 * tables below, allocates priv_size zeroed bytes as node->priv, then calls
 *
 *   infer    check inputs, set type and shape of every present output
 *            (fovea_set_output); called once, again after a pass changed the node
 *   prepare  build primitives into node->priv; say node->scratch_bytes.
 *            Shapes, layouts and constants are final; other data is not there
 *   pack     (optional) write the form of constant input packed_input that run
 *            wants, whose contents are `plain`, to `out`: exactly packed_bytes,
 *            which node->packed_data then points to. Called if prepare set
 *            packed_bytes, after memory limits were checked, by several threads
 *            at once for different nodes. It must not change the node, and what
 *            it writes depends on nothing but `plain` and packed_form: the same
 *            bytes serve every node, of any session, for which both are equal
 *   run      compute; any number of times; allocates nothing
 *   release  undo prepare, from whatever point it reached
 *
 * Operators that are no steps of a run (If, Loop, sequences) have expand, which
 * is called instead of infer, with the same checks made and operands there: it
 * puts nodes before its own that compute the outputs, or finds values that
 * are them already (subgraph.h).
 *
 * Every check belongs in infer: a node that passes it can no longer be wrong,
 * only unlucky. All but infer and run may be NULL, and these where there is expand.
 *
 * Constant folding runs the same functions at load: a node whose inputs are
 * all constant goes through prepare, pack, run and release right after infer.
 *
 * f16 and bf16 never reach infer: the runtime widens such values to f32 before
 * and narrows graph outputs at the end (infer.h). An op that gives its output
 * type by an attribute sets what the attribute says and, in run, goes by the
 * types of its values. A session of bf16 precision then stores some f32 values
 * as bf16, where enum fovea_bf16_rule allows it. Epilogue operands may always be
 * of either type.
 */
#ifndef FOVEA_RUNTIME_OP_H
#define FOVEA_RUNTIME_OP_H

#include "runtime/engine.h"
#include "runtime/graph.h"

enum fovea_op_flags {
    /* Output 0 is input 0's bytes under another shape. run copies unless both are in one place. */
    FOVEA_OP_VIEW = 1 << 0,
    /* Output 0 may be written over any input of the same type and shape while it is read. */
    FOVEA_OP_IN_PLACE = 1 << 1,
    /* The outputs depend on the shapes of the inputs alone. */
    FOVEA_OP_SHAPE_ONLY = 1 << 2,
    /* node->epilogue is honoured. */
    FOVEA_OP_EPILOGUE = 1 << 3,
    /* Where output 0 has N > 1 elements along dimension 0 and no input has a higher rank, element i
     * depends on nothing but elements i of the inputs of its rank that have N, too, and on all of
     * the others, and its bits do not depend on N. */
    FOVEA_OP_BY_ROWS = 1 << 4,
    /* The outputs are the parts of input 0 along attribute axis (0 if absent), in order; or the
     * inputs are those of output 0. A plan may have parts in the whole: run copies what is not. */
    FOVEA_OP_CUTS = 1 << 5,
    FOVEA_OP_JOINS = 1 << 6,
};

/* What an operator makes of channels-last operands (graph.h). */
enum fovea_layout_rule {
    FOVEA_LAYOUT_PLAIN_ONLY,
    /* Elementwise, or a copy: runs in any layout that all its rank-4 operands share; outputs have
     * it too. Operands whose H and W are 1, or of lower rank that broadcast, fit either layout. */
    FOVEA_LAYOUT_ANY,
    /* Input 0 and output 0 are images [N,C,H,W] and share a layout; channels-last is faster.
     * Epilogue operands of the output's shape share it too. */
    FOVEA_LAYOUT_IMAGE,
};

/*
 * Which f32 operands may lie in memory as bf16 (pass_precision.c decides which
 * do). infer never sees that: prepare and run go by the types of the values.
 */
enum fovea_bf16_rule {
    FOVEA_BF16_NONE, /* none; but an operator that is a view moves elements */
    FOVEA_BF16_FREE, /* each on its own; arithmetic is in f32, results are rounded when stored */
    /* Inputs are multiplied with each other, sums are in f32: all are bf16, or all are f32.
     * Constant input 1 stays as it is, and pack brings it into bf16. */
    FOVEA_BF16_MULTIPLIES,
    FOVEA_BF16_MOVES, /* inputs and outputs have one type */
};

/* What became of a node that was expanded. */
enum fovea_expansion {
    FOVEA_EXPANDED,      /* its outputs have other producers: it goes */
    FOVEA_EXPANDED_PART, /* the nodes before it are to be inferred; then expand is called again */
    FOVEA_EXPANDED_KEPT, /* it holds the elements of its output, which is no tensor */
    FOVEA_EXPANDED_NOT,  /* it is an ordinary node: infer is called */
};

/* An attribute an operator reads. Tables end with a NULL name. */
struct fovea_attr_spec {
    const char *name;
    enum fovea_attr_kind kind;
    bool required;
};

/* What run may use besides its node. */
struct fovea_run {
    struct fovea_engine *engine;
    void *scratch; /* node->scratch_bytes, aligned to FOVEA_ALIGNMENT */
};

#define FOVEA_VARIADIC INT32_MAX

struct fovea_op {
    size_t priv_size;
    const struct fovea_attr_spec *attrs; /* NULL: none */
    int min_in, max_in;                  /* inputs 0..min_in-1 must be present */
    int min_out, max_out;
    unsigned value_inputs; /* bit i: infer reads the contents of input i, which must be constant */
    unsigned flags;        /* enum fovea_op_flags */
    enum fovea_layout_rule layout;
    /* Where the rule depends on the node's attributes; NULL: `layout` always holds. */
    enum fovea_layout_rule (*layout_of)(const struct fovea_node *node);
    enum fovea_bf16_rule bf16;
    unsigned bf16_in, bf16_out; /* bit i: the rule is about input or output i; bit 31: and all on */
    enum fovea_status (*expand)(struct fovea_node *node, enum fovea_expansion *out,
                                struct fovea_error *err);
    enum fovea_status (*infer)(struct fovea_node *node, struct fovea_error *err);
    enum fovea_status (*prepare)(struct fovea_node *node, struct fovea_engine *engine,
                                 struct fovea_error *err);
    enum fovea_status (*pack)(const struct fovea_node *node, struct fovea_engine *engine,
                              const struct fovea_tensor *plain, void *out, struct fovea_error *err);
    enum fovea_status (*run)(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err);
    void (*release)(struct fovea_node *node);
    /* Multiply-accumulates of a run, by the shapes; after infer. NULL: none worth counting. */
    int64_t (*macs)(const struct fovea_node *node);
    /* What run will use, in a word ("brgconv:avx512_core"); after prepare, and as long as that
     * lasts. NULL, or a NULL result: loops of ours that have no name. */
    const char *(*implementation)(const struct fovea_node *node);
};

/* ---- helpers for infer -------------------------------------------------- */

/* Set type and shape of output `index` if it is present; checks the shape. */
enum fovea_status fovea_set_output(struct fovea_node *node, int index, enum fovea_dtype dtype,
                                   int rank, const int64_t *dims, struct fovea_error *err);

/* Output `index` has the type and shape of `like`. */
enum fovea_status fovea_set_output_like(struct fovea_node *node, int index,
                                        const struct fovea_value *like, struct fovea_error *err);

/* A set of dtypes as bits. */
#define FOVEA_DTYPE_BIT(dtype) (1u << (dtype))
#define FOVEA_DTYPES_FLOAT                                                                         \
    (FOVEA_DTYPE_BIT(FOVEA_F32) | FOVEA_DTYPE_BIT(FOVEA_F64) | FOVEA_DTYPE_BIT(FOVEA_F16) |        \
     FOVEA_DTYPE_BIT(FOVEA_BF16))
#define FOVEA_DTYPES_INT                                                                           \
    (FOVEA_DTYPE_BIT(FOVEA_I8) | FOVEA_DTYPE_BIT(FOVEA_U8) | FOVEA_DTYPE_BIT(FOVEA_I16) |          \
     FOVEA_DTYPE_BIT(FOVEA_U16) | FOVEA_DTYPE_BIT(FOVEA_I32) | FOVEA_DTYPE_BIT(FOVEA_U32) |        \
     FOVEA_DTYPE_BIT(FOVEA_I64) | FOVEA_DTYPE_BIT(FOVEA_U64))
#define FOVEA_DTYPES_NUMBER (FOVEA_DTYPES_FLOAT | FOVEA_DTYPES_INT)
#define FOVEA_DTYPES_ALL (FOVEA_DTYPES_NUMBER | FOVEA_DTYPE_BIT(FOVEA_BOOL))

/* Input `index` (present) has a type in `set`; the message names input and type. */
enum fovea_status fovea_expect_dtype(const struct fovea_node *node, int index, unsigned set,
                                     struct fovea_error *err);

/* Input `index` (present) has a rank in [least, most]. */
enum fovea_status fovea_expect_rank(const struct fovea_node *node, int index, int least, int most,
                                    struct fovea_error *err);

/* `axis` in [-rank, rank) becomes [0, rank). The message gives both. */
enum fovea_status fovea_resolve_axis(int64_t axis, int rank, int *out, struct fovea_error *err);

/*
 * The integers of constant input `index` (rank 0 or 1), at most `most` of
 * them. An absent input gives *count = 0. The input is in op->value_inputs.
 */
enum fovea_status fovea_input_ints(const struct fovea_node *node, int index, int64_t *values,
                                   size_t most, size_t *count, struct fovea_error *err);

/*
 * The shape that ONNX multidirectional broadcasting gives `a` and `b`.
 * The message names the two shapes.
 */
enum fovea_status fovea_broadcast_shape(const struct fovea_tensor *a, const struct fovea_tensor *b,
                                        int *rank, int64_t *dims, struct fovea_error *err);

/* Input `index` if it is the operator's own: NULL if absent or read by the epilogue. */
struct fovea_value *fovea_own_input(const struct fovea_node *node, int index);

/* a * b for counts that are not negative; INT64_MAX if it is more. For macs. */
int64_t fovea_count_product(int64_t a, int64_t b);

/* ---- helpers for run ---------------------------------------------------- */

/*
 * Element strides of `value` in memory for each of its own dims, minding its
 * layout. strides has room for FOVEA_MAX_RANK.
 */
void fovea_value_strides(const struct fovea_value *value, int64_t *strides);

/* ---- about nodes ---------------------------------------------------------- */

/* op->macs and op->implementation, 0 and NULL where there is none. */
int64_t fovea_node_macs(const struct fovea_node *node);
const char *fovea_node_implementation(const struct fovea_node *node);

/*
 * Bytes that a run of a prepared node must move at least: every operand read
 * and every result written once, weights in their packed form. 0 for a view
 * that lies where its input does.
 */
size_t fovea_node_bytes(const struct fovea_node *node);

#endif
