/* CumSum: running sums along an axis, forwards or backwards. Integers wrap around. */
#include "ops/each_type.h"
#include "ops/ops.h"

struct sums {
    int64_t outer, count, inner;
    bool exclusive, reverse;
    const void *src;
    void *dst;
};

/* `wide` is the type of the additions: unsigned for integers, so that they cannot overflow. */
#define SUM(name, type, wide)                                                                      \
    static void name(const struct sums *s) {                                                       \
        int64_t block = s->count * s->inner, step = s->reverse ? -s->inner : s->inner;             \
        for (int64_t i = 0; i < s->outer * s->inner; i++) {                                        \
            int64_t at = i / s->inner * block + i % s->inner;                                      \
            at += s->reverse ? block - s->inner : 0;                                               \
            wide sum = 0;                                                                          \
            for (int64_t n = 0; n < s->count; n++, at += step) {                                   \
                wide before = sum;                                                                 \
                sum = sum + (wide)((const type *)s->src)[at];                                      \
                ((type *)s->dst)[at] = (type)(s->exclusive ? before : sum);                        \
            }                                                                                      \
        }                                                                                          \
    }
#define SUM_FLOAT(suffix, dtype, type) SUM(sum_##suffix, type, type)
#define SUM_INT(suffix, dtype, type) SUM(sum_##suffix, type, uint64_t)
FOVEA_EACH_FLOAT(SUM_FLOAT)
FOVEA_EACH_INT(SUM_INT)

#define ROW(suffix, dtype, type) [dtype] = sum_##suffix,
static void (*const sums_of[FOVEA_N_DTYPES])(const struct sums *) = {FOVEA_EACH_FLOAT(ROW)
                                                                         FOVEA_EACH_INT(ROW)};

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *axis = &node->in[1]->t;
    int resolved;
    enum fovea_status st = fovea_expect_dtype(node, 0, FOVEA_DTYPES_NUMBER, err);
    if (st) {
        return st;
    }
    bool is_int = axis->dtype == FOVEA_I32 || axis->dtype == FOVEA_I64;
    if (!is_int || fovea_tensor_count(axis) != 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "axis is %s%s; it must be one i32 or i64",
                          fovea_dtype_name(axis->dtype), fovea_shape_text(axis).text);
    }
    if (node->in[1]->constant) {
        st = fovea_resolve_axis(fovea_tensor_get_int(axis, 0), node->in[0]->t.rank, &resolved, err);
    }
    return st ? st : fovea_set_output_like(node, 0, node->in[0], err);
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    const struct fovea_tensor *x = &node->in[0]->t;
    int axis;
    enum fovea_status st =
        fovea_resolve_axis(fovea_tensor_get_int(&node->in[1]->t, 0), x->rank, &axis, err);
    if (st) {
        return st;
    }
    struct sums sums = {
        .outer = fovea_dims_product(x, 0, axis),
        .count = x->dims[axis],
        .inner = fovea_dims_product(x, axis + 1, x->rank),
        .exclusive = fovea_attr_int(node, "exclusive", 0) != 0,
        .reverse = fovea_attr_int(node, "reverse", 0) != 0,
        .src = x->data,
        .dst = node->out[0]->t.data,
    };
    sums_of[x->dtype](&sums);
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs[] = {
    {"exclusive", FOVEA_ATTR_INT, false}, {"reverse", FOVEA_ATTR_INT, false}, {0}};

const struct fovea_op fovea_op_cumsum = {
    .attrs = attrs,
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .run = run,
};
