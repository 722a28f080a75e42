/*
 * The op graph: what a model is once its file format is left behind.
 *
 * A graph owns nodes, values and the names and attributes they use (in an
 * arena) and the contents of constants it made itself. Contents of constants
 * may also be borrowed from elsewhere (a mapped file) that outlives the graph,
 * or not be there yet: what computes them is then a deferred node (deferred.h),
 * which is in a list of its own and no step of a run.
 *
 *     value --uses--> node.in[i]      node.out[i] --> value
 *
 * Invariants, kept by the functions below and by nothing else:
 *  - nodes are in topological order, in a list;
 *  - a value's `uses` are exactly the places in node->in that hold it;
 *  - a value has a producer, or is a graph input, or is constant;
 *  - deferred nodes are in topological order too, and read constants only.
 */
#ifndef FOVEA_RUNTIME_GRAPH_H
#define FOVEA_RUNTIME_GRAPH_H

#include "runtime/arena.h"
#include "runtime/budget.h"
#include "runtime/hash.h"
#include "runtime/tensor.h"

struct fovea_engine;
struct fovea_graph;
struct fovea_node;
struct fovea_op;
struct fovea_subgraph;

enum fovea_attr_kind {
    FOVEA_ATTR_FLOAT,
    FOVEA_ATTR_INT,
    FOVEA_ATTR_STRING,
    FOVEA_ATTR_TENSOR,
    FOVEA_ATTR_FLOATS,
    FOVEA_ATTR_INTS,
    FOVEA_ATTR_STRINGS,
    FOVEA_ATTR_GRAPH,
    FOVEA_ATTR_NONE, /* a type: present in the file; its contents are not kept */
};

struct fovea_attr {
    const char *name;
    enum fovea_attr_kind kind;
    size_t count; /* of floats, ints, strings */
    union {
        float f;
        int64_t i;
        const char *s;
        struct fovea_tensor t; /* contents borrowed */
        const float *floats;
        const int64_t *ints;
        const char *const *strings;
        const struct fovea_subgraph *graph; /* borrowed from the model; never NULL */
    };
};

/*
 * Order of a rank-4 value's elements in memory. `dims` are always the logical
 * [N, C, H, W]; CHANNELS_LAST stores them as N, H, W, C.
 */
enum fovea_layout {
    FOVEA_PLAIN,
    FOVEA_CHANNELS_LAST,
};

/*
 * What a value is while a graph is inferred; afterwards all are tensors. A
 * sequence is known element by element: it is made by a SequenceConstruct
 * whose inputs are the elements (ops/sequence.c).
 */
enum fovea_kind {
    FOVEA_TENSOR,
    FOVEA_SEQUENCE,
    FOVEA_NOTHING, /* an optional without a value */
};

/* One place that reads a value: node->in[index]. */
struct fovea_use {
    struct fovea_node *node;
    int index;
};

struct fovea_value {
    const char *name;      /* never NULL; may be "" */
    size_t number;         /* 0, 1, ... in the order of making */
    struct fovea_tensor t; /* dtype, rank, dims once typed; data once constant or planned */
    enum fovea_kind kind;
    bool typed;               /* a tensor whose dtype, rank and dims hold, or no tensor */
    bool constant;            /* known before any run: t.data, or what `deferred` computes */
    bool is_input, is_output; /* of the graph */
    enum fovea_layout layout;
    struct fovea_node *producer; /* NULL for inputs and constants */
    struct fovea_node *deferred; /* of a constant: computes it; t.data may be NULL. Else NULL */
    int producer_index;          /* in the outputs of producer or deferred */
    struct fovea_use *uses;
    size_t n_uses, cap_uses;
    void *owned;                  /* heap memory behind t.data, freed with the graph, or NULL */
    struct fovea_value *next;     /* all values of the graph */
    struct fovea_value *alias_of; /* plan: shares the memory of that value, or NULL */
    size_t offset;                /* plan: place in the arena, or in alias_of's memory */
    size_t origin;                /* constant of a loaded model: 1 + its number there, else 0 */
    struct fovea_digest identity; /* of a constant's contents, once known (deferred.h) */
    size_t pending;               /* evaluation: steps ahead that read the contents */
    size_t target;                /* evaluation: 1 + its number among the values wanted, or 0 */
};

/*
 * What an operator that computes with oneDNN does to its result before it is
 * stored. Made by passes; only ops with FOVEA_OP_EPILOGUE carry one.
 *
 * In order, for each element y of the result:
 *   ACT    y = scale * act(y; alpha, beta)
 *   ADD    y = y + in[input]    broadcast as ONNX does, against the result
 *   MUL    y = y * in[input]
 */
enum fovea_epilogue_kind {
    FOVEA_EPILOGUE_ACT,
    FOVEA_EPILOGUE_ADD,
    FOVEA_EPILOGUE_MUL,
};

