/*
 * The arithmetic of Resize: one pass over the data for each axis that changes.
 * A pass sees the tensor as [outer, in, inner] and makes [outer, out, inner].
 */
#include "ops/resize.h"
#include "runtime/parallel.h"

#include <string.h>

struct pass {
    const struct fovea_resize_table *table;
    int64_t in, out, inner;
    size_t size;
    const unsigned char *src;
    unsigned char *dst;
    unsigned char outside[8]; /* the extrapolation value as an element */
};

/* ---- passes; items are (outer, output coordinate) pairs ----------------- */

static void fill_row(const struct pass *p, unsigned char *to) {
    for (int64_t j = 0; j < p->inner; j++) {
        memcpy(to + (size_t)j * p->size, p->outside, p->size);
    }
}

static void copy_rows(void *context, int64_t begin, int64_t end, int thread) {
    const struct pass *p = context;
    size_t bytes = (size_t)p->inner * p->size;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        int64_t o = i % p->out, row = i / p->out * p->in + p->table->first[o];
        if (p->table->count[o] == 0) {
            fill_row(p, p->dst + (size_t)i * bytes);
        } else {
            memcpy(p->dst + (size_t)i * bytes, p->src + (size_t)row * bytes, bytes);
        }
    }
}

/* Weighted sums of rows of one floating type. */
#define WEIGH_ROWS(name, type)                                                                     \
    static void name(void *context, int64_t begin, int64_t end, int thread) {                      \
        const struct pass *p = context;                                                            \
        int64_t inner = p->inner;                                                                  \
        (void)thread;                                                                              \
        for (int64_t i = begin; i < end; i++) {                                                    \
            int64_t o = i % p->out, first = p->table->first[o], count = p->table->count[o];        \
            const double *weights = p->table->weights + o * p->table->taps;                        \
            const type *src = (const type *)p->src + (i / p->out * p->in + first) * inner;         \
            type *dst = (type *)p->dst + i * inner;                                                \
            if (count == 0) {                                                                      \
                fill_row(p, (unsigned char *)dst);                                                 \
                continue;                                                                          \
            }                                                                                      \
            for (int64_t j = 0; j < inner; j++) {                                                  \
                dst[j] = (type)weights[0] * src[j];                                                \
            }                                                                                      \
            for (int64_t k = 1; k < count; k++) {                                                  \
                type weight = (type)weights[k];                                                    \
                for (int64_t j = 0; j < inner; j++) {                                              \
                    dst[j] += weight * src[k * inner + j];                                         \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }
WEIGH_ROWS(weigh_rows_f32, float)
WEIGH_ROWS(weigh_rows_f64, double)
#undef WEIGH_ROWS

static fovea_parallel_fn pass_of(const struct fovea_resize *p, enum fovea_dtype dtype) {
    if (p->rule.mode == FOVEA_RESIZE_NEAREST) {
        return copy_rows;
    }
    return dtype == FOVEA_F64 ? weigh_rows_f64 : weigh_rows_f32;
}

/* ---- the phases --------------------------------------------------------- */

enum fovea_status fovea_resize_prepare(struct fovea_node *node, struct fovea_engine *engine,
                                       struct fovea_error *err) {
    struct fovea_resize *p = node->priv;
    struct fovea_tensor t = node->in[0]->t;
    (void)engine;
    p->n_passes = 0;
    p->buffer = 0;
    if (fovea_tensor_count(&node->out[0]->t) == 0) {
        return FOVEA_OK;
    }
    for (int i = t.rank - 1; i >= 0; i--) {
        if (fovea_resize_is_identity(&p->rule, &p->axes[i])) {
            continue;
        }
        enum fovea_status st = fovea_resize_table_init(&p->tables[i], &p->rule, &p->axes[i], err);
        if (st) {
            return st;
        }
        t.dims[i] = p->axes[i].out;
        p->order[p->n_passes++] = i;
        /* Each pass but the last ends in a buffer; infer checked that they are not too large. */
        size_t bytes = fovea_tensor_bytes(&t);
        p->buffer = bytes > p->buffer ? bytes : p->buffer;
    }
    p->buffer = (p->buffer + FOVEA_ALIGNMENT - 1) / FOVEA_ALIGNMENT * FOVEA_ALIGNMENT;
    node->scratch_bytes = p->n_passes > 1 ? 2 * p->buffer : 0;
    return FOVEA_OK;
}

enum fovea_status fovea_resize_run(const struct fovea_node *node, const struct fovea_run *run,
                                   struct fovea_error *err) {
    const struct fovea_resize *p = node->priv;
    struct fovea_tensor t = node->in[0]->t;
    const struct fovea_tensor *y = &node->out[0]->t;
    struct pass pass = {.size = fovea_dtype_size(t.dtype)};
    (void)err;
    fovea_convert(FOVEA_F32, &p->extrapolation, t.dtype, pass.outside, 1);
    if (p->n_passes == 0 && fovea_tensor_bytes(y) > 0) {
        memcpy(y->data, t.data, fovea_tensor_bytes(y));
    }
    for (int i = 0; i < p->n_passes; i++) {
        int axis = p->order[i];
        pass.table = &p->tables[axis];
        pass.in = p->axes[axis].in;
        pass.out = p->axes[axis].out;
        pass.inner = fovea_dims_product(&t, axis + 1, t.rank);
        pass.src = t.data;
        pass.dst =
            i + 1 == p->n_passes ? y->data : (char *)run->scratch + (size_t)(i % 2) * p->buffer;
        int64_t items = fovea_dims_product(&t, 0, axis) * pass.out;
        fovea_parallel_for(items, 1 + 4096 / pass.inner, pass_of(p, t.dtype), &pass);
        t.dims[axis] = pass.out;
        t.data = pass.dst;
    }
    return FOVEA_OK;
}

void fovea_resize_release(struct fovea_node *node) {
    struct fovea_resize *p = node->priv;
    for (int i = 0; i < FOVEA_MAX_RANK; i++) {
        fovea_resize_table_finish(&p->tables[i]);
    }
}
