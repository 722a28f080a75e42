/*
 * tokens: patches to tokens without moving anything.
 *
 *     [N,C,H,W] -Reshape-> [N,C,HW] -Transpose 0,2,1-> [N,HW,C]
 *
 * becomes Transpose 0,2,3,1 then Reshape. Where the image is channels-last in
 * memory, that transpose is the identity on bytes (the layout pass sees to it).
 * The way back, tokens to an image, likewise.
 */
#include "runtime/match.h"
#include "runtime/passes.h"
#include "runtime/rewrite.h"

#include <string.h>

static bool swaps_last_two(const struct fovea_node *node) {
    size_t count;
    const int64_t *perm = fovea_attr_ints(node, "perm", &count);
    return fovea_node_is(node, "Transpose") && count == 3 && perm[0] == 0 && perm[1] == 2 &&
           perm[2] == 1;
}

/* Whether `image` [N,C,H,W] and `rows` [N,C,HW] are the same elements. */
static bool is_flattened(const struct fovea_tensor *image, const struct fovea_tensor *rows) {
    return image->rank == 4 && rows->rank == 3 && image->dims[0] == rows->dims[0] &&
           image->dims[1] == rows->dims[1] && image->dims[2] * image->dims[3] == rows->dims[2];
}

static enum fovea_status transpose(struct fovea_graph *graph, struct fovea_node *before,
                                   struct fovea_value *x, const int64_t perm[4],
                                   struct fovea_value *old, struct fovea_value **out,
                                   struct fovea_error *err) {
    struct fovea_node *node;
    enum fovea_status st =
        fovea_rewrite_node(graph, before, "", "Transpose", before->name, &x, 1, &node, err);
    if (!st) {
        st = fovea_rewrite_set_ints(node, "perm", perm, 4, err);
    }
    if (!st) {
        st = fovea_rewrite_finish(node, old, err);
    }
    if (!st) {
        *out = node->out[0];
    }
    return st;
}

static enum fovea_status image_to_tokens(struct fovea_graph *graph, struct fovea_node *node,
                                         struct fovea_value *image, struct fovea_error *err) {
    static const int64_t perm[4] = {0, 2, 3, 1};
    struct fovea_value *moved;
    struct fovea_node *reshape;
    enum fovea_status st = transpose(graph, node, image, perm, NULL, &moved, err);
    if (!st) {
        st = fovea_rewrite_reshape(graph, node, node->name, moved, 3, node->out[0]->t.dims,
                                   &reshape, err);
    }
    return st ? st : fovea_rewrite_finish(reshape, node->out[0], err);
}

static enum fovea_status tokens_to_image(struct fovea_graph *graph, struct fovea_node *node,
                                         struct fovea_node *reshape, struct fovea_error *err) {
    static const int64_t perm[4] = {0, 3, 1, 2};
    const int64_t *image = reshape->out[0]->t.dims;
    int64_t dims[4] = {image[0], image[2], image[3], image[1]};
    struct fovea_value *moved;
    struct fovea_node *inner;
    enum fovea_status st =
        fovea_rewrite_reshape(graph, reshape, reshape->name, node->in[0], 4, dims, &inner, err);
    if (!st) {
        st = fovea_rewrite_finish(inner, NULL, err);
    }
    if (!st) {
        st = transpose(graph, reshape, inner->out[0], perm, reshape->out[0], &moved, err);
    }
    return st;
}

enum fovea_status fovea_pass_tokens(struct fovea_graph *graph, struct fovea_pass_context *context,
                                    struct fovea_error *err) {
    for (struct fovea_node *node = graph->first; node; node = node->next) {
        if (!swaps_last_two(node)) {
            continue;
        }
        struct fovea_node *from = node->in[0]->producer;
        struct fovea_node *to = fovea_value_only_user(node->out[0]);
        bool flattens = fovea_node_is(from, "Reshape") || fovea_node_is(from, "Flatten");
        enum fovea_status st;
        if (flattens && is_flattened(&from->in[0]->t, &node->in[0]->t)) {
            st = image_to_tokens(graph, node, from->in[0], err);
        } else if (fovea_node_is(to, "Reshape") && is_flattened(&to->out[0]->t, &node->out[0]->t)) {
            st = tokens_to_image(graph, node, to, err);
        } else {
            continue;
        }
        if (st) {
            return st;
        }
        fovea_pass_hit(context, node, "moves no data");
    }
    return FOVEA_OK;
}
