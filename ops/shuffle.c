/*
 * fovea.Shuffle: the channels of an image dealt out between `groups`, in any
 * layout. With C = groups * k,
 *
 *     y[n, j * groups + i, h, w] = x[n, i * k + j, h, w]
 *
 * Made by the shuffle pass of what ShuffleNets are exported with: Reshape to
 * [N, groups, k, H, W], Transpose 0,2,1,3,4, Reshape back.
 */
#include "ops/copy.h"
#include "ops/ops.h"
#include "runtime/parallel.h"
#include "runtime/portability.h"

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_tensor *x = &node->in[0]->t;
    int64_t groups = fovea_attr_int(node, "groups", 1);
    enum fovea_status st = fovea_expect_rank(node, 0, 4, 4, err);
    if (!st && (groups < 1 || x->dims[1] % groups != 0)) {
        st = fovea_fail(err, FOVEA_ERR_INVALID, "%lld channels do not make %lld groups",
                        (long long)x->dims[1], (long long)groups);
    }
    return st ? st : fovea_set_output_like(node, 0, node->in[0], err);
}

/* ---- channels-last f32 ---------------------------------------------------- */

struct pixels {
    const float *x;
    float *y;
    int64_t groups, k;
};

/* Pixels [begin, end); `groups` a constant where the compiler is to know it. */
FOVEA_INLINE void deal(const struct pixels *p, int64_t groups, int64_t begin, int64_t end) {
    int64_t c = groups * p->k;
    for (int64_t at = begin; at < end; at++) {
        const float *restrict x = p->x + at * c;
        float *restrict y = p->y + at * c;
        for (int64_t j = 0; j < p->k; j++) {
            for (int64_t i = 0; i < groups; i++) {
                y[j * groups + i] = x[i * p->k + j];
            }
        }
    }
}

FOVEA_KERNEL
static void deal_range(void *context, int64_t begin, int64_t end, int thread) {
    const struct pixels *p = context;
    (void)thread;
    switch (p->groups) {
    case 2:
        deal(p, 2, begin, end);
        break;
    case 3:
        deal(p, 3, begin, end);
        break;
    case 4:
        deal(p, 4, begin, end);
        break;
    default:
        deal(p, p->groups, begin, end);
    }
}

static void deal_pixels(const struct fovea_node *node, int64_t groups) {
    enum { LEAST = 1 << 14 }; /* elements worth a thread */
    const struct fovea_tensor *x = &node->in[0]->t;
    int64_t c = x->dims[1];
    struct pixels p = {x->data, node->out[0]->t.data, groups, c / groups};
    fovea_parallel_for(x->dims[0] * x->dims[2] * x->dims[3], 1 + LEAST / c, deal_range, &p);
}

/* ---- the operator ----------------------------------------------------------- */

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct fovea_tensor *x = &node->in[0]->t;
    int64_t groups = fovea_attr_int(node, "groups", 1), k = x->dims[1] / groups;
    int64_t src[FOVEA_MAX_RANK], dst[FOVEA_MAX_RANK];
    if (fovea_tensor_count(x) == 0) {
        return FOVEA_OK;
    }
    if (node->in[0]->layout == FOVEA_CHANNELS_LAST && x->dtype == FOVEA_F32) {
        deal_pixels(node, groups);
        return FOVEA_OK;
    }
    fovea_value_strides(node->in[0], src);
    fovea_value_strides(node->out[0], dst);
    /* n, place in the group, group, h, w */
    const struct fovea_box box = {
        .rank = 5,
        .dims = {x->dims[0], k, groups, x->dims[2], x->dims[3]},
        .src = {src[0], src[1], src[1] * k, src[2], src[3]},
        .dst = {dst[0], dst[1] * groups, dst[1], dst[2], dst[3]},
    };
    fovea_copy_box(&box, fovea_dtype_size(x->dtype), x->data, node->out[0]->t.data);
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs[] = {{"groups", FOVEA_ATTR_INT, true}, {0}};

const struct fovea_op fovea_op_shuffle = {
    .attrs = attrs,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .layout = FOVEA_LAYOUT_ANY,
    .bf16 = FOVEA_BF16_MOVES,
    .bf16_in = 1,
    .bf16_out = 1,
    .infer = infer,
    .run = run,
};
