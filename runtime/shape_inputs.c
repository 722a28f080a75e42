/*
 * Which inputs decide shapes (infer.h): taint from the input forwards over the
 * list of nodes, which is in topological order, and into subgraphs, until an
 * operand is met that infer reads.
 */
#include "runtime/infer.h"
#include "runtime/subgraph.h"

#include <stdlib.h>

/* Of a graph or a body: which values are tainted, by their number. */
struct search {
    unsigned char *tainted;
    size_t wanted; /* bytes that there were not, for a body within: the search has ended */
};

/* The node at which a tainted value reaches an operand that infer reads, or where memory ended. */
static const struct fovea_node *find_decided(const struct fovea_graph *graph, struct search *s);

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
static bool body_decides(const struct fovea_subgraph *sub, struct search *s) {
    enum { ROUNDS = 3 };
    for (int round = 0; round < ROUNDS; round++) {
        bool decided = find_decided(&sub->graph, s);
        /* The first output says whether there is another iteration. */
        if (decided || (sub->graph.n_outputs > 0 && s->tainted[sub->graph.outputs[0]->number])) {
            return true;
        }
        if (!feed_back(sub, s->tainted)) {
            return false;
        }
    }
    return true;
}

static bool subgraph_decides(const struct fovea_node *node, const struct fovea_subgraph *sub,
                             struct search *outer) {
    struct search s = {.tainted = calloc(sub->graph.n_values + 1, 1)};
    if (!s.tainted) {
        outer->wanted = sub->graph.n_values + 1;
        return true;
    }
    for (size_t i = 0; i < sub->n_formal; i++) {
        s.tainted[sub->graph.inputs[i]->number] =
            (int)i < sub->n_own && reads(node, outer->tainted, (int)i);
    }
    for (size_t i = 0; i < sub->n_captured; i++) {
        const struct fovea_value *input = sub->graph.inputs[sub->n_formal + i];
        s.tainted[input->number] = reads(node, outer->tainted, sub->captured[i]);
    }
    bool loops = sub->n_formal > 0;
    bool decided = loops ? body_decides(sub, &s) : find_decided(&sub->graph, &s) != NULL;
    outer->wanted = s.wanted;
    free(s.tainted);
    return decided;
}

/* ---- nodes -------------------------------------------------------------- */

static bool is_decided(const struct fovea_node *node, struct search *s) {
    for (int i = 0; i < node->n_in && i < 32; i++) {
        if ((node->op->value_inputs >> i & 1) && reads(node, s->tainted, i)) {
            return true;
        }
    }
    for (size_t i = 0; i < node->n_attrs; i++) {
        if (node->attrs[i].kind == FOVEA_ATTR_GRAPH &&
            subgraph_decides(node, node->attrs[i].graph, s)) {
            return true;
        }
    }
    return false;
}

static const struct fovea_node *find_decided(const struct fovea_graph *graph, struct search *s) {
    for (const struct fovea_node *node = graph->first; node; node = node->next) {
        bool any = false;
        for (int i = 0; i < node->n_in && !any; i++) {
            any = reads(node, s->tainted, i);
        }
        if (!any) {
            continue;
        }
        if (is_decided(node, s)) {
            return node;
        }
        for (int i = 0; !(node->op->flags & FOVEA_OP_SHAPE_ONLY) && i < node->n_out; i++) {
            if (node->out[i]) {
                s->tainted[node->out[i]->number] = 1;
            }
        }
    }
    return NULL;
}

enum fovea_status fovea_input_find_decided(const struct fovea_graph *graph, size_t index,
                                           const struct fovea_node **out, struct fovea_error *err) {
    struct search s = {.tainted = calloc(graph->n_values + 1, 1)};
    if (!s.tainted) {
        return fovea_fail_memory(err, graph->n_values + 1, "what an input decides");
    }
    s.tainted[graph->inputs[index]->number] = 1;
    const struct fovea_node *node = find_decided(graph, &s);
    free(s.tainted);
    if (s.wanted) {
        return fovea_fail_memory(err, s.wanted, "what an input decides");
    }
    *out = node;
    return FOVEA_OK;
}
