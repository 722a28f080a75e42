/* The graph's invariants, after every kind of change. */
#include "tests/check.h"
#include "tests/graph_build.h"

#include <stdlib.h>
#include <string.h>

typedef struct fovea_value V;

/* ---- the invariants of graph.h ---------------------------------------------------- */

static size_t count_reads(const struct fovea_graph *graph, const V *value) {
    size_t reads = 0;
    for (const struct fovea_node *node = graph->first; node; node = node->next) {
        for (int i = 0; i < node->n_in; i++) {
            reads += node->in[i] == value;
        }
    }
    return reads;
}

static bool comes_before(const struct fovea_node *a, const struct fovea_node *b) {
    for (const struct fovea_node *node = a->next; node; node = node->next) {
        if (node == b) {
            return true;
        }
    }
    return false;
}

static const char *broken_node(const struct fovea_graph *graph, const struct fovea_node *node) {
    if (node->graph != graph || !node->op || !node->name || !node->type || !node->domain) {
        return "a node lacks a part";
    }
    for (int i = 0; i < node->n_in; i++) {
        const V *in = node->in[i];
        if (in && in->producer && !comes_before(in->producer, node)) {
            return "a node comes before what it reads";
        }
    }
    for (int i = 0; i < node->n_out; i++) {
        if (node->out[i] && (node->out[i]->producer != node || node->out[i]->producer_index != i)) {
            return "an output has another producer";
        }
    }
    return NULL;
}

static const char *broken_value(const struct fovea_graph *graph, const V *value) {
    if (!value->name || value->number >= graph->n_values || value->n_uses > value->cap_uses) {
        return "a value lacks a part";
    }
    if (count_reads(graph, value) != value->n_uses) {
        return "uses are not the places that read the value";
    }
    for (size_t i = 0; i < value->n_uses; i++) {
        const struct fovea_use *use = &value->uses[i];
        if (use->index >= use->node->n_in || use->node->in[use->index] != value) {
            return "a use points elsewhere";
        }
    }
    if (value->producer && value->producer->out[value->producer_index] != value) {
        return "a producer does not make the value";
    }
    return NULL;
}

static const char *broken(const struct fovea_graph *graph) {
    const struct fovea_node *prev = NULL;
    const char *what = NULL;
    size_t n_nodes = 0, n_values = 0;
    for (const struct fovea_node *node = graph->first; node; node = node->next) {
        if (node->prev != prev) {
            return "the list of nodes is torn";
        }
        what = what ? what : broken_node(graph, node);
        prev = node;
        n_nodes++;
    }
    for (const V *value = graph->values; value; value = value->next) {
        what = what ? what : broken_value(graph, value);
        n_values++;
    }
    for (size_t i = 0; i < graph->n_outputs; i++) {
        what = what || graph->outputs[i]->is_output ? what : "an output is not marked";
    }
    if (graph->last != prev || n_nodes != graph->n_nodes || n_values != graph->n_values) {
        return "counts are wrong";
    }
    return what;
}

static void check_graph(int line, const struct fovea_graph *graph) {
    const char *what = broken(graph);
    if (what) {
        check_failed(__FILE__, line, "invariant", what);
    }
}
#define CHECK_GRAPH(graph) check_graph(__LINE__, graph)

/* x -> Relu -> Add(relu, relu) -> Neg, with a constant beside. */
static void small(struct graph_build *b, V *values[4]) {
    build_init(b, 17);
    values[0] = build_input(b, FOVEA_F32, 1, DIMS(4));
    values[1] = OP(b, "Relu", values[0]);
    values[2] = OP(b, "Add", values[1], values[1]);
    values[3] = OP(b, "Mul", values[2], build_scalar(b, 2));
    build_output(b, values[3]);
    CHECK(build_model(b) != NULL);
    CHECK_GRAPH(b->graph);
}

/* ---- changes ------------------------------------------------------------------------ */

static void uses__one_node_reads_twice__two_uses(void) {
    struct graph_build b;
    V *v[4];
    small(&b, v);
    CHECK(v[1]->n_uses == 2 && v[1]->uses[0].index == 0 && v[1]->uses[1].index == 1);
    CHECK_OK(fovea_node_set_input(v[2]->producer, 0, NULL, &b.err), b.err);
    CHECK(v[1]->n_uses == 1 && v[1]->uses[0].index == 1);
    CHECK_GRAPH(b.graph);
    CHECK_OK(fovea_node_set_input(v[2]->producer, 0, v[0], &b.err), b.err);
    CHECK_OK(fovea_node_set_input(v[2]->producer, 0, v[0], &b.err), b.err); /* the same again */
    CHECK(v[0]->n_uses == 2);
    CHECK_GRAPH(b.graph);
    build_finish(&b);
}

