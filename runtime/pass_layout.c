/*
 * layout: images are stored channels-last from the first convolution to the
 * last, with a Reorder only where an operator needs the plain order.
 *
 * Convolution, pooling and the like (FOVEA_LAYOUT_IMAGE) take and make
 * channels-last images. Elementwise operators (FOVEA_LAYOUT_ANY) follow what
 * they are given. Everything else is plain. An image of one pixel or one
 * channel is the same bytes in both orders and counts as plain.
 *
 * A transpose between [N,C,H,W] and [N,H,W,C] is then a matter of names: it
 * becomes a View.
 */
#include "runtime/infer.h"
#include "runtime/match.h"
#include "runtime/op.h"
#include "runtime/passes.h"
#include "runtime/rewrite.h"

#include <stdio.h>
#include <string.h>

static bool is_image(const struct fovea_value *value) {
    return value && value->t.rank == 4;
}

/* Whether the two orders differ in memory. */
static bool has_order(const struct fovea_value *value) {
    const int64_t *dims = value->t.dims;
    return is_image(value) && dims[1] != 1 && dims[2] * dims[3] != 1 &&
           fovea_tensor_count(&value->t) > 0;
}

static void set_layout(struct fovea_value *value, enum fovea_layout layout) {
    if (value && has_order(value)) {
        value->layout = layout;
    }
}

/* ---- what a node wants ------------------------------------------------------ */

static bool follows_channels_last(const struct fovea_node *node) {
    for (int i = 0; i < node->n_in; i++) {
        if (is_image(node->in[i]) && node->in[i]->layout == FOVEA_CHANNELS_LAST) {
            return true;
        }
    }
    return false;
}

/* An elementwise operand that cannot be had channels-last: a broadcast of lower rank. */
static bool fits_channels_last(const struct fovea_node *node) {
    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i] && node->in[i]->t.rank > 4) {
            return false;
        }
    }
    for (int i = 0; i < node->n_out; i++) {
        if (node->out[i] && node->out[i]->t.rank != 4) {
            return false;
        }
    }
    return true;
}

static enum fovea_layout wanted_layout(const struct fovea_node *node) {
    enum fovea_layout_rule rule =
        node->op->layout_of ? node->op->layout_of(node) : node->op->layout;
    switch (rule) {
    case FOVEA_LAYOUT_IMAGE:
        return is_image(node->in[0]) && node->in[0]->t.dtype == FOVEA_F32 ? FOVEA_CHANNELS_LAST
                                                                          : FOVEA_PLAIN;
    case FOVEA_LAYOUT_ANY:
        return follows_channels_last(node) && fits_channels_last(node) ? FOVEA_CHANNELS_LAST
                                                                       : FOVEA_PLAIN;
    default:
        return FOVEA_PLAIN;
    }
}

/* Whether input `index` is an image the wanted layout is about. */
static bool takes_layout(const struct fovea_node *node, int index, enum fovea_layout wanted) {
    const struct fovea_value *value = node->in[index];
    enum fovea_layout_rule rule =
        node->op->layout_of ? node->op->layout_of(node) : node->op->layout;
    if (wanted == FOVEA_PLAIN) {
        return true;
    }
    if (rule == FOVEA_LAYOUT_ANY || index == 0) {
        return true;
    }
    /* Operands of an epilogue; weights and biases stay as they are. */
    for (int i = 0; i < node->n_epilogue; i++) {
        if (node->epilogue[i].kind != FOVEA_EPILOGUE_ACT && node->epilogue[i].input == index) {
            return is_image(value);
        }
    }
    return false;
}

/* ---- reorders ------------------------------------------------------------------ */

/* The same value in the other order: one Reorder serves all its readers. */
static enum fovea_status reordered(struct fovea_graph *graph, struct fovea_node *before,
                                   struct fovea_value *value, enum fovea_layout layout,
                                   struct fovea_value **out, struct fovea_error *err) {
    for (size_t i = 0; i < value->n_uses; i++) {
        struct fovea_node *node = value->uses[i].node;
        if (fovea_node_is_own(node, "Reorder") && node->out[0]->layout == layout) {
            *out = node->out[0];
            return FOVEA_OK;
        }
    }
    struct fovea_node *node;
    enum fovea_status st =
        fovea_rewrite_node(graph, before, "fovea", "Reorder", value->name, &value, 1, &node, err);
    if (!st) {
        st = fovea_rewrite_finish(node, NULL, err);
    }
    if (st) {
        return st;
    }
    *out = node->out[0];
    node->out[0]->layout = layout;
    if (value->constant) {
        st = fovea_settle_node(node, err);
    }
    return st;
}

