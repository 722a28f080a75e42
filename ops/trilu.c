/* Trilu: the upper or lower triangle of matrices, with zeros elsewhere. */
#include "ops/ops.h"
#include "runtime/parallel.h"

#include <string.h>

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_value *k = fovea_node_input(node, 1);
    enum fovea_status st = fovea_expect_rank(node, 0, 2, FOVEA_MAX_RANK, err);
    if (st) {
        return st;
    }
    if (k && (k->t.dtype != FOVEA_I64 || fovea_tensor_count(&k->t) != 1)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "k is %s%s; it must be one i64",
                          fovea_dtype_name(k->t.dtype), fovea_shape_text(&k->t).text);
    }
    return fovea_set_output_like(node, 0, node->in[0], err);
}

struct rows {
    const struct fovea_tensor *x;
    unsigned char *y;
    bool upper;
    int64_t k; /* the diagonal, within the matrix or one beyond it */
};

static int64_t clamp(int64_t value, int64_t low, int64_t high) {
    return value < low ? low : value > high ? high : value;
}

static void triangle_rows(void *context, int64_t begin, int64_t end, int thread) {
    const struct rows *r = context;
    size_t size = fovea_dtype_size(r->x->dtype);
    int64_t height = r->x->dims[r->x->rank - 2], width = r->x->dims[r->x->rank - 1];
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        int64_t row = i % height;
        int64_t first = r->upper ? clamp(row + r->k, 0, width) : 0;
        int64_t last = r->upper ? width : clamp(row + r->k + 1, 0, width);
        size_t at = (size_t)(i * width) * size, skip = (size_t)first * size;
        memset(r->y + at, 0, (size_t)width * size);
        memcpy(r->y + at + skip, (unsigned char *)r->x->data + at + skip,
               (size_t)(last - first) * size);
    }
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct fovea_tensor *x = &node->in[0]->t;
    const struct fovea_value *k = fovea_node_input(node, 1);
    if (fovea_tensor_count(x) == 0) {
        return FOVEA_OK;
    }
    int64_t height = x->dims[x->rank - 2], width = x->dims[x->rank - 1];
    struct rows rows = {
        .x = x,
        .y = node->out[0]->t.data,
        .upper = fovea_attr_int(node, "upper", 1) != 0,
        .k = k ? clamp(fovea_tensor_get_int(&k->t, 0), -height - 1, width + 1) : 0,
    };
    fovea_parallel_for(fovea_tensor_count(x) / width, 1 + 16384 / width, triangle_rows, &rows);
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs[] = {{"upper", FOVEA_ATTR_INT, false}, {0}};

const struct fovea_op fovea_op_trilu = {
    .attrs = attrs,
    .min_in = 1,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .run = run,
};
