/*
 * Graphs within nodes: the branches of If, the body of Loop.
 *
 * None is left when a graph has been inferred. An operator with such an
 * attribute has `expand` (op.h), which puts a copy of what is to be computed
 * where the node was: the branch that a constant condition takes, the body of
 * a loop once for each iteration. What the file holds is a template that
 * belongs to the model and is never inferred or run itself.
 *
 * What a subgraph reads of the graphs around it is made an input: of the node,
 * after its own inputs, and of the template, after those the operator gives.
 * Uses are therefore complete, as anywhere in a graph.
 */
#ifndef FOVEA_RUNTIME_SUBGRAPH_H
#define FOVEA_RUNTIME_SUBGRAPH_H

#include "runtime/op.h"

struct fovea_subgraph {
    struct fovea_graph graph; /* its inputs: n_formal, then n_captured */
    size_t n_formal;
    size_t n_captured;
    size_t cap_captured;         /* room in `captured` and graph.inputs */
    int *captured;               /* input of the node for each of the others; in graph.arena */
    int n_own;                   /* inputs that the node has in the file */
    struct fovea_subgraph *next; /* all of a model */
};

/* A template with nothing in it, or NULL if out of memory. */
struct fovea_subgraph *fovea_subgraph_create(fovea_op_find_fn find_op, int opset);

/* The list from `first` on. */
void fovea_subgraphs_destroy(struct fovea_subgraph *first);

/* Attribute `name`, which is there and a graph: fovea_node_check has seen to that. */
const struct fovea_subgraph *fovea_attr_graph(const struct fovea_node *node, const char *name);

/*
 * Copy the template to before `node`, for the formal inputs `formal` (NULL:
 * absent); `outputs` has room for sub->graph.n_outputs. FOVEA_ERR_LIMIT over
 * FOVEA_LIMIT_INLINED_BYTES.
 */
enum fovea_status fovea_subgraph_inline(struct fovea_node *node, const struct fovea_subgraph *sub,
                                        struct fovea_value *const *formal,
                                        struct fovea_value **outputs, struct fovea_error *err);

/* The one boolean of constant input `index`, which is there. */
enum fovea_status fovea_node_read_condition(const struct fovea_node *node, int index, bool *out,
                                            struct fovea_error *err);

/* Count a node of `n_values` inputs and outputs that is about to be made (FOVEA_ERR_LIMIT). */
enum fovea_status fovea_graph_spend_node(struct fovea_graph *graph, size_t n_values,
                                         struct fovea_error *err);

/* Count what evaluating an inferred node costs, if it is a copied one (FOVEA_ERR_LIMIT). */
enum fovea_status fovea_node_spend_work(const struct fovea_node *node, struct fovea_error *err);

/*
 * Let `value` stand for output `index` of a node that is being expanded: who
 * reads the one reads the other. An output of the graph keeps its name, as an
 * Identity of `value`. Nothing happens if the output is absent.
 */
enum fovea_status fovea_node_yield(struct fovea_node *node, int index, struct fovea_value *value,
                                   struct fovea_error *err);

/* Put `value` in place of input `index`; what was there is let go of if nothing else reads it. */
enum fovea_status fovea_node_advance_input(struct fovea_node *node, int index,
                                           struct fovea_value *value, struct fovea_error *err);

/* A node before `before` with one output, of `count` inputs and at most one attribute. */
enum fovea_status fovea_node_put(struct fovea_node *before, const char *type,
                                 struct fovea_value *const *inputs, int count,
                                 const struct fovea_attr *attr, struct fovea_value **out,
                                 struct fovea_error *err);

/* Unsqueeze or Squeeze (`type`) of `value` along `axis`, by the rules of the graph's opset. */
enum fovea_status fovea_node_put_axis(struct fovea_node *before, const char *type,
                                      struct fovea_value *value, int64_t axis,
                                      struct fovea_value **out, struct fovea_error *err);

/* A constant of one number, of rank 0 (or, `list`, 1). */
enum fovea_status fovea_graph_add_int(struct fovea_graph *graph, int64_t number, bool list,
                                      struct fovea_value **out, struct fovea_error *err);

#endif
