/* See model_macs.h. */
#include "tools/model_macs.h"

#include "runtime/dnn.h"
#include "runtime/infer.h"
#include "runtime/session.h"

#include <string.h>

/* Each output element of Conv [O, C/groups, kernel...] sums over one filter. */
static int64_t conv_macs(const struct fovea_node *node) {
    const struct fovea_tensor *weights = &node->in[1]->t;
    return fovea_tensor_count(&node->out[0]->t) * fovea_dims_product(weights, 1, weights->rank);
}

/* Each input element of ConvTranspose [C, O/groups, kernel...] goes into one filter. */
static int64_t conv_transpose_macs(const struct fovea_node *node) {
    const struct fovea_tensor *weights = &node->in[1]->t;
    return fovea_tensor_count(&node->in[0]->t) * fovea_dims_product(weights, 1, weights->rank);
}

static int64_t matmul_macs(const struct fovea_node *node) {
    const struct fovea_tensor *a = &node->in[0]->t;
    return fovea_tensor_count(&node->out[0]->t) * a->dims[a->rank - 1];
}

static int64_t gemm_macs(const struct fovea_node *node) {
    const struct fovea_tensor *a = &node->in[0]->t;
    int64_t k = a->dims[fovea_attr_int(node, "transA", 0) ? 0 : 1];
    return fovea_tensor_count(&node->out[0]->t) * k;
}

/* Q K^T, then the scores times V: every element of Q, and of Y, meets every key. */
static int64_t attention_macs(const struct fovea_node *node) {
    const struct fovea_tensor *q = &node->in[0]->t, *k = &node->in[1]->t, *y = &node->out[0]->t;
    return (fovea_tensor_count(q) + fovea_tensor_count(y)) * k->dims[k->rank - 2];
}

static int64_t node_macs(const struct fovea_node *node) {
    static const struct {
        const char *type;
        int64_t (*macs)(const struct fovea_node *node);
    } table[] = {
        {"Attention", attention_macs},
        {"Conv", conv_macs},
        {"ConvTranspose", conv_transpose_macs},
        {"Gemm", gemm_macs},
        {"MatMul", matmul_macs},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (!node->domain[0] && strcmp(node->type, table[i].type) == 0) {
            return table[i].macs(node);
        }
    }
    return 0;
}

static void bind_inputs(struct fovea_graph *graph, const struct fovea_tensor *inputs) {
    for (size_t i = 0; i < graph->n_inputs; i++) {
        struct fovea_value *value = graph->inputs[i];
        fovea_tensor_set_shape(&value->t, inputs[i].dtype, inputs[i].rank, inputs[i].dims);
        value->typed = true;
        if (inputs[i].data && fovea_input_decides_shapes(graph, i)) {
            fovea_value_set_constant(value, inputs[i].data, false);
        }
    }
}

enum fovea_status model_macs(const struct fovea_model *model, const struct fovea_tensor *inputs,
                             size_t max_memory, int64_t *out, struct fovea_error *err) {
    size_t limit = max_memory ? max_memory : fovea_default_memory_limit();
    struct fovea_graph graph = {0};
    struct fovea_engine engine = {.threads = 0};
    int64_t sum = 0;
    enum fovea_status status = fovea_dnn_create(&engine.dnn, err);
    if (!status) {
        status = fovea_graph_clone(&model->graph, &graph, err);
    }
    if (!status) {
        bind_inputs(&graph, inputs);
        status = fovea_infer_graph(&graph, &engine, limit, err);
        for (const struct fovea_node *node = graph.first; !status && node; node = node->next) {
            sum += node_macs(node);
        }
        fovea_graph_finish(&graph);
    }
    fovea_dnn_destroy(engine.dnn);
    if (!status) {
        *out = sum;
    }
    return status;
}