/* Constants are reordered once; a Reorder that stays has a reason. */
static void note_reorder(struct fovea_pass_context *context, const struct fovea_node *reader,
                         const struct fovea_value *value, enum fovea_layout wanted) {
    char text[160];
    const char *order = wanted == FOVEA_PLAIN ? "plain" : "channels-last";
    if (value->constant) {
        snprintf(text, sizeof(text), "its constant '%s' is stored %s",
                 fovea_quote(value->name).text, order);
    } else {
        snprintf(text, sizeof(text), "Reorder of %s'%s': this reads it %s",
                 value->is_input ? "the graph's input " : "", fovea_quote(value->name).text, order);
    }
    fovea_pass_hit(context, reader, text);
}

static enum fovea_status fix_inputs(struct fovea_graph *graph, struct fovea_node *node,
                                    enum fovea_layout wanted, struct fovea_pass_context *context,
                                    struct fovea_error *err) {
    for (int i = 0; i < node->n_in; i++) {
        struct fovea_value *value = node->in[i], *other;
        if (!value || !has_order(value) || value->layout == wanted ||
            !takes_layout(node, i, wanted)) {
            continue;
        }
        enum fovea_status st = reordered(graph, node, value, wanted, &other, err);
        if (!st) {
            st = fovea_node_set_input(node, i, other, err);
        }
        if (st) {
            return st;
        }
        note_reorder(context, node, value, wanted);
    }
    return FOVEA_OK;
}

/* ---- transposes that are only names ------------------------------------------------ */

static bool has_perm(const struct fovea_node *node, int64_t a, int64_t b, int64_t c, int64_t d) {
    size_t count;
    const int64_t *perm = fovea_attr_ints(node, "perm", &count);
    return fovea_node_is(node, "Transpose") && count == 4 && perm[0] == a && perm[1] == b &&
           perm[2] == c && perm[3] == d;
}

/* Put a View in place of a transpose whose output then has `layout`. */
static enum fovea_status make_view(struct fovea_graph *graph, struct fovea_node *node,
                                   enum fovea_layout layout, struct fovea_error *err) {
    struct fovea_node *view;
    enum fovea_status st =
        fovea_rewrite_node(graph, node, "fovea", "View", node->name, &node->in[0], 1, &view, err);
    if (!st) {
        st = fovea_rewrite_set_ints(view, "shape", node->out[0]->t.dims, 4, err);
    }
    if (!st) {
        st = fovea_rewrite_finish(view, node->out[0], err);
    }
    if (!st) {
        set_layout(view->out[0], layout);
    }
    return st;
}

static enum fovea_status rename_transpose(struct fovea_graph *graph, struct fovea_node *node,
                                          bool *renamed, struct fovea_error *err) {
    const struct fovea_value *in = node->in[0];
    bool to_rows = has_perm(node, 0, 2, 3, 1) && in->layout == FOVEA_CHANNELS_LAST;
    bool to_image = has_perm(node, 0, 3, 1, 2) && in->layout == FOVEA_PLAIN;
    *renamed = (to_rows || to_image) && in->t.dtype == FOVEA_F32 && !in->constant;
    if (!*renamed) {
        return FOVEA_OK;
    }
    return make_view(graph, node, to_rows ? FOVEA_PLAIN : FOVEA_CHANNELS_LAST, err);
}

/* ---- the pass ------------------------------------------------------------------------ */

static enum fovea_status lay_out(struct fovea_graph *graph, struct fovea_node *node,
                                 struct fovea_pass_context *context, struct fovea_error *err) {
    bool renamed;
    enum fovea_status st = rename_transpose(graph, node, &renamed, err);
    if (st || renamed) {
        return st;
    }
    enum fovea_layout wanted = wanted_layout(node);
    st = fix_inputs(graph, node, wanted, context, err);
    for (int i = 0; !st && i < node->n_out; i++) {
        set_layout(node->out[i], wanted);
    }
    return st;
}

/* Outputs of the graph are plain. */
static enum fovea_status fix_outputs(struct fovea_graph *graph, struct fovea_pass_context *context,
                                     struct fovea_error *err) {
    for (size_t i = 0; i < graph->n_outputs; i++) {
        struct fovea_value *value = graph->outputs[i], *plain;
        if (value->layout == FOVEA_PLAIN) {
            continue;
        }
        enum fovea_status st = reordered(graph, NULL, value, FOVEA_PLAIN, &plain, err);
        if (st) {
            return st;
        }
        fovea_pass_hit(context, value->producer, "Reorder: outputs of the graph are plain");
        value->is_output = false;
        graph->outputs[i] = plain;
        plain->is_output = true;
    }
    return FOVEA_OK;
}

enum fovea_status fovea_pass_layout(struct fovea_graph *graph, struct fovea_pass_context *context,
                                    struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    for (struct fovea_node *node = graph->first; !st && node; node = node->next) {
        if (!fovea_node_is_own(node, "View")) {
            st = lay_out(graph, node, context, err);
        }
    }
    return st ? st : fix_outputs(graph, context, err);
}
