/* The order of deferred nodes: see deferred_order.h. */
#include "runtime/deferred_order.h"

#include <stdlib.h>

bool fovea_value_is_missing(const struct fovea_value *value) {
    return value && value->deferred && !value->t.data;
}

static enum fovea_status push(struct fovea_node ***list, size_t *n, size_t *cap,
                              struct fovea_node *node, struct fovea_error *err) {
    if (*n == *cap) {
        size_t more = *cap ? 2 * *cap : 32;
        struct fovea_node **longer = realloc(*list, more * sizeof(*longer));
        if (!longer) {
            return fovea_fail_memory(err, more * sizeof(*longer), "folding");
        }
        *list = longer;
        *cap = more;
    }
    (*list)[(*n)++] = node;
    return FOVEA_OK;
}

enum { UNSEEN, OPEN, LISTED };

static enum fovea_status open_node(struct fovea_workspace *w, struct fovea_node *node,
                                   struct fovea_error *err) {
    node->visits = OPEN;
    for (int i = node->n_in - 1; i >= 0; i--) {
        struct fovea_value *in = node->in[i];
        if (fovea_value_is_missing(in) && in->deferred->visits == UNSEEN) {
            enum fovea_status st = push(&w->stack, &w->n_stack, &w->cap_stack, in->deferred, err);
            if (st) {
                return st;
            }
        }
    }
    return FOVEA_OK;
}

/* List what the node on top of the stack depends on, without recursion, then itself. */
static enum fovea_status search(struct fovea_workspace *w, struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    while (!st && w->n_stack > 0) {
        struct fovea_node *node = w->stack[w->n_stack - 1];
        if (node->visits == UNSEEN) {
            st = open_node(w, node, err);
            continue;
        }
        w->n_stack--;
        if (node->visits == OPEN) {
            node->visits = LISTED;
            st = push(&w->order, &w->n_order, &w->cap_order, node, err);
        }
    }
    return st;
}

enum fovea_status fovea_deferred_order(struct fovea_workspace *w, const struct fovea_wanted *wanted,
                                       size_t n_wanted, struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    w->n_order = w->n_stack = 0;
    for (size_t i = 0; !st && i < n_wanted; i++) {
        st = push(&w->stack, &w->n_stack, &w->cap_stack, wanted[i].value->deferred, err);
        if (!st) {
            st = search(w, err);
        }
    }
    for (size_t i = 0; i < w->n_stack; i++) {
        w->stack[i]->visits = UNSEEN;
    }
    for (size_t i = 0; i < w->n_order; i++) {
        w->order[i]->visits = UNSEEN;
    }
    return st;
}
