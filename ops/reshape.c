/* Reshape, Flatten, Squeeze, Unsqueeze: the same bytes under another shape. */
#include "ops/axes.h"
#include "ops/ops.h"
#include "runtime/limits.h"

/* ---- Reshape ------------------------------------------------------------ */

/*
 * Resolve 0 (the input's dimension, unless `keep_zero`) and find -1. Both may
 * be wrong with respect to the count; the caller checks that.
 */
static enum fovea_status resolve_target(const struct fovea_tensor *x, bool keep_zero, int64_t *dims,
                                        int rank, int *guessed, struct fovea_error *err) {
    *guessed = -1;
    for (int i = 0; i < rank; i++) {
        if (dims[i] < -1) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "shape element %d is %lld, below -1", i,
                              (long long)dims[i]);
        }
        if (dims[i] == -1 && *guessed >= 0) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "shape elements %d and %d are both -1",
                              *guessed, i);
        }
        if (dims[i] == -1) {
            *guessed = i;
        } else if (dims[i] == 0 && !keep_zero) {
            if (i >= x->rank) {
                return fovea_fail(err, FOVEA_ERR_INVALID,
                                  "shape element %d is 0 (keep), but the input has rank %d", i,
                                  x->rank);
            }
            dims[i] = x->dims[i];
        }
    }
    return FOVEA_OK;
}

/* Elements of `dims` without `skip`, or -1 if over `most`. */
static int64_t count_up_to(const int64_t *dims, int rank, int skip, int64_t most) {
    int64_t count = 1;
    for (int i = 0; i < rank; i++) {
        if (i != skip && dims[i] == 0) {
            return 0;
        }
    }
    for (int i = 0; i < rank; i++) {
        if (i == skip) {
            continue;
        }
        if (count > most / dims[i]) {
            return -1;
        }
        count *= dims[i];
    }
    return count;
}

static enum fovea_status fail_target(const struct fovea_tensor *x, const int64_t *dims, int rank,
                                     struct fovea_error *err) {
    struct fovea_tensor target = {.rank = 0};
    fovea_tensor_set_shape(&target, x->dtype, rank, dims);
    return fovea_fail(err, FOVEA_ERR_INVALID, "shape %s (%lld elements) cannot become %s",
                      fovea_shape_text(x).text, (long long)fovea_tensor_count(x),
                      fovea_shape_text(&target).text);
}

static enum fovea_status infer_reshape(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t;
    int64_t dims[FOVEA_MAX_RANK];
    size_t n;
    int guessed;
    enum fovea_status st = fovea_input_ints(node, 1, dims, FOVEA_MAX_RANK, &n, err);
    if (!st) {
        bool keep_zero = fovea_attr_int(node, "allowzero", 0) != 0;
        st = resolve_target(x, keep_zero, dims, (int)n, &guessed, err);
    }
    if (st) {
        return st;
    }
    int64_t total = fovea_tensor_count(x);
    int64_t most = total > 0 ? total : FOVEA_LIMIT_TENSOR_BYTES;
    int64_t known = count_up_to(dims, (int)n, guessed, most);
    if (guessed >= 0) {
        if (known <= 0 || total % known != 0) {
            return fail_target(x, dims, (int)n, err);
        }
        dims[guessed] = total / known;
    } else if (known != total) {
        return fail_target(x, dims, (int)n, err);
    }
    return fovea_set_output(node, 0, x->dtype, (int)n, dims, err);
}

static const struct fovea_attr_spec reshape_attrs[] = {{"allowzero", FOVEA_ATTR_INT, false}, {0}};

const struct fovea_op fovea_op_reshape = {
    .attrs = reshape_attrs,
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .value_inputs = 1u << 1,
    .flags = FOVEA_OP_VIEW,
    .infer = infer_reshape,
    .run = fovea_run_view,
};

/* ---- Flatten ------------------------------------------------------------ */

static enum fovea_status infer_flatten(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t;
    int64_t axis = fovea_attr_int(node, "axis", 1);
    /* Unlike elsewhere, the rank itself is a valid axis. */
    if (axis < -x->rank || axis > x->rank) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "axis %lld is outside [-%d, %d]", (long long)axis,
                          x->rank, x->rank);
    }
    int at = (int)(axis < 0 ? axis + x->rank : axis);
    int64_t dims[2] = {fovea_dims_product(x, 0, at), fovea_dims_product(x, at, x->rank)};
    return fovea_set_output(node, 0, x->dtype, 2, dims, err);
}

