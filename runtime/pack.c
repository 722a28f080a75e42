/* Packing weights: see pack.h. */
#include "runtime/pack.h"

#include "runtime/op.h"

#include <stdlib.h>
#include <string.h>

enum fovea_status fovea_pack_node(struct fovea_node *node, struct fovea_engine *engine, void **out,
                                  struct fovea_error *err) {
    if (node->packed_bytes == 0) {
        *out = NULL;
        return FOVEA_OK;
    }
    void *data = fovea_aligned_alloc(node->packed_bytes);
    if (!data) {
        return fovea_fail_memory(err, node->packed_bytes, "packed weights");
    }
    enum fovea_status st =
        node->op->pack(node, engine, &node->in[node->packed_input]->t, data, err);
    if (st) {
        free(data);
        return st;
    }
    node->packed_data = data;
    *out = data;
    return FOVEA_OK;
}

/* Free weights that the graph made, once all nodes that pack them have done so. */
static void drop_packed_input(const struct fovea_node *node) {
    struct fovea_value *value = node->in[node->packed_input];
    if (!fovea_value_is_packed(value)) {
        return;
    }
    for (size_t i = 0; i < value->n_uses; i++) {
        if (!value->uses[i].node->packed_data) {
            return;
        }
    }
    free(value->owned);
    value->owned = NULL;
    value->t.data = NULL;
}

enum fovea_status fovea_pack_graph(struct fovea_graph *graph, struct fovea_engine *engine,
                                   struct fovea_packed *packed, struct fovea_error *err) {
    packed->blocks = calloc(graph->n_nodes + 1, sizeof(*packed->blocks));
    if (!packed->blocks) {
        return fovea_fail_memory(err, graph->n_nodes * sizeof(*packed->blocks), "packed weights");
    }
    for (struct fovea_node *node = graph->first; node; node = node->next) {
        void **block = &packed->blocks[packed->n_blocks];
        enum fovea_status st = fovea_pack_node(node, engine, block, err);
        if (st) {
            fovea_error_prefix_node(err, node);
            return st;
        }
        if (*block) {
            packed->n_blocks++;
            drop_packed_input(node);
        }
    }
    return FOVEA_OK;
}

void fovea_packed_finish(struct fovea_packed *packed) {
    for (size_t i = 0; i < packed->n_blocks; i++) {
        free(packed->blocks[i]);
    }
    free(packed->blocks);
    memset(packed, 0, sizeof(*packed));
}
