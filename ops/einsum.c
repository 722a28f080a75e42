/*
 * Einsum. Two f32 operands whose labels are those of a batched matrix product
 * go to oneDNN, in place where their strides allow it and through a permuted
 * copy where not. Anything else is summed by a plain loop (einsum_loop.c).
 */
#include "ops/ops.h"

#include "ops/einsum_loop.h"
#include "ops/einsum_parse.h"
#include "runtime/dnn.h"

#include <string.h>

/* The parts of a matrix product, and what is copied for it. */
enum { A, B, Y, N_MATRICES };

struct einsum {
    struct einsum_equation equation;
    int64_t strides[EINSUM_MAX_INPUTS][EINSUM_MAX_LABELS]; /* 0 where the operand lacks a label */
    struct fovea_prim *product;                            /* NULL: the plain loop */
    struct fovea_prim *copies[N_MATRICES];                 /* NULL: the operand is used as it is */
    size_t copy_at[N_MATRICES];                            /* in scratch memory */
};

static const struct fovea_attr_spec attrs[] = {
    {"equation", FOVEA_ATTR_STRING, true},
    {0},
};

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    struct einsum *einsum = node->priv;
    struct einsum_equation e;
    unsigned types = FOVEA_DTYPE_BIT(FOVEA_F32) | FOVEA_DTYPE_BIT(FOVEA_F64) |
                     FOVEA_DTYPE_BIT(FOVEA_I32) | FOVEA_DTYPE_BIT(FOVEA_U32) |
                     FOVEA_DTYPE_BIT(FOVEA_I64) | FOVEA_DTYPE_BIT(FOVEA_U64);
    for (int i = 0; i < node->n_in; i++) {
        if (!node->in[i]) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "input %d is missing", i);
        }
        enum fovea_status st = fovea_expect_dtype(
            node, i, i == 0 ? types : FOVEA_DTYPE_BIT(node->in[0]->t.dtype), err);
        if (st) {
            return st;
        }
    }
    enum fovea_status st = einsum_parse(node, &e, err);
    if (st) {
        return st;
    }
    memset(einsum->strides, 0, sizeof(einsum->strides));
    for (int i = 0; i < e.n_in; i++) {
        int64_t stride = 1;
        for (int d = e.rank[i] - 1; d >= 0; d--) {
            int64_t dim = node->in[i]->t.dims[d];
            /* A label that occurs twice walks the diagonal. */
            einsum->strides[i][e.labels[i][d]] += dim == 1 ? 0 : stride;
            stride *= dim;
        }
    }
    einsum->equation = e;
    return fovea_set_output(node, 0, node->in[0]->t.dtype, e.out_rank, e.size, err);
}

/* ---- as a matrix product ------------------------------------------------- */

/* Labels of the batch, the rows of a, the columns of b, and the inner dimension. */
enum { BATCH, ROWS, COLUMNS, INNER, N_ROLES };
static const int roles_of[N_MATRICES][2] = {{ROWS, INNER}, {INNER, COLUMNS}, {ROWS, COLUMNS}};

struct plan {
    int count[N_ROLES];
    int labels[N_ROLES][FOVEA_MAX_RANK];
    int64_t strides[N_MATRICES][EINSUM_MAX_LABELS];
};

static bool has_label(const struct einsum_equation *e, int input, int label) {
    for (int d = 0; d < e->rank[input]; d++) {
        if (e->labels[input][d] == label) {
            return true;
        }
    }
    return false;
}

/* Whether the operands fill their labels: none twice, none broadcast. */
static bool is_plain_operand(const struct fovea_node *node, const struct einsum_equation *e,
                             int input) {
    for (int d = 0; d < e->rank[input]; d++) {
        int label = e->labels[input][d];
        if (node->in[input]->t.dims[d] != e->size[label]) {
            return false;
        }
        for (int other = 0; other < d; other++) {
            if (e->labels[input][other] == label) {
                return false;
            }
        }
    }
    return true;
}

