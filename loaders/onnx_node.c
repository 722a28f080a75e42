/* Nodes: which operators they want, and how they are connected. */
#include "loaders/onnx_convert.h"
#include "ops/registry.h"
#include "runtime/limits.h"

#include <stdio.h>
#include <string.h>

/* "node 'conv1' (Conv)", or by its place in the file where it has no name. */
static void prefix_node(struct fovea_error *err, const FoveaOnnx__NodeProto *proto, size_t index) {
    const char *type = fovea_onnx_text(proto->op_type);
    if (proto->name && proto->name[0]) {
        fovea_error_prefix(err, "node '%s' (%s)", fovea_quote(proto->name).text,
                           fovea_quote(type).text);
    } else {
        fovea_error_prefix(err, "node %zu (%s)", index, fovea_quote(type).text);
    }
}

/* The default domain has two spellings. */
static const char *domain_of(const FoveaOnnx__NodeProto *proto) {
    const char *domain = fovea_onnx_text(proto->domain);
    return strcmp(domain, "ai.onnx") == 0 ? "" : domain;
}

/* ---- unsupported operators ---------------------------------------------- */

enum { MOST_MISSING = 64 };

struct missing {
    const FoveaOnnx__NodeProto *first[MOST_MISSING]; /* node of each missing operator */
    size_t index[MOST_MISSING];
    size_t count;
    bool more;
};

/* Operators of the domain "fovea" are made by passes; a file has none. */
static bool is_supported(const FoveaOnnx__NodeProto *node, int opset) {
    const char *domain = domain_of(node);
    return strcmp(domain, "fovea") != 0 && fovea_op_find(domain, node->op_type, opset);
}

static void note_missing(struct missing *missing, const FoveaOnnx__NodeProto *node, size_t index) {
    for (size_t i = 0; i < missing->count; i++) {
        if (strcmp(missing->first[i]->op_type, node->op_type) == 0 &&
            strcmp(domain_of(missing->first[i]), domain_of(node)) == 0) {
            return;
        }
    }
    if (missing->count == MOST_MISSING) {
        missing->more = true;
        return;
    }
    missing->first[missing->count] = node;
    missing->index[missing->count++] = index;
}

/* "Loop (node 'x')"; false if `text` has no room for it and the words that may follow. */
static bool append_missing(char *text, size_t size, const FoveaOnnx__NodeProto *node, size_t index,
                           bool first) {
    enum { ROOM_FOR_MORE = 24 };
    char item[256], where[96];
    if (node->name && node->name[0]) {
        snprintf(where, sizeof(where), "'%s'", fovea_quote(node->name).text);
    } else {
        snprintf(where, sizeof(where), "%zu", index);
    }
    const char *domain = domain_of(node);
    snprintf(item, sizeof(item), "%s%s%s%s (node %s)", first ? "" : ", ", fovea_quote(domain).text,
             domain[0] ? "." : "", fovea_quote(node->op_type).text, where);
    size_t used = strlen(text), length = strlen(item);
    if (used + length + ROOM_FOR_MORE > size) {
        return false;
    }
    memcpy(text + used, item, length + 1);
    return true;
}

static enum fovea_status fail_missing(const struct missing *missing, int opset,
                                      struct fovea_error *err) {
    char list[420] = "";
    size_t shown = 0;
    while (shown < missing->count && append_missing(list, sizeof(list), missing->first[shown],
                                                    missing->index[shown], shown == 0)) {
        shown++;
    }
    /* The list has no room for MOST_MISSING, so that there never are more but not these. */
    if (shown < missing->count) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof(list) - used, " and %zu%s more", missing->count - shown,
                 missing->more ? " or" : "");
    }
    return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "operators not supported at opset %d: %s", opset,
                      list);
}

enum fovea_status fovea_onnx_operators(const struct fovea_onnx_loader *loader,
                                       const FoveaOnnx__GraphProto *graph,
                                       struct fovea_error *err) {
    struct missing missing = {.count = 0};
    for (size_t i = 0; i < graph->n_node; i++) {
        const FoveaOnnx__NodeProto *node = graph->node[i];
        if (!node->op_type || !node->op_type[0]) {
            enum fovea_status st = fovea_fail(err, FOVEA_ERR_INVALID, "has no operator type");
            prefix_node(err, node, i);
            return st;
        }
        if (!is_supported(node, loader->opset)) {
            note_missing(&missing, node, i);
        }
    }
    return missing.count > 0 ? fail_missing(&missing, loader->opset, err) : FOVEA_OK;
}

/* ---- one node ----------------------------------------------------------- */

static enum fovea_status find_input(const struct fovea_onnx_loader *loader, const char *name,
                                    struct fovea_value **out, struct fovea_error *err) {
    struct fovea_value *value;
    enum fovea_status st = fovea_onnx_find(loader->scope, name, &value, err);
    if (!st && !value) {
        st = fovea_fail(err, FOVEA_ERR_INVALID, "'%s' is not defined anywhere in the graph",
                        fovea_quote(name).text);
    }
    if (!st) {
        *out = value;
    }
    return st;
}

static enum fovea_status connect(struct fovea_onnx_loader *loader,
                                 const FoveaOnnx__NodeProto *proto, struct fovea_node *node,
                                 struct fovea_error *err) {
    for (int i = 0; i < (int)proto->n_input; i++) {
        struct fovea_value *value = NULL;
        enum fovea_status st = FOVEA_OK;
        if (proto->input[i][0]) {
            st = find_input(loader, proto->input[i], &value, err);
        }
        if (st) {
            fovea_error_prefix(err, "input %d", i);
            return st;
        }
        st = fovea_node_set_input(node, i, value, err);
        if (st) {
            return st;
        }
    }
    for (int i = 0; i < node->n_out; i++) {
        if (proto->output[i][0]) {
            const struct fovea_name *entry =
                fovea_names_find(&loader->scope->names, proto->output[i]);
            fovea_node_set_output(node, i, entry->value);
        }
    }
    return FOVEA_OK;
}

static enum fovea_status convert(struct fovea_onnx_loader *loader,
                                 const FoveaOnnx__NodeProto *proto, struct fovea_error *err) {
    struct fovea_node *node;
    if (proto->n_input > FOVEA_LIMIT_NODE_VALUES || proto->n_output > FOVEA_LIMIT_NODE_VALUES) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "%zu inputs and %zu outputs; the limit is %d each",
                          proto->n_input, proto->n_output, FOVEA_LIMIT_NODE_VALUES);
    }
    enum fovea_status st = fovea_graph_add_node(
        loader->scope->graph, NULL, domain_of(proto), proto->op_type, fovea_onnx_text(proto->name),
        (int)proto->n_input, (int)proto->n_output, &node, err);
    if (!st) {
        st = fovea_onnx_attrs(loader, proto, node, err);
    }
    return st ? st : connect(loader, proto, node, err);
}

enum fovea_status fovea_onnx_node(struct fovea_onnx_loader *loader,
                                  const FoveaOnnx__GraphProto *graph, size_t index,
                                  struct fovea_error *err) {
    enum fovea_status st = convert(loader, graph->node[index], err);
    if (st) {
        prefix_node(err, graph->node[index], index);
    }
    return st;
}
