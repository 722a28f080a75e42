/*
 * precision: which f32 values lie in memory as bf16, in a session of bf16
 * precision.
 *
 * A value is stored as bf16 if some reader multiplies it (FOVEA_BF16_MULTIPLIES),
 * perhaps through operators that only move elements, and its producer can
 * write it so. Everything else stays f32: graph outputs, statistics, and the
 * residual stream, whose sum over all blocks would collect a rounding from
 * each. Where types do not meet a Convert is put between, one for all readers.
 *
 * Two walks: from the end, to see who wants what; from the front, to decide.
 */
#include "runtime/bf16_rule.h"
#include "runtime/infer.h"
#include "runtime/match.h"
#include "runtime/passes.h"
#include "runtime/rewrite.h"

#include <stdlib.h>

/* ---- who wants bf16 --------------------------------------------------------- */

/* Whether `node` gains by finding input `index` in bf16. `wanted`: by value number. */
static bool gains(const struct fovea_node *node, int index, const unsigned char *wanted) {
    struct fovea_bf16_types rule = fovea_bf16_types_of(node);
    if (!fovea_bf16_mask_has(rule.in, index) || fovea_bf16_is_epilogue_operand(node, index)) {
        return false;
    }
    if (rule.kind != FOVEA_BF16_MOVES) {
        return rule.kind == FOVEA_BF16_MULTIPLIES;
    }
    bool any = false;
    for (int i = 0; i < node->n_out; i++) {
        any |= node->out[i] && fovea_bf16_mask_has(rule.out, i) && wanted[node->out[i]->number];
    }
    return any;
}

static void mark_wanted(const struct fovea_graph *graph, unsigned char *wanted) {
    for (const struct fovea_node *node = graph->last; node; node = node->prev) {
        for (int i = 0; i < node->n_in; i++) {
            struct fovea_value *value = node->in[i];
            if (fovea_bf16_may_be(value) && !value->is_output && gains(node, i, wanted)) {
                wanted[value->number] = 1;
            }
        }
    }
}

/* ---- conversions ------------------------------------------------------------ */

static enum fovea_status add_convert(struct fovea_graph *graph, struct fovea_node *before,
                                     struct fovea_value *value, enum fovea_dtype dtype,
                                     struct fovea_value **out, struct fovea_error *err) {
    struct fovea_node *node;
    enum fovea_status st =
        fovea_rewrite_node(graph, before, "fovea", "Convert", value->name, &value, 1, &node, err);
    if (st) {
        return st;
    }
    fovea_tensor_set_shape(&node->out[0]->t, dtype, value->t.rank, value->t.dims);
    node->out[0]->typed = true;
    node->out[0]->layout = value->layout;
    *out = node->out[0];
    st = fovea_rewrite_finish(node, NULL, err);
    return st || !value->constant ? st : fovea_settle_node(node, err);
}

/* `value` in the other type, for `before` and whoever comes after it. */
static enum fovea_status converted(struct fovea_graph *graph, struct fovea_node *before,
                                   struct fovea_value *value, enum fovea_dtype dtype,
                                   struct fovea_value **out, struct fovea_error *err) {
    for (size_t i = 0; i < value->n_uses; i++) {
        struct fovea_node *node = value->uses[i].node;
        /* One that makes an output of the graph may come too late. */
        if (fovea_node_is_own(node, "Convert") && node->out[0]->t.dtype == dtype &&
            !node->out[0]->is_output) {
            *out = node->out[0];
            return FOVEA_OK;
        }
    }
    return add_convert(graph, before, value, dtype, out, err);
}

static enum fovea_status require(struct fovea_node *node, int index, enum fovea_dtype dtype,
                                 struct fovea_pass_context *context, struct fovea_error *err) {
    struct fovea_value *value = node->in[index], *other;
    if (!fovea_bf16_may_be(value) || value->t.dtype == dtype) {
        return FOVEA_OK;
    }
    enum fovea_status st = converted(node->graph, node, value, dtype, &other, err);
    if (!st) {
        st = fovea_node_set_input(node, index, other, err);
    }
    if (!st && !value->constant) {
        fovea_pass_miss(context, node, "a conversion before it");
    }
    return st;
}

/* ---- decisions -------------------------------------------------------------- */

/* Elements are moved as they come, unless a graph output is to be f32. */
static bool moves_as_bf16(const struct fovea_node *node, const struct fovea_bf16_types *rule) {
    bool any = false;
    for (int i = 0; i < node->n_in; i++) {
        const struct fovea_value *value = node->in[i];
        any |= value && fovea_bf16_mask_has(rule->in, i) && !value->constant &&
               value->t.dtype == FOVEA_BF16;
    }
    for (int i = 0; i < node->n_out; i++) {
        any &= !node->out[i] || !fovea_bf16_mask_has(rule->out, i) || !node->out[i]->is_output;
    }
    return any;
}

static bool writes_bf16(const struct fovea_node *node, const struct fovea_bf16_types *rule,
                        int index, bool moved, const unsigned char *wanted) {
    const struct fovea_value *value = node->out[index];
    if (!value || value->is_output || value->t.dtype != FOVEA_F32 ||
        !fovea_bf16_mask_has(rule->out, index)) {
        return false;
    }
    return rule->kind == FOVEA_BF16_MOVES ? moved : wanted[value->number] != 0;
}

static enum fovea_status fix_inputs(struct fovea_node *node, const struct fovea_bf16_types *rule,
                                    bool moved, struct fovea_pass_context *context,
                                    struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    for (int i = 0; !st && i < node->n_in; i++) {
        bool weights = i == 1 && node->op->pack && node->in[i] && node->in[i]->constant;
        if (!node->in[i] || fovea_bf16_is_epilogue_operand(node, i)) {
            continue;
        }
        if (!fovea_bf16_mask_has(rule->in, i) || (rule->kind == FOVEA_BF16_MOVES && !moved)) {
            st = require(node, i, FOVEA_F32, context, err);
        } else if (rule->kind == FOVEA_BF16_MOVES ||
                   (rule->kind == FOVEA_BF16_MULTIPLIES && !weights)) {
            st = require(node, i, FOVEA_BF16, context, err);
        }
    }
    return st;
}

static enum fovea_status decide(struct fovea_node *node, const unsigned char *wanted,
                                struct fovea_pass_context *context, struct fovea_error *err) {
    struct fovea_bf16_types rule = fovea_bf16_types_of(node);
    bool moved = rule.kind == FOVEA_BF16_MOVES && moves_as_bf16(node, &rule);
    enum fovea_status st = fix_inputs(node, &rule, moved, context, err);
    for (int i = 0; !st && i < node->n_out; i++) {
        if (writes_bf16(node, &rule, i, moved, wanted)) {
            node->out[i]->t.dtype = FOVEA_BF16;
            context->result->count++;
        }
    }
    return st;
}

enum fovea_status fovea_pass_precision(struct fovea_graph *graph,
                                       struct fovea_pass_context *context,
                                       struct fovea_error *err) {
    /* Values made on the way have numbers from here on, and nobody asks about them. */
    unsigned char *wanted = calloc(graph->n_values + 1, 1);
    if (!wanted) {
        return fovea_fail_memory(err, graph->n_values + 1, "the precision pass");
    }
    mark_wanted(graph, wanted);
    enum fovea_status st = FOVEA_OK;
    for (struct fovea_node *node = graph->first; !st && node; node = node->next) {
        st = decide(node, wanted, context, err); /* what that adds comes before the node */
    }
    free(wanted);
    return st;
}
