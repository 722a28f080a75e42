/*
 * Pad: elements added (or, with negative pads, removed) on either side of each
 * dimension.
 *
 * Constant padding fills the output and copies what is left of the input into
 * it. The other modes are an index map per dimension: where each output
 * coordinate comes from.
 */
#include "ops/axes.h"
#include "ops/copy.h"
#include "ops/ops.h"
#include "runtime/limits.h"
#include "runtime/parallel.h"

#include <string.h>

enum mode { CONSTANT, REFLECT, EDGE, WRAP };

static const char *const mode_names[] = {"constant", "reflect", "edge", "wrap"};

struct pad {
    enum mode mode;
    int64_t before[FOVEA_MAX_RANK]; /* elements added in front; negative: removed */
};

/* Pads and axes as given; both have room for what a full list needs. */
struct pads {
    int64_t values[2 * FOVEA_MAX_RANK];
    int axes[FOVEA_MAX_RANK];
    size_t n_axes;
};

/* ---- infer -------------------------------------------------------------- */

static enum fovea_status read_mode(const struct fovea_node *node, enum mode *mode,
                                   struct fovea_error *err) {
    const char *name = fovea_attr_string(node, "mode", "constant");
    int n_modes = node->opset >= 19 ? 4 : 3;
    for (int i = 0; i < n_modes; i++) {
        if (strcmp(name, mode_names[i]) == 0) {
            *mode = (enum mode)i;
            return FOVEA_OK;
        }
    }
    return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "mode '%s' is not known at opset %d",
                      fovea_quote(name).text, node->opset);
}

static enum fovea_status read_pads(const struct fovea_node *node, struct pads *pads,
                                   struct fovea_error *err) {
    int rank = node->in[0]->t.rank;
    int64_t axes[FOVEA_MAX_RANK];
    size_t n;
    enum fovea_status st = fovea_input_ints(node, 3, axes, FOVEA_MAX_RANK, &pads->n_axes, err);
    if (st) {
        return st;
    }
    if (!fovea_node_input(node, 3)) {
        pads->n_axes = (size_t)rank;
        for (int i = 0; i < rank; i++) {
            axes[i] = i;
        }
    }
    st = fovea_resolve_axes(axes, pads->n_axes, rank, pads->axes, err);
    if (!st) {
        st = fovea_read_list(node, "pads", 1, pads->values,
                             sizeof(pads->values) / sizeof(pads->values[0]), &n, err);
    }
    if (!st && n != 2 * pads->n_axes) {
        st = fovea_fail(err, FOVEA_ERR_INVALID, "%zu pads for %zu axes; two an axis are needed", n,
                        pads->n_axes);
    }
    return st;
}

static enum fovea_status pad_dimension(int64_t dim, int axis, int64_t before, int64_t after,
                                       enum mode mode, int64_t *out, struct fovea_error *err) {
    const int64_t most = FOVEA_LIMIT_TENSOR_BYTES;
    if (before < -most || before > most || after < -most || after > most) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "pads %lld and %lld of axis %d are over 2^46",
                          (long long)before, (long long)after, axis);
    }
    *out = dim + before + after;
    if (*out < 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "pads %lld and %lld of axis %d take more than its %lld elements",
                          (long long)before, (long long)after, axis, (long long)dim);
    }
    if (dim == 0 && *out > 0 && mode != CONSTANT) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "axis %d has no elements to pad with in mode %s",
                          axis, mode_names[mode]);
    }
    return FOVEA_OK;
}

static enum fovea_status check_value(const struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_value *value = fovea_node_input(node, 2);
    const struct fovea_tensor *x = &node->in[0]->t;
    if (value && (value->t.dtype != x->dtype || fovea_tensor_count(&value->t) != 1)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "the constant value is %s%s; it must be one %s",
                          fovea_dtype_name(value->t.dtype), fovea_shape_text(&value->t).text,
                          fovea_dtype_name(x->dtype));
    }
    return FOVEA_OK;
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    struct pad *p = node->priv;
    struct fovea_tensor y = node->in[0]->t;
    struct pads pads;
    enum fovea_status st = read_mode(node, &p->mode, err);
    if (!st) {
        st = check_value(node, err);
    }
    if (!st) {
        st = read_pads(node, &pads, err);
    }
    if (st) {
        return st;
    }
    memset(p->before, 0, sizeof(p->before));
    for (size_t i = 0; !st && i < pads.n_axes; i++) {
        int axis = pads.axes[i];
        p->before[axis] = pads.values[i];
        st = pad_dimension(y.dims[axis], axis, pads.values[i], pads.values[i + pads.n_axes],
                           p->mode, &y.dims[axis], err);
    }
    return st ? st : fovea_set_output(node, 0, y.dtype, y.rank, y.dims, err);
}

