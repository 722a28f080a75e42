/*
 * Softmax, LogSoftmax and Hardmax along one axis.
 *
 * Opset 13 changed what `axis` means. Both meanings come down to one
 * computation on a view [outer, n, inner], normalised over n, so the two
 * operators of each type differ only in the view that infer forms.
 */
#include "ops/math_f32.h"
#include "ops/ops.h"
#include "runtime/parallel.h"
#include "runtime/portability.h"

#include <math.h>

#define STRIP 64

/* Elements that are worth a thread of their own. */
#define GRAIN 8192

enum softmax_kind {
    SOFTMAX_PLAIN,
    SOFTMAX_LOG,
    SOFTMAX_HARD,
};

struct softmax {
    enum softmax_kind kind;
    int64_t outer, n, inner;
};

struct softmax_job {
    const struct softmax *p;
    const void *x;
    void *y;
};

#define T float
#define FN(name) name##_f32
#define EXP f32_exp_negative
#define LOG logf
#define SUM float
#include "ops/softmax.inc"

#define T double
#define FN(name) name##_f64
#define EXP exp
#define LOG log
#define SUM double
#include "ops/softmax.inc"

static enum fovea_status infer_common(struct fovea_node *node, enum softmax_kind kind,
                                      int64_t default_axis, int *axis, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t;
    struct softmax *p = node->priv;
    p->kind = kind;
    enum fovea_status st = fovea_expect_dtype(node, 0, FOVEA_DTYPES_FLOAT, err);
    if (!st) {
        st = fovea_resolve_axis(fovea_attr_int(node, "axis", default_axis), x->rank, axis, err);
    }
    return st ? st : fovea_set_output_like(node, 0, node->in[0], err);
}

static enum fovea_status infer_kind(struct fovea_node *node, enum softmax_kind kind,
                                    struct fovea_error *err) {
    int axis;
    enum fovea_status st = infer_common(node, kind, -1, &axis, err);
    if (st) {
        return st;
    }
    const struct fovea_tensor *x = &node->in[0]->t;
    struct softmax *p = node->priv;
    p->outer = fovea_dims_product(x, 0, axis);
    p->n = x->dims[axis];
    p->inner = fovea_dims_product(x, axis + 1, x->rank);
    return FOVEA_OK;
}

/*
 * Until opset 12, "input will be coerced into a 2-dimensional tensor": the axes
 * before `axis` are its rows, and a row is normalised as a whole.
 */
static enum fovea_status infer_flat_kind(struct fovea_node *node, enum softmax_kind kind,
                                         struct fovea_error *err) {
    int axis;
    enum fovea_status st = infer_common(node, kind, 1, &axis, err);
    if (st) {
        return st;
    }
    const struct fovea_tensor *x = &node->in[0]->t;
    struct softmax *p = node->priv;
    p->outer = fovea_dims_product(x, 0, axis);
    p->n = fovea_dims_product(x, axis, x->rank);
    p->inner = 1;
    return FOVEA_OK;
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    return infer_kind(node, SOFTMAX_PLAIN, err);
}

static enum fovea_status infer_log(struct fovea_node *node, struct fovea_error *err) {
    return infer_kind(node, SOFTMAX_LOG, err);
}

static enum fovea_status infer_hard(struct fovea_node *node, struct fovea_error *err) {
    return infer_kind(node, SOFTMAX_HARD, err);
}

static enum fovea_status infer_flat(struct fovea_node *node, struct fovea_error *err) {
    return infer_flat_kind(node, SOFTMAX_PLAIN, err);
}

static enum fovea_status infer_log_flat(struct fovea_node *node, struct fovea_error *err) {
    return infer_flat_kind(node, SOFTMAX_LOG, err);
}

static enum fovea_status infer_hard_flat(struct fovea_node *node, struct fovea_error *err) {
    return infer_flat_kind(node, SOFTMAX_HARD, err);
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct softmax *p = node->priv;
    struct softmax_job job = {.p = p, .x = node->in[0]->t.data, .y = node->out[0]->t.data};
    int64_t each = p->n * p->inner;
    if (each > 0) {
        fovea_parallel_for(p->outer, GRAIN / each + 1,
                           node->in[0]->t.dtype == FOVEA_F64 ? outer_f64 : outer_f32, &job);
    }
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs[] = {
    {"axis", FOVEA_ATTR_INT, false},
    {0},
};

/* What the six operators have in common. */
#define SOFTMAX_OP(infer_fn)                                                                       \
    {                                                                                              \
        .priv_size = sizeof(struct softmax), .attrs = attrs, .min_in = 1, .max_in = 1,             \
        .min_out = 1, .max_out = 1, .flags = FOVEA_OP_IN_PLACE, .layout = FOVEA_LAYOUT_PLAIN_ONLY, \
        .infer = (infer_fn), .run = run,                                                           \
    }

const struct fovea_op fovea_op_softmax = SOFTMAX_OP(infer);
const struct fovea_op fovea_op_softmax_flat = SOFTMAX_OP(infer_flat);
const struct fovea_op fovea_op_log_softmax = SOFTMAX_OP(infer_log);
const struct fovea_op fovea_op_log_softmax_flat = SOFTMAX_OP(infer_log_flat);
const struct fovea_op fovea_op_hardmax = SOFTMAX_OP(infer_hard);
const struct fovea_op fovea_op_hardmax_flat = SOFTMAX_OP(infer_hard_flat);
