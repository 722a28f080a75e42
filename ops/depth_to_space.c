/* DepthToSpace and SpaceToDepth: channels into blocks of pixels, and back. */
#include "ops/copy.h"
#include "ops/ops.h"

#include <string.h>

/* Far over any image; keeps products of a dimension and two of these in range. */
#define MAX_BLOCK 256

struct blocks {
    int64_t size;
    bool depth_first; /* mode CRD: the channel of the output varies slowest */
};

static enum fovea_status read_block(const struct fovea_node *node, struct blocks *p,
                                    struct fovea_error *err) {
    int64_t size = fovea_attr_int(node, "blocksize", 0);
    enum fovea_status st = fovea_expect_rank(node, 0, 4, 4, err);
    if (st) {
        return st;
    }
    if (size < 1 || size > MAX_BLOCK) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "blocksize is %lld; it must be 1 to %d",
                          (long long)size, MAX_BLOCK);
    }
    p->size = size;
    return FOVEA_OK;
}

static enum fovea_status fail_block(const struct fovea_node *node, const char *what, int64_t by,
                                    struct fovea_error *err) {
    return fovea_fail(err, FOVEA_ERR_INVALID, "%s of shape %s do not divide by %lld", what,
                      fovea_shape_text(&node->in[0]->t).text, (long long)by);
}

static enum fovea_status infer_to_space(struct fovea_node *node, struct fovea_error *err) {
    struct blocks *p = node->priv;
    const int64_t *x = node->in[0]->t.dims;
    const char *mode = fovea_attr_string(node, "mode", "DCR");
    enum fovea_status st = read_block(node, p, err);
    if (st) {
        return st;
    }
    p->depth_first = strcmp(mode, "CRD") == 0;
    if (!p->depth_first && strcmp(mode, "DCR") != 0) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "mode '%s' is not known",
                          fovea_quote(mode).text);
    }
    int64_t b = p->size;
    if (x[1] % (b * b) != 0) {
        return fail_block(node, "channels", b * b, err);
    }
    int64_t dims[4] = {x[0], x[1] / (b * b), x[2] * b, x[3] * b};
    return fovea_set_output(node, 0, node->in[0]->t.dtype, 4, dims, err);
}

static enum fovea_status infer_to_depth(struct fovea_node *node, struct fovea_error *err) {
    struct blocks *p = node->priv;
    const int64_t *x = node->in[0]->t.dims;
    enum fovea_status st = read_block(node, p, err);
    if (st) {
        return st;
    }
    int64_t b = p->size;
    if (x[2] % b != 0 || x[3] % b != 0) {
        return fail_block(node, "height and width", b, err);
    }
    int64_t dims[4] = {x[0], x[1] * b * b, x[2] / b, x[3] / b};
    return fovea_set_output(node, 0, node->in[0]->t.dtype, 4, dims, err);
}

/*
 * Strides of an image [N,C,H,W] whose pixels are blocks, and of the same data
 * with the blocks in the channels, in one order of six dimensions:
 * N, C, H, row in the block, W, column in the block.
 */
static void block_strides(const struct fovea_tensor *space, const struct blocks *p, int64_t *dims,
                          int64_t *in_space, int64_t *in_depth) {
    int64_t b = p->size, c = space->dims[1], h = space->dims[2] / b, w = space->dims[3] / b;
    int64_t plane = h * w;
    int64_t channel = p->depth_first ? b * b * plane : plane;
    int64_t block = p->depth_first ? plane : c * plane;
    const int64_t sizes[6] = {space->dims[0], c, h, b, w, b};
    const int64_t depth[6] = {c * b * b * plane, channel, w, b * block, 1, block};
    memcpy(dims, sizes, sizeof(sizes));
    memcpy(in_depth, depth, sizeof(depth));
    fovea_dense_strides(6, sizes, in_space);
}

static enum fovea_status run_to_space(const struct fovea_node *node, const struct fovea_run *run,
                                      struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct fovea_tensor *x = &node->in[0]->t, *y = &node->out[0]->t;
    struct fovea_box box = {.rank = 6};
    block_strides(y, node->priv, box.dims, box.dst, box.src);
    fovea_copy_box(&box, fovea_dtype_size(x->dtype), x->data, y->data);
    return FOVEA_OK;
}

static enum fovea_status run_to_depth(const struct fovea_node *node, const struct fovea_run *run,
                                      struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct fovea_tensor *x = &node->in[0]->t, *y = &node->out[0]->t;
    struct fovea_box box = {.rank = 6};
    block_strides(x, node->priv, box.dims, box.src, box.dst);
    fovea_copy_box(&box, fovea_dtype_size(x->dtype), x->data, y->data);
    return FOVEA_OK;
}

static const struct fovea_attr_spec to_space_attrs[] = {
    {"blocksize", FOVEA_ATTR_INT, true}, {"mode", FOVEA_ATTR_STRING, false}, {0}};
static const struct fovea_attr_spec to_depth_attrs[] = {{"blocksize", FOVEA_ATTR_INT, true}, {0}};

#define BLOCK_OP(name, attr_table, infer_fn, run_fn)                                               \
    const struct fovea_op name = {                                                                 \
        .priv_size = sizeof(struct blocks),                                                        \
        .attrs = attr_table,                                                                       \
        .min_in = 1,                                                                               \
        .max_in = 1,                                                                               \
        .min_out = 1,                                                                              \
        .max_out = 1,                                                                              \
        .infer = infer_fn,                                                                         \
        .run = run_fn,                                                                             \
    }

BLOCK_OP(fovea_op_depth_to_space, to_space_attrs, infer_to_space, run_to_space);
BLOCK_OP(fovea_op_space_to_depth, to_depth_attrs, infer_to_depth, run_to_depth);
