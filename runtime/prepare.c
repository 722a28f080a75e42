/* Making primitives: see prepare.h. */
#include "runtime/prepare.h"

#include "runtime/op.h"

/* One after another: primitives are made one at a time in any case (runtime/dnn_make.cpp). */
enum fovea_status fovea_prepare_graph(struct fovea_graph *graph, struct fovea_engine *engine,
                                      struct fovea_error *err) {
    size_t n = 0;
    for (struct fovea_node *node = graph->first; node; node = node->next) {
        enum fovea_status st = fovea_progress_tell(&engine->progress, FOVEA_PHASE_PREPARE,
                                                   (double)n++ / (double)graph->n_nodes, err);
        if (st) {
            return st;
        }
        node->prepared = true;
        st = node->op->prepare ? node->op->prepare(node, engine, err) : FOVEA_OK;
        if (st) {
            fovea_error_prefix_node(err, node);
            return st;
        }
    }
    return FOVEA_OK;
}
