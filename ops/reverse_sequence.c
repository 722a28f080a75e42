/* ReverseSequence: the first elements of each sequence of a batch, backwards. */
#include "ops/ops.h"

#include <string.h>

/* Axes 0 and 1, in either order. */
static enum fovea_status check_axes(const struct fovea_node *node, struct fovea_error *err) {
    int64_t batch = fovea_attr_int(node, "batch_axis", 1),
            time = fovea_attr_int(node, "time_axis", 0);
    if (batch < 0 || batch > 1 || time != 1 - batch) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "batch_axis %lld and time_axis %lld must be 0 and 1 or 1 and 0",
                          (long long)batch, (long long)time);
    }
    return FOVEA_OK;
}

static enum fovea_status check_lengths(const struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t, *lengths = &node->in[1]->t;
    int64_t time = x->dims[fovea_attr_int(node, "time_axis", 0)];
    for (int64_t i = 0; i < lengths->dims[0]; i++) {
        int64_t length = ((const int64_t *)lengths->data)[i];
        if (length < 0 || length > time) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "sequence %lld has length %lld; it must be 0 to %lld", (long long)i,
                              (long long)length, (long long)time);
        }
    }
    return FOVEA_OK;
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t, *lengths = &node->in[1]->t;
    enum fovea_status st = fovea_expect_rank(node, 0, 2, FOVEA_MAX_RANK, err);
    if (!st) {
        st = check_axes(node, err);
    }
    if (st) {
        return st;
    }
    int64_t batch = x->dims[fovea_attr_int(node, "batch_axis", 1)];
    if (lengths->dtype != FOVEA_I64 || lengths->rank != 1 || lengths->dims[0] != batch) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "sequence_lens is %s%s; it must be i64[%lld]",
                          fovea_dtype_name(lengths->dtype), fovea_shape_text(lengths).text,
                          (long long)batch);
    }
    if (node->in[1]->constant) {
        st = check_lengths(node, err);
    }
    return st ? st : fovea_set_output_like(node, 0, node->in[0], err);
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    const struct fovea_tensor *x = &node->in[0]->t;
    const int64_t *lengths = node->in[1]->t.data;
    bool time_first = fovea_attr_int(node, "time_axis", 0) == 0;
    size_t bytes = (size_t)fovea_dims_product(x, 2, x->rank) * fovea_dtype_size(x->dtype);
    enum fovea_status st = check_lengths(node, err);
    if (st || bytes == 0) {
        return st;
    }
    for (int64_t i = 0; i < x->dims[0] * x->dims[1]; i++) {
        int64_t row = i / x->dims[1], column = i % x->dims[1];
        int64_t time = time_first ? row : column, length = lengths[time_first ? column : row];
        int64_t source = time < length ? length - 1 - time : time;
        int64_t from = time_first ? source * x->dims[1] + column : row * x->dims[1] + source;
        memcpy((unsigned char *)node->out[0]->t.data + (size_t)i * bytes,
               (unsigned char *)x->data + (size_t)from * bytes, bytes);
    }
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs[] = {
    {"batch_axis", FOVEA_ATTR_INT, false}, {"time_axis", FOVEA_ATTR_INT, false}, {0}};

const struct fovea_op fovea_op_reverse_sequence = {
    .attrs = attrs,
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .run = run,
};
