/*
 * InstanceNormalization and GroupNormalization: every image is normalised by
 * itself, over each channel or each group of neighbouring channels, then every
 * channel is scaled and shifted.
 *
 * GroupNormalization has scale and bias per group at opset 18 and per channel
 * from opset 21 on.
 */
#include "ops/norm.h"
#include "ops/ops.h"
#include "runtime/parallel.h"
#include "runtime/portability.h"

#include <math.h>

/* Elements that are worth a thread of their own. */
#define GRAIN 8192

struct instance_norm {
    int64_t batch, groups, channels, plane; /* channels of a group; elements of a channel */
    int64_t per_operand;                    /* channels that share an element of scale and bias */
    float epsilon;
};

struct instance_norm_job {
    const struct instance_norm *p;
    const void *x, *scale, *bias;
    void *y;
};

#define T float
#define FN(name) name##_f32
#include "ops/instance_norm.inc"

#define T double
#define FN(name) name##_f64
#include "ops/instance_norm.inc"

/* After batch, groups and per_operand are known to suit the input. */
static enum fovea_status finish_infer(struct fovea_node *node, int64_t groups, int64_t operands,
                                      struct fovea_error *err) {
    struct instance_norm *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t;
    enum fovea_status st = fovea_norm_check_epsilon(node, 1e-5f, &p->epsilon, err);
    if (!st) {
        st = fovea_norm_check_list(node, 1, "the scale", operands, err);
    }
    if (!st) {
        st = fovea_norm_check_list(node, 2, "the bias", operands, err);
    }
    if (st) {
        return st;
    }
    p->batch = x->dims[0];
    p->groups = groups;
    p->channels = groups > 0 ? x->dims[1] / groups : 0;
    p->plane = fovea_dims_product(x, 2, x->rank);
    p->per_operand = operands > 0 ? x->dims[1] / operands : 1;
    return fovea_set_output_like(node, 0, node->in[0], err);
}

static enum fovea_status check_input(const struct fovea_node *node, struct fovea_error *err) {
    enum fovea_status st = fovea_expect_dtype(node, 0, FOVEA_DTYPES_FLOAT, err);
    return st ? st : fovea_expect_rank(node, 0, 2, FOVEA_MAX_RANK, err);
}

static enum fovea_status infer_instance(struct fovea_node *node, struct fovea_error *err) {
    enum fovea_status st = check_input(node, err);
    if (st) {
        return st;
    }
    int64_t channels = node->in[0]->t.dims[1];
    return finish_infer(node, channels, channels, err);
}

static enum fovea_status infer_group(struct fovea_node *node, bool per_channel,
                                     struct fovea_error *err) {
    enum fovea_status st = check_input(node, err);
    if (st) {
        return st;
    }
    int64_t groups = fovea_attr_int(node, "num_groups", 0), channels = node->in[0]->t.dims[1];
    if (groups < 1 || channels % groups != 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "num_groups is %lld; it must divide %lld channels", (long long)groups,
                          (long long)channels);
    }
    int64_t stash = fovea_attr_int(node, "stash_type", 1);
    if (stash != 1 && stash != 10 && stash != 11 && stash != 16) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "stash_type is %lld; it must be 1, 10, 11 or 16 (a float type)",
                          (long long)stash);
    }
    return finish_infer(node, groups, per_channel ? channels : groups, err);
}

static enum fovea_status infer_group_18(struct fovea_node *node, struct fovea_error *err) {
    return infer_group(node, false, err);
}

static enum fovea_status infer_group_21(struct fovea_node *node, struct fovea_error *err) {
    return infer_group(node, true, err);
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    const struct instance_norm *p = node->priv;
    struct instance_norm_job job = {
        .p = p,
        .x = node->in[0]->t.data,
        .scale = node->in[1]->t.data,
        .bias = node->in[2]->t.data,
        .y = node->out[0]->t.data,
    };
    int64_t each = p->channels * p->plane;
    if (each > 0) {
        fovea_parallel_for(p->batch * p->groups, GRAIN / each + 1,
                           node->in[0]->t.dtype == FOVEA_F64 ? groups_f64 : groups_f32, &job);
    }
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs[] = {
    {"epsilon", FOVEA_ATTR_FLOAT, false},
    {0},
};

static const struct fovea_attr_spec group_attrs_18[] = {
    {"epsilon", FOVEA_ATTR_FLOAT, false},
    {"num_groups", FOVEA_ATTR_INT, true},
    {0},
};

static const struct fovea_attr_spec group_attrs_21[] = {
    {"epsilon", FOVEA_ATTR_FLOAT, false},
    {"num_groups", FOVEA_ATTR_INT, true},
    {"stash_type", FOVEA_ATTR_INT, false},
    {0},
};

/* What the three operators have in common. */
#define NORM_OP(infer_fn, attr_specs)                                                              \
    {                                                                                              \
        .priv_size = sizeof(struct instance_norm), .attrs = (attr_specs), .min_in = 3,             \
        .max_in = 3, .min_out = 1, .max_out = 1, .layout = FOVEA_LAYOUT_PLAIN_ONLY,                \
        .infer = (infer_fn), .run = run,                                                           \
    }

const struct fovea_op fovea_op_instance_norm = NORM_OP(infer_instance, attrs);
const struct fovea_op fovea_op_group_norm_18 = NORM_OP(infer_group_18, group_attrs_18);
const struct fovea_op fovea_op_group_norm_21 = NORM_OP(infer_group_21, group_attrs_21);
