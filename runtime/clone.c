/*
 * Copying a graph: a session rewrites its own copy, the model's stays as
 * loaded; and the graph within a node is copied to where the node is. The
 * copy borrows the contents of constants.
 */
#include "runtime/graph.h"

#include <stdlib.h>
#include <string.h>

struct clone {
    const struct fovea_graph *from;
    struct fovea_graph *to;
    struct fovea_node *before;   /* of `to`: where copies of nodes go; NULL: at the end */
    bool inlined;                /* `to` is a graph of another making */
    struct fovea_value **copies; /* by the original's number */
};

static struct fovea_value *copy_of(const struct clone *clone, const struct fovea_value *value) {
    return value ? clone->copies[value->number] : NULL;
}

static enum fovea_status copy_values(struct clone *clone, struct fovea_error *err) {
    for (const struct fovea_value *v = clone->from->values; v; v = v->next) {
        if (clone->inlined && v->is_input) {
            continue; /* stands for a value that is there */
        }
        struct fovea_value *copy =
            fovea_graph_add_value(clone->to, clone->inlined ? NULL : v->name);
        if (!copy) {
            return fovea_fail_memory(err, sizeof(*copy), "a copy of a graph");
        }
        copy->name = clone->inlined ? v->name : copy->name;
        copy->t = v->t;
        copy->typed = v->typed;
        copy->constant = v->constant;
        copy->is_input = v->is_input;
        copy->is_output = v->is_output && !clone->inlined;
        copy->layout = v->layout;
        /* A number of the model's own graph; constants of others are told apart by contents. */
        copy->origin = v->constant && !clone->inlined ? v->number + 1 : 0;
        clone->copies[v->number] = copy;
    }
    return FOVEA_OK;
}

static enum fovea_status copy_attrs(const struct clone *clone, const struct fovea_node *node,
                                    struct fovea_node *copy, struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    for (size_t i = 0; !clone->inlined && !st && i < node->n_attrs; i++) {
        st = fovea_node_set_attr(copy, &node->attrs[i], err);
    }
    if (!clone->inlined || node->n_attrs == 0) {
        return st;
    }
    copy->attrs = fovea_arena_alloc(&clone->to->arena, node->n_attrs, sizeof(*copy->attrs));
    if (!copy->attrs) {
        return fovea_fail_memory(err, node->n_attrs * sizeof(*copy->attrs), "attributes");
    }
    memcpy(copy->attrs, node->attrs, node->n_attrs * sizeof(*copy->attrs));
    copy->n_attrs = node->n_attrs;
    return FOVEA_OK;
}

static enum fovea_status copy_node(struct clone *clone, const struct fovea_node *node,
                                   struct fovea_error *err) {
    struct fovea_node *copy;
    enum fovea_status st =
        fovea_graph_add_node(clone->to, clone->before, node->domain, node->type,
                             clone->inlined ? "" : node->name, node->n_in, node->n_out, &copy, err);
    for (int i = 0; !st && i < node->n_in; i++) {
        st = fovea_node_set_input(copy, i, copy_of(clone, node->in[i]), err);
    }
    if (!st) {
        st = copy_attrs(clone, node, copy, err);
    }
    for (int i = 0; !st && i < node->n_out; i++) {
        if (node->out[i]) {
            fovea_node_set_output(copy, i, copy_of(clone, node->out[i]));
        }
    }
    if (!st) {
        memcpy(copy->epilogue, node->epilogue, sizeof(copy->epilogue));
        copy->n_epilogue = node->n_epilogue;
        copy->inlined = clone->inlined;
        copy->name = clone->inlined ? node->name : copy->name;
    }
    return st;
}

static struct fovea_value **copy_list(struct clone *clone, struct fovea_value **list,
                                      size_t count) {
    struct fovea_value **copies = fovea_arena_alloc(&clone->to->arena, count, sizeof(*copies));
    for (size_t i = 0; copies && i < count; i++) {
        copies[i] = copy_of(clone, list[i]);
    }
    return copies;
}

enum fovea_status fovea_graph_clone(const struct fovea_graph *graph, struct fovea_graph *out,
                                    struct fovea_error *err) {
    struct clone clone = {.from = graph, .to = out};
    fovea_graph_init(out, graph->find_op, graph->opset);
    out->defer_bytes = graph->defer_bytes;
    clone.copies = calloc(graph->n_values + 1, sizeof(*clone.copies));
    if (!clone.copies) {
        return fovea_fail_memory(err, (graph->n_values + 1) * sizeof(*clone.copies),
                                 "a copy of a graph");
    }

    enum fovea_status st = copy_values(&clone, err);
    for (const struct fovea_node *node = graph->first; !st && node; node = node->next) {
        st = copy_node(&clone, node, err);
    }
    if (!st) {
        out->inputs = copy_list(&clone, graph->inputs, graph->n_inputs);
        out->outputs = copy_list(&clone, graph->outputs, graph->n_outputs);
        out->n_inputs = graph->n_inputs;
        out->n_outputs = graph->n_outputs;
        if (!out->inputs || !out->outputs) {
            st = fovea_fail_memory(err, sizeof(*out), "a copy of a graph");
        }
    }
    free(clone.copies);
    if (st) {
        fovea_graph_finish(out);
    }
    return st;
}

enum fovea_status fovea_graph_inline(const struct fovea_graph *from, struct fovea_node *before,
                                     struct fovea_value *const *inputs,
                                     struct fovea_value **outputs, struct fovea_error *err) {
    struct clone clone = {.from = from, .to = before->graph, .before = before, .inlined = true};
    clone.copies = calloc(from->n_values + 1, sizeof(*clone.copies));
    if (!clone.copies) {
        return fovea_fail_memory(err, (from->n_values + 1) * sizeof(*clone.copies),
                                 "a copy of a graph");
    }
    for (size_t i = 0; i < from->n_inputs; i++) {
        clone.copies[from->inputs[i]->number] = inputs[i];
    }
    enum fovea_status st = copy_values(&clone, err);
    for (const struct fovea_node *node = from->first; !st && node; node = node->next) {
        st = copy_node(&clone, node, err);
    }
    for (size_t i = 0; !st && i < from->n_outputs; i++) {
        outputs[i] = copy_of(&clone, from->outputs[i]);
    }
    free(clone.copies);
    return st;
}
