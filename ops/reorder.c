/*
 * fovea.Reorder: the same image in another memory layout. Passes put it where
 * plain and channels-last values meet, and have it convert between f32 and bf16
 * on the way: the elements are moved in the smaller type.
 */
#include "ops/copy.h"
#include "ops/ops.h"

#include "runtime/dnn.h"
#include "runtime/parallel.h"

#include <string.h>

/* Elements that are worth a thread of their own. */
#define CONVERT_GRAIN 65536

struct reorder {
    struct fovea_prim *prim; /* NULL: the layouts are the same, or elements are not f32 */
};

static bool converts(const struct fovea_node *node) {
    return node->in[0]->t.dtype != node->out[0]->t.dtype;
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    return fovea_set_output_like(node, 0, node->in[0], err);
}

static enum fovea_status prepare(struct fovea_node *node, struct fovea_engine *engine,
                                 struct fovea_error *err) {
    struct reorder *reorder = node->priv;
    struct fovea_dnn_view src, dst;
    if (converts(node)) {
        node->scratch_bytes = (size_t)fovea_tensor_count(&node->out[0]->t) * sizeof(uint16_t);
        return FOVEA_OK;
    }
    if (node->in[0]->layout == node->out[0]->layout || node->in[0]->t.dtype != FOVEA_F32) {
        return FOVEA_OK;
    }
    fovea_dnn_view_of(node->in[0], &src);
    fovea_dnn_view_of(node->out[0], &dst);
    enum fovea_status st = fovea_dnn_reorder(engine->dnn, &src, &dst, &reorder->prim, err);
    if (!st) {
        node->scratch_bytes = fovea_prim_scratch_bytes(reorder->prim);
    }
    return st;
}

/* bf16, and masks and integers beside images. */
static void reorder_elements(const struct fovea_value *from, const struct fovea_value *to,
                             size_t size, const void *src, void *dst) {
    struct fovea_box box = {.rank = to->t.rank};
    memcpy(box.dims, to->t.dims, sizeof(to->t.dims));
    fovea_value_strides(from, box.src);
    fovea_value_strides(to, box.dst);
    fovea_copy_box(&box, size, src, dst);
}

struct conversion {
    const unsigned char *src;
    unsigned char *dst;
    enum fovea_dtype from, to;
};

static void convert_range(void *context, int64_t begin, int64_t end, int thread) {
    const struct conversion *c = context;
    (void)thread;
    fovea_convert(c->from, c->src + (size_t)begin * fovea_dtype_size(c->from), c->to,
                  c->dst + (size_t)begin * fovea_dtype_size(c->to), end - begin);
}

static void reorder_and_convert(const struct fovea_value *from, const struct fovea_value *to,
                                void *scratch) {
    struct conversion c = {.from = from->t.dtype, .to = to->t.dtype};
    int64_t count = fovea_tensor_count(&to->t);
    bool narrows = fovea_dtype_is_half(to->t.dtype);
    c.src = narrows ? from->t.data : scratch;
    c.dst = narrows ? scratch : to->t.data;
    if (!narrows) {
        reorder_elements(from, to, sizeof(uint16_t), from->t.data, scratch);
    }
    fovea_parallel_for(count, CONVERT_GRAIN, convert_range, &c);
    if (narrows) {
        reorder_elements(from, to, sizeof(uint16_t), scratch, to->t.data);
    }
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    const struct reorder *reorder = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t, *y = &node->out[0]->t;
    if (converts(node)) {
        reorder_and_convert(node->in[0], node->out[0], run->scratch);
        return FOVEA_OK;
    }
    if (node->in[0]->layout != node->out[0]->layout && !reorder->prim) {
        reorder_elements(node->in[0], node->out[0], fovea_dtype_size(y->dtype), x->data, y->data);
        return FOVEA_OK;
    }
    if (!reorder->prim) {
        memcpy(y->data, x->data, fovea_tensor_bytes(y));
        return FOVEA_OK;
    }
    struct fovea_prim_args args = {.src = x->data, .dst = y->data, .scratch = run->scratch};
    return fovea_prim_run(reorder->prim, &args, err);
}

static void release(struct fovea_node *node) {
    struct reorder *reorder = node->priv;
    fovea_prim_destroy(reorder->prim);
    reorder->prim = NULL;
}

static const char *implementation(const struct fovea_node *node) {
    const struct reorder *reorder = node->priv;
    return reorder->prim ? fovea_prim_implementation(reorder->prim) : NULL;
}

const struct fovea_op fovea_op_reorder = {
    .priv_size = sizeof(struct reorder),
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .bf16 = FOVEA_BF16_FREE,
    .bf16_in = 1,
    .bf16_out = 1,
    .infer = infer,
    .prepare = prepare,
    .run = run,
    .release = release,
    .implementation = implementation,
};
