/* SplitToSequence: a Split whose parts are the elements of a sequence. */
#include "ops/ops.h"
#include "ops/sequence.h"
#include "runtime/subgraph.h"

/* How many parts of which size: `each`, but the last; or what input 1 lists. */
struct parts {
    int axis;
    int count;
    int64_t dim, each;
    const struct fovea_tensor *sizes; /* NULL: `each` */
};

static enum fovea_status count_parts(const struct fovea_node *node, struct parts *p,
                                     struct fovea_error *err) {
    const struct fovea_value *split = fovea_node_input(node, 1);
    p->dim = node->in[0]->t.dims[p->axis];
    p->each = 1;
    if (split && (!fovea_dtype_is_int(split->t.dtype) || split->t.rank > 1)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "split is %s%s; it must be integers",
                          fovea_dtype_name(split->t.dtype), fovea_shape_text(&split->t).text);
    }
    if (split && split->t.rank == 1) {
        p->sizes = &split->t;
    } else if (split) {
        p->each = fovea_tensor_get_int(&split->t, 0);
    }
    if (p->each < 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "parts of size %lld", (long long)p->each);
    }
    int64_t count =
        p->sizes ? fovea_tensor_count(p->sizes) : p->dim / p->each + (p->dim % p->each != 0);
    enum fovea_status st = FOVEA_OK;
    /* Every part is a value, perhaps squeezed by a node. */
    for (int64_t i = 0; !st && i <= count; i++) {
        st = fovea_graph_spend_node(node->graph, 2, err);
    }
    p->count = (int)count;
    return st;
}

/* The sizes of the parts as Split takes them: an attribute, or an operand since opset 13. */
static enum fovea_status give_sizes(struct fovea_node *split, const struct parts *p,
                                    struct fovea_error *err) {
    struct fovea_value *list;
    enum fovea_status st =
        fovea_graph_add_constant(split->graph, FOVEA_I64, 1, (int64_t[]){p->count}, &list, err);
    if (st) {
        return st;
    }
    int64_t *sizes = list->t.data, left = p->dim;
    for (int i = 0; i < p->count; i++) {
        sizes[i] = p->sizes ? fovea_tensor_get_int(p->sizes, i) : p->each < left ? p->each : left;
        left -= p->sizes ? 0 : sizes[i];
    }
    if (split->opset >= 13) {
        return fovea_node_set_input(split, 1, list, err);
    }
    const struct fovea_attr attr = {
        .name = "split", .kind = FOVEA_ATTR_INTS, .count = (size_t)p->count, .ints = sizes};
    return fovea_node_set_attr(split, &attr, err);
}

static enum fovea_status put_split(struct fovea_node *node, const struct parts *p,
                                   struct fovea_node **out, struct fovea_error *err) {
    struct fovea_graph *graph = node->graph;
    const struct fovea_attr axis = {.name = "axis", .kind = FOVEA_ATTR_INT, .i = p->axis};
    struct fovea_node *split;
    int n_in = graph->opset >= 13 ? 2 : 1;
    enum fovea_status st =
        fovea_graph_add_node(graph, node, "", "Split", node->name, n_in, p->count, &split, err);
    if (!st) {
        st = fovea_node_set_input(split, 0, node->in[0], err);
    }
    if (!st) {
        st = fovea_node_set_attr(split, &axis, err);
    }
    if (!st) {
        st = give_sizes(split, p, err);
    }
    for (int i = 0; !st && i < p->count; i++) {
        struct fovea_value *part = fovea_graph_add_value(graph, NULL);
        if (!part) {
            return fovea_fail_memory(err, sizeof(*part), "a value");
        }
        fovea_node_set_output(split, i, part);
    }
    *out = split;
    return st;
}

static enum fovea_status expand_split(struct fovea_node *node, enum fovea_expansion *out,
                                      struct fovea_error *err) {
    struct parts p = {0};
    struct fovea_node *split = NULL, *sequence = NULL;
    enum fovea_status st =
        fovea_resolve_axis(fovea_attr_int(node, "axis", 0), node->in[0]->t.rank, &p.axis, err);
    if (!st) {
        st = count_parts(node, &p, err);
    }
    if (!st && p.count > 0) {
        st = put_split(node, &p, &split, err);
    }
    if (!st) {
        st = fovea_sequence_put(node, p.count, &sequence, err);
    }
    bool squeeze = !fovea_node_input(node, 1) && fovea_attr_int(node, "keepdims", 1) == 0;
    for (int i = 0; !st && i < p.count; i++) {
        struct fovea_value *part = split->out[i];
        if (squeeze) {
            st = fovea_node_put_axis(sequence, "Squeeze", part, p.axis, &part, err);
        }
        if (!st) {
            st = fovea_node_set_input(sequence, i, part, err);
        }
    }
    *out = FOVEA_EXPANDED;
    return st ? st : fovea_node_yield(node, 0, sequence->out[0], err);
}

static const struct fovea_attr_spec split_attrs[] = {
    {"axis", FOVEA_ATTR_INT, false}, {"keepdims", FOVEA_ATTR_INT, false}, {0}};

const struct fovea_op fovea_op_split_to_sequence = {
    .attrs = split_attrs,
    .min_in = 1,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .value_inputs = 1u << 1,
    .expand = expand_split,
};
