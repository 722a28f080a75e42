/* One operator, run as the runtime would: see run_op.h. */
#include "tests/run_op.h"

#include "ops/registry.h"
#include "runtime/dnn.h"
#include "runtime/infer.h"
#include "runtime/parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void run_op_init(struct run_op *r, const char *domain, const char *type, int opset) {
    memset(r, 0, sizeof(*r));
    r->domain = domain;
    r->type = type;
    r->opset = opset;
}

void run_op_input(struct run_op *r, enum fovea_dtype dtype, int rank, const int64_t *dims,
                  const void *data, bool constant) {
    int i = r->n_in++;
    fovea_tensor_set_shape(&r->in[i], dtype, rank, dims);
    r->in[i].data = (void *)data;
    r->present[i] = data != NULL;
    r->constant[i] = constant;
}

void run_op_attr(struct run_op *r, const struct fovea_attr *attr) {
    r->attrs[r->n_attrs++] = *attr;
}

void run_op_attr_int(struct run_op *r, const char *name, int64_t value) {
    run_op_attr(r, &(struct fovea_attr){.name = name, .kind = FOVEA_ATTR_INT, .i = value});
}

void run_op_attr_float(struct run_op *r, const char *name, float value) {
    run_op_attr(r, &(struct fovea_attr){.name = name, .kind = FOVEA_ATTR_FLOAT, .f = value});
}

void run_op_attr_string(struct run_op *r, const char *name, const char *value) {
    run_op_attr(r, &(struct fovea_attr){.name = name, .kind = FOVEA_ATTR_STRING, .s = value});
}

void run_op_attr_ints(struct run_op *r, const char *name, const int64_t *values, size_t count) {
    run_op_attr(r, &(struct fovea_attr){
                       .name = name, .kind = FOVEA_ATTR_INTS, .count = count, .ints = values});
}

/* Copy between a dense NCHW buffer and a value's memory, whatever its layout. */
static void copy_image(const struct fovea_value *value, void *plain, bool to_value) {
    const struct fovea_tensor *t = &value->t;
    int64_t strides[FOVEA_MAX_RANK];
    size_t size = fovea_dtype_size(t->dtype);
    fovea_value_strides(value, strides);
    int64_t count = fovea_tensor_count(t);
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = i, at = 0;
        for (int d = t->rank - 1; d >= 0; d--) {
            at += rest % t->dims[d] * strides[d];
            rest /= t->dims[d];
        }
        unsigned char *inside = (unsigned char *)t->data + (size_t)at * size;
        unsigned char *outside = (unsigned char *)plain + (size_t)i * size;
        memcpy(to_value ? inside : outside, to_value ? outside : inside, size);
    }
}

static enum fovea_status add_inputs(struct run_op *r, struct fovea_node *node) {
    for (int i = 0; i < r->n_in; i++) {
        if (!r->present[i]) {
            continue;
        }
        struct fovea_value *value = fovea_graph_add_value(&r->graph, "x");
        if (!value) {
            return fovea_fail_memory(&r->err, sizeof(*value), "a value");
        }
        value->t = r->in[i];
        value->typed = true;
        value->constant = r->constant[i];
        enum fovea_status st = fovea_node_set_input(node, i, value, &r->err);
        if (st) {
            return st;
        }
        if (r->channels_last && value->t.rank == 4 && !value->constant && !(r->plain >> i & 1)) {
            value->layout = FOVEA_CHANNELS_LAST;
            value->owned = fovea_aligned_alloc(fovea_tensor_bytes(&value->t));
            value->t.data = value->owned;
            copy_image(value, r->in[i].data, true);
        }
    }
    return FOVEA_OK;
}

static enum fovea_status build(struct run_op *r, int n_out, struct fovea_node **out) {
    fovea_graph_init(&r->graph, fovea_op_find, r->opset);
    enum fovea_status st = fovea_graph_add_node(&r->graph, NULL, r->domain, r->type, "test",
                                                r->n_in, n_out, out, &r->err);
    if (st) {
        return st;
    }
    for (int i = 0; i < n_out; i++) {
        struct fovea_value *value = fovea_graph_add_value(&r->graph, "y");
        if (!value) {
            return fovea_fail_memory(&r->err, sizeof(*value), "a value");
        }
        value->is_output = true;
        fovea_node_set_output(*out, i, value);
    }
    for (int i = 0; !st && i < r->n_attrs; i++) {
        st = fovea_node_set_attr(*out, &r->attrs[i], &r->err);
    }
    memcpy((*out)->epilogue, r->epilogue, sizeof(r->epilogue));
    (*out)->n_epilogue = r->n_epilogue;
    return st ? st : add_inputs(r, *out);
}

static enum fovea_status take_outputs(struct run_op *r, struct fovea_node *node) {
    for (int i = 0; i < node->n_out; i++) {
        r->out[i] = node->out[i]->t;
        r->out[i].data = fovea_aligned_alloc(fovea_tensor_bytes(&r->out[i]));
        if (!r->out[i].data) {
            return fovea_fail_memory(&r->err, fovea_tensor_bytes(&r->out[i]), "an output");
        }
        copy_image(node->out[i], r->out[i].data, false);
    }
    r->n_out = node->n_out;
    return FOVEA_OK;
}

enum fovea_status run_op_run(struct run_op *r, int n_out) {
    struct fovea_node *node;
    r->engine.threads = r->threads ? r->threads : 2;
    r->engine.winograd = r->winograd;
    int former = fovea_parallel_set_threads(r->engine.threads);
    enum fovea_status st = fovea_dnn_create(&r->engine.dnn, &r->err);
    if (!st) {
        st = build(r, n_out, &node);
    }
    if (!st) {
        st = fovea_infer_node(node, &r->err);
    }
    for (int i = 0; !st && i < n_out; i++) {
        if (r->channels_last && !r->plain_outputs && node->out[i]->t.rank == 4) {
            node->out[i]->layout = FOVEA_CHANNELS_LAST;
        }
    }
    if (!st) {
        st = fovea_fold_node(node, &r->engine, &r->err);
    }
    if (!st) {
        st = take_outputs(r, node);
    }
    fovea_parallel_set_threads(former);
    return st;
}

void run_op_finish(struct run_op *r) {
    for (int i = 0; i < r->n_out; i++) {
        free(r->out[i].data);
    }
    fovea_graph_finish(&r->graph);
    fovea_dnn_destroy(r->engine.dnn);
    memset(r, 0, sizeof(*r));
}

double run_op_error(const struct run_op *r, int index, const float *want, int64_t count) {
    const struct fovea_tensor *got = &r->out[index];
    if (index >= r->n_out || got->dtype != FOVEA_F32 || fovea_tensor_count(got) != count) {
        return INFINITY;
    }
    double worst = 0;
    for (int64_t i = 0; i < count; i++) {
        double error = fabs((double)((const float *)got->data)[i] - want[i]);
        if (!(error <= worst)) {
            worst = error;
        }
    }
    return worst;
}

void fill_random(float *values, int64_t count, float low, float high, uint32_t seed) {
    uint64_t state = seed * 2654435761u + 1;
    for (int64_t i = 0; i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        values[i] = low + (high - low) * (float)(state >> 40) * 0x1p-24f;
    }
}
