/*
 * shuffle: the channels of an image dealt out between groups,
 *
 *     [N,C,H,W] -Reshape-> [N,g,C/g,H,W] -Transpose 0,2,1,3,4-> -Reshape-> [N,C,H,W]
 *
 * become one Shuffle, which copies in any layout.
 */
#include "runtime/match.h"
#include "runtime/passes.h"
#include "runtime/rewrite.h"

#include <string.h>

static bool swaps_groups(const struct fovea_node *node) {
    static const int64_t wanted[5] = {0, 2, 1, 3, 4};
    size_t count;
    const int64_t *perm = fovea_attr_ints(node, "perm", &count);
    return fovea_node_is(node, "Transpose") && count == 5 &&
           memcmp(perm, wanted, sizeof(wanted)) == 0;
}

/* Whether `parted` [N,g,k,H,W] is `image` [N,gk,H,W]. */
static bool parts_channels(const struct fovea_tensor *image, const struct fovea_tensor *parted) {
    const int64_t *a = image->dims, *b = parted->dims;
    return image->rank == 4 && parted->rank == 5 && a[0] == b[0] && a[1] == b[1] * b[2] &&
           a[2] == b[3] && a[3] == b[4] && fovea_tensor_count(image) > 0;
}

/* The image before and the Reshape after a transpose that is the middle of a shuffle. */
static bool match(const struct fovea_node *node, struct fovea_value **image,
                  struct fovea_node **after) {
    const struct fovea_node *before = fovea_value_from(node->in[0], "Reshape");
    *after = fovea_value_only_user(node->out[0]);
    if (!swaps_groups(node) || !before || !fovea_node_is(*after, "Reshape")) {
        return false;
    }
    *image = before->in[0];
    return parts_channels(&(*image)->t, &node->in[0]->t) &&
           fovea_tensor_same_shape(&(*image)->t, &(*after)->out[0]->t);
}

enum fovea_status fovea_pass_shuffle(struct fovea_graph *graph, struct fovea_pass_context *context,
                                     struct fovea_error *err) {
    for (struct fovea_node *node = graph->first; node; node = node->next) {
        struct fovea_node *after, *shuffle;
        struct fovea_value *image;
        if (!match(node, &image, &after)) {
            continue;
        }
        enum fovea_status st = fovea_rewrite_node(graph, after, "fovea", "Shuffle", node->name,
                                                  &image, 1, &shuffle, err);
        if (!st) {
            st = fovea_rewrite_set_int(shuffle, "groups", node->in[0]->t.dims[1], err);
        }
        if (!st) {
            st = fovea_rewrite_finish(shuffle, after->out[0], err);
        }
        if (st) {
            return st;
        }
        fovea_pass_hit(context, node, "one copy");
    }
    return FOVEA_OK;
}
