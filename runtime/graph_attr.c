/* Attributes of nodes: copies owned by the graph, and reading them. See graph.h. */
#include "runtime/graph.h"

#include <string.h>

static void *copy_array(struct fovea_arena *arena, const void *from, size_t count, size_t size) {
    void *to = fovea_arena_alloc(arena, count, size);
    if (to && count > 0) {
        memcpy(to, from, count * size);
    }
    return to;
}

static bool copy_strings(struct fovea_arena *arena, struct fovea_attr *attr) {
    const char **strings = fovea_arena_alloc(arena, attr->count, sizeof(*strings));
    if (!strings) {
        return false;
    }
    for (size_t i = 0; i < attr->count; i++) {
        strings[i] = fovea_arena_copy_text(arena, attr->strings[i], strlen(attr->strings[i]));
        if (!strings[i]) {
            return false;
        }
    }
    attr->strings = strings;
    return true;
}

/* Make `attr`, so far a copy of the caller's struct, own its name and contents. */
static bool own_attr(struct fovea_arena *arena, struct fovea_attr *attr) {
    attr->name = fovea_arena_copy_text(arena, attr->name, strlen(attr->name));
    if (!attr->name) {
        return false;
    }
    switch (attr->kind) {
    case FOVEA_ATTR_STRING:
        attr->s = fovea_arena_copy_text(arena, attr->s, strlen(attr->s));
        return attr->s != NULL;
    case FOVEA_ATTR_FLOATS:
        attr->floats = copy_array(arena, attr->floats, attr->count, sizeof(*attr->floats));
        return attr->floats != NULL;
    case FOVEA_ATTR_INTS:
        attr->ints = copy_array(arena, attr->ints, attr->count, sizeof(*attr->ints));
        return attr->ints != NULL;
    case FOVEA_ATTR_STRINGS:
        return copy_strings(arena, attr);
    default:
        return true;
    }
}

enum fovea_status fovea_node_set_attr(struct fovea_node *node, const struct fovea_attr *attr,
                                      struct fovea_error *err) {
    struct fovea_arena *arena = &node->graph->arena;
    struct fovea_attr copy = *attr;
    if (!own_attr(arena, &copy)) {
        return fovea_fail_memory(err, sizeof(copy), "an attribute");
    }
    struct fovea_attr *old = (struct fovea_attr *)fovea_node_attr(node, attr->name);
    if (old) {
        *old = copy;
        return FOVEA_OK;
    }
    struct fovea_attr *attrs = fovea_arena_alloc(arena, node->n_attrs + 1, sizeof(*attrs));
    if (!attrs) {
        return fovea_fail_memory(err, sizeof(*attrs), "an attribute");
    }
    if (node->n_attrs > 0) {
        memcpy(attrs, node->attrs, node->n_attrs * sizeof(*attrs));
    }
    attrs[node->n_attrs++] = copy;
    node->attrs = attrs;
    return FOVEA_OK;
}

const struct fovea_attr *fovea_node_attr(const struct fovea_node *node, const char *name) {
    for (size_t i = 0; i < node->n_attrs; i++) {
        if (strcmp(node->attrs[i].name, name) == 0) {
            return &node->attrs[i];
        }
    }
    return NULL;
}

int64_t fovea_attr_int(const struct fovea_node *node, const char *name, int64_t otherwise) {
    const struct fovea_attr *attr = fovea_node_attr(node, name);
    return attr && attr->kind == FOVEA_ATTR_INT ? attr->i : otherwise;
}

float fovea_attr_float(const struct fovea_node *node, const char *name, float otherwise) {
    const struct fovea_attr *attr = fovea_node_attr(node, name);
    return attr && attr->kind == FOVEA_ATTR_FLOAT ? attr->f : otherwise;
}

const char *fovea_attr_string(const struct fovea_node *node, const char *name,
                              const char *otherwise) {
    const struct fovea_attr *attr = fovea_node_attr(node, name);
    return attr && attr->kind == FOVEA_ATTR_STRING ? attr->s : otherwise;
}

const int64_t *fovea_attr_ints(const struct fovea_node *node, const char *name, size_t *count) {
    const struct fovea_attr *attr = fovea_node_attr(node, name);
    bool found = attr && attr->kind == FOVEA_ATTR_INTS;
    *count = found ? attr->count : 0;
    return found ? attr->ints : NULL;
}
