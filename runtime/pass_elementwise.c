/*
 * elementwise: neighbouring elementwise operators become one program that
 * reads and writes each element once (program.h).
 *
 * A group grows from its last node backwards: a producer joins if it is
 * elementwise, has the group's shape, and everything outside the group that
 * reads it comes after the group's place. Such a value becomes a further
 * output of the program.
 */
#include "runtime/match.h"
#include "runtime/passes.h"
#include "runtime/program.h"
#include "runtime/rewrite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NODES = 24, MAX_INPUTS = 12, MAX_OUTPUTS = 4 };

struct group {
    struct fovea_node *nodes[MAX_NODES]; /* last first */
    int n_nodes;
    struct fovea_value *inputs[MAX_INPUTS];
    int n_inputs;
    struct fovea_value *outputs[MAX_OUTPUTS];
    int n_outputs;
};

struct fuser {
    struct fovea_graph *graph;
    struct fovea_pass_context *context;
    size_t *position; /* of the producing node, by value number */
};

static bool holds(const struct group *group, const struct fovea_node *node) {
    for (int i = 0; i < group->n_nodes; i++) {
        if (group->nodes[i] == node) {
            return true;
        }
    }
    return false;
}

/* Elementwise, of one f32 output that some reader needs. */
/* Operands may be one value many times, so the group's limit of inputs is the node's, too. */
static bool is_member(const struct fovea_node *node) {
    return node && node->n_out == 1 && node->out[0] && node->out[0]->t.dtype == FOVEA_F32 &&
           node->n_in <= MAX_INPUTS && fovea_program_knows(node);
}

/* ---- what a group reads and writes --------------------------------------- */

static bool add_distinct(struct fovea_value **list, int *n, int most, struct fovea_value *value) {
    for (int i = 0; i < *n; i++) {
        if (list[i] == value) {
            return true;
        }
    }
    if (*n == most) {
        return false;
    }
    list[(*n)++] = value;
    return true;
}

static bool is_read_outside(const struct group *group, const struct fovea_value *value) {
    for (size_t i = 0; i < value->n_uses; i++) {
        if (!holds(group, value->uses[i].node)) {
            return true;
        }
    }
    return value->is_output;
}

/* Find inputs and outputs; false if there are too many, or an input is not f32. */
static bool find_edges(struct group *group) {
    group->n_inputs = group->n_outputs = 0;
    for (int i = group->n_nodes - 1; i >= 0; i--) {
        const struct fovea_node *node = group->nodes[i];
        for (int j = 0; j < node->n_in; j++) {
            struct fovea_value *in = node->in[j];
            if (in && !(in->producer && holds(group, in->producer)) &&
                (in->t.dtype != FOVEA_F32 ||
                 !add_distinct(group->inputs, &group->n_inputs, MAX_INPUTS, in))) {
                return false;
            }
        }
        if (is_read_outside(group, node->out[0]) &&
            !add_distinct(group->outputs, &group->n_outputs, MAX_OUTPUTS, node->out[0])) {
            return false;
        }
    }
    return true;
}

/* ---- growing -------------------------------------------------------------- */

/* Everything outside the group that reads `value` must come after the group's place. */
static bool readers_come_later(const struct fuser *fuser, const struct group *group,
                               const struct fovea_value *value) {
    size_t place = fuser->position[group->nodes[0]->out[0]->number];
    for (size_t i = 0; i < value->n_uses; i++) {
        const struct fovea_node *reader = value->uses[i].node;
        if (!holds(group, reader) && fuser->position[reader->out[0]->number] < place) {
            return false;
        }
    }
    return true;
}

static bool join(const struct fuser *fuser, struct group *group, struct fovea_node *node) {
    if (group->n_nodes == MAX_NODES || holds(group, node) || !is_member(node) ||
        !fovea_tensor_same_shape(&node->out[0]->t, &group->nodes[0]->out[0]->t) ||
        !readers_come_later(fuser, group, node->out[0])) {
        return false;
    }
    group->nodes[group->n_nodes++] = node;
    if (find_edges(group)) {
        return true;
    }
    group->n_nodes--;
    return false;
}

static void grow(const struct fuser *fuser, struct group *group) {
    /* Nodes are appended while the list is walked: breadth first. */
    for (int i = 0; i < group->n_nodes; i++) {
        const struct fovea_node *node = group->nodes[i];
        for (int j = 0; j < node->n_in; j++) {
            if (node->in[j] && node->in[j]->producer) {
                join(fuser, group, node->in[j]->producer);
            }
        }
    }
    find_edges(group);
}

/* ---- making the program ------------------------------------------------------ */

static int compare_position(const void *a, const void *b, void *context) {
    const size_t *position = context;
    const struct fovea_node *x = *(struct fovea_node *const *)a;
    const struct fovea_node *y = *(struct fovea_node *const *)b;
    size_t px = position[x->out[0]->number], py = position[y->out[0]->number];
    return px < py ? -1 : px > py;
}

