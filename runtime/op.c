/* What infer functions share: see op.h. */
#include "runtime/op.h"

#include <string.h>

enum fovea_status fovea_set_output(struct fovea_node *node, int index, enum fovea_dtype dtype,
                                   int rank, const int64_t *dims, struct fovea_error *err) {
    if (index >= node->n_out || !node->out[index]) {
        return FOVEA_OK;
    }
    if (rank > FOVEA_MAX_RANK) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "output %d has rank %d, over the limit of %d",
                          index, rank, FOVEA_MAX_RANK);
    }
    struct fovea_tensor shape;
    fovea_tensor_set_shape(&shape, dtype, rank, dims);
    enum fovea_status st = fovea_tensor_check_shape(&shape, err);
    if (st) {
        fovea_error_prefix(err, "output %d", index);
        return st;
    }
    fovea_tensor_set_shape(&node->out[index]->t, dtype, rank, shape.dims);
    node->out[index]->typed = true;
    return FOVEA_OK;
}

enum fovea_status fovea_set_output_like(struct fovea_node *node, int index,
                                        const struct fovea_value *like, struct fovea_error *err) {
    return fovea_set_output(node, index, like->t.dtype, like->t.rank, like->t.dims, err);
}

enum fovea_status fovea_expect_dtype(const struct fovea_node *node, int index, unsigned set,
                                     struct fovea_error *err) {
    enum fovea_dtype dtype = node->in[index]->t.dtype;
    if (set & FOVEA_DTYPE_BIT(dtype)) {
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "input %d ('%s') has type %s, not supported here",
                      index, fovea_quote(node->in[index]->name).text, fovea_dtype_name(dtype));
}

enum fovea_status fovea_expect_rank(const struct fovea_node *node, int index, int least, int most,
                                    struct fovea_error *err) {
    const struct fovea_tensor *t = &node->in[index]->t;
    if (t->rank >= least && t->rank <= most) {
        return FOVEA_OK;
    }
    return fovea_fail(
        err, FOVEA_ERR_INVALID, "input %d ('%s') has shape %s; its rank must be %d to %d", index,
        fovea_quote(node->in[index]->name).text, fovea_shape_text(t).text, least, most);
}

enum fovea_status fovea_resolve_axis(int64_t axis, int rank, int *out, struct fovea_error *err) {
    if (axis < -rank || axis >= rank) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "axis %lld is outside a rank-%d input",
                          (long long)axis, rank);
    }
    *out = (int)(axis < 0 ? axis + rank : axis);
    return FOVEA_OK;
}

enum fovea_status fovea_input_ints(const struct fovea_node *node, int index, int64_t *values,
                                   size_t most, size_t *count, struct fovea_error *err) {
    const struct fovea_value *value = fovea_node_input(node, index);
    if (!value) {
        *count = 0;
        return FOVEA_OK;
    }
    const struct fovea_tensor *t = &value->t;
    if (!fovea_dtype_is_int(t->dtype) || t->rank > 1) {
        return fovea_fail(
            err, FOVEA_ERR_INVALID, "input %d ('%s') is %s%s; it must be a list of integers", index,
            fovea_quote(value->name).text, fovea_dtype_name(t->dtype), fovea_shape_text(t).text);
    }
    size_t n = (size_t)fovea_tensor_count(t);
    if (n > most) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "input %d ('%s') has %zu elements; at most %zu make sense", index,
                          fovea_quote(value->name).text, n, most);
    }
    for (size_t i = 0; i < n; i++) {
        values[i] = fovea_tensor_get_int(t, (int64_t)i);
    }
    *count = n;
    return FOVEA_OK;
}

enum fovea_status fovea_broadcast_shape(const struct fovea_tensor *a, const struct fovea_tensor *b,
                                        int *rank, int64_t *dims, struct fovea_error *err) {
    int64_t result[FOVEA_MAX_RANK];
    int most = a->rank > b->rank ? a->rank : b->rank;
    for (int i = 0; i < most; i++) {
        int ia = i - (most - a->rank), ib = i - (most - b->rank);
        int64_t da = ia >= 0 ? a->dims[ia] : 1;
        int64_t db = ib >= 0 ? b->dims[ib] : 1;
        if (da != db && da != 1 && db != 1) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "shapes %s and %s do not broadcast",
                              fovea_shape_text(a).text, fovea_shape_text(b).text);
        }
        result[i] = da == 1 ? db : da;
    }
    memcpy(dims, result, (size_t)most * sizeof(*dims));
    *rank = most;
    return FOVEA_OK;
}

struct fovea_value *fovea_own_input(const struct fovea_node *node, int index) {
    for (int i = 0; i < node->n_epilogue; i++) {
        if (node->epilogue[i].kind != FOVEA_EPILOGUE_ACT && node->epilogue[i].input == index) {
            return NULL;
        }
    }
    return fovea_node_input(node, index);
}

void fovea_value_strides(const struct fovea_value *value, int64_t *strides) {
    const struct fovea_tensor *t = &value->t;
    if (value->layout == FOVEA_CHANNELS_LAST && t->rank == 4) {
        strides[1] = 1;
        strides[3] = t->dims[1];
        strides[2] = strides[3] * t->dims[3];
        strides[0] = strides[2] * t->dims[2];
        return;
    }
    int64_t stride = 1;
    for (int i = t->rank - 1; i >= 0; i--) {
        strides[i] = stride;
        stride *= t->dims[i];
    }
}

int64_t fovea_count_product(int64_t a, int64_t b) {
    return a > 0 && b > INT64_MAX / a ? INT64_MAX : a * b;
}

int64_t fovea_node_macs(const struct fovea_node *node) {
    return node->op->macs ? node->op->macs(node) : 0;
}

const char *fovea_node_implementation(const struct fovea_node *node) {
    return node->op->implementation ? node->op->implementation(node) : NULL;
}

/* Of a node that cuts or joins: parts that lie in the whole are not moved. */
static size_t moved_bytes(const struct fovea_value *whole, struct fovea_value *const *parts,
                          int n_parts) {
    const unsigned char *begin = whole->t.data;
    size_t bytes = 0;
    for (int i = 0; i < n_parts; i++) {
        const unsigned char *part = parts[i] ? parts[i]->t.data : NULL;
        bool within = part >= begin && part < begin + fovea_tensor_bytes(&whole->t);
        bytes += parts[i] && !within ? 2 * fovea_tensor_bytes(&parts[i]->t) : 0;
    }
    return bytes;
}

size_t fovea_node_bytes(const struct fovea_node *node) {
    const struct fovea_value *y = node->out[0];
    size_t bytes = 0;
    if ((node->op->flags & FOVEA_OP_VIEW) && node->in[0]->t.data == y->t.data) {
        return 0;
    }
    if (node->op->flags & FOVEA_OP_CUTS) {
        return moved_bytes(node->in[0], node->out, node->n_out);
    }
    if (node->op->flags & FOVEA_OP_JOINS) {
        return moved_bytes(y, node->in, node->n_in);
    }
    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i]) {
            bool packed = node->packed_bytes > 0 && node->packed_input == i;
            bytes += packed ? node->packed_bytes : fovea_tensor_bytes(&node->in[i]->t);
        }
    }
    for (int i = 0; i < node->n_out; i++) {
        if (node->out[i]) {
            bytes += fovea_tensor_bytes(&node->out[i]->t);
        }
    }
    return bytes;
}
