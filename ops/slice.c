/* Slice: a box out of a tensor, with steps in either direction. */
#include "ops/axes.h"
#include "ops/copy.h"
#include "ops/ops.h"

#include <string.h>

struct slice {
    int64_t start[FOVEA_MAX_RANK], step[FOVEA_MAX_RANK];
};

/* The operands as they were given; n entries each. */
struct bounds {
    size_t n;
    int64_t starts[FOVEA_MAX_RANK], ends[FOVEA_MAX_RANK], steps[FOVEA_MAX_RANK];
    int axes[FOVEA_MAX_RANK];
};

static int64_t clamp(int64_t value, int64_t low, int64_t high) {
    return value < low ? low : value > high ? high : value;
}

/*
 * How many elements of a dimension are taken, first and step clamped on the
 * way to what cannot overflow: "values [start, end) are clamped to [0, dims]
 * for positive stepping and [0, dims-1] / [-1, dims-1] for negative stepping".
 */
static int64_t resolve_range(int64_t dim, int64_t *start, int64_t end, int64_t *step) {
    if (dim == 0) {
        *start = 0;
        *step = 1;
        return 0;
    }
    *start += *start < 0 ? dim : 0;
    end += end < 0 ? dim : 0;
    *step = clamp(*step, -dim - 1, dim + 1);
    if (*step > 0) {
        *start = clamp(*start, 0, dim);
        end = clamp(end, 0, dim);
        return end > *start ? (end - *start - 1) / *step + 1 : 0;
    }
    *start = clamp(*start, 0, dim - 1);
    end = clamp(end, -1, dim - 1);
    return *start > end ? (*start - end - 1) / -*step + 1 : 0;
}

static enum fovea_status expect_count(size_t n, size_t want, const char *what,
                                      struct fovea_error *err) {
    if (n == want) {
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_INVALID, "%zu %s for %zu starts", n, what, want);
}

static enum fovea_status read_axes(const struct fovea_node *node, struct bounds *b,
                                   struct fovea_error *err) {
    int64_t values[FOVEA_MAX_RANK];
    size_t n;
    enum fovea_status st = fovea_read_list(node, "axes", 3, values, FOVEA_MAX_RANK, &n, err);
    if (st) {
        return st;
    }
    if (!fovea_has_list(node, "axes", 3)) {
        for (n = 0; n < b->n; n++) {
            values[n] = (int64_t)n;
        }
    }
    st = expect_count(n, b->n, "axes", err);
    return st ? st : fovea_resolve_axes(values, n, node->in[0]->t.rank, b->axes, err);
}

static enum fovea_status read_steps(const struct fovea_node *node, struct bounds *b,
                                    struct fovea_error *err) {
    size_t n;
    for (size_t i = 0; i < b->n; i++) {
        b->steps[i] = 1;
    }
    if (!fovea_node_input(node, 4)) {
        return FOVEA_OK;
    }
    enum fovea_status st = fovea_input_ints(node, 4, b->steps, FOVEA_MAX_RANK, &n, err);
    if (!st) {
        st = expect_count(n, b->n, "steps", err);
    }
    for (size_t i = 0; !st && i < n; i++) {
        if (b->steps[i] == 0) {
            st = fovea_fail(err, FOVEA_ERR_INVALID, "step %zu is 0", i);
        }
    }
    return st;
}

static enum fovea_status read_bounds(const struct fovea_node *node, struct bounds *b,
                                     struct fovea_error *err) {
    size_t n;
    enum fovea_status st =
        fovea_read_list(node, "starts", 1, b->starts, FOVEA_MAX_RANK, &b->n, err);
    if (!st) {
        st = fovea_read_list(node, "ends", 2, b->ends, FOVEA_MAX_RANK, &n, err);
    }
    if (!st) {
        st = expect_count(n, b->n, "ends", err);
    }
    if (!st) {
        st = read_axes(node, b, err);
    }
    return st ? st : read_steps(node, b, err);
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t;
    struct slice *p = node->priv;
    struct bounds b;
    struct fovea_tensor y = *x;
    enum fovea_status st = read_bounds(node, &b, err);
    if (st) {
        return st;
    }
    for (int i = 0; i < x->rank; i++) {
        p->start[i] = 0;
        p->step[i] = 1;
    }
    for (size_t i = 0; i < b.n; i++) {
        int axis = b.axes[i];
        p->start[axis] = b.starts[i];
        p->step[axis] = b.steps[i];
        y.dims[axis] = resolve_range(x->dims[axis], &p->start[axis], b.ends[i], &p->step[axis]);
    }
    return fovea_set_output(node, 0, x->dtype, x->rank, y.dims, err);
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct slice *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t, *y = &node->out[0]->t;
    size_t size = fovea_dtype_size(x->dtype);
    struct fovea_box box = {.rank = x->rank};
    int64_t first = 0;
    if (fovea_tensor_count(y) == 0) {
        return FOVEA_OK;
    }
    memcpy(box.dims, y->dims, sizeof(y->dims));
    fovea_value_strides(node->in[0], box.src);
    fovea_value_strides(node->out[0], box.dst);
    for (int i = 0; i < x->rank; i++) {
        first += p->start[i] * box.src[i];
        box.src[i] *= p->step[i];
    }
    fovea_copy_box(&box, size, (const unsigned char *)x->data + (size_t)first * size, y->data);
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs_1[] = {{"axes", FOVEA_ATTR_INTS, false},
                                                 {"ends", FOVEA_ATTR_INTS, true},
                                                 {"starts", FOVEA_ATTR_INTS, true},
                                                 {0}};

const struct fovea_op fovea_op_slice_1 = {
    .priv_size = sizeof(struct slice),
    .attrs = attrs_1,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .layout = FOVEA_LAYOUT_ANY,
    .bf16 = FOVEA_BF16_MOVES,
    .bf16_in = 1,
    .bf16_out = 1,
    .infer = infer,
    .run = run,
};

const struct fovea_op fovea_op_slice_10 = {
    .priv_size = sizeof(struct slice),
    .min_in = 3,
    .max_in = 5,
    .min_out = 1,
    .max_out = 1,
    .layout = FOVEA_LAYOUT_ANY,
    .value_inputs = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4,
    .bf16 = FOVEA_BF16_MOVES,
    .bf16_in = 1,
    .bf16_out = 1,
    .infer = infer,
    .run = run,
};
