/*
 * Which inputs decide shapes (infer.h): taint from the input forwards over the
 * list of nodes, which is in topological order, and into subgraphs, until an
 * operand is met that infer reads.
 */
#include "runtime/infer.h"
#include "runtime/subgraph.h"

#include <stdlib.h>

/* The node at which a tainted value (by its number) reaches an operand that infer reads. */
static const struct fovea_node *find_decided(const struct fovea_graph *graph,
                                             unsigned char *tainted);

static bool reads(const struct fovea_node *node, const unsigned char *tainted, int index) {
    return index < node->n_in && node->in[index] && tainted[node->in[index]->number];
}

/* ---- subgraphs ---------------------------------------------------------- */

/* An iteration's outputs but the first are the next one's formal inputs but the first two. */
static bool feed_back(const struct fovea_subgraph *sub, unsigned char *tainted) {
    bool news = false;
    for (size_t i = 2; i < sub->n_formal && i - 1 < sub->graph.n_outputs; i++) {
        unsigned char *formal = &tainted[sub->graph.inputs[i]->number];
        if (tainted[sub->graph.outputs[i - 1]->number] && !*formal) {
            *formal = 1;
            news = true;
        }
    }
    return news;
}

/* A body is gone through anew while taint goes round, but not for ever: then it decides. */
static bool body_decides(const struct fovea_subgraph *sub, unsigned char *tainted) {
    enum { ROUNDS = 3 };
    for (int round = 0; round < ROUNDS; round++) {
        bool decided = find_decided(&sub->graph, tainted);
        /* The first output says whether there is another iteration. */
        if (decided || (sub->graph.n_outputs > 0 && tainted[sub->graph.outputs[0]->number])) {
            return true;
        }
        if (!feed_back(sub, tainted)) {
            return false;
        }
    }
    return true;
}

static bool subgraph_decides(const struct fovea_node *node, const struct fovea_subgraph *sub,
                             const unsigned char *outer) {
    unsigned char *tainted = calloc(sub->graph.n_values + 1, 1);
    if (!tainted) {
        return true;
    }
    for (size_t i = 0; i < sub->n_formal; i++) {
        tainted[sub->graph.inputs[i]->number] = (int)i < sub->n_own && reads(node, outer, (int)i);
    }
    for (size_t i = 0; i < sub->n_captured; i++) {
        const struct fovea_value *input = sub->graph.inputs[sub->n_formal + i];
        tainted[input->number] = reads(node, outer, sub->captured[i]);
    }
    bool loops = sub->n_formal > 0;
    bool decided = loops ? body_decides(sub, tainted) : find_decided(&sub->graph, tainted) != NULL;
    free(tainted);
    return decided;
}

/* ---- nodes -------------------------------------------------------------- */

static bool is_decided(const struct fovea_node *node, const unsigned char *tainted) {
    for (int i = 0; i < node->n_in && i < 32; i++) {
        if ((node->op->value_inputs >> i & 1) && reads(node, tainted, i)) {
            return true;
        }
    }
    for (size_t i = 0; i < node->n_attrs; i++) {
        if (node->attrs[i].kind == FOVEA_ATTR_GRAPH &&
            subgraph_decides(node, node->attrs[i].graph, tainted)) {
            return true;
        }
    }
    return false;
}

static const struct fovea_node *find_decided(const struct fovea_graph *graph,
                                             unsigned char *tainted) {
    for (const struct fovea_node *node = graph->first; node; node = node->next) {
        bool any = false;
        for (int i = 0; i < node->n_in && !any; i++) {
            any = reads(node, tainted, i);
        }
        if (!any) {
            continue;
        }
        if (is_decided(node, tainted)) {
            return node;
        }
        for (int i = 0; !(node->op->flags & FOVEA_OP_SHAPE_ONLY) && i < node->n_out; i++) {
            if (node->out[i]) {
                tainted[node->out[i]->number] = 1;
            }
        }
    }
    return NULL;
}

static bool input_decides(const struct fovea_graph *graph, size_t index,
                          const struct fovea_node **out) {
    unsigned char *tainted = calloc(graph->n_values + 1, 1);
    if (!tainted) {
        return true;
    }
    tainted[graph->inputs[index]->number] = 1;
    *out = find_decided(graph, tainted);
    free(tainted);
    return *out;
}

bool fovea_input_decides_shapes(const struct fovea_graph *graph, size_t index) {
    const struct fovea_node *node;
    return input_decides(graph, index, &node);
}

const struct fovea_node *fovea_input_decided_node(const struct fovea_graph *graph, size_t index) {
    const struct fovea_node *node = NULL;
    input_decides(graph, index, &node);
    return node;
}
