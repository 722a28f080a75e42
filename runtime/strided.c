/* Strided views of values: see strided.h. */
#include "runtime/strided.h"

#include "runtime/match.h"

#include <string.h>

enum { MAX_DEPTH = 24 };

void fovea_strided_of(struct fovea_value *value, struct fovea_strided *out) {
    memset(out, 0, sizeof(*out));
    out->base = value;
    out->scale = 1;
    out->rank = value->t.rank;
    int64_t stride = 1;
    for (int i = value->t.rank - 1; i >= 0; i--) {
        out->dims[i] = value->t.dims[i];
        out->strides[i] = stride;
        stride *= value->t.dims[i];
    }
}

/* ---- reshaping -------------------------------------------------------------- */

static void drop_ones(struct fovea_strided *view) {
    int kept = 0;
    for (int i = 0; i < view->rank; i++) {
        if (view->dims[i] != 1) {
            view->dims[kept] = view->dims[i];
            view->strides[kept++] = view->strides[i];
        }
    }
    view->rank = kept;
}

/* Whether dimensions [from, to) of the view are one contiguous run over the last one's stride. */
static bool is_run(const struct fovea_strided *view, int from, int to) {
    for (int i = from; i + 1 < to; i++) {
        if (view->strides[i] != view->dims[i + 1] * view->strides[i + 1]) {
            return false;
        }
    }
    return true;
}

bool fovea_strided_reshape(struct fovea_strided *view, int rank, const int64_t *dims) {
    struct fovea_strided old = *view, made = *view;
    int next = 0; /* first old dimension not yet used */
    drop_ones(&old);
    made.rank = rank;
    for (int i = 0; i < rank;) {
        made.dims[i] = dims[i];
        made.strides[i] = 0;
        if (dims[i] == 1) {
            i++;
            continue;
        }
        /* Match new dimensions [i, to) with old ones [next, end) of the same product. */
        if (next == old.rank || dims[i] <= 0) {
            return false;
        }
        int to = i + 1, end = next + 1;
        int64_t product = dims[i], have = old.dims[next];
        while (product != have) {
            if (product < have && to < rank && dims[to] > 0) {
                product *= dims[to++];
            } else if (product > have && end < old.rank) {
                have *= old.dims[end++];
            } else {
                return false;
            }
        }
        if (!is_run(&old, next, end)) {
            return false;
        }
        int64_t stride = old.strides[end - 1];
        for (int j = to - 1; j >= i; j--) {
            made.dims[j] = dims[j];
            made.strides[j] = stride;
            stride *= dims[j];
        }
        i = to;
        next = end;
    }
    if (next != old.rank) {
        return false;
    }
    *view = made;
    return true;
}

/* ---- one producer: `view` is of its input 0 and becomes one of its output ------- */

typedef bool (*step_fn)(const struct fovea_node *node, int output, struct fovea_strided *view);

static bool step_reshape(const struct fovea_node *node, int output, struct fovea_strided *view) {
    const struct fovea_tensor *t = &node->out[output]->t;
    return fovea_strided_reshape(view, t->rank, t->dims);
}

static bool step_same(const struct fovea_node *node, int output, struct fovea_strided *view) {
    (void)node;
    (void)output;
    (void)view;
    return true;
}

static bool step_transpose(const struct fovea_node *node, int output, struct fovea_strided *view) {
    (void)output;
    size_t count;
    const int64_t *perm = fovea_attr_ints(node, "perm", &count);
    struct fovea_strided old = *view;
    for (int i = 0; i < view->rank; i++) {
        int64_t from = perm ? perm[i] : view->rank - 1 - i;
        view->dims[i] = old.dims[from];
        view->strides[i] = old.strides[from];
    }
    return true;
}

/* Axis `index` of a list operand (or all in order, if absent), as [0, rank). */
static int axis_at(const struct fovea_value *axes, int64_t index, int rank) {
    int64_t axis = axes ? fovea_tensor_get_int(&axes->t, index) : index;
    return (int)(axis < 0 ? axis + rank : axis);
}

