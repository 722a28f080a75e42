/* Making nodes and constants for passes: see rewrite.h. */
#include "runtime/rewrite.h"

#include "runtime/deferred.h"
#include "runtime/infer.h"

#include <string.h>

enum fovea_status fovea_rewrite_node(struct fovea_graph *graph, struct fovea_node *before,
                                     const char *domain, const char *type, const char *name,
                                     struct fovea_value *const *in, int n_in,
                                     struct fovea_node **out, struct fovea_error *err) {
    struct fovea_node *node;
    enum fovea_status st =
        fovea_graph_add_node(graph, before, domain, type, name, n_in, 1, &node, err);
    for (int i = 0; !st && i < n_in; i++) {
        st = fovea_node_set_input(node, i, in[i], err);
    }
    if (st) {
        return st;
    }
    struct fovea_value *value = fovea_graph_add_value(graph, name);
    if (!value) {
        return fovea_fail_memory(err, sizeof(*value), "a value");
    }
    fovea_node_set_output(node, 0, value);
    *out = node;
    return FOVEA_OK;
}

enum fovea_status fovea_rewrite_finish(struct fovea_node *node, struct fovea_value *old,
                                       struct fovea_error *err) {
    enum fovea_status st = fovea_infer_node(node, err);
    if (!st && old) {
        st = fovea_value_replace(node->graph, old, node->out[0], err);
    }
    return st;
}

enum fovea_status fovea_rewrite_set_int(struct fovea_node *node, const char *name, int64_t value,
                                        struct fovea_error *err) {
    struct fovea_attr attr = {.name = name, .kind = FOVEA_ATTR_INT, .i = value};
    return fovea_node_set_attr(node, &attr, err);
}

enum fovea_status fovea_rewrite_set_float(struct fovea_node *node, const char *name, float value,
                                          struct fovea_error *err) {
    struct fovea_attr attr = {.name = name, .kind = FOVEA_ATTR_FLOAT, .f = value};
    return fovea_node_set_attr(node, &attr, err);
}

enum fovea_status fovea_rewrite_set_ints(struct fovea_node *node, const char *name,
                                         const int64_t *values, size_t count,
                                         struct fovea_error *err) {
    struct fovea_attr attr = {
        .name = name, .kind = FOVEA_ATTR_INTS, .count = count, .ints = values};
    return fovea_node_set_attr(node, &attr, err);
}

enum fovea_status fovea_rewrite_scalar(struct fovea_graph *graph, float scalar,
                                       struct fovea_value **out, struct fovea_error *err) {
    struct fovea_value *value;
    enum fovea_status st = fovea_graph_add_constant(graph, FOVEA_F32, 0, NULL, &value, err);
    if (!st) {
        *(float *)value->t.data = scalar;
        *out = value;
    }
    return st;
}

enum fovea_status fovea_rewrite_ints(struct fovea_graph *graph, const int64_t *values, size_t count,
                                     struct fovea_value **out, struct fovea_error *err) {
    struct fovea_value *value;
    int64_t dims[1] = {(int64_t)count};
    enum fovea_status st = fovea_graph_add_constant(graph, FOVEA_I64, 1, dims, &value, err);
    if (!st) {
        memcpy(value->t.data, values, count * sizeof(*values));
        *out = value;
    }
    return st;
}

enum fovea_status fovea_rewrite_copy(struct fovea_graph *graph, struct fovea_value *from, int rank,
                                     const int64_t *dims, struct fovea_value **out,
                                     struct fovea_error *err) {
    struct fovea_value *value;
    enum fovea_status st = fovea_value_contents(from, err);
    if (!st) {
        st = fovea_graph_add_constant(graph, FOVEA_F32, rank, dims, &value, err);
    }
    if (!st) {
        fovea_convert(from->t.dtype, from->t.data, FOVEA_F32, value->t.data,
                      fovea_tensor_count(&value->t));
        *out = value;
    }
    return st;
}

