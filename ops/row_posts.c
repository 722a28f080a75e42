/* Posts row by row: see row_posts.h. */
#include "ops/row_posts.h"

#include "ops/kernels.h"

static const enum fovea_opcode opcodes[FOVEA_N_ACTS] = {
    [FOVEA_ACT_RELU] = FOVEA_DO_RELU,
    [FOVEA_ACT_LEAKY_RELU] = FOVEA_DO_LEAKY_RELU,
    [FOVEA_ACT_ELU] = FOVEA_DO_ELU,
    [FOVEA_ACT_GELU_ERF] = FOVEA_DO_GELU,
    [FOVEA_ACT_GELU_TANH] = FOVEA_DO_GELU_TANH,
    [FOVEA_ACT_SIGMOID] = FOVEA_DO_SIGMOID,
    [FOVEA_ACT_TANH] = FOVEA_DO_TANH,
    [FOVEA_ACT_SWISH] = FOVEA_DO_SWISH,
    [FOVEA_ACT_CLIP] = FOVEA_DO_CLIP,
    [FOVEA_ACT_HARD_SWISH] = FOVEA_DO_HARD_SWISH,
    [FOVEA_ACT_HARD_SIGMOID] = FOVEA_DO_HARD_SIGMOID,
};

static void act(const struct fovea_dnn_post *post, const struct fovea_row *row) {
    float *y = row->values;
    fovea_kernels_fast[opcodes[post->act]](y, y, NULL, NULL, row->count, post->alpha, post->beta);
    if (post->scale != 1) {
        fovea_kernels_fast[FOVEA_DO_AFFINE](y, y, NULL, NULL, row->count, post->scale, 0);
    }
}

/* One value for all channels. */
static void combine_scalar(bool add, float b, const struct fovea_row *row) {
    fovea_kernels_fast[FOVEA_DO_AFFINE](row->values, row->values, NULL, NULL, row->count,
                                        add ? 1 : b, add ? b : 0);
}

static void combine_strided(bool add, const float *b, int64_t step, const struct fovea_row *row) {
    for (int64_t i = 0; i < row->count; i++) {
        float *y = &row->values[i];
        *y = add ? *y + b[i * step] : *y * b[i * step];
    }
}

static void combine(const struct fovea_dnn_post *post, const float *operand,
                    const struct fovea_row *row) {
    const struct fovea_dnn_view *view = &post->operand;
    bool add = post->kind == FOVEA_EPILOGUE_ADD;
    for (int i = 0; i < 4; i++) {
        operand += view->dims[i] == 1 ? 0 : row->index[i] * view->strides[i];
    }
    if (view->dims[1] == 1) {
        combine_scalar(add, *operand, row);
    } else if (view->strides[1] == 1) {
        fovea_kernels_fast[add ? FOVEA_DO_ADD : FOVEA_DO_MUL](row->values, row->values, operand,
                                                              NULL, row->count, 0, 0);
    } else {
        combine_strided(add, operand, view->strides[1], row);
    }
}

bool fovea_row_posts_fit(const struct fovea_dnn_post *posts, int n_posts) {
    for (int i = 0; i < n_posts; i++) {
        if (posts[i].kind != FOVEA_EPILOGUE_ACT && posts[i].operand.dtype != FOVEA_F32) {
            return false;
        }
    }
    return true;
}

void fovea_row_posts(const struct fovea_dnn_post *posts, int n_posts, const void *const *operands,
                     const struct fovea_row *row) {
    for (int i = 0; i < n_posts; i++) {
        if (posts[i].kind == FOVEA_EPILOGUE_ACT) {
            act(&posts[i], row);
        } else {
            combine(&posts[i], operands[i], row);
        }
    }
}
