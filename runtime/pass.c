/* The list of passes, and running those that are asked for: see pass.h. */
#include "runtime/pass.h"

#include "runtime/passes.h"

#include <stdio.h>
#include <string.h>

/* Canonicalise first (one Gelu, one LayerNormalization, one Attention), then fuse. */
static const struct fovea_pass table[] = {
    {"clean", "remove nodes that change nothing", fovea_pass_clean},
    {"einsum", "contractions to MatMul between transposes", fovea_pass_einsum},
    {"activation", "Gelu and Swish out of their parts", fovea_pass_activation},
    {"layer-norm", "LayerNormalization out of its parts", fovea_pass_layer_norm},
    {"batch-norm", "BatchNormalization to a factor and an offset per channel",
     fovea_pass_batch_norm},
    {"pad", "zero padding into the convolution behind it", fovea_pass_pad},
    {"tokens", "images to tokens and back without moving data", fovea_pass_tokens},
    {"shuffle", "channels dealt out between groups in one copy", fovea_pass_shuffle},
    {"linear", "MatMul and Add, or Gemm, to one Linear", fovea_pass_linear},
    {"squeeze", "the mean of a pointwise convolution from that of its input", fovea_pass_squeeze},
    {"affine", "constant factors and offsets into weights", fovea_pass_affine},
    {"attention", "softmax(Q K^T) V to one step", fovea_pass_attention},
    {"query", "attention of one constant query without projections", fovea_pass_query},
    {"packed", "query, key and value projections to one Linear", fovea_pass_packed},
    {"epilogue", "activation, residual and gate into convolution and Linear", fovea_pass_epilogue},
    {"elementwise", "neighbouring elementwise operators to one program", fovea_pass_elementwise},
    {"layout", "channels-last images, transposes that are only names", fovea_pass_layout},
    {"precision", "operands of products to bf16 (--precision bf16 only, which needs it)",
     fovea_pass_precision},
};

enum { N_PASSES = sizeof(table) / sizeof(table[0]) };

const struct fovea_pass *fovea_pass_table(size_t *count) {
    *count = N_PASSES;
    return table;
}

/* Whether the list "a,b,c" has `name`. */
static bool list_has(const char *list, const char *name) {
    size_t length = strlen(name);
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == 0)) {
            return true;
        }
    }
    return false;
}

static enum fovea_status check_selection(const char *list, struct fovea_error *err) {
    char name[64];
    while (*list) {
        size_t length = strcspn(list, ",");
        snprintf(name, sizeof(name), "%.*s", (int)(length < 63 ? length : 63), list);
        bool known = false;
        for (size_t i = 0; i < N_PASSES; i++) {
            known |= strcmp(table[i].name, name) == 0;
        }
        if (!known) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "there is no pass named '%s'",
                              fovea_quote(name).text);
        }
        list += length;
        list += *list == ',';
    }
    return FOVEA_OK;
}

enum fovea_status fovea_passes_run(struct fovea_graph *graph, struct fovea_engine *engine,
                                   const char *selection, struct fovea_pass_log *log,
                                   struct fovea_error *err) {
    _Static_assert(N_PASSES <= FOVEA_MAX_PASSES, "fovea_pass_log has room for all");
    bool all = !selection || strcmp(selection, "on") == 0;
    bool none = !all && strcmp(selection, "off") == 0;
    log->n_results = 0;
    if (!all && !none) {
        enum fovea_status st = check_selection(selection, err);
        if (st) {
            return st;
        }
    }
    for (size_t i = 0; i < N_PASSES; i++) {
        bool asked = all || (!none && list_has(selection, table[i].name));
        if (table[i].run == fovea_pass_precision) {
            asked = engine->precision == FOVEA_PRECISION_BF16;
        }
        if (!asked) {
            continue;
        }
        struct fovea_pass_result *result = &log->results[log->n_results++];
        memset(result, 0, sizeof(*result));
        result->name = table[i].name;
        struct fovea_pass_context context = {.engine = engine, .result = result, .log = log};
        enum fovea_status st = table[i].run(graph, &context, err);
        if (st) {
            fovea_error_prefix(err, "pass %s", table[i].name);
            return st;
        }
        fovea_graph_sweep(graph);
    }
    return FOVEA_OK;
}
