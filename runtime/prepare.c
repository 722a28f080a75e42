/* Making primitives, by all threads: see prepare.h. */
#include "runtime/prepare.h"

#include "runtime/op.h"
#include "runtime/parallel.h"

#include <stdlib.h>

/* Preparing all nodes; the first failure in the order of steps is the one to tell. */
struct preparing {
    struct fovea_node **nodes;
    struct fovea_engine *engine;
    struct fovea_lock *lock; /* of the rest */
    int64_t failed;
    enum fovea_status status;
    struct fovea_error err;
};

static void prepare_item(void *context, int64_t item) {
    struct preparing *p = context;
    struct fovea_node *node = p->nodes[item];
    struct fovea_error err = {.message = ""};
    node->prepared = true;
    enum fovea_status st = node->op->prepare ? node->op->prepare(node, p->engine, &err) : FOVEA_OK;
    if (!st) {
        return;
    }
    fovea_error_prefix_node(&err, node);
    fovea_lock_enter(p->lock);
    if (!p->status || item < p->failed) {
        p->failed = item;
        p->status = st;
        p->err = err;
    }
    fovea_lock_leave(p->lock);
}

enum fovea_status fovea_prepare_graph(struct fovea_graph *graph, struct fovea_engine *engine,
                                      struct fovea_error *err) {
    size_t count = 0;
    struct preparing p = {.engine = engine, .lock = fovea_lock_create()};
    p.nodes = calloc(graph->n_nodes + 1, sizeof(*p.nodes));
    if (!p.nodes || !p.lock) {
        p.status = fovea_fail_memory(&p.err, graph->n_nodes * sizeof(*p.nodes), "preparing");
    } else {
        for (struct fovea_node *node = graph->first; node; node = node->next) {
            p.nodes[count++] = node;
        }
        fovea_parallel_items((int64_t)count, prepare_item, &p);
    }
    if (p.status && err) {
        *err = p.err;
    }
    free(p.nodes);
    fovea_lock_destroy(p.lock);
    return p.status;
}