static void add_input__many__all_kept(void) {
    struct graph_build b;
    V *v[4];
    small(&b, v);
    for (int i = 0; i < 20; i++) {
        int index = -1;
        CHECK_OK(fovea_node_add_input(v[3]->producer, i % 3 ? v[1] : NULL, &index, &b.err), b.err);
        CHECK(index == 2 + i);
    }
    CHECK(v[3]->producer->n_in == 22);
    CHECK_GRAPH(b.graph);
    build_finish(&b);
}

static void replace__readers_and_output__all_move(void) {
    struct graph_build b;
    V *v[4];
    small(&b, v);
    CHECK_OK(fovea_value_replace(b.graph, v[1], v[0], &b.err), b.err);
    CHECK(v[1]->n_uses == 0 && v[0]->n_uses == 3);
    CHECK_GRAPH(b.graph);
    CHECK_OK(fovea_value_replace(b.graph, v[3], v[2], &b.err), b.err);
    CHECK(b.graph->outputs[0] == v[2] && v[2]->is_output && !v[3]->is_output);
    CHECK_GRAPH(b.graph);
    CHECK(fovea_graph_sweep(b.graph) == 2);
    CHECK(b.graph->n_nodes == 1 && b.graph->first == v[2]->producer);
    CHECK_GRAPH(b.graph);
    build_finish(&b);
}

static void remove__first_middle_last__list_whole(void) {
    for (int at = 0; at < 3; at++) {
        struct graph_build b;
        V *x;
        struct fovea_node *nodes[3];
        build_init(&b, 17);
        x = build_input(&b, FOVEA_F32, 1, DIMS(4));
        for (int i = 0; i < 3; i++) {
            V *y = OP(&b, "Relu", x);
            nodes[i] = y ? y->producer : NULL;
        }
        fovea_graph_remove_node(b.graph, nodes[at]);
        CHECK(b.graph->n_nodes == 2 && x->n_uses == 2);
        CHECK_GRAPH(b.graph);
        build_finish(&b);
    }
}

static void move__to_both_ends__list_whole(void) {
    struct graph_build b;
    V *x, *y[4];
    build_init(&b, 17);
    x = build_input(&b, FOVEA_F32, 1, DIMS(4));
    for (int i = 0; i < 4; i++) {
        y[i] = OP(&b, "Relu", x);
    }
    fovea_graph_move_node(b.graph, y[0]->producer, NULL);
    CHECK(b.graph->last == y[0]->producer && b.graph->first == y[1]->producer);
    CHECK_GRAPH(b.graph);
    fovea_graph_move_node(b.graph, y[3]->producer, b.graph->first);
    CHECK(b.graph->first == y[3]->producer && b.graph->n_nodes == 4);
    CHECK_GRAPH(b.graph);
    fovea_graph_move_node(b.graph, y[1]->producer, y[1]->producer->next); /* where it is */
    CHECK_GRAPH(b.graph);
    build_finish(&b);
}

static void set_output__of_another_node__former_producer_loses_it(void) {
    struct graph_build b;
    V *v[4];
    struct fovea_node *node = NULL, *former;
    small(&b, v);
    former = v[1]->producer;
    CHECK_OK(fovea_graph_add_node(b.graph, former, "", "Neg", NULL, 1, 1, &node, &b.err), b.err);
    CHECK_OK(fovea_node_set_input(node, 0, v[0], &b.err), b.err);
    fovea_node_set_output(node, 0, v[1]);
    CHECK(former->out[0] == NULL && v[1]->producer == node);
    CHECK_GRAPH(b.graph);
    CHECK(fovea_graph_sweep(b.graph) == 1); /* the former producer */
    CHECK_GRAPH(b.graph);
    build_finish(&b);
}

static void sweep__unread_branch__node_and_constant_go(void) {
    struct graph_build b;
    V *v[4];
    small(&b, v);
    V *constant = build_scalar(&b, 3), *kept = v[3]->producer->in[1];
    OP(&b, "Neg", OP(&b, "Mul", v[2], constant));
    CHECK(fovea_graph_sweep(b.graph) == 2);
    CHECK(b.graph->n_nodes == 3);
    CHECK(!constant->constant && !constant->owned && !constant->t.data);
    CHECK(kept->constant && *(float *)kept->t.data == 2);
    CHECK_GRAPH(b.graph);
    CHECK(fovea_graph_sweep(b.graph) == 0);
    build_finish(&b);
}

