/*
 * fovea.Join: images joined along their channels, and what follows done to
 * each value while it is there (the epilogue): in a DenseNet, the factors,
 * offsets and Relu of the BatchNormalization in front of the next convolution.
 *
 * Inputs x[i] [N,C_i,H,W], then the epilogue's operands, which are constant
 * and have one number, or one for each of the C channels; output [N,C,H,W].
 * Any of the images may be bf16; arithmetic is in f32.
 */
#include "ops/ops.h"
#include "ops/row_posts.h"
#include "runtime/dnn.h"
#include "runtime/parallel.h"

#include <string.h>

struct join {
    int n_parts;
    struct fovea_dnn_post posts[FOVEA_MAX_EPILOGUE];
    int64_t work; /* f32 values that a thread's row takes in scratch */
};

/* ---- infer ------------------------------------------------------------------ */

static enum fovea_status check_part(const struct fovea_node *node, int index,
                                    struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t, *part = &node->in[index]->t;
    enum fovea_status st = fovea_expect_rank(node, index, 4, 4, err);
    if (!st) {
        st = fovea_expect_dtype(node, index, FOVEA_DTYPE_BIT(FOVEA_F32), err);
    }
    bool fits =
        part->dims[0] == x->dims[0] && part->dims[2] == x->dims[2] && part->dims[3] == x->dims[3];
    if (!st && !fits) {
        st = fovea_fail(err, FOVEA_ERR_INVALID, "input %d of shape %s does not join input 0 of %s",
                        index, fovea_shape_text(part).text, fovea_shape_text(x).text);
    }
    return st;
}

static enum fovea_status check_operand(const struct fovea_node *node, int index, int64_t channels,
                                       struct fovea_error *err) {
    const struct fovea_value *value = node->in[index];
    if (index == 0 || !value) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "input %d is missing", index);
    }
    int64_t count = fovea_tensor_count(&value->t);
    if (value->t.dtype != FOVEA_F32 || !value->constant || (count != 1 && count != channels)) {
        return fovea_fail(
            err, FOVEA_ERR_INVALID,
            "operand %d of the epilogue is %s%s; it must be constant, one f32 or %lld", index,
            fovea_dtype_name(value->t.dtype), fovea_shape_text(&value->t).text,
            (long long)channels);
    }
    return FOVEA_OK;
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    struct join *p = node->priv;
    struct fovea_tensor y = node->in[0]->t;
    enum fovea_status st = FOVEA_OK;
    y.dims[1] = 0;
    for (p->n_parts = 0; !st && fovea_own_input(node, p->n_parts); p->n_parts++) {
        st = check_part(node, p->n_parts, err);
        y.dims[1] += st ? 0 : node->in[p->n_parts]->t.dims[1];
    }
    for (int i = p->n_parts; !st && i < node->n_in; i++) {
        st = check_operand(node, i, y.dims[1], err);
    }
    return st ? st : fovea_set_output(node, 0, FOVEA_F32, y.rank, y.dims, err);
}

/* ---- rows ---------------------------------------------------------------------
 * Channels-last a row is the channels of a pixel, a piece from each part; plain
 * it is a channel of an image, all from one part.
 */

static void read_row(const struct fovea_value *from, int64_t at, int64_t count, float *to) {
    const struct fovea_tensor *t = &from->t;
    const unsigned char *data = t->data;
    fovea_convert(t->dtype, data + (size_t)at * fovea_dtype_size(t->dtype), FOVEA_F32, to, count);
}

static void read_pixel(const struct fovea_node *node, int64_t pixel, float *row) {
    const struct join *p = node->priv;
    for (int i = 0; i < p->n_parts; i++) {
        int64_t channels = node->in[i]->t.dims[1];
        if (node->in[i]->t.dtype == FOVEA_F32) {
            const float *x = node->in[i]->t.data;
            memcpy(row, x + pixel * channels, (size_t)channels * sizeof(*row));
        } else {
            read_row(node->in[i], pixel * channels, channels, row);
        }
        row += channels;
    }
}

static void read_plane(const struct fovea_node *node, int64_t image, int64_t channel, int64_t count,
                       float *row) {
    int i = 0;
    while (channel >= node->in[i]->t.dims[1]) {
        channel -= node->in[i++]->t.dims[1];
    }
    read_row(node->in[i], (image * node->in[i]->t.dims[1] + channel) * count, count, row);
}