static const struct fovea_attr_spec flatten_attrs[] = {{"axis", FOVEA_ATTR_INT, false}, {0}};

const struct fovea_op fovea_op_flatten = {
    .attrs = flatten_attrs,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .flags = FOVEA_OP_VIEW,
    .infer = infer_flatten,
    .run = fovea_run_view,
};

/* ---- Squeeze, Unsqueeze ------------------------------------------------- */

/* Bits of the axes in the list, resolved against `rank`. */
static enum fovea_status read_axis_bits(const int64_t *values, size_t count, int rank,
                                        unsigned *bits, struct fovea_error *err) {
    int axes[FOVEA_MAX_RANK];
    enum fovea_status st = fovea_resolve_axes(values, count, rank, axes, err);
    *bits = 0;
    for (size_t i = 0; !st && i < count; i++) {
        *bits |= 1u << axes[i];
    }
    return st;
}

/* No axes given: all of the dimensions that are 1. */
static enum fovea_status squeezed_bits(const struct fovea_node *node, unsigned *bits,
                                       struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t;
    int64_t values[FOVEA_MAX_RANK];
    size_t n;
    *bits = 0;
    if (!fovea_has_list(node, "axes", 1)) {
        for (int i = 0; i < x->rank; i++) {
            *bits |= (x->dims[i] == 1 ? 1u : 0u) << i;
        }
        return FOVEA_OK;
    }
    enum fovea_status st = fovea_read_list(node, "axes", 1, values, FOVEA_MAX_RANK, &n, err);
    return st ? st : read_axis_bits(values, n, x->rank, bits, err);
}

static enum fovea_status infer_squeeze(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t;
    int64_t dims[FOVEA_MAX_RANK];
    int rank = 0;
    unsigned bits;
    enum fovea_status st = squeezed_bits(node, &bits, err);
    if (st) {
        return st;
    }
    for (int i = 0; i < x->rank; i++) {
        if (!(bits >> i & 1)) {
            dims[rank++] = x->dims[i];
        } else if (x->dims[i] != 1) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "axis %d has dimension %lld; only 1 can be squeezed", i,
                              (long long)x->dims[i]);
        }
    }
    return fovea_set_output(node, 0, x->dtype, rank, dims, err);
}

static enum fovea_status infer_unsqueeze(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t;
    int64_t values[FOVEA_MAX_RANK], dims[FOVEA_MAX_RANK];
    size_t n;
    unsigned bits;
    if (!fovea_has_list(node, "axes", 1)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "axes are missing");
    }
    enum fovea_status st = fovea_read_list(node, "axes", 1, values, FOVEA_MAX_RANK, &n, err);
    if (st) {
        return st;
    }
    int rank = x->rank + (int)n;
    if (rank > FOVEA_MAX_RANK) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "output rank %d is over the limit of %d",
                          rank, FOVEA_MAX_RANK);
    }
    st = read_axis_bits(values, n, rank, &bits, err);
    if (st) {
        return st;
    }
    for (int i = 0, from = 0; i < rank; i++) {
        dims[i] = bits >> i & 1 ? 1 : x->dims[from++];
    }
    return fovea_set_output(node, 0, x->dtype, rank, dims, err);
}

static const struct fovea_attr_spec axes_attrs[] = {{"axes", FOVEA_ATTR_INTS, false}, {0}};

/* The opset decides whether axes are an attribute or an operand. */
#define AXES_OP(name, function, axes_attr, inputs)                                                 \
    const struct fovea_op name = {                                                                 \
        .attrs = axes_attr,                                                                        \
        .min_in = 1,                                                                               \
        .max_in = inputs,                                                                          \
        .min_out = 1,                                                                              \
        .max_out = 1,                                                                              \
        .value_inputs = 1u << 1,                                                                   \
        .flags = FOVEA_OP_VIEW,                                                                    \
        .infer = function,                                                                         \
        .run = fovea_run_view,                                                                     \
    }

AXES_OP(fovea_op_squeeze_1, infer_squeeze, axes_attrs, 1);
AXES_OP(fovea_op_squeeze_13, infer_squeeze, NULL, 2);
AXES_OP(fovea_op_unsqueeze_1, infer_unsqueeze, axes_attrs, 1);
AXES_OP(fovea_op_unsqueeze_13, infer_unsqueeze, NULL, 2);
