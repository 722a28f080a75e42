/* Einsum's equation, "bhid,bhjd->bhij", checked against the operands' shapes. */
#ifndef FOVEA_OPS_EINSUM_PARSE_H
#define FOVEA_OPS_EINSUM_PARSE_H

#include "runtime/op.h"

enum { EINSUM_MAX_INPUTS = 8, EINSUM_MAX_LABELS = EINSUM_MAX_INPUTS * FOVEA_MAX_RANK };

/*
 * A label is an index over which the sum of products runs. Labels
 * [0, out_rank) are the output's dimensions in order, the rest are summed.
 */
struct einsum_equation {
    int n_in, n_labels, out_rank;
    int64_t size[EINSUM_MAX_LABELS];
    int rank[EINSUM_MAX_INPUTS];
    int labels[EINSUM_MAX_INPUTS][FOVEA_MAX_RANK]; /* of each dimension of each input */
};

/* The equation of `node` (attribute "equation") for its inputs, all present. */
enum fovea_status einsum_parse(const struct fovea_node *node, struct einsum_equation *out,
                               struct fovea_error *err);

#endif