enum fovea_status fovea_rewrite_filled(struct fovea_graph *graph, int64_t count, float number,
                                       struct fovea_value **out, struct fovea_error *err) {
    struct fovea_value *value;
    enum fovea_status st = fovea_graph_add_constant(graph, FOVEA_F32, 1, &count, &value, err);
    for (int64_t i = 0; !st && i < count; i++) {
        ((float *)value->t.data)[i] = number;
    }
    if (!st) {
        *out = value;
    }
    return st;
}

enum fovea_status fovea_rewrite_reshape(struct fovea_graph *graph, struct fovea_node *before,
                                        const char *name, struct fovea_value *x, int rank,
                                        const int64_t *dims, struct fovea_node **out,
                                        struct fovea_error *err) {
    struct fovea_value *shape;
    enum fovea_status st = fovea_rewrite_ints(graph, dims, (size_t)rank, &shape, err);
    if (st) {
        return st;
    }
    return fovea_rewrite_node(graph, before, "", "Reshape", name,
                              (struct fovea_value *[]){x, shape}, 2, out, err);
}

enum fovea_status fovea_derive_finish(struct fovea_node *node, struct fovea_value **out,
                                      struct fovea_error *err) {
    struct fovea_value *value = node->out[0];
    enum fovea_status st = fovea_infer_node(node, err);
    if (!st) {
        st = fovea_settle_node(node, err);
    }
    if (!st) {
        *out = value;
    }
    return st;
}

enum fovea_status fovea_derive_mul(struct fovea_graph *graph, struct fovea_value *w,
                                   struct fovea_value *factors, int axis, struct fovea_value **out,
                                   struct fovea_error *err) {
    int64_t dims[FOVEA_MAX_RANK] = {fovea_tensor_count(&factors->t)};
    int rank = dims[0] == 1 ? 0 : w->t.rank - axis;
    for (int i = 1; i < rank; i++) {
        dims[i] = 1;
    }
    struct fovea_value *shaped;
    struct fovea_node *mul;
    enum fovea_status st = fovea_rewrite_copy(graph, factors, rank, dims, &shaped, err);
    if (!st) {
        st = fovea_rewrite_node(graph, NULL, "", "Mul", w->name,
                                (struct fovea_value *[]){w, shaped}, 2, &mul, err);
    }
    return st ? st : fovea_derive_finish(mul, out, err);
}

enum fovea_status fovea_derive_op(struct fovea_graph *graph, const char *type,
                                  struct fovea_value *a, struct fovea_value *b,
                                  struct fovea_value **out, struct fovea_error *err) {
    struct fovea_node *node;
    enum fovea_status st = fovea_rewrite_node(graph, NULL, "", type, a->name,
                                              (struct fovea_value *[]){a, b}, 2, &node, err);
    return st ? st : fovea_derive_finish(node, out, err);
}

enum fovea_status fovea_derive_reshape(struct fovea_graph *graph, struct fovea_value *x, int rank,
                                       const int64_t *dims, struct fovea_value **out,
                                       struct fovea_error *err) {
    struct fovea_node *node;
    enum fovea_status st = fovea_rewrite_reshape(graph, NULL, x->name, x, rank, dims, &node, err);
    return st ? st : fovea_derive_finish(node, out, err);
}

enum fovea_status fovea_derive_transpose(struct fovea_graph *graph, struct fovea_value *x,
                                         const int64_t *perm, struct fovea_value **out,
                                         struct fovea_error *err) {
    struct fovea_node *node;
    enum fovea_status st =
        fovea_rewrite_node(graph, NULL, "", "Transpose", x->name, &x, 1, &node, err);
    if (!st) {
        st = fovea_rewrite_set_ints(node, "perm", perm, (size_t)x->t.rank, err);
    }
    return st ? st : fovea_derive_finish(node, out, err);
}
