/*
 * fovea.Reorder: the same image in another memory layout. Passes put it where
 * plain and channels-last values meet.
 */
#include "ops/copy.h"
#include "ops/ops.h"

#include "runtime/dnn.h"

#include <string.h>

struct reorder {
    struct fovea_prim *prim; /* NULL: the layouts are the same, or elements are not f32 */
};

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    return fovea_set_output_like(node, 0, node->in[0], err);
}

static enum fovea_status prepare(struct fovea_node *node, struct fovea_engine *engine,
                                 struct fovea_error *err) {
    struct reorder *reorder = node->priv;
    struct fovea_dnn_view src, dst;
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

/* Masks and integers beside images: rare and small. */
static void reorder_elements(const struct fovea_value *from, const struct fovea_value *to) {
    struct fovea_box box = {.rank = to->t.rank};
    memcpy(box.dims, to->t.dims, sizeof(to->t.dims));
    fovea_value_strides(from, box.src);
    fovea_value_strides(to, box.dst);
    fovea_copy_box(&box, fovea_dtype_size(to->t.dtype), from->t.data, to->t.data);
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    const struct reorder *reorder = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t, *y = &node->out[0]->t;
    if (node->in[0]->layout != node->out[0]->layout && !reorder->prim) {
        reorder_elements(node->in[0], node->out[0]);
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
    .infer = infer,
    .prepare = prepare,
    .run = run,
    .release = release,
    .implementation = implementation,
};
