/* Range: start, start + delta, ... up to but not including limit. */
#include "ops/each_type.h"
#include "ops/ops.h"
#include "runtime/limits.h"

#include <math.h>

static const char *const names[] = {"start", "limit", "delta"};

static enum fovea_status check_scalars(const struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *start = &node->in[0]->t;
    enum fovea_status st =
        fovea_expect_dtype(node, 0, FOVEA_DTYPES_NUMBER & ~FOVEA_DTYPE_BIT(FOVEA_U64), err);
    for (int i = 0; !st && i < 3; i++) {
        const struct fovea_tensor *t = &node->in[i]->t;
        if (t->dtype != start->dtype || fovea_tensor_count(t) != 1) {
            st = fovea_fail(err, FOVEA_ERR_INVALID, "%s is %s%s; it must be one %s", names[i],
                            fovea_dtype_name(t->dtype), fovea_shape_text(t).text,
                            fovea_dtype_name(start->dtype));
        }
    }
    return st;
}

/* "max( ceil( (limit - start) / delta ), 0 )", without overflow. */
static uint64_t count_ints(int64_t start, int64_t limit, int64_t delta) {
    if (delta > 0) {
        uint64_t span = (uint64_t)limit - (uint64_t)start;
        return limit > start ? (span - 1) / (uint64_t)delta + 1 : 0;
    }
    uint64_t span = (uint64_t)start - (uint64_t)limit;
    return limit < start ? (span - 1) / (0 - (uint64_t)delta) + 1 : 0;
}

static double count_floats(double start, double limit, double delta) {
    double count = ceil((limit - start) / delta);
    return count > 0 || isnan(count) ? count : 0;
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    enum fovea_status st = check_scalars(node, err);
    if (st) {
        return st;
    }
    const struct fovea_tensor *start = &node->in[0]->t, *limit = &node->in[1]->t;
    const struct fovea_tensor *delta = &node->in[2]->t;
    bool is_float = fovea_dtype_is_float(start->dtype);
    if (is_float ? fovea_tensor_get_float(delta, 0) == 0 : fovea_tensor_get_int(delta, 0) == 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "delta is 0");
    }
    double count =
        is_float
            ? count_floats(fovea_tensor_get_float(start, 0), fovea_tensor_get_float(limit, 0),
                           fovea_tensor_get_float(delta, 0))
            : (double)count_ints(fovea_tensor_get_int(start, 0), fovea_tensor_get_int(limit, 0),
                                 fovea_tensor_get_int(delta, 0));
    if (!(count <= (double)FOVEA_LIMIT_TENSOR_BYTES)) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "the range has %g elements, over 2^46", count);
    }
    return fovea_set_output(node, 0, start->dtype, 1, (int64_t[]){(int64_t)count}, err);
}

/* `wide` is the type of the arithmetic: unsigned for integers, so that it cannot overflow. */
#define FILL(name, type, wide)                                                                     \
    static void name(const void *start, const void *delta, void *out, int64_t count) {             \
        type first = *(const type *)start, step = *(const type *)delta;                            \
        for (int64_t i = 0; i < count; i++) {                                                      \
            ((type *)out)[i] = (type)((wide)first + (wide)i * (wide)step);                         \
        }                                                                                          \
    }
#define FILL_FLOAT(suffix, dtype, type) FILL(fill_##suffix, type, double)
#define FILL_INT(suffix, dtype, type) FILL(fill_##suffix, type, uint64_t)
FOVEA_EACH_FLOAT(FILL_FLOAT)
FOVEA_EACH_INT(FILL_INT)

#define ROW(suffix, dtype, type) [dtype] = fill_##suffix,
static void (*const fill_of[FOVEA_N_DTYPES])(const void *, const void *, void *,
                                             int64_t) = {FOVEA_EACH_FLOAT(ROW) FOVEA_EACH_INT(ROW)};

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct fovea_tensor *y = &node->out[0]->t;
    fill_of[y->dtype](node->in[0]->t.data, node->in[2]->t.data, y->data, y->dims[0]);
    return FOVEA_OK;
}

const struct fovea_op fovea_op_range = {
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .value_inputs = 1u << 0 | 1u << 1 | 1u << 2,
    .infer = infer,
    .run = run,
};