enum fovea_act {
    FOVEA_ACT_RELU,
    FOVEA_ACT_LEAKY_RELU, /* alpha x below 0 */
    FOVEA_ACT_ELU,        /* alpha (e^x - 1) below 0 */
    FOVEA_ACT_GELU_ERF,
    FOVEA_ACT_GELU_TANH,
    FOVEA_ACT_SIGMOID,
    FOVEA_ACT_TANH,
    FOVEA_ACT_SWISH,        /* x sigmoid(alpha x) */
    FOVEA_ACT_CLIP,         /* to [alpha, beta] */
    FOVEA_ACT_HARD_SWISH,   /* x max(0, min(1, x/6 + 1/2)) */
    FOVEA_ACT_HARD_SIGMOID, /* max(0, min(1, alpha x + beta)) */
    FOVEA_N_ACTS,
};

struct fovea_epilogue_step {
    enum fovea_epilogue_kind kind;
    enum fovea_act act;
    float alpha, beta, scale;
    int input; /* of ADD and MUL: index into node->in */
};

#define FOVEA_MAX_EPILOGUE 4

struct fovea_node {
    const char *name;   /* never NULL; may be "" */
    const char *type;   /* operator type, "Conv" */
    const char *domain; /* "" for ai.onnx; "fovea" for operators the passes make */
    int opset;          /* the model's opset of that domain */
    const struct fovea_op *op;
    struct fovea_graph *graph;
    struct fovea_attr *attrs;
    size_t n_attrs;
    struct fovea_value **in; /* NULL where an optional input is absent */
    int n_in;
    struct fovea_value *
        *out; /* NULL where an output is not wanted; out[0] is there once inferred */
    int n_out;
    struct fovea_epilogue_step epilogue[FOVEA_MAX_EPILOGUE];
    int n_epilogue;
    void *priv;           /* op->priv_size bytes, zeroed, from infer on */
    size_t scratch_bytes; /* set by op->prepare: needed during run, contents undefined */
    /* Set by op->prepare: op->pack makes a form of constant input `packed_input` that takes
     * packed_bytes, and run then no longer reads the input itself. 0: nothing is packed.
     * packed_form identifies the form: a hash of everything but the contents that decides what
     * the packed bytes look like. */
    size_t packed_bytes;
    int packed_input;
    uint64_t packed_form;
    const void *packed_data; /* what op->pack wrote; borrowed, read by run */
    /* Set by op->prepare: the input (of output 0's type, shape and layout) that output 0 may be
     * written over while the node runs; 0: none, or any (FOVEA_OP_IN_PLACE). */
    int overwritten_input;
    bool prepared;
    bool deferred;   /* in the list of deferred nodes */
    bool inlined;    /* comes from a subgraph (subgraph.h) */
    unsigned visits; /* evaluation: how often the search has met it */
    /* Provenance (provenance.h). */
    size_t origin;                /* 1, 2, ...: place among the nodes passes began with; 0: newer */
    bool removed;                 /* from the graph */
    struct fovea_node *heir;      /* once removed: who does its work now, or NULL */
    struct fovea_node *next_gone; /* the graph's removed nodes that have an origin */
    struct fovea_node *prev, *next;
};

/* Finds an operator's implementation; NULL if there is none. */
typedef const struct fovea_op *(*fovea_op_find_fn)(const char *domain, const char *type, int opset);

struct fovea_graph {
    struct fovea_arena arena;
    fovea_op_find_fn find_op;
    int opset; /* of ai.onnx */
    struct fovea_node *first, *last;
    struct fovea_node *gone; /* provenance: removed nodes, by next_gone */
    size_t n_nodes;
    struct fovea_value *values; /* newest first */
    size_t n_values;
    struct fovea_value **inputs, **outputs;
    size_t n_inputs, n_outputs;
    struct fovea_node *first_deferred, *last_deferred;
    size_t n_deferred;
    int64_t folded_macs;         /* multiply-accumulates of nodes that infer folded or deferred */
    size_t defer_bytes;          /* constants that take more than this to compute are deferred */
    struct fovea_engine *engine; /* evaluates deferred nodes; set by infer */
    struct fovea_budget budget;  /* for contents of constants; set by infer */
    size_t inlined_bytes;        /* what subgraphs and sequences have come to (subgraph.h) */
    int64_t inlined_work;
};

/* Where folding begins to be deferred: what is smaller costs less now than it would later. */
#define FOVEA_DEFER_BYTES ((size_t)64 << 10)

/* `graph` zeroed by the caller. */
void fovea_graph_init(struct fovea_graph *graph, fovea_op_find_fn find_op, int opset);
void fovea_graph_finish(struct fovea_graph *graph);

/* A deep copy, sharing (borrowing) the contents of constants. `out` uninitialised. */
enum fovea_status fovea_graph_clone(const struct fovea_graph *graph, struct fovea_graph *out,
                                    struct fovea_error *err);

