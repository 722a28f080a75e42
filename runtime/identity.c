/*
 * Telling constants apart by how they come about (deferred.h): a number of
 * the loaded model, contents, or an operator of other constants.
 */
#include "runtime/deferred.h"

#include <string.h>

static void hash_shape(struct fovea_hash *hash, const struct fovea_tensor *t) {
    fovea_hash_number(hash, (uint64_t)t->dtype);
    fovea_hash_bytes(hash, t->dims, (size_t)t->rank * sizeof(t->dims[0]));
}

static void hash_contents(struct fovea_hash *hash, const struct fovea_tensor *t) {
    hash_shape(hash, t);
    fovea_hash_bytes(hash, t->data, t->data ? fovea_tensor_bytes(t) : 0);
}

static void hash_attr(struct fovea_hash *hash, const struct fovea_attr *attr) {
    fovea_hash_text(hash, attr->name);
    fovea_hash_number(hash, attr->kind);
    switch (attr->kind) {
    case FOVEA_ATTR_FLOAT:
        fovea_hash_bytes(hash, &attr->f, sizeof(attr->f));
        break;
    case FOVEA_ATTR_INT:
        fovea_hash_number(hash, (uint64_t)attr->i);
        break;
    case FOVEA_ATTR_STRING:
        fovea_hash_text(hash, attr->s);
        break;
    case FOVEA_ATTR_TENSOR:
        hash_contents(hash, &attr->t);
        break;
    case FOVEA_ATTR_FLOATS:
        fovea_hash_bytes(hash, attr->floats, attr->count * sizeof(attr->floats[0]));
        break;
    case FOVEA_ATTR_INTS:
        fovea_hash_bytes(hash, attr->ints, attr->count * sizeof(attr->ints[0]));
        break;
    case FOVEA_ATTR_STRINGS:
        for (size_t i = 0; i < attr->count; i++) {
            fovea_hash_text(hash, attr->strings[i]);
        }
        break;
    case FOVEA_ATTR_GRAPH:
    case FOVEA_ATTR_NONE:
        break;
    }
}

/* What a deferred node does, and to what; its operands have been identified. */
static struct fovea_digest identify_node(const struct fovea_node *node) {
    struct fovea_hash hash;
    fovea_hash_init(&hash);
    fovea_hash_text(&hash, node->domain);
    fovea_hash_text(&hash, node->type);
    fovea_hash_number(&hash, (uint64_t)node->opset);
    fovea_hash_number(&hash, node->n_attrs);
    for (size_t i = 0; i < node->n_attrs; i++) {
        hash_attr(&hash, &node->attrs[i]);
    }
    fovea_hash_number(&hash, (uint64_t)node->n_in);
    for (int i = 0; i < node->n_in; i++) {
        const struct fovea_digest absent = {0};
        fovea_hash_digest(&hash, node->in[i] ? fovea_value_identity(node->in[i]) : absent);
    }
    return fovea_hash_finish(&hash);
}

void fovea_deferred_identify(struct fovea_graph *graph) {
    for (const struct fovea_node *node = graph->first_deferred; node; node = node->next) {
        struct fovea_digest made = identify_node(node);
        for (int i = 0; i < node->n_out; i++) {
            struct fovea_value *out = node->out[i];
            if (!out) {
                continue;
            }
            struct fovea_hash hash;
            fovea_hash_init(&hash);
            fovea_hash_digest(&hash, made);
            fovea_hash_number(&hash, (uint64_t)i);
            fovea_hash_number(&hash, out->layout);
            hash_shape(&hash, &out->t);
            out->identity = fovea_hash_finish(&hash);
        }
    }
}

struct fovea_digest fovea_value_identity(struct fovea_value *value) {
    if (value->identity.high || value->identity.low) {
        return value->identity;
    }
    struct fovea_hash hash;
    fovea_hash_init(&hash);
    fovea_hash_number(&hash, value->origin);
    fovea_hash_number(&hash, value->layout);
    if (value->origin) {
        hash_shape(&hash, &value->t);
    } else {
        hash_contents(&hash, &value->t);
    }
    value->identity = fovea_hash_finish(&hash);
    return value->identity;
}
