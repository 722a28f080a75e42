/* Who took over the work of removed nodes: see provenance.h. */
#include "runtime/provenance.h"

void fovea_provenance_begin(struct fovea_graph *graph) {
    size_t number = 0;
    for (struct fovea_node *node = graph->first; node; node = node->next) {
        node->origin = ++number;
    }
    graph->gone = NULL;
}

void fovea_provenance_unused(struct fovea_value *value, struct fovea_node *reader) {
    if (value->producer && value->n_uses == 0) {
        value->producer->heir = reader;
    }
}

void fovea_provenance_replaced(const struct fovea_value *from, const struct fovea_value *to) {
    if (from->producer && to->producer) {
        from->producer->heir = to->producer;
    }
}

void fovea_provenance_removed(struct fovea_graph *graph, struct fovea_node *node) {
    for (int i = 0; i < node->n_out && !node->heir; i++) {
        if (node->out[i] && node->out[i]->n_uses > 0) {
            node->heir = node->out[i]->uses[0].node;
        }
    }
    node->removed = true;
    if (node->origin) {
        node->next_gone = graph->gone;
        graph->gone = node;
    }
}

/* The node in the graph that does the work of `node`; NULL if its work is not done any more. */
static const struct fovea_node *heir_of(const struct fovea_graph *graph,
                                        const struct fovea_node *node) {
    /* Rewrites to and fro can make a ring; no chain is longer than the values ever made. */
    for (size_t i = 0; node && node->removed; i++) {
        node = i <= graph->n_values ? node->heir : NULL;
    }
    return node;
}

static void insert(const struct fovea_node **list, size_t count, size_t room,
                   const struct fovea_node *node) {
    size_t at = count < room ? count : room;
    while (at > 0 && list[at - 1]->origin > node->origin) {
        if (at < room) {
            list[at] = list[at - 1];
        }
        at--;
    }
    if (at < room) {
        list[at] = node;
    }
}

size_t fovea_provenance_of(const struct fovea_graph *graph, const struct fovea_node *node,
                           const struct fovea_node **list, size_t room) {
    size_t count = 0;
    if (node->origin) {
        insert(list, count++, room, node);
    }
    for (const struct fovea_node *gone = graph->gone; gone; gone = gone->next_gone) {
        if (heir_of(graph, gone) == node) {
            insert(list, count++, room, gone);
        }
    }
    return count;
}
