/* Evaluating one node: see compute.h. */
#include "runtime/compute.h"

#include "runtime/op.h"

#include <stdlib.h>

/* What making the result takes for the while, besides the result. */
static enum fovea_status check_work(const struct fovea_node *node,
                                    const struct fovea_budget *budget, struct fovea_error *err) {
    if (!budget) {
        return FOVEA_OK;
    }
    struct fovea_budget meanwhile = *budget;
    return fovea_budget_spend(&meanwhile, node->scratch_bytes + node->packed_bytes,
                              "computing its constant result", err);
}

static enum fovea_status pack(struct fovea_node *node, struct fovea_engine *engine, void **out,
                              struct fovea_error *err) {
    if (node->packed_bytes == 0) {
        return FOVEA_OK;
    }
    *out = fovea_aligned_alloc(node->packed_bytes);
    if (!*out) {
        return fovea_fail_memory(err, node->packed_bytes, "packed weights");
    }
    node->packed_data = *out;
    return node->op->pack(node, engine, &node->in[node->packed_input]->t, *out, err);
}

enum fovea_status fovea_node_prepare(struct fovea_node *node, struct fovea_engine *engine,
                                     const struct fovea_budget *budget, struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    node->prepared = true;
    if (node->op->prepare) {
        st = node->op->prepare(node, engine, err);
    }
    return st ? st : check_work(node, budget, err);
}

static enum fovea_status compute(struct fovea_node *node, struct fovea_engine *engine,
                                 const struct fovea_budget *budget, void **scratch, void **packed,
                                 struct fovea_error *err) {
    enum fovea_status st = fovea_node_prepare(node, engine, budget, err);
    if (!st) {
        st = pack(node, engine, packed, err);
    }
    if (st) {
        return st;
    }
    *scratch = fovea_aligned_alloc(node->scratch_bytes);
    if (!*scratch) {
        return fovea_fail_memory(err, node->scratch_bytes, "scratch");
    }
    const struct fovea_run run = {.engine = engine, .scratch = *scratch};
    return node->op->run(node, &run, err);
}

enum fovea_status fovea_node_compute(struct fovea_node *node, struct fovea_engine *engine,
                                     const struct fovea_budget *budget, struct fovea_error *err) {
    void *scratch = NULL, *packed = NULL;
    enum fovea_status st = compute(node, engine, budget, &scratch, &packed, err);
    free(scratch);
    free(packed);
    node->packed_data = NULL;
    if (node->op->release) {
        node->op->release(node);
    }
    node->prepared = false;
    if (st) {
        fovea_error_prefix_node(err, node);
    }
    return st;
}