static void add_node__unknown_operator__refused_and_nothing_added(void) {
    struct graph_build b;
    V *v[4];
    struct fovea_node *node = NULL;
    small(&b, v);
    CHECK(fovea_graph_add_node(b.graph, NULL, "", "Frobnicate", "n\n", 1, 1, &node, &b.err) ==
          FOVEA_ERR_UNSUPPORTED);
    CHECK(!node && b.graph->n_nodes == 3);
    CHECK(strstr(b.err.message, "operator Frobnicate at opset 17 is not supported") != NULL);
    CHECK(strchr(b.err.message, '\n') == NULL);
    CHECK_GRAPH(b.graph);
    build_finish(&b);
}

/* ---- clones and attributes -------------------------------------------------------------- */

static void attributes__set__copied(void) {
    struct graph_build b;
    V *v[4];
    small(&b, v);
    struct fovea_node *node = v[1]->producer;
    char name[] = "list", text[] = "first";
    int64_t ints[2] = {1, 2};
    const char *strings[1] = {text};
    build_set_ints(&b, v[1], name, ints, 2);
    build_set_string(&b, v[1], "text", text);
    build_attr(&b, v[1],
               &(struct fovea_attr){
                   .name = "strings", .kind = FOVEA_ATTR_STRINGS, .count = 1, .strings = strings});
    build_set_ints(&b, v[1], "none", NULL, 0);
    memset(name, 'z', 4);
    memset(text, 'z', 5);
    ints[0] = 99;
    size_t count;
    const int64_t *got = fovea_attr_ints(node, "list", &count);
    CHECK(got && count == 2 && got[0] == 1 && got[1] == 2);
    CHECK_STR(fovea_attr_string(node, "text", ""), "first");
    CHECK_STR(fovea_node_attr(node, "strings")->strings[0], "first");
    CHECK(fovea_node_attr(node, "none")->count == 0);
    build_set_string(&b, v[1], "text", "second"); /* replaced, not added */
    CHECK(node->n_attrs == 4);
    CHECK_STR(fovea_attr_string(node, "text", ""), "second");
    CHECK(fovea_attr_int(node, "text", 7) == 7); /* another kind */
    CHECK(fovea_attr_float(node, "absent", 0.5f) == 0.5f);
    build_finish(&b);
}

static void clone__changed__original_as_it_was(void) {
    struct graph_build b;
    V *v[4];
    struct fovea_graph copy;
    small(&b, v);
    build_set_ints(&b, v[1], "list", DIMS(5, 6), 2);
    CHECK_OK(fovea_graph_clone(b.graph, &copy, &b.err), b.err);
    CHECK_GRAPH(&copy);
    CHECK(copy.n_nodes == 3 && copy.n_values == b.graph->n_values && copy.opset == 17);
    const struct fovea_node *from = b.graph->first, *to = copy.first;
    for (; from && to; from = from->next, to = to->next) {
        CHECK(from != to && strcmp(from->type, to->type) == 0 && from->n_in == to->n_in);
        CHECK(from->out[0] != to->out[0] && strcmp(from->out[0]->name, to->out[0]->name) == 0);
        CHECK(from->n_attrs == to->n_attrs);
    }
    CHECK(!from && !to);
    const V *constant = copy.last->in[1];
    CHECK(constant->constant && !constant->owned); /* borrowed */
    CHECK(constant->t.data == b.graph->last->in[1]->t.data);
    CHECK(copy.inputs[0]->is_input && copy.outputs[0]->is_output);
    CHECK(copy.outputs[0]->producer == copy.last);

    CHECK_OK(fovea_value_replace(&copy, copy.outputs[0], copy.inputs[0], &b.err), b.err);
    CHECK(fovea_graph_sweep(&copy) == 3);
    CHECK_GRAPH(&copy);
    CHECK_GRAPH(b.graph);
    CHECK(b.graph->n_nodes == 3 && *(float *)b.graph->last->in[1]->t.data == 2);
    fovea_graph_finish(&copy);
    build_finish(&b);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(uses__one_node_reads_twice__two_uses),
        TEST(add_input__many__all_kept),
        TEST(replace__readers_and_output__all_move),
        TEST(remove__first_middle_last__list_whole),
        TEST(move__to_both_ends__list_whole),
        TEST(set_output__of_another_node__former_producer_loses_it),
        TEST(sweep__unread_branch__node_and_constant_go),
        TEST(add_node__unknown_operator__refused_and_nothing_added),
        TEST(attributes__set__copied),
        TEST(clone__changed__original_as_it_was),
    };
    return RUN_TESTS(tests, argc, argv);
}