/* Sort labels into roles; false if this is not a batched matrix product. */
static bool make_plan(const struct fovea_node *node, const struct einsum *einsum,
                      struct plan *plan) {
    const struct einsum_equation *e = &einsum->equation;
    memset(plan, 0, sizeof(*plan));
    if (e->n_in != 2 || node->in[0]->t.dtype != FOVEA_F32 || !is_plain_operand(node, e, A) ||
        !is_plain_operand(node, e, B)) {
        return false;
    }
    for (int label = 0; label < e->n_labels; label++) {
        bool in_a = has_label(e, A, label), in_b = has_label(e, B, label);
        bool in_y = label < e->out_rank;
        if (!in_y && !(in_a && in_b)) {
            return false;
        }
        int role = !in_y ? INNER : in_a && in_b ? BATCH : in_a ? ROWS : COLUMNS;
        plan->labels[role][plan->count[role]++] = label;
    }
    memcpy(plan->strides[A], einsum->strides[A], sizeof(plan->strides[A]));
    memcpy(plan->strides[B], einsum->strides[B], sizeof(plan->strides[B]));
    int64_t stride = 1;
    for (int d = e->out_rank - 1; d >= 0; d--) {
        plan->strides[Y][d] = stride;
        stride *= e->size[d];
    }
    return plan->count[BATCH] <= 4;
}

/* The labels of one role as a single dimension; false if memory does not run through them. */
static bool collapse(const struct einsum_equation *e, const int64_t *strides, const int *labels,
                     int count, int64_t *size, int64_t *stride) {
    *size = 1;
    *stride = 1;
    for (int i = count - 1; i >= 0; i--) {
        int64_t dim = e->size[labels[i]], step = strides[labels[i]];
        if (dim == 1) {
            continue;
        }
        if (*size != 1 && step != *size * *stride) {
            return false;
        }
        *stride = *size == 1 ? step : *stride;
        *size *= dim;
    }
    return true;
}

/* Matrix `which` as a view; false if it must be copied first. */
static bool view_in_place(const struct einsum_equation *e, const struct plan *plan, int which,
                          struct fovea_dnn_view *view) {
    int nb = plan->count[BATCH];
    const int64_t *strides = plan->strides[which];
    view->dtype = FOVEA_F32;
    view->rank = nb + 2;
    for (int i = 0; i < nb; i++) {
        view->dims[i] = e->size[plan->labels[BATCH][i]];
        view->strides[i] = strides[plan->labels[BATCH][i]];
    }
    bool unit = false;
    for (int i = 0; i < 2; i++) {
        int role = roles_of[which][i];
        if (!collapse(e, strides, plan->labels[role], plan->count[role], &view->dims[nb + i],
                      &view->strides[nb + i])) {
            return false;
        }
        unit = unit || (view->dims[nb + i] > 1 && view->strides[nb + i] == 1);
    }
    return unit || (view->dims[nb] == 1 && view->dims[nb + 1] == 1);
}

/* Views of the operand as it is and of its copy, label by label in the matrix's order. */
static void copy_views(const struct einsum_equation *e, const struct plan *plan, int which,
                       struct fovea_dnn_view *own, struct fovea_dnn_view *copy) {
    int roles[3] = {BATCH, roles_of[which][0], roles_of[which][1]}, rank = 0;
    for (int r = 0; r < 3; r++) {
        for (int i = 0; i < plan->count[roles[r]]; i++) {
            int label = plan->labels[roles[r]][i];
            own->dims[rank] = copy->dims[rank] = e->size[label];
            own->strides[rank++] = plan->strides[which][label];
        }
    }
    own->dtype = copy->dtype = FOVEA_F32;
    own->rank = copy->rank = rank;
    int64_t stride = 1;
    for (int d = rank - 1; d >= 0; d--) {
        copy->strides[d] = stride;
        stride *= copy->dims[d];
    }
}

static void dense_strides(struct fovea_dnn_view *view) {
    int64_t stride = 1;
    for (int d = view->rank - 1; d >= 0; d--) {
        view->strides[d] = stride;
        stride *= view->dims[d];
    }
}

static int64_t role_size(const struct einsum_equation *e, const struct plan *plan, int role) {
    int64_t size = 1;
    for (int i = 0; i < plan->count[role]; i++) {
        size *= e->size[plan->labels[role][i]];
    }
    return size;
}

/* Set `view` for the product, and make a copy primitive if the operand needs one. */
static enum fovea_status place(struct einsum *einsum, const struct plan *plan, int which,
                               struct fovea_dnn *dnn, struct fovea_dnn_view *view, size_t *bytes,
                               struct fovea_error *err) {
    const struct einsum_equation *e = &einsum->equation;
    struct fovea_dnn_view own, copy;
    if (view_in_place(e, plan, which, view)) {
        return FOVEA_OK;
    }
    copy_views(e, plan, which, &own, &copy);
    int nb = plan->count[BATCH];
    int64_t count = 1;
    for (int i = 0; i < 2; i++) {
        view->dims[nb + i] = role_size(e, plan, roles_of[which][i]);
    }
    dense_strides(view);
    for (int d = 0; d < view->rank; d++) {
        count *= view->dims[d];
    }
    einsum->copy_at[which] = *bytes;
    *bytes +=
        ((size_t)count * sizeof(float) + FOVEA_ALIGNMENT - 1) / FOVEA_ALIGNMENT * FOVEA_ALIGNMENT;
    return fovea_dnn_reorder(dnn, which == Y ? &copy : &own, which == Y ? &own : &copy,
                             &einsum->copies[which], err);
}