/*
 * The same into a graph that is there: copies of the nodes of `from` are put
 * before `before`, reading `inputs` where they read from->inputs. `outputs`
 * are the values that stand for from->outputs. What is in an `inputs` place
 * may be NULL (absent). Names and attributes are borrowed, so `from` must
 * outlive the graph of `before`.
 */
enum fovea_status fovea_graph_inline(const struct fovea_graph *from, struct fovea_node *before,
                                     struct fovea_value *const *inputs,
                                     struct fovea_value **outputs, struct fovea_error *err);

/* ---- building --------------------------------------------------------- */

/* A new value; `name` is copied and may be NULL. NULL if out of memory. */
struct fovea_value *fovea_graph_add_value(struct fovea_graph *graph, const char *name);

/* A constant of that type and shape whose contents the caller fills in. Owned by the graph. */
enum fovea_status fovea_graph_add_constant(struct fovea_graph *graph, enum fovea_dtype dtype,
                                           int rank, const int64_t *dims, struct fovea_value **out,
                                           struct fovea_error *err);

/* Make `value` constant with contents that outlive the graph, or (owned) are freed with it. */
void fovea_value_set_constant(struct fovea_value *value, void *data, bool owned);

/* Whether a step reads the value, or it is an output: deferred nodes are no steps. */
bool fovea_value_is_read(const struct fovea_value *value);

/* Whether all steps that read a constant read a packed form of it instead (node->packed_input). */
bool fovea_value_is_packed(const struct fovea_value *value);

/* Forget, and free if owned, the contents of a constant that nothing reads and is no output. */
void fovea_value_drop(struct fovea_value *value);

/*
 * A new node before `before` (NULL: at the end), with `n_in` absent inputs and
 * `n_out` absent outputs, to be connected with fovea_node_set_input/_output.
 * `op` is looked up from domain and type at the graph's opset;
 * FOVEA_ERR_UNSUPPORTED if there is none.
 */
enum fovea_status fovea_graph_add_node(struct fovea_graph *graph, struct fovea_node *before,
                                       const char *domain, const char *type, const char *name,
                                       int n_in, int n_out, struct fovea_node **out,
                                       struct fovea_error *err);

/* Connect node->in[index] to `value` (NULL: absent), releasing what was there. */
enum fovea_status fovea_node_set_input(struct fovea_node *node, int index,
                                       struct fovea_value *value, struct fovea_error *err);

/* Append an input and give its index. */
enum fovea_status fovea_node_add_input(struct fovea_node *node, struct fovea_value *value,
                                       int *index, struct fovea_error *err);

/* Make node the producer of `value` (whose former producer loses it) as out[index]. */
void fovea_node_set_output(struct fovea_node *node, int index, struct fovea_value *value);

/* Set or replace an attribute; name, strings and arrays are copied, tensor contents borrowed. */
enum fovea_status fovea_node_set_attr(struct fovea_node *node, const struct fovea_attr *attr,
                                      struct fovea_error *err);

/* ---- rewriting -------------------------------------------------------- */

/* Every reader of `from` reads `to` instead; a graph output moves as well. */
enum fovea_status fovea_value_replace(struct fovea_graph *graph, struct fovea_value *from,
                                      struct fovea_value *to, struct fovea_error *err);

/* Put a node before `before` (NULL: at the end); the order must stay topological. */
void fovea_graph_move_node(struct fovea_graph *graph, struct fovea_node *node,
                           struct fovea_node *before);

/* Make constants of the outputs of an inferred node of constant inputs, without evaluating it. */
void fovea_graph_defer_node(struct fovea_graph *graph, struct fovea_node *node);

/* Take a node out of the graph; its outputs must have no readers left. */
void fovea_graph_remove_node(struct fovea_graph *graph, struct fovea_node *node);

/* Remove nodes, and contents of constants, that no output needs. Returns how many nodes went. */
size_t fovea_graph_sweep(struct fovea_graph *graph);

/* ---- reading attributes ----------------------------------------------- */

/*
 * The kinds have been checked against op->attrs before infer is called, so
 * these cannot fail: absent gives the default, NULL or a count of 0.
 */
const struct fovea_attr *fovea_node_attr(const struct fovea_node *node, const char *name);
int64_t fovea_attr_int(const struct fovea_node *node, const char *name, int64_t otherwise);
float fovea_attr_float(const struct fovea_node *node, const char *name, float otherwise);
const char *fovea_attr_string(const struct fovea_node *node, const char *name,
                              const char *otherwise);
const int64_t *fovea_attr_ints(const struct fovea_node *node, const char *name, size_t *count);

/* Input `index` if it exists and is present, else NULL. */
struct fovea_value *fovea_node_input(const struct fovea_node *node, int index);

/* "node 'conv1' (Conv)" before the message. */
void fovea_error_prefix_node(struct fovea_error *err, const struct fovea_node *node);

#endif