/* ---- run ---------------------------------------------------------------- */

static void read_value(const struct fovea_node *node, enum fovea_dtype dtype, void *element) {
    const struct fovea_value *value = fovea_node_input(node, 2);
    if (value) {
        memcpy(element, value->t.data, fovea_dtype_size(dtype));
        return;
    }
    float scalar = fovea_attr_float(node, "value", 0);
    fovea_convert(FOVEA_F32, &scalar, dtype, element, 1);
}

static void run_constant(const struct fovea_node *node) {
    const struct pad *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t, *y = &node->out[0]->t;
    size_t size = fovea_dtype_size(y->dtype);
    struct fovea_box box = {.rank = x->rank};
    int64_t from = 0, to = 0;
    uint64_t element = 0;
    read_value(node, y->dtype, &element);
    fovea_fill(y->data, fovea_tensor_count(y), size, &element);
    fovea_dense_strides(x->rank, x->dims, box.src);
    fovea_dense_strides(y->rank, y->dims, box.dst);
    for (int i = 0; i < x->rank; i++) {
        int64_t before = p->before[i];
        int64_t first = before < 0 ? -before : 0; /* of the input's elements that stay */
        int64_t end = y->dims[i] - before < x->dims[i] ? y->dims[i] - before : x->dims[i];
        if (end <= first) {
            return;
        }
        box.dims[i] = end - first;
        from += first * box.src[i];
        to += (first + before) * box.dst[i];
    }
    fovea_copy_box(&box, size, (const unsigned char *)x->data + (size_t)from * size,
                   (unsigned char *)y->data + (size_t)to * size);
}

/* Where coordinate `at`, in front of or behind [0, dim), comes from. */
static int64_t source_of(int64_t at, int64_t dim, enum mode mode) {
    if (at >= 0 && at < dim) {
        return at;
    }
    if (mode == EDGE || dim == 1) {
        return at < 0 ? 0 : dim - 1;
    }
    /* Reflection repeats every 2 (dim - 1): there and back, without the ends twice. */
    int64_t period = mode == WRAP ? dim : 2 * (dim - 1);
    int64_t rest = (at % period + period) % period;
    return rest < dim ? rest : period - rest;
}

/* Output rows [begin, end): runs along the last dimension. */
static void mapped_rows(void *context, int64_t begin, int64_t end, int thread) {
    const struct fovea_node *node = context;
    const struct pad *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t, *y = &node->out[0]->t;
    size_t size = fovea_dtype_size(y->dtype);
    int last = x->rank - 1;
    (void)thread;
    for (int64_t row = begin; row < end; row++) {
        int64_t at = 0, rest = row, stride = x->dims[last];
        for (int i = last - 1; i >= 0; i--) {
            at += source_of(rest % y->dims[i] - p->before[i], x->dims[i], p->mode) * stride;
            stride *= x->dims[i];
            rest /= y->dims[i];
        }
        const unsigned char *from = (const unsigned char *)x->data + (size_t)at * size;
        unsigned char *to = (unsigned char *)y->data + (size_t)(row * y->dims[last]) * size;
        for (int64_t i = 0; i < y->dims[last]; i++) {
            int64_t source = source_of(i - p->before[last], x->dims[last], p->mode);
            memcpy(to + (size_t)i * size, from + (size_t)source * size, size);
        }
    }
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct pad *p = node->priv;
    const struct fovea_tensor *y = &node->out[0]->t;
    if (p->mode == CONSTANT || y->rank == 0) {
        run_constant(node);
    } else if (fovea_tensor_count(y) > 0) {
        fovea_parallel_for(fovea_dims_product(y, 0, y->rank - 1), 1 + 4096 / y->dims[y->rank - 1],
                           mapped_rows, (void *)node);
    }
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs_2[] = {{"mode", FOVEA_ATTR_STRING, false},
                                                 {"pads", FOVEA_ATTR_INTS, true},
                                                 {"value", FOVEA_ATTR_FLOAT, false},
                                                 {0}};
static const struct fovea_attr_spec attrs_11[] = {{"mode", FOVEA_ATTR_STRING, false}, {0}};

const struct fovea_op fovea_op_pad_2 = {
    .priv_size = sizeof(struct pad),
    .attrs = attrs_2,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .run = run,
};

const struct fovea_op fovea_op_pad_11 = {
    .priv_size = sizeof(struct pad),
    .attrs = attrs_11,
    .min_in = 2,
    .max_in = 4,
    .min_out = 1,
    .max_out = 1,
    .value_inputs = 1u << 1 | 1u << 3,
    .infer = infer,
    .run = run,
};
