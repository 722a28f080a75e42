/* Rules of bf16 storage: see bf16_rule.h. */
#include "runtime/bf16_rule.h"

#include "runtime/match.h"

bool fovea_bf16_mask_has(unsigned mask, int index) {
    return mask >> (index < 31 ? index : 31) & 1;
}

bool fovea_bf16_may_be(const struct fovea_value *value) {
    return value && (value->t.dtype == FOVEA_F32 || value->t.dtype == FOVEA_BF16);
}

bool fovea_bf16_is_epilogue_operand(const struct fovea_node *node, int index) {
    return node->in[index] && fovea_own_input(node, index) == NULL;
}

struct fovea_bf16_types fovea_bf16_types_of(const struct fovea_node *node) {
    const struct fovea_op *op = node->op;
    struct fovea_bf16_types rule = {op->bf16, op->bf16_in, op->bf16_out};
    if (rule.kind == FOVEA_BF16_NONE && (op->flags & FOVEA_OP_VIEW)) {
        rule = (struct fovea_bf16_types){FOVEA_BF16_MOVES, 1, 1};
    }
    for (int i = 0; i < node->n_in; i++) {
        bool other_type =
            node->in[i] && fovea_bf16_mask_has(rule.in, i) && !fovea_bf16_may_be(node->in[i]);
        if (other_type && rule.kind != FOVEA_BF16_FREE) {
            rule = (struct fovea_bf16_types){FOVEA_BF16_NONE, 0, 0};
        }
    }
    return rule;
}

/* ---- checking ----------------------------------------------------------- */

static enum fovea_status fail_type(const char *what, int index, const struct fovea_value *value,
                                   struct fovea_error *err) {
    return fovea_fail(err, FOVEA_ERR_INVALID, "%s %d is %s, with which it does not compute", what,
                      index, fovea_dtype_name(value->t.dtype));
}

/* Half types a conversion has at the edge of a graph, and bf16 where the rule has it. */
static bool may_have(const struct fovea_node *node, unsigned mask, int index,
                     enum fovea_dtype dtype) {
    if (!fovea_dtype_is_half(dtype) || fovea_node_is_own(node, "Convert")) {
        return true;
    }
    return dtype == FOVEA_BF16 && fovea_bf16_mask_has(mask, index);
}

/* What is multiplied has one type, and so has what is moved; packed weights stay as they were. */
static bool has_one_type(const struct fovea_node *node, const struct fovea_bf16_types *rule) {
    int n_f32 = 0, n_bf16 = 0;
    for (int i = 0; i < node->n_in; i++) {
        const struct fovea_value *value = node->in[i];
        bool weights = i == 1 && node->op->pack && value && value->constant &&
                       value->t.dtype == FOVEA_F32 && rule->kind == FOVEA_BF16_MULTIPLIES;
        if (value && fovea_bf16_mask_has(rule->in, i) && !weights &&
            !fovea_bf16_is_epilogue_operand(node, i)) {
            n_f32 += value->t.dtype == FOVEA_F32;
            n_bf16 += value->t.dtype == FOVEA_BF16;
        }
    }
    for (int i = 0; rule->kind == FOVEA_BF16_MOVES && i < node->n_out; i++) {
        if (node->out[i] && fovea_bf16_mask_has(rule->out, i)) {
            n_f32 += node->out[i]->t.dtype == FOVEA_F32;
            n_bf16 += node->out[i]->t.dtype == FOVEA_BF16;
        }
    }
    return n_f32 == 0 || n_bf16 == 0;
}

enum fovea_status fovea_bf16_check(const struct fovea_node *node, struct fovea_error *err) {
    struct fovea_bf16_types rule = fovea_bf16_types_of(node);
    for (int i = 0; i < node->n_in; i++) {
        const struct fovea_value *value = node->in[i];
        bool looked_at = i < 32 && (node->op->value_inputs >> i & 1);
        bool either = value && value->t.dtype == FOVEA_BF16 && !looked_at &&
                      fovea_bf16_is_epilogue_operand(node, i);
        if (value && !either &&
            (!may_have(node, rule.in, i, value->t.dtype) ||
             (looked_at && fovea_dtype_is_half(value->t.dtype)))) {
            return fail_type("operand", i, value, err);
        }
    }
    for (int i = 0; i < node->n_out; i++) {
        const struct fovea_value *value = node->out[i];
        bool own = fovea_node_is_own(node, "Convert");
        if (value && (!may_have(node, rule.out, i, value->t.dtype) ||
                      (value->is_output && !own && fovea_dtype_is_half(value->t.dtype)))) {
            return fail_type("result", i, value, err);
        }
    }
    bool mixes = rule.kind == FOVEA_BF16_MOVES || rule.kind == FOVEA_BF16_MULTIPLIES;
    if (mixes && !has_one_type(node, &rule)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "its operands are of f32 and of bf16");
    }
    return FOVEA_OK;
}
