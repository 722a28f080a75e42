/*
 * BatchNormalization: every channel is shifted and scaled by statistics that
 * were learnt, or (training mode) by its own over the batch.
 *
 * Training mode is no oddity here: exporters write the weight standardisation
 * of NFNets as a BatchNormalization over the weights. Opset 14 says it by
 * training_mode=1; before, more than one output says it.
 */
#include "ops/norm.h"
#include "ops/ops.h"
#include "runtime/match.h"
#include "runtime/parallel.h"
#include "runtime/portability.h"

#include <math.h>

/* Elements that are worth a thread of their own. */
#define GRAIN 16384

struct batch_norm {
    int64_t batch, channels, plane;
    float epsilon, momentum;
    bool training;
};

struct batch_norm_job {
    const struct batch_norm *p;
    bool channels_last;
    const void *x, *factor, *bias;
    const void *mean, *variance; /* in training mode they lie in scratch, and measure sets them */
    void *y;
};

#define T float
#define FN(name) name##_f32
#include "ops/batch_norm.inc"

#define T double
#define FN(name) name##_f64
#include "ops/batch_norm.inc"

static enum fovea_status check_inputs(const struct fovea_node *node, int64_t channels,
                                      struct fovea_error *err) {
    static const char *const names[] = {"", "the scale", "the bias", "the mean", "the variance"};
    for (int i = 1; i < 5; i++) {
        enum fovea_status st = fovea_norm_check_list(node, i, names[i], channels, err);
        if (st) {
            return st;
        }
    }
    return FOVEA_OK;
}

static enum fovea_status set_outputs(struct fovea_node *node, int64_t channels,
                                     struct fovea_error *err) {
    enum fovea_status st = fovea_set_output_like(node, 0, node->in[0], err);
    for (int i = 1; !st && i < node->n_out; i++) {
        st = fovea_set_output(node, i, node->in[0]->t.dtype, 1, &channels, err);
    }
    return st;
}

static enum fovea_status infer_mode(struct fovea_node *node, struct fovea_error *err) {
    struct batch_norm *p = node->priv;
    const struct fovea_tensor *x = &node->in[0]->t;
    enum fovea_status st = fovea_expect_dtype(node, 0, FOVEA_DTYPES_FLOAT, err);
    if (!st) {
        st = fovea_expect_rank(node, 0, 1, FOVEA_MAX_RANK, err);
    }
    if (!st) {
        st = fovea_norm_check_epsilon(node, 1e-5f, &p->epsilon, err);
    }
    if (st) {
        return st;
    }
    /* "The op also accepts single dimension input of size N in which case C is assumed to be 1" */
    p->batch = x->dims[0];
    p->channels = x->rank > 1 ? x->dims[1] : 1;
    p->plane = x->rank > 2 ? fovea_dims_product(x, 2, x->rank) : 1;
    p->momentum = fovea_attr_float(node, "momentum", 0.9f);
    p->training = fovea_batch_norm_trains(node);
    st = check_inputs(node, p->channels, err);
    return st ? st : set_outputs(node, p->channels, err);
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    if (!fovea_batch_norm_trains(node) && fovea_node_has_more_outputs(node)) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "%d outputs without training_mode; only 1 is defined", node->n_out);
    }
    return infer_mode(node, err);
}

/* "Output case #1: Y, mean, var, saved_mean, saved_var (training mode)" */
static enum fovea_status infer_by_outputs(struct fovea_node *node, struct fovea_error *err) {
    if (fovea_attr_int(node, "spatial", 1) == 0) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "spatial=0 (statistics per element) is not supported");
    }
    return infer_mode(node, err);
}

static enum fovea_status prepare(struct fovea_node *node, struct fovea_engine *engine,
                                 struct fovea_error *err) {
    (void)engine;
    (void)err;
    const struct batch_norm *p = node->priv;
    node->scratch_bytes = 3 * (size_t)p->channels * fovea_dtype_size(node->in[0]->t.dtype);
    return FOVEA_OK;
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)err;
    const struct batch_norm *p = node->priv;
    struct batch_norm_job job = {
        .p = p,
        /* Without a plane the channels are innermost in either layout. */
        .channels_last = node->in[0]->layout == FOVEA_CHANNELS_LAST || p->plane == 1,
        .x = node->in[0]->t.data,
        .y = node->out[0]->t.data,
    };
    if (p->batch == 0 || p->channels == 0 || p->plane == 0) {
        return FOVEA_OK;
    }
    if (node->in[0]->t.dtype == FOVEA_F64) {
        run_f64(node, &job, run->scratch);
    } else {
        run_f32(node, &job, run->scratch);
    }
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs_by_outputs[] = {
    {"epsilon", FOVEA_ATTR_FLOAT, false},
    {"momentum", FOVEA_ATTR_FLOAT, false},
    {"spatial", FOVEA_ATTR_INT, false},
    {0},
};

static const struct fovea_attr_spec attrs[] = {
    {"epsilon", FOVEA_ATTR_FLOAT, false},
    {"momentum", FOVEA_ATTR_FLOAT, false},
    {"training_mode", FOVEA_ATTR_INT, false},
    {0},
};

const struct fovea_op fovea_op_batch_norm = {
    .priv_size = sizeof(struct batch_norm),
    .attrs = attrs,
    .min_in = 5,
    .max_in = 5,
    .min_out = 1,
    .max_out = 3,
    .flags = FOVEA_OP_IN_PLACE,
    .layout = FOVEA_LAYOUT_IMAGE,
    .infer = infer,
    .prepare = prepare,
    .run = run,
};

const struct fovea_op fovea_op_batch_norm_by_outputs = {
    .priv_size = sizeof(struct batch_norm),
    .attrs = attrs_by_outputs,
    .min_in = 5,
    .max_in = 5,
    .min_out = 1,
    .max_out = 5,
    .flags = FOVEA_OP_IN_PLACE,
    .layout = FOVEA_LAYOUT_IMAGE,
    .infer = infer_by_outputs,
    .prepare = prepare,
    .run = run,
};