static enum fovea_status prepare(struct fovea_node *node, struct fovea_engine *engine,
                                 struct fovea_error *err) {
    struct einsum *einsum = node->priv;
    struct plan plan;
    struct fovea_dnn_matmul desc = {.scale = 1};
    struct fovea_dnn_view *views[N_MATRICES] = {&desc.src, &desc.weights, &desc.dst};
    size_t bytes = 0;
    if (!make_plan(node, einsum, &plan)) {
        return FOVEA_OK;
    }
    for (int which = A; which < N_MATRICES; which++) {
        enum fovea_status st = place(einsum, &plan, which, engine->dnn, views[which], &bytes, err);
        if (st) {
            return st;
        }
    }
    enum fovea_status st = fovea_dnn_matmul(engine->dnn, &desc, &einsum->product, err);
    if (st) {
        return st;
    }
    /* The primitives run one after another: they share what lies behind the copies. */
    size_t most = fovea_prim_scratch_bytes(einsum->product);
    for (int which = A; which < N_MATRICES; which++) {
        size_t own = einsum->copies[which] ? fovea_prim_scratch_bytes(einsum->copies[which]) : 0;
        most = own > most ? own : most;
    }
    einsum->copy_at[A] += most;
    einsum->copy_at[B] += most;
    einsum->copy_at[Y] += most;
    node->scratch_bytes = bytes + most;
    return FOVEA_OK;
}

static enum fovea_status run_product(const struct fovea_node *node, const struct einsum *einsum,
                                     char *scratch, struct fovea_error *err) {
    const void *in[2] = {node->in[A]->t.data, node->in[B]->t.data};
    void *y = node->out[0]->t.data;
    for (int which = A; which < Y; which++) {
        if (!einsum->copies[which]) {
            continue;
        }
        struct fovea_prim_args args = {
            .src = in[which], .dst = scratch + einsum->copy_at[which], .scratch = scratch};
        enum fovea_status st = fovea_prim_run(einsum->copies[which], &args, err);
        if (st) {
            return st;
        }
        in[which] = args.dst;
    }
    struct fovea_prim_args args = {.src = in[A], .weights = in[B], .scratch = scratch};
    args.dst = einsum->copies[Y] ? scratch + einsum->copy_at[Y] : y;
    enum fovea_status st = fovea_prim_run(einsum->product, &args, err);
    if (st || !einsum->copies[Y]) {
        return st;
    }
    struct fovea_prim_args back = {.src = args.dst, .dst = y, .scratch = scratch};
    return fovea_prim_run(einsum->copies[Y], &back, err);
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    const struct einsum *einsum = node->priv;
    if (einsum->product) {
        return run_product(node, einsum, run->scratch, err);
    }
    einsum_sum(node, &einsum->equation, einsum->strides);
    return FOVEA_OK;
}

static void release(struct fovea_node *node) {
    struct einsum *einsum = node->priv;
    fovea_prim_destroy(einsum->product);
    einsum->product = NULL;
    for (int i = 0; i < N_MATRICES; i++) {
        fovea_prim_destroy(einsum->copies[i]);
        einsum->copies[i] = NULL;
    }
}

/* Of two operands, however they are summed: a product for every combination of labels. */
static int64_t macs(const struct fovea_node *node) {
    const struct einsum *einsum = node->priv;
    const struct einsum_equation *e = &einsum->equation;
    int64_t count = e->n_in == 2 ? 1 : 0;
    for (int i = 0; i < e->n_labels; i++) {
        count = fovea_count_product(count, e->size[i]);
    }
    return count;
}

static const char *implementation(const struct fovea_node *node) {
    const struct einsum *einsum = node->priv;
    return einsum->product ? fovea_prim_implementation(einsum->product) : NULL;
}

const struct fovea_op fovea_op_einsum = {
    .priv_size = sizeof(struct einsum),
    .attrs = attrs,
    .min_in = 1,
    .max_in = FOVEA_VARIADIC,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .prepare = prepare,
    .run = run,
    .release = release,
    .macs = macs,
    .implementation = implementation,
};