static int number_of(const struct group *group, const int *results,
                     const struct fovea_value *value) {
    if (!value) {
        return -1;
    }
    for (int i = 0; i < group->n_inputs; i++) {
        if (group->inputs[i] == value) {
            return i;
        }
    }
    for (int i = 0; i < group->n_nodes; i++) {
        if (group->nodes[i]->out[0] == value) {
            return results[i];
        }
    }
    return -1;
}

/* Nodes in order of execution become instructions; results[i] is the value of nodes[i]. */
static enum fovea_status make_program(const struct group *group, struct fovea_program *program,
                                      int *results, struct fovea_error *err) {
    for (int i = 0; i < group->n_nodes; i++) {
        const struct fovea_node *node = group->nodes[i];
        int args[MAX_INPUTS];
        for (int j = 0; j < node->n_in; j++) {
            args[j] = number_of(group, results, node->in[j]);
        }
        enum fovea_status st = fovea_program_append_node(program, node, args, &results[i], err);
        if (st) {
            return st;
        }
    }
    return FOVEA_OK;
}

/* The fused node takes over the values that were the group's outputs. */
static enum fovea_status replace_group(const struct fuser *fuser, struct group *group,
                                       const struct fovea_program *program, const int *results,
                                       struct fovea_error *err) {
    struct fovea_node *last = group->nodes[group->n_nodes - 1], *node;
    int outputs[MAX_OUTPUTS];
    enum fovea_status st =
        fovea_graph_add_node(fuser->graph, last, "fovea", "Elementwise", last->name,
                             group->n_inputs, group->n_outputs, &node, err);
    for (int i = 0; !st && i < group->n_inputs; i++) {
        st = fovea_node_set_input(node, i, group->inputs[i], err);
    }
    for (int i = 0; i < group->n_outputs; i++) {
        outputs[i] = number_of(group, results, group->outputs[i]);
    }
    if (!st) {
        st = fovea_program_store(program, outputs, group->n_outputs, node, err);
    }
    if (st) {
        return st;
    }
    size_t place = fuser->position[last->out[0]->number];
    for (int i = group->n_nodes - 1; i >= 0; i--) {
        for (int j = 0; j < group->n_outputs; j++) {
            if (group->nodes[i]->out[0] == group->outputs[j]) {
                fovea_node_set_output(node, j, group->outputs[j]);
                fuser->position[group->outputs[j]->number] = place;
                break;
            }
        }
        fovea_graph_remove_node(fuser->graph, group->nodes[i]);
    }
    return FOVEA_OK;
}

static void note_group(const struct fuser *fuser, const struct group *group) {
    char text[64];
    snprintf(text, sizeof(text), "and %d operators before it are one program", group->n_nodes - 1);
    fovea_pass_hit(fuser->context, group->nodes[group->n_nodes - 1], text);
}

static enum fovea_status fuse(const struct fuser *fuser, struct group *group,
                              struct fovea_error *err) {
    struct fovea_program program;
    int results[MAX_NODES];
    qsort_r(group->nodes, (size_t)group->n_nodes, sizeof(group->nodes[0]), compare_position,
            fuser->position);
    fovea_program_init(&program, group->n_inputs);
    enum fovea_status st = make_program(group, &program, results, err);
    if (!st) {
        note_group(fuser, group);
        st = replace_group(fuser, group, &program, results, err);
    }
    fovea_program_finish(&program);
    return st;
}

static void number_positions(const struct fovea_graph *graph, size_t *position) {
    size_t at = 0;
    for (const struct fovea_node *node = graph->first; node; node = node->next) {
        at++;
        for (int i = 0; i < node->n_out; i++) {
            if (node->out[i]) {
                position[node->out[i]->number] = at;
            }
        }
    }
}

enum fovea_status fovea_pass_elementwise(struct fovea_graph *graph,
                                         struct fovea_pass_context *context,
                                         struct fovea_error *err) {
    /* No values are made below, so numbers stay in range. */
    struct fuser fuser = {.graph = graph, .context = context};
    fuser.position = calloc(graph->n_values + 1, sizeof(*fuser.position));
    if (!fuser.position) {
        return fovea_fail_memory(err, (graph->n_values + 1) * sizeof(size_t), "a pass");
    }
    number_positions(graph, fuser.position);
    enum fovea_status st = FOVEA_OK;
    struct fovea_node *node = graph->last;
    while (!st && node) {
        struct group group = {.nodes = {node}, .n_nodes = 1};
        struct fovea_node *mark = node->next;
        if (is_member(node) && find_edges(&group)) {
            grow(&fuser, &group);
            if (group.n_nodes > 1) {
                st = fuse(&fuser, &group, err);
            }
        }
        /* What stood before the group's place, whatever became of the node itself. */
        node = mark ? mark->prev : graph->last;
        node = node ? node->prev : NULL;
    }
    free(fuser.position);
    return st;
}