/* The operands for channels from `channel` on; posts as they are for a row of that kind. */
static void do_posts(const struct fovea_node *node, int64_t channel, bool pixel, float *row,
                     int64_t count) {
    const struct join *p = node->priv;
    struct fovea_dnn_post posts[FOVEA_MAX_EPILOGUE];
    const void *operands[FOVEA_MAX_EPILOGUE] = {NULL};
    memcpy(posts, p->posts, sizeof(posts));
    for (int i = 0; i < node->n_epilogue; i++) {
        if (posts[i].kind == FOVEA_EPILOGUE_ACT) {
            continue;
        }
        const float *operand = node->in[node->epilogue[i].input]->t.data;
        bool one = posts[i].operand.dims[1] == 1;
        operands[i] = one ? operand : operand + channel;
        posts[i].operand.dims[1] = pixel ? posts[i].operand.dims[1] : 1;
    }
    const struct fovea_row where = {.values = row, .count = count};
    fovea_row_posts(posts, node->n_epilogue, operands, &where);
}

struct job {
    const struct fovea_node *node;
    float *scratch; /* rows of threads, or NULL: results are f32 and made in place */
    bool pixels;
    int64_t count; /* values of a row */
};

static void run_rows(void *context, int64_t begin, int64_t end, int thread) {
    const struct job *job = context;
    const struct fovea_node *node = job->node;
    const struct join *p = node->priv;
    const struct fovea_tensor *y = &node->out[0]->t;
    for (int64_t at = begin; at < end; at++) {
        float *row =
            job->scratch ? job->scratch + thread * p->work : (float *)y->data + at * job->count;
        int64_t channel = job->pixels ? 0 : at % y->dims[1];
        if (job->pixels) {
            read_pixel(node, at, row);
        } else {
            read_plane(node, at / y->dims[1], channel, job->count, row);
        }
        do_posts(node, channel, job->pixels, row, job->count);
        if (job->scratch) {
            fovea_convert(FOVEA_F32, row, y->dtype,
                          (unsigned char *)y->data +
                              (size_t)(at * job->count) * fovea_dtype_size(y->dtype),
                          job->count);
        }
    }
}

/* ---- the operator --------------------------------------------------------------- */

static enum fovea_status prepare(struct fovea_node *node, struct fovea_engine *engine,
                                 struct fovea_error *err) {
    struct join *p = node->priv;
    const struct fovea_tensor *y = &node->out[0]->t;
    for (int i = 0; i < node->n_epilogue; i++) {
        const struct fovea_epilogue_step *step = &node->epilogue[i];
        struct fovea_dnn_post *post = &p->posts[i];
        *post = (struct fovea_dnn_post){.kind = step->kind,
                                        .act = step->act,
                                        .alpha = step->alpha,
                                        .beta = step->beta,
                                        .scale = step->scale};
        if (step->kind != FOVEA_EPILOGUE_ACT) {
            const struct fovea_tensor *t = &node->in[step->input]->t;
            post->operand = (struct fovea_dnn_view){.dtype = t->dtype,
                                                    .rank = 4,
                                                    .dims = {1, fovea_tensor_count(t), 1, 1},
                                                    .strides = {0, 1, 0, 0}};
        }
    }
    if (!fovea_row_posts_fit(p->posts, node->n_epilogue)) { /* passes make none, files may */
        return fovea_fail(err, FOVEA_ERR_INVALID, "an operand of its epilogue is not f32");
    }
    int64_t plane = y->dims[2] * y->dims[3];
    p->work = (y->dims[1] > plane ? y->dims[1] : plane) + 16; /* lines of their own */
    if (y->dtype != FOVEA_F32) {
        node->scratch_bytes = (size_t)engine->threads * (size_t)p->work * sizeof(float);
    }
    return FOVEA_OK;
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    enum { LEAST = 1 << 13 }; /* values worth a thread */
    const struct fovea_tensor *y = &node->out[0]->t;
    (void)err;
    int64_t plane = y->dims[2] * y->dims[3];
    struct job job = {.node = node, .scratch = y->dtype == FOVEA_F32 ? NULL : run->scratch};
    if (fovea_tensor_count(y) == 0) {
        return FOVEA_OK;
    }
    job.pixels = node->out[0]->layout == FOVEA_CHANNELS_LAST || plane == 1;
    job.count = job.pixels ? y->dims[1] : plane;
    fovea_parallel_for(fovea_tensor_count(y) / job.count, 1 + LEAST / job.count, run_rows, &job);
    return FOVEA_OK;
}

const struct fovea_op fovea_op_join = {
    .priv_size = sizeof(struct join),
    .min_in = 1,
    .max_in = FOVEA_VARIADIC,
    .min_out = 1,
    .max_out = 1,
    .flags = FOVEA_OP_EPILOGUE,
    .layout = FOVEA_LAYOUT_ANY,
    .bf16 = FOVEA_BF16_FREE,
    .bf16_in = ~0u,
    .bf16_out = 1,
    .infer = infer,
    .prepare = prepare,
    .run = run,
};
