/*
 * Sequences: lists of tensors, known element by element when a graph is
 * inferred. The value of a sequence is made by a SequenceConstruct whose
 * inputs are the elements; everything that reads a sequence becomes nodes, or
 * names, of elements.
 */
#include "ops/sequence.h"

#include "ops/ops.h"
#include "runtime/subgraph.h"

#include <stdlib.h>

/* The node that holds the elements of input 0. */
static enum fovea_status elements(const struct fovea_node *node, struct fovea_node **out,
                                  struct fovea_error *err) {
    const struct fovea_value *value = node->in[0];
    if (value->kind != FOVEA_SEQUENCE) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "input 0 ('%s') is not a sequence",
                          fovea_quote(value->name).text);
    }
    *out = value->producer;
    return FOVEA_OK;
}

/* Constant input `index` in [-count, most], from the front; `otherwise` if it is absent. */
static enum fovea_status position(const struct fovea_node *node, int index, int count, int most,
                                  int otherwise, int *out, struct fovea_error *err) {
    int64_t at = otherwise;
    size_t given;
    enum fovea_status st = fovea_input_ints(node, index, &at, 1, &given, err);
    if (st) {
        return st;
    }
    if (at < -count || at > most) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "position %lld is outside a sequence of %d elements", (long long)at,
                          count);
    }
    *out = (int)(at < 0 ? at + count : at);
    return FOVEA_OK;
}

enum fovea_status fovea_sequence_put(struct fovea_node *before, int count, struct fovea_node **out,
                                     struct fovea_error *err) {
    struct fovea_graph *graph = before->graph;
    struct fovea_node *node;
    struct fovea_value *value = fovea_graph_add_value(graph, before->out[0]->name);
    if (!value) {
        return fovea_fail_memory(err, sizeof(*value), "a value");
    }
    enum fovea_status st = fovea_graph_spend_node(graph, (size_t)count, err);
    if (!st) {
        st = fovea_graph_add_node(graph, before, "", "SequenceConstruct", before->name, count, 1,
                                  &node, err);
    }
    if (st) {
        return st;
    }
    fovea_node_set_output(node, 0, value);
    value->kind = FOVEA_SEQUENCE;
    value->typed = true;
    *out = node;
    return FOVEA_OK;
}

/* ---- made ----------------------------------------------------------------- */

/* SequenceConstruct and SequenceEmpty. */
static enum fovea_status keep(struct fovea_node *node, enum fovea_expansion *out,
                              struct fovea_error *err) {
    for (int i = 0; i < node->n_in; i++) {
        if (!node->in[i] || node->in[i]->kind != FOVEA_TENSOR) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "input %d is not a tensor", i);
        }
    }
    node->out[0]->kind = FOVEA_SEQUENCE;
    node->out[0]->typed = true;
    *out = FOVEA_EXPANDED_KEPT;
    return FOVEA_OK;
}

const struct fovea_op fovea_op_sequence_construct = {
    .min_in = 0,
    .max_in = FOVEA_VARIADIC,
    .min_out = 1,
    .max_out = 1,
    .expand = keep,
};

static const struct fovea_attr_spec empty_attrs[] = {{"dtype", FOVEA_ATTR_INT, false}, {0}};

const struct fovea_op fovea_op_sequence_empty = {
    .attrs = empty_attrs,
    .min_in = 0,
    .max_in = 0,
    .min_out = 1,
    .max_out = 1,
    .expand = keep,
};

/* ---- changed -------------------------------------------------------------- */

/* A sequence that only `node` reads gets its new last element where it is: loops build such. */
static enum fovea_status append(struct fovea_node *node, struct fovea_node *from,
                                struct fovea_error *err) {
    int index;
    enum fovea_status st = fovea_graph_spend_node(node->graph, 1, err);
    if (!st) {
        st = fovea_node_add_input(from, node->in[1], &index, err);
    }
    if (!st) {
        fovea_graph_move_node(node->graph, from, node);
        st = fovea_node_yield(node, 0, from->out[0], err);
    }
    return st;
}

/* The elements of `from` with in[1] before place `at` (`insert`), or without that place. */
static enum fovea_status copy_changed(struct fovea_node *node, const struct fovea_node *from,
                                      int at, bool insert, struct fovea_error *err) {
    struct fovea_node *to;
    int count = from->n_in + (insert ? 1 : -1);
    enum fovea_status st = fovea_sequence_put(node, count, &to, err);
    for (int i = 0; !st && i < count; i++) {
        struct fovea_value *element;
        if (insert) {
            element = i == at ? node->in[1] : from->in[i > at ? i - 1 : i];
        } else {
            element = from->in[i >= at ? i + 1 : i];
        }
        st = fovea_node_set_input(to, i, element, err);
    }
    return st ? st : fovea_node_yield(node, 0, to->out[0], err);
}