static bool step_slice(const struct fovea_node *node, int output, struct fovea_strided *view) {
    const struct fovea_value *starts = fovea_node_input(node, 1);
    const struct fovea_value *axes = fovea_node_input(node, 3);
    const struct fovea_value *steps = fovea_node_input(node, 4);
    if (!starts || !starts->constant || (axes && !axes->constant) || (steps && !steps->constant)) {
        return false; /* the attribute form of opset < 10 is rare enough to copy */
    }
    for (int64_t i = 0; i < fovea_tensor_count(&starts->t); i++) {
        int axis = axis_at(axes, i, view->rank);
        int64_t start = fovea_tensor_get_int(&starts->t, i), dim = view->dims[axis];
        if (steps && fovea_tensor_get_int(&steps->t, i) != 1) {
            return false;
        }
        start = start < -dim ? 0 : (start < 0 ? start + dim : (start > dim ? dim : start));
        view->offset += start * view->strides[axis];
        view->dims[axis] = node->out[output]->t.dims[axis];
    }
    return true;
}

static bool step_split(const struct fovea_node *node, int output, struct fovea_strided *view) {
    int64_t axis = fovea_attr_int(node, "axis", 0);
    axis += axis < 0 ? view->rank : 0;
    for (int i = 0; i < output; i++) {
        if (!node->out[i]) {
            return false;
        }
        view->offset += node->out[i]->t.dims[axis] * view->strides[axis];
    }
    view->dims[axis] = node->out[output]->t.dims[axis];
    return true;
}

static bool step_gather(const struct fovea_node *node, int output, struct fovea_strided *view) {
    (void)output;
    const struct fovea_value *indices = node->in[1];
    bool one = indices->t.rank == 1 && indices->t.dims[0] == 1;
    if (!indices->constant || (indices->t.rank != 0 && !one)) {
        return false;
    }
    int64_t axis = fovea_attr_int(node, "axis", 0), index = fovea_tensor_get_int(&indices->t, 0);
    axis += axis < 0 ? view->rank : 0;
    index += index < 0 ? view->dims[axis] : 0;
    view->offset += index * view->strides[axis];
    if (one) { /* a list of one: the axis stays */
        view->dims[axis] = 1;
        return true;
    }
    for (int64_t i = axis; i + 1 < view->rank; i++) {
        view->dims[i] = view->dims[i + 1];
        view->strides[i] = view->strides[i + 1];
    }
    view->rank--;
    return true;
}

static bool step_expand(const struct fovea_node *node, int output, struct fovea_strided *view) {
    const struct fovea_tensor *t = &node->out[output]->t;
    struct fovea_strided old = *view;
    for (int i = 0; i < t->rank; i++) {
        int from = i - (t->rank - old.rank);
        bool kept = from >= 0 && old.dims[from] == t->dims[i];
        view->dims[i] = t->dims[i];
        view->strides[i] = kept ? old.strides[from] : 0;
    }
    view->rank = t->rank;
    return true;
}

static bool step_scale(const struct fovea_node *node, int output, struct fovea_strided *view) {
    (void)output;
    double scalar;
    int other;
    bool divides = fovea_node_is(node, "Div");
    if (!fovea_node_scalar_operand(node, &scalar, &other) || (divides && other != 0)) {
        return false;
    }
    view->scale *= divides ? 1 / scalar : scalar;
    return true;
}

static const struct {
    const char *type;
    step_fn step;
} steps[] = {
    {"Div", step_scale},       {"Expand", step_expand},       {"Flatten", step_reshape},
    {"Gather", step_gather},   {"Identity", step_same},       {"Mul", step_scale},
    {"Reshape", step_reshape}, {"Slice", step_slice},         {"Split", step_split},
    {"Squeeze", step_reshape}, {"Transpose", step_transpose}, {"Unsqueeze", step_reshape},
};

static step_fn find_step(const struct fovea_node *node) {
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (fovea_node_is(node, steps[i].type)) {
            return steps[i].step;
        }
    }
    return NULL;
}

/* The input that `node` is a view of: a scaled one may be either operand. */
static int viewed_input(const struct fovea_node *node, step_fn step) {
    double scalar;
    int other;
    return step == step_scale && fovea_node_scalar_operand(node, &scalar, &other) ? other : 0;
}

static void trace(struct fovea_value *value, int depth, struct fovea_strided *out) {
    struct fovea_node *node = value->producer;
    step_fn step = node && depth > 0 && value->t.dtype == FOVEA_F32 ? find_step(node) : NULL;
    if (step) {
        struct fovea_value *input = node->in[viewed_input(node, step)];
        trace(input, depth - 1, out);
        if (out->base->t.dtype == FOVEA_F32 && step(node, value->producer_index, out)) {
            return;
        }
    }
    fovea_strided_of(value, out);
}

void fovea_strided_trace(struct fovea_value *value, struct fovea_strided *out) {
    trace(value, MAX_DEPTH, out);
}
