/*
 * Which tensor of one run corresponds to which of another: two sequences
 * aligned, so that what corresponds comes in the same order in both.
 *
 * Tensors can correspond if they have the same dimensions, 1s aside. They do if
 * their contents are alike, or, which counts less, if the models share most of
 * their names and theirs is the same: a pass that fuses what follows into a
 * step leaves the name and changes the contents. Of all ways to align that, the
 * one with the most. Behind the last such pair, where runs that share no names
 * have gone apart, dimensions and order alone decide.
 */
#ifndef FOVEA_TOOLS_DIFF_MATCH_H
#define FOVEA_TOOLS_DIFF_MATCH_H

#include "tools/diff_trace.h"

enum diff_by {
    DIFF_BY_NAME,
    DIFF_BY_CONTENT,
    DIFF_BY_ORDER,
};

struct diff_pair {
    size_t a, b; /* into the values of the traces */
    enum diff_by by;
};

/* Contents are alike up to this distance of sketches. */
#define DIFF_ALIKE 0.1

/* *out is to be freed. FOVEA_ERR_LIMIT if there are too many tensors to align. */
enum fovea_status diff_match(const struct diff_trace *a, const struct diff_trace *b,
                             struct diff_pair **out, size_t *count, struct fovea_error *err);

#endif