static enum fovea_status expand_insert(struct fovea_node *node, enum fovea_expansion *out,
                                       struct fovea_error *err) {
    struct fovea_node *from = NULL;
    int at = 0;
    enum fovea_status st = elements(node, &from, err);
    if (!st) {
        st = position(node, 2, from->n_in, from->n_in, from->n_in, &at, err);
    }
    if (!st && node->in[1]->kind != FOVEA_TENSOR) {
        st = fovea_fail(err, FOVEA_ERR_INVALID, "input 1 ('%s') is not a tensor",
                        fovea_quote(node->in[1]->name).text);
    }
    if (st) {
        return st;
    }
    *out = FOVEA_EXPANDED;
    bool sole = node->in[0]->n_uses == 1 && from->op == &fovea_op_sequence_construct;
    return sole && at == from->n_in ? append(node, from, err)
                                    : copy_changed(node, from, at, true, err);
}

const struct fovea_op fovea_op_sequence_insert = {
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .value_inputs = 1u << 2,
    .expand = expand_insert,
};

static enum fovea_status expand_erase(struct fovea_node *node, enum fovea_expansion *out,
                                      struct fovea_error *err) {
    struct fovea_node *from = NULL;
    int at = 0;
    enum fovea_status st = elements(node, &from, err);
    if (!st) {
        st = position(node, 1, from->n_in, from->n_in - 1, from->n_in - 1, &at, err);
    }
    *out = FOVEA_EXPANDED;
    return st ? st : copy_changed(node, from, at, false, err);
}

const struct fovea_op fovea_op_sequence_erase = {
    .min_in = 1,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .value_inputs = 1u << 1,
    .expand = expand_erase,
};

/* ---- read ----------------------------------------------------------------- */

static enum fovea_status expand_at(struct fovea_node *node, enum fovea_expansion *out,
                                   struct fovea_error *err) {
    struct fovea_node *from = NULL;
    int at = 0;
    enum fovea_status st = elements(node, &from, err);
    if (!st) {
        st = position(node, 1, from->n_in, from->n_in - 1, 0, &at, err);
    }
    *out = FOVEA_EXPANDED;
    return st ? st : fovea_node_yield(node, 0, from->in[at], err);
}

const struct fovea_op fovea_op_sequence_at = {
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .value_inputs = 1u << 1,
    .expand = expand_at,
};

static enum fovea_status expand_length(struct fovea_node *node, enum fovea_expansion *out,
                                       struct fovea_error *err) {
    struct fovea_node *from = NULL;
    struct fovea_value *length;
    enum fovea_status st = elements(node, &from, err);
    if (!st) {
        st = fovea_graph_add_int(node->graph, from->n_in, false, &length, err);
    }
    *out = FOVEA_EXPANDED;
    return st ? st : fovea_node_yield(node, 0, length, err);
}

const struct fovea_op fovea_op_sequence_length = {
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .expand = expand_length,
};

/* ---- ConcatFromSequence ----------------------------------------------------- */

static enum fovea_status join(struct fovea_node *node, const struct fovea_node *from, bool anew,
                              struct fovea_value **parts, struct fovea_error *err) {
    int axis;
    struct fovea_value *joined;
    enum fovea_status st =
        fovea_resolve_axis(fovea_attr_int(node, "axis", 0), from->in[0]->t.rank + anew, &axis, err);
    for (int i = 0; !st && i < from->n_in; i++) {
        parts[i] = from->in[i];
        if (anew) {
            st = fovea_node_put_axis(node, "Unsqueeze", from->in[i], axis, &parts[i], err);
        }
    }
    const struct fovea_attr attr = {.name = "axis", .kind = FOVEA_ATTR_INT, .i = axis};
    if (!st) {
        st = fovea_node_put(node, "Concat", parts, from->n_in, &attr, &joined, err);
    }
    return st ? st : fovea_node_yield(node, 0, joined, err);
}

static enum fovea_status expand_concat(struct fovea_node *node, enum fovea_expansion *out,
                                       struct fovea_error *err) {
    struct fovea_node *from = NULL;
    enum fovea_status st = elements(node, &from, err);
    if (!st && from->n_in == 0) {
        st = fovea_fail(err, FOVEA_ERR_INVALID, "the sequence is empty");
    }
    for (int i = 0; !st && i < from->n_in; i++) {
        st = fovea_graph_spend_node(node->graph, 2, err);
    }
    if (st) {
        return st;
    }
    struct fovea_value **parts = calloc((size_t)from->n_in, sizeof(*parts));
    if (!parts) {
        return fovea_fail_memory(err, (size_t)from->n_in * sizeof(*parts), "a sequence");
    }
    st = join(node, from, fovea_attr_int(node, "new_axis", 0) != 0, parts, err);
    free(parts);
    *out = FOVEA_EXPANDED;
    return st;
}

static const struct fovea_attr_spec concat_attrs[] = {
    {"axis", FOVEA_ATTR_INT, true}, {"new_axis", FOVEA_ATTR_INT, false}, {0}};

const struct fovea_op fovea_op_concat_from_sequence = {
    .attrs = concat_attrs,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .expand = expand_concat,
};
