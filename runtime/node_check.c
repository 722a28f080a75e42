/* A node against the tables of its op: see node_check.h. */
#include "runtime/node_check.h"

#include <string.h>

static const char *const kind_names[] = {
    [FOVEA_ATTR_FLOAT] = "float",     [FOVEA_ATTR_INT] = "int",
    [FOVEA_ATTR_STRING] = "string",   [FOVEA_ATTR_TENSOR] = "tensor",
    [FOVEA_ATTR_FLOATS] = "floats",   [FOVEA_ATTR_INTS] = "ints",
    [FOVEA_ATTR_STRINGS] = "strings", [FOVEA_ATTR_GRAPH] = "graph",
    [FOVEA_ATTR_NONE] = "undefined",
};

static enum fovea_status check_attr(const struct fovea_node *node, const struct fovea_attr *attr,
                                    struct fovea_error *err) {
    const struct fovea_attr_spec *spec = node->op->attrs;
    for (; spec && spec->name; spec++) {
        if (strcmp(spec->name, attr->name) != 0) {
            continue;
        }
        if (spec->kind != attr->kind) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "attribute '%s' is of kind %s, not %s",
                              spec->name, kind_names[attr->kind], kind_names[spec->kind]);
        }
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "attribute '%s' is not known at opset %d",
                      fovea_quote(attr->name).text, node->opset);
}

static enum fovea_status check_attrs(const struct fovea_node *node, struct fovea_error *err) {
    for (size_t i = 0; i < node->n_attrs; i++) {
        enum fovea_status st = check_attr(node, &node->attrs[i], err);
        if (st) {
            return st;
        }
    }
    const struct fovea_attr_spec *spec = node->op->attrs;
    for (; spec && spec->name; spec++) {
        if (spec->required && !fovea_node_attr(node, spec->name)) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "attribute '%s' is missing", spec->name);
        }
    }
    return FOVEA_OK;
}

static enum fovea_status check_counts(const struct fovea_node *node, struct fovea_error *err) {
    const struct fovea_op *op = node->op;
    int n_in = node->n_in;
    /* Inputs that an epilogue reads come after the operator's own. */
    for (int i = 0; i < node->n_epilogue; i++) {
        if (node->epilogue[i].kind != FOVEA_EPILOGUE_ACT && node->epilogue[i].input < n_in) {
            n_in = node->epilogue[i].input;
        }
    }
    while (n_in > op->max_in && !node->in[n_in - 1]) {
        n_in--;
    }
    if (n_in > op->max_in) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "%d inputs; the operator takes at most %d", n_in,
                          op->max_in);
    }
    for (int i = 0; i < op->min_in; i++) {
        if (!fovea_node_input(node, i)) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "input %d is missing; %d are required", i,
                              op->min_in);
        }
    }
    if (node->n_out < op->min_out || node->n_out > op->max_out) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "%d outputs; the operator has %d to %d",
                          node->n_out, op->min_out, op->max_out);
    }
    return FOVEA_OK;
}

static enum fovea_status check_inputs(const struct fovea_node *node, struct fovea_error *err) {
    for (int i = 0; i < node->n_in; i++) {
        const struct fovea_value *value = node->in[i];
        if (!value) {
            continue;
        }
        if (value->kind != FOVEA_TENSOR && !node->op->expand) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "input %d ('%s') is %s, not a tensor", i,
                              fovea_quote(value->name).text,
                              value->kind == FOVEA_SEQUENCE ? "a sequence" : "empty");
        }
        if (!value->typed) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "input %d ('%s') has no type or shape", i,
                              fovea_quote(value->name).text);
        }
        if (i < 32 && (node->op->value_inputs >> i & 1) && !value->constant) {
            return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                              "input %d ('%s') decides %s, so it must not depend on what a run "
                              "brings",
                              i, fovea_quote(value->name).text,
                              node->op->expand ? "what is computed" : "the output's shape");
        }
    }
    return FOVEA_OK;
}

enum fovea_status fovea_node_check(const struct fovea_node *node, struct fovea_error *err) {
    enum fovea_status st = check_counts(node, err);
    if (!st) {
        st = check_attrs(node, err);
    }
    return st ? st : check_inputs(node, err);
}
