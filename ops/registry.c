/* The table of operators: see registry.h. A test holds its order. */
#include "ops/registry.h"

#include "ops/ops.h"

#include <string.h>

/* By domain, type, opset. A row is added when ONNX changes what an operator means. */
static const struct fovea_op_entry table[] = {
    {"", "AveragePool", 7, &fovea_op_average_pool},
    {"", "Conv", 1, &fovea_op_conv},
    {"", "Einsum", 12, &fovea_op_einsum},
    {"", "Gemm", 7, &fovea_op_gemm},
    {"", "GlobalAveragePool", 1, &fovea_op_global_average_pool},
    {"", "GlobalMaxPool", 1, &fovea_op_global_max_pool},
    {"", "Identity", 1, &fovea_op_identity},
    {"", "MatMul", 1, &fovea_op_matmul},
    {"", "MaxPool", 1, &fovea_op_max_pool},
    {"fovea", "Linear", 1, &fovea_op_linear},
    {"fovea", "Reorder", 1, &fovea_op_reorder},
};

const struct fovea_op_entry *fovea_op_table(size_t *count) {
    *count = sizeof(table) / sizeof(table[0]);
    return table;
}

/* Called once per node at load, over a few hundred rows: a scan is enough. */
const struct fovea_op *fovea_op_find(const char *domain, const char *type, int opset) {
    const struct fovea_op *found = NULL;
    if (strcmp(domain, "ai.onnx") == 0) {
        domain = "";
    }
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcmp(table[i].type, type) == 0 && strcmp(table[i].domain, domain) == 0 &&
            table[i].since <= opset) {
            found = table[i].op;
        }
    }
    return found;
}
